"""The files that grade, run as the place that they are made for runs them."""

from __future__ import annotations

import base64
import csv
import dataclasses
import gzip
import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from pytest_tinytorch.course import MODULES
from tests.template.machines import Runner, checkout, environment, recorder, steps, wheelhouse
from tests.template.rendering import Template, commit, git
from tests.template.solving import solve

pytest.importorskip("yaml")
jsonschema: Any = pytest.importorskip("jsonschema")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="these places run Linux")
POINTS = {module.name: module.points for module in MODULES}
ANSWERS: dict[str, Any] = {"track": "custom", "modules": ["tensor", "activations"], "weights": {"activations": 3}}
EARNED, MOST = POINTS["tensor"], POINTS["tensor"] + 3 * POINTS["activations"]
IDENTITY = {
    "CLASSROOM": "autumn",
    "ASSIGNMENT": "tinytorch",
    "SUBMISSION_TAG": "submit/2026-10-30T12-00-00Z-1234567",
    "USERNAME": "ada",
    "OWNER": "ada",
    "ASSIGNMENT_TYPE": "individual",
    "COMMIT_URL": "https://github.com/school/autumn-tinytorch-ada/commit/1234567",
    "RELEASE_URL": "https://github.com/school/autumn-tinytorch-ada/releases/tag/submit",
    "REVIEW_URL": "https://github.com/school/autumn-tinytorch-ada/compare/1...2",
}


def half_done(template: Template, folder: Path, place: str) -> Path:
    """A course of two modules, in which the second is still a stub."""
    course = template.course(folder, autograding=place, **ANSWERS)
    stub = (course / "tinytorch/activations.py").read_bytes()
    solve(course / "tinytorch", template.folder / "solutions/tinytorch")
    (course / "tinytorch/activations.py").write_bytes(stub)
    commit(course, "Tensor is done")
    return course


# ---- GitHub: the workflow's steps


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment of its own, as setup-python would give it."""
    folder = tmp_path_factory.mktemp("python") / "venv"
    venv.create(folder, with_pip=True)
    return folder / "bin"


@pytest.fixture
def actions(tmp_path: Path, python: Path) -> Callable[..., Runner]:
    """A runner of GitHub Actions, whose pip finds the checks of this checkout."""

    def make(folder: Path, **environ: str) -> Runner:
        (tmp_path / "temp").mkdir(exist_ok=True)
        named = {"GITHUB_OUTPUT": tmp_path / "outputs", "GITHUB_STEP_SUMMARY": tmp_path / "summary.md"}
        for path in named.values():
            path.touch()
        more = {**wheelhouse(tmp_path / "wheels", checkout()), **{name: str(path) for name, path in named.items()}}
        more["PATH"] = os.pathsep.join([str(python), os.defpath])
        contexts = {"github.workspace": str(folder), "runner.temp": str(tmp_path / "temp")}
        return Runner(folder=folder, environ=environment(**{**more, **environ}), contexts=contexts)

    return make


def succeed(done: subprocess.CompletedProcess[str]) -> str:
    """What a step said that went well."""
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def outputs(path: Path) -> dict[str, str]:
    """What a step wrote into $GITHUB_OUTPUT."""
    return dict(line.split("=", 1) for line in path.read_text(encoding="utf-8").splitlines())


def test_a_push_is_graded(template: Template, tmp_path: Path, actions: Callable[..., Runner]) -> None:
    course = half_done(template, tmp_path / "work/submission", "github")
    said = steps(course / ".github/workflows/grade.yml", "run-autograding-tests")
    runner = actions(tmp_path / "work", GITHUB_ACTOR="ada")
    succeed(runner.run(said["Install the checks"]))
    log = succeed(runner.run(said["Grade"]))
    found = {name: json.loads(base64.b64decode(text)) for name, text in outputs(tmp_path / "outputs").items()}
    reporter = {f"{name.upper()}_RESULTS": f"${{{{ steps.grade.outputs.{name} }}}}" for name in found}
    assert said["Points"]["env"] == reporter
    assert sum(test["score"] for results in found.values() for test in results["tests"]) == EARNED
    assert sum(results["max_score"] for results in found.values()) == MOST
    assert {name: results["status"] for name, results in found.items()} == {"tensor": "pass", "activations": "fail"}
    assert f"{EARNED} of {MOST}" in (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert "::notice file=tinytorch/activations.py,line=" in log


EVIL = r"""
def relu(x):
    print("\n::set-env name=PATH::/evil\n::stop-commands::evil")
    raise ValueError("\n::add-mask::evil")
"""


def test_what_students_print_is_no_workflow_command(
    template: Template, tmp_path: Path, actions: Callable[..., Runner]
) -> None:
    course = half_done(template, tmp_path / "work/submission", "github")
    (course / "tinytorch/activations.py").write_text(EVIL, encoding="utf-8")
    commit(course, "Evil")
    said = steps(course / ".github/workflows/grade.yml", "run-autograding-tests")
    runner = actions(tmp_path / "work", GITHUB_ACTOR="ada")
    succeed(runner.run(said["Install the checks"]))
    log = succeed(runner.run(said["Grade"]))
    commands = [line for line in log.splitlines() if line.lstrip().startswith(("::", "##["))]
    assert commands
    assert {line.split()[0].split("::")[1] for line in commands} <= {"error", "warning", "notice"}


def test_a_class_is_graded_on_several_machines(
    template: Template, tmp_path: Path, actions: Callable[..., Runner]
) -> None:
    """Four students on two machines: each job's steps in turn, with what passes between the jobs copied by hand."""
    answers = {**ANSWERS, "autograding": "github", "shards": 2}
    course = template.course(tmp_path / "class", **answers)
    for name in ("ada", "grace"):
        half_done(template, tmp_path / name, "none")
    rows = [f"{name},{tmp_path / name}," for name in ("ada", "grace")] + [f"gone,{tmp_path / 'gone'},"]
    (course / "roster.csv").write_text("\n".join(["student,source,ref", *rows, "nobody,,\n"]), encoding="utf-8")
    workflow = course / ".github/workflows/class.yml"
    collect, grade, merge = (steps(workflow, job) for job in ("collect", "grade", "merge"))
    runner = actions(course, CHECKS="pytest-tinytorch==0.1.0")
    runner.contexts.update({"inputs.seed": "", "inputs.at": "", "secrets.CLASS_TOKEN": "secret"})
    for name in ("Install the checks", "Plan", "Clone", "Pack"):
        assert "secret" not in succeed(runner.run(collect[name]))
    planned = outputs(tmp_path / "outputs")
    assert (planned["shards"], planned["of"]) == ("[1, 2]", "2")
    archive = (course / "class.tgz").read_bytes()
    assert b"secret" not in gzip.decompress(archive)
    runner.contexts.update({f"needs.collect.outputs.{name}": value for name, value in planned.items()})
    del runner.contexts["secrets.CLASS_TOKEN"]
    for shard in json.loads(planned["shards"]):
        machine = dataclasses.replace(runner, folder=tmp_path / f"machine-{shard}")
        machine.folder.mkdir()
        (machine.folder / "class.tgz").write_bytes(archive)
        machine.contexts["matrix.shard"] = str(shard)
        succeed(machine.run(grade["Install the checks"]))
        assert machine.run(grade["Grade"]).returncode == {1: 0, 2: 2}[shard]  # of the second nothing could be graded
        shutil.copytree(machine.folder / "results", tmp_path / f"merging/results/results-{shard}")
    succeed(dataclasses.replace(runner, folder=tmp_path / "merging").run(merge["Merge"]))
    with (tmp_path / "merging/class/gradebook.csv").open(encoding="utf-8-sig", newline="") as file:
        scores = {row["student"]: (int(row["score"]), int(row["max_score"])) for row in csv.DictReader(file)}
    assert scores == {"ada": (EARNED, MOST), "gone": (0, MOST), "grace": (EARNED, MOST), "nobody": (0, MOST)}


@pytest.mark.parametrize(
    ("roster", "seed", "sentence"),
    [
        ("", "", "roster.csv names no student: there is nothing below its first line"),
        ("ada,a,\nada,b,\n", "", "roster.csv:3: ada is already in roster.csv:2; a student has one submission"),
        ("ada,a,\n", "12\nof=1", "the seed '12\\nof=1' is no whole number"),
    ],
    ids=["as it comes", "twice", "seed"],
)
def test_a_class_that_cannot_be_planned_gets_one_sentence(
    template: Template, tmp_path: Path, actions: Callable[..., Runner], roster: str, seed: str, sentence: str
) -> None:
    course = template.course(tmp_path / "class", **{**ANSWERS, "autograding": "github", "shards": 2})
    with (course / "roster.csv").open("a", encoding="utf-8") as file:
        file.write(roster)
    plan = steps(course / ".github/workflows/class.yml", "collect")
    runner = actions(course, CHECKS="pytest-tinytorch==0.1.0")
    runner.contexts["inputs.seed"] = seed
    succeed(runner.run(plan["Install the checks"]))
    done = runner.run(plan["Plan"])
    assert (done.returncode, done.stderr) == (1, f"{sentence}\n")
    assert not outputs(tmp_path / "outputs")


# ---- Classroom 50


def run_autograder(course: Path, wheels: dict[str, str], **more: str) -> subprocess.CompletedProcess[str]:
    """Run it as Classroom 50 does: beside its assignment, in the student's checkout, with all that a runner knows."""
    bundle = course.parent / "bundle"
    bundle.mkdir()
    for source in (course / "autograding/autograder.py", course / "grading.toml"):
        (bundle / source.name).write_bytes(source.read_bytes())
    secret = {"GITHUB_TOKEN": "secret", "GITHUB_OUTPUT": str(bundle / "outputs"), "ACTIONS_RUNTIME_TOKEN": "secret"}
    return subprocess.run(  # noqa: S603  # our own template
        (sys.executable, str(bundle / "autograder.py")),
        cwd=course,
        env=environment(**wheels, **secret, **{**IDENTITY, **more}),
        capture_output=True,
        text=True,
        check=False,
    )


def test_classroom_50_gets_a_result(template: Template, tmp_path: Path) -> None:
    course = half_done(template, tmp_path / "course", "classroom50")
    done = run_autograder(course, wheelhouse(tmp_path / "wheels", checkout()))
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads((course / "result.json").read_text(encoding="utf-8"))
    schema = Path(__file__).parents[2] / "pytest_tinytorch/grade/outputs/schemas/classroom50.json"
    jsonschema.validate(result, json.loads(schema.read_text(encoding="utf-8")))
    assert (result["score"], result["max-score"]) == (EARNED, MOST)
    committed = datetime.fromtimestamp(int(git(course, "show", "--no-patch", "--format=%ct")), tz=timezone.utc)
    assert result["datetime"] == committed.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (result["classroom"], result["owner"], result["review"]) == ("autumn", "ada", IDENTITY["REVIEW_URL"])
    assert f"{EARNED} of {MOST}" in (course / "release-body.md").read_text(encoding="utf-8")


def test_the_grader_of_classroom_50_knows_no_token(template: Template, tmp_path: Path) -> None:
    course = template.course(tmp_path / "course", autograding="classroom50", **ANSWERS)
    done = run_autograder(course, wheelhouse(tmp_path / "wheels", recorder(tmp_path / "record.json")))
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))
    assert not [name for name in record["env"] if name.startswith(("GITHUB_", "ACTIONS_", "RUNNER_", "PIP_"))]
    assert IDENTITY.items() <= record["env"].items()
    assert record["argv"][0] == str(course)
    assert not Path(record["cwd"]).is_relative_to(course)
    assert (course / "result.json").read_text(encoding="utf-8") == "ours"


@pytest.mark.parametrize(
    ("writes", "code"), [(False, 3), (False, 0)], ids=["a grader that breaks", "one that says nothing"]
)
def test_a_result_that_a_student_left_is_not_taken(template: Template, tmp_path: Path, writes: bool, code: int) -> None:
    course = template.course(tmp_path / "course", autograding="classroom50", **ANSWERS)
    (course / "result.json").write_text('{"score": 1000}', encoding="utf-8")
    (course / "release-body.md").mkdir()
    files = recorder(tmp_path / "record.json", writes=writes, code=code)
    done = run_autograder(course, wheelhouse(tmp_path / "wheels", files))
    assert done.returncode == 1
    assert done.stderr == f"autograder: the grader ended with exit code {code} and without result.json\n"
    assert not (course / "result.json").exists()


def test_links_in_place_of_results_are_not_followed(template: Template, tmp_path: Path) -> None:
    course = template.course(tmp_path / "course", autograding="classroom50", **ANSWERS)
    (tmp_path / "elsewhere").write_text("theirs", encoding="utf-8")
    (course / "result.json").symlink_to(tmp_path / "elsewhere")
    done = run_autograder(course, wheelhouse(tmp_path / "wheels", recorder(tmp_path / "record.json")))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "elsewhere").read_text(encoding="utf-8") == "theirs"
    assert (course / "result.json").read_text(encoding="utf-8") == "ours"


# ---- Gradescope


@pytest.fixture
def gradescope(template: Template, tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """/autograder as Gradescope lays it out, from the zip file that docs/instructor.md says how to make."""

    def make(files: dict[str, str]) -> Path:
        course = half_done(template, tmp_path / "course", "gradescope")
        names = ("autograding/run_autograder", "autograding/setup.sh", "grading.toml")
        pack = (sys.executable, "-m", "zipfile", "-c", "autograder.zip", *names)
        subprocess.run(pack, cwd=course, check=True)  # noqa: S603  # our own command
        root = tmp_path / "autograder"
        (root / "results").mkdir(parents=True)
        with zipfile.ZipFile(course / "autograder.zip") as archive:
            assert sorted(archive.namelist()) == ["grading.toml", "run_autograder", "setup.sh"]
            archive.extractall(root / "source")
        (root / "run_autograder").write_bytes((root / "source/run_autograder").read_bytes())
        (root / "run_autograder").chmod(0o755)
        commands = tmp_path / "commands"
        commands.mkdir()
        (commands / "apt-get").write_text(f'#!/bin/sh\necho "$*" >> {tmp_path / "apt"}\n', encoding="utf-8")
        (commands / "apt-get").chmod(0o755)
        (commands / "python3").symlink_to(sys.executable)
        environ = environment(**wheelhouse(tmp_path / "wheels", files))
        environ["PATH"] = os.pathsep.join([str(commands), os.defpath])
        set_up = ("/bin/bash", str(root / "source/setup.sh"))
        subprocess.run(set_up, env=environ, check=True)  # noqa: S603  # our own template
        assert (tmp_path / "apt").read_text(encoding="utf-8").startswith("update\ninstall --yes")
        return root

    return make


def hand_in(root: Path) -> int:
    """Gradescope runs its script, in a folder of its own."""
    return subprocess.run((root / "run_autograder",), cwd=root, env=environment(), check=False).returncode  # noqa: S603


def test_gradescope_gets_results(tmp_path: Path, gradescope: Callable[[dict[str, str]], Path]) -> None:
    root = gradescope(checkout())
    (tmp_path / "course").rename(root / "submission")
    assert hand_in(root) == 0
    results = json.loads((root / "results/results.json").read_text(encoding="utf-8"))
    assert results["score"] == EARNED
    assert sum(test["max_score"] for test in results["tests"]) == MOST
    shutil.rmtree(root / "submission/tinytorch")  # and now what cannot be graded
    assert hand_in(root) == 0
    results = json.loads((root / "results/results.json").read_text(encoding="utf-8"))
    assert results["score"] == 0
    assert "tinytorch" in results["output"]


def test_gradescope_hears_of_a_grader_that_breaks(gradescope: Callable[[dict[str, str]], Path], tmp_path: Path) -> None:
    root = gradescope(recorder(tmp_path / "record.json", writes=False, code=3))
    (root / "submission").mkdir()
    (root / "results/results.json").write_text("{}", encoding="utf-8")
    assert hand_in(root) != 0
    assert not (root / "results/results.json").exists()
