"""The benchmark of classes makes submissions of every kind, grades them and tells a table, JSON and a picture."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tools import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the submissions that attack fork and send signals")


def classes(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the benchmark as a user does."""
    command = [sys.executable, "-X", "utf8", "benchmarks/classes.py", "--checkpoints", "2", *arguments]
    return subprocess.run(  # noqa: S603 -- our own script
        command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=900, check=False
    )


def made(folder: Path) -> dict[str, str]:
    """A hundred of the benchmark's submissions, made by its own file."""
    code = "import json, pathlib, sys, synthetic as s; print(json.dumps(s.make(pathlib.Path(sys.argv[1]), 100)))"
    command = [sys.executable, "-c", code, str(folder)]
    paths = f"{ROOT / 'benchmarks'}:{ROOT}"
    done = subprocess.run(  # noqa: S603 -- our own script
        command, env={"PYTHONPATH": paths}, capture_output=True, encoding="utf-8", check=True
    )
    kinds: dict[str, str] = json.loads(done.stdout)
    return kinds


def test_no_two_submissions_are_the_same_and_all_can_be_read(tmp_path: Path) -> None:
    kinds = made(tmp_path)
    assert list(kinds.values())[:5] == ["solved", "partly", "wrong", "hanging", "hostile"]
    assert sorted({list(kinds.values()).count(kind) for kind in kinds.values()}) == [2, 32]
    contents = set()
    for student in kinds:
        files = sorted((tmp_path / student / "tinytorch").glob("*.py"))
        texts = [path.read_text(encoding="utf-8") for path in files]
        for text in texts:
            ast.parse(text)
        contents.add("\0".join(texts))
    assert len(contents) == 100


def test_loops_stand_in_the_place_of_functions(tmp_path: Path) -> None:
    hanging = [student for student, kind in made(tmp_path).items() if kind == "hanging"]
    found = set()
    for path in (path for student in hanging for path in (tmp_path / student / "tinytorch").glob("*.py")):
        names = [node.name for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.FunctionDef)]
        found |= {f"{path.stem}.{name}" for name in names if names.count(name) == 2}
    assert found == {"activations.softmax", "tokenization.count_pairs"}


def test_it_grades_a_class_and_tells_json() -> None:
    done = classes("--submissions", "5", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["class"]["engine"], told["class"]["workers"], told["class"]["submissions"]) == ("-j", 2, 5)
    assert all(told["class"][number] > 0 for number in ("wall", "cpu", "memory"))
    assert [kind["kind"] for kind in told["kinds"]] == ["hanging", "hostile", "partly", "solved", "wrong"]
    solved = next(kind for kind in told["kinds"] if kind["kind"] == "solved")
    assert solved["points"] == [1.0, 1.0]


def test_it_prints_a_table_and_draws_the_scaling(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="the extra `dask` is not installed")
    picture = tmp_path / "classes.svg"
    done = classes("--submissions", "2", "--scaling", "2", "--svg", str(picture))
    assert done.returncode == 0, done.stderr
    for engine in ("with -j 1", "with -j 2", "with -j 4", "with Dask workers 1", "with Dask workers 4"):
        assert engine in done.stdout
    assert len(ET.fromstring(picture.read_text(encoding="utf-8")).findall(".//{*}circle")) == 6  # noqa: S314 -- our own
