"""A bad answer gets one clear sentence, and a good one is kept."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.template.rendering import Template

GRADED = {"autograding": "github", "track": "foundation"}
BAD = {
    "empty course name": ({"course_name": " "}, "give the course a name"),
    "quoted course name": ({"course_name": 'my "course"'}, "keep the name on one line"),
    "course name of two lines": ({"course_name": "my\ncourse"}, "keep the name on one line"),
    "slug": ({"slug": "My Course"}, "a slug starts with a small letter"),
    "slug of a dependency": ({"slug": "numpy"}, "numpy is the name of a package that the course installs"),
    "package name with a hyphen": ({"package_name": "tiny-torch"}, "a package name starts with a small letter"),
    "package name with capitals": ({"package_name": "TinyTorch"}, "a package name starts with a small letter"),
    "package name of a keyword": ({"package_name": "class"}, "class belongs to Python"),
    "package name of the standard library": ({"package_name": "json"}, "json belongs to Python"),
    "package name of a dependency": ({"package_name": "numpy"}, "numpy belongs to Python, to a package"),
    "package name of a folder": ({"package_name": "lessons"}, "or to a folder of the course: choose another name"),
    "track": ({"track": "slow"}, "Invalid choice for 'track': 'slow' is not in"),
    "no modules": ({"track": "custom", "modules": []}, "choose at least one module"),
    "unknown module": ({"track": "custom", "modules": ["tnsor"]}, "Invalid choice for 'modules': 'tnsor'"),
    "modules without what they need": (
        {"track": "custom", "modules": ["layers"], "provided": []},
        "layers needs tensor: put tensor into the track, or provide it solved",
    ),
    "provided without what it needs": (
        {"track": "foundation", "provided": ["embeddings"]},
        "embeddings needs tokenization: put tokenization into the track, or provide it solved",
    ),
    "nothing left to write": (
        {"track": "custom", "modules": ["tensor"], "provided": ["tensor"]},
        "leave students at least one to write",
    ),
    "python version": ({"python_version": "3.9"}, "Invalid choice for 'python_version': '3.9'"),
    "plugin source": ({"plugin_source": "ftp"}, "Invalid choice for 'plugin_source': 'ftp'"),
    "git location": (
        {"plugin_source": "git", "plugin_location": "../pytest-tinytorch"},
        "give a URL that starts with https:// or ssh://",
    ),
    "path location": (
        {"plugin_source": "path", "plugin_location": "../pytest-tinytorch"},
        "give the folder in full, starting with /",
    ),
    "no location, and none to guess": ({"plugin_source": "git"}, 'Question "plugin_location" is required'),
    "autograding": (
        {"autograding": "gitlab"},
        "Invalid choice for 'autograding': 'gitlab' is not in ['none', 'github'",
    ),
    "grading with checks from this computer": (
        {"autograding": "github", "plugin_source": "path", "plugin_location": "/home/ada/checks"},
        "a grader elsewhere cannot reach a folder of this computer",
    ),
    "weights that are a list": ({**GRADED, "weights": ["autograd"]}, "write names and whole numbers in braces"),
    "weight of a module that is not graded": (
        {**GRADED, "weights": {"spatial": 2}},
        "spatial is not graded in this course: there are tensor, activations,",
    ),
    "weight of a module that comes solved": (
        {**GRADED, "provided": ["tensor"], "weights": {"tensor": 2}},
        "tensor is not graded in this course",
    ),
    "weight of a milestone of another track": ({**GRADED, "weights": {1998: 10}}, "1998 is not graded in this course"),
    "negative weight": ({**GRADED, "weights": {"losses": -1}}, "-1 is no weight for losses: write a whole number"),
    "broken weight": ({**GRADED, "weights": {"losses": 1.5}}, "1.5 is no weight for losses"),
    "weight that is a word": ({**GRADED, "weights": {"losses": "two"}}, "two is no weight for losses"),
    "weight that is true": ({**GRADED, "weights": {"losses": True}}, "True is no weight for losses"),
    "huge weight": ({**GRADED, "weights": {"losses": 10_000}}, "10000 is no weight for losses"),
    "dates that are a word": ({**GRADED, "due": "soon"}, "write names and dates in braces"),
    "date of a module that is not graded": (
        {**GRADED, "due": {"spatial": "2026-10-31"}},
        "spatial is not graded: it is",
    ),
    "date of a milestone without a weight": ({**GRADED, "due": {1969: "2026-10-31"}}, "1969 is not graded: it is"),
    "date that is none": ({**GRADED, "due": {"losses": "31 October"}}, "31 October is no date for losses: write 2026-"),
    "shards": ({"autograding": "github", "shards": -1}, "choose 0 for none, or a number up to 100"),
}


@pytest.mark.parametrize(("answers", "sentence"), BAD.values(), ids=BAD.keys())
def test_a_bad_answer_gets_one_sentence(
    template: Template, tmp_path: Path, answers: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)) as caught:
        template.course(tmp_path / "course", **answers)
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "course").exists()


NAMES = ["2026: a course", "NumPy", "课程", "---", "A" * 80, "A very long name of a course, cut in the middle-of it"]


@pytest.mark.parametrize("name", NAMES)
def test_the_suggested_slug_is_a_valid_one(template: Template, tmp_path: Path, name: str) -> None:
    """A suggestion that its own question refuses would end copier with a traceback."""
    course = template.course(tmp_path / "course", course_name=name)
    assert re.search(r'^name = "[a-z][a-z0-9-]*[a-z0-9]"$', read(course / "pyproject.toml"), re.MULTILINE)


def test_what_chosen_modules_need_is_suggested_as_solved(template: Template, tmp_path: Path) -> None:
    course = template.course(tmp_path / "course", track="custom", modules=["layers", "attention"])
    solved = ["tensor", "activations", "losses", "autograd", "tokenization", "embeddings"]
    assert f"tinytorch_provided = {json.dumps(solved)}" in read(course / "pyproject.toml")


def test_the_suggested_location_is_where_the_template_came_from(template: Template, tmp_path: Path) -> None:
    course = template.course(tmp_path / "course", plugin_source="path")
    assert f"@ file://{template.folder}" in unquote(read(course / "pyproject.toml"))


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


WHERE = {
    "release": ({"plugin_source": "release"}, "pytest-tinytorch==0.1.0"),
    "git takes our tag": (
        {"plugin_source": "git", "plugin_location": "https://example.org/tt.git"},
        "pytest-tinytorch @ git+https://example.org/tt.git@v0.1.0",
    ),
    "git by ssh takes our tag": (
        {"plugin_source": "git", "plugin_location": "ssh://git@example.org/tt.git"},
        "pytest-tinytorch @ git+ssh://git@example.org/tt.git@v0.1.0",
    ),
    "git keeps your branch": (
        {"plugin_source": "git", "plugin_location": "https://example.org/tt.git@autumn"},
        "pytest-tinytorch @ git+https://example.org/tt.git@autumn",
    ),
    "path": (
        {"plugin_source": "path", "plugin_location": "/home/ada/my checks"},
        "pytest-tinytorch @ file:///home/ada/my%20checks",
    ),
    "path on Windows": (
        {"plugin_source": "path", "plugin_location": r"C:\Users\Ada\checks"},
        "pytest-tinytorch @ file:///C:/Users/Ada/checks",
    ),
}


@pytest.mark.parametrize(("answers", "requirement"), WHERE.values(), ids=WHERE.keys())
def test_the_checks_are_pinned_to_where_they_come_from(
    template: Template, tmp_path: Path, answers: dict[str, str], requirement: str
) -> None:
    course = template.course(tmp_path / "course", **answers)
    assert f'dependencies = ["{requirement}"]' in read(course / "pyproject.toml")
