"""An assignment says what is graded; what cannot be used is refused in one sentence that names the key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_tinytorch.course import MODULES, TRACKS
from pytest_tinytorch.grade import assignment
from pytest_tinytorch.grade.assignment import Assignment, AssignmentError, load, read

EXAMPLE = (assignment.__doc__ or "").partition("\n\n")[2]


def test_nothing_said_is_the_whole_course() -> None:
    found = read({})
    assert found == Assignment()
    assert found.checkpoints == tuple(module.name for module in MODULES)
    assert (found.milestones, found.weights, found.due) == ((), {}, {})


def test_the_example_of_the_documentation_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "autumn.toml"
    file.write_text(EXAMPLE, encoding="utf-8")
    found = load(file)
    assert (found.name, found.track, found.milestones) == ("Autumn", "complete", (1986,))
    assert found.checkpoints == ("autograd", "optimizers", "training", "dataloader")
    assert found.provided == ("tensor",)
    assert found.weights == {"autograd": 2, "1986": 20}
    assert found.due == {"autograd": "2026-10-31T23:59:59+00:00"}
    assert found.source == str(file)


def test_the_command_line_comes_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "autumn.toml"
    file.write_text(EXAMPLE, encoding="utf-8")
    found = load(file, {"checkpoints": ["2", "autograd"], "total_limit": 60.0})
    assert found.checkpoints == ("activations", "autograd")
    assert (found.name, found.total_limit) == ("Autumn", 60.0)


def test_a_file_may_begin_with_the_mark_of_windows_editors(tmp_path: Path) -> None:
    file = tmp_path / "autumn.toml"
    file.write_bytes(b'\xef\xbb\xbf[assignment]\r\nname = "Herbst"\r\n')
    assert load(file).name == "Herbst"


@pytest.mark.parametrize("track", sorted(TRACKS))
def test_a_track_is_graded_without_what_it_provides(track: str) -> None:
    found = read({"assignment": {"track": track}})
    assert found.checkpoints == tuple(module.name for module in TRACKS[track].modules)
    assert found.provided == tuple(module.name for module in TRACKS[track].provided)


def test_a_custom_track_names_its_modules() -> None:
    said = {"track": "custom", "modules": ["autograd"], "provided": ["tensor", "2", "layers", "losses"]}
    found = read({"assignment": said})
    assert (found.track, found.checkpoints) == ("custom", ("autograd",))


def test_what_is_provided_is_graded_where_it_is_named() -> None:
    assert read({"assignment": {"provided": ["tensor"]}}).checkpoints[0] == "activations"
    assert read({"assignment": {"provided": ["tensor"], "checkpoints": "1-2"}}).checkpoints == ("tensor", "activations")


def test_milestones_may_be_all_that_is_graded() -> None:
    found = read({"assignment": {"checkpoints": [], "milestones": ["1957", 3]}})
    assert (found.checkpoints, found.milestones) == ((), (1957, 1986))


def test_the_environment_is_nobodys_work() -> None:
    assert "environment" not in read({"assignment": {"checkpoints": "0-2"}}).checkpoints


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-10-31", "2026-10-31T23:59:59+00:00"),
        ("2026-10-31T18:00", "2026-10-31T18:00:00+00:00"),
        ("2026-10-31T18:00:00Z", "2026-10-31T18:00:00+00:00"),
        ("2026-10-31T18:00:00+02:00", "2026-10-31T18:00:00+02:00"),
    ],
)
def test_due_dates_are_moments(value: str, moment: str, tmp_path: Path) -> None:
    assert read({"due": {"tensor": value}}).due == {"tensor": moment}
    file = tmp_path / "autumn.toml"
    file.write_text(f"[due]\ntensor = {value if len(value) != 16 else value + ':00'}\n", encoding="utf-8")
    assert load(file).due == {"tensor": moment}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"asignment": {}}, "asignment is no table; there are assignment, weights, due"),
        ({"weights": 3}, "weights is no table: write [weights] on a line of its own"),
        ({"assignment": {"points": 3}}, "points is no key of [assignment]; there are name, track,"),
        ({"assignment": {"name": ""}}, "name = '' is no name"),
        ({"assignment": {"name": "a\nb"}}, "is no name: one line of text is"),
        ({"assignment": {"package": "my-torch"}}, "package = 'my-torch' is no name of a Python package"),
        ({"assignment": {"track": "short"}}, "track = 'short' is no track; there are complete, fast,"),
        ({"assignment": {"track": ["fast"]}}, "is no track"),
        ({"assignment": {"modules": ["tensor"]}}, 'modules goes with track = "custom"'),
        ({"assignment": {"track": "custom", "modules": ["autograd"]}}, "modules: module 05 autograd needs 01 tensor"),
        ({"assignment": {"provided": ["tensr"]}}, "provided: 'tensr' is no module; the nearest is tensor"),
        ({"assignment": {"checkpoints": "5-88"}}, "checkpoints: 5-88: checkpoints are numbered 0 to 20"),
        ({"assignment": {"checkpoints": "next"}}, "checkpoints: next depends on what a student has proved"),
        ({"assignment": {"checkpoints": 1.5}}, "checkpoints = 1.5 is no list of names and numbers"),
        ({"assignment": {"checkpoints": []}}, "checkpoints and milestones name nothing that could be graded"),
        ({"assignment": {"milestones": [1987]}}, "milestones: 1987: there is no such milestone; the nearest is 1998"),
        ({"assignment": {"milestones": True}}, "milestones = True is no list"),
        ({"assignment": {"time_limit": 0}}, "time_limit = 0 is no number of seconds above 0"),
        ({"assignment": {"time_limit": "10"}}, "time_limit = '10' is no number of seconds"),
        ({"assignment": {"total_limit": float("inf")}}, "total_limit = inf is no number of seconds"),
        ({"weights": {"autograd": 1.5}}, "weights: autograd = 1.5 is no whole number from 0 to 1000"),
        ({"weights": {"autograd": -1}}, "weights: autograd = -1 is no whole number"),
        ({"weights": {"autogard": 2}}, "autogard is no key of [weights]: it is not graded here"),
        ({"weights": {"1986": 2}}, "1986 is no key of [weights]: it is not graded here"),
        ({"due": {"tensor": "Friday"}}, "due: tensor is no date, such as 2026-10-31"),
        ({"due": {"tensor": 20261031}}, "due: tensor is no date"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_key(data: dict[str, Any], sentence: str) -> None:
    with pytest.raises(AssignmentError) as refused:
        read(data)
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"[assignment\n", "is no TOML file"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"x = " + b"[" * 5_000, "is no TOML file"),
        (b"[assignment]\ntrack = 'short'\n", "autumn.toml: track = 'short' is no track"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(content: bytes, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "autumn.toml"
    file.write_bytes(content)
    with pytest.raises(AssignmentError, match=r"autumn\.toml") as refused:
        load(file)
    assert sentence in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AssignmentError, match=r"no\.toml cannot be read: No such file"):
        load(tmp_path / "no.toml")


def test_a_command_line_may_grade_less_than_the_file() -> None:
    data = {"weights": {"tensor": 3, "autograd": 2}, "due": {"autograd": "2026-10-31"}}
    found = read(data, changes={"checkpoints": ["tensor"]})
    assert found.checkpoints == ("tensor",)
    assert found.weights == {"tensor": 3}
    assert found.due == {}
    with pytest.raises(AssignmentError, match="cnn is no key of"):
        read({"weights": {"cnn": 1}}, changes={"checkpoints": ["tensor"]})
