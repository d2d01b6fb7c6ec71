"""The screen finds what an instructor should look at, and has nothing to say about honest work."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import time
from pathlib import Path

import pytest

from pytest_tinytorch.course import MODULES, Module
from pytest_tinytorch.grade import integrity, rules
from pytest_tinytorch.grade.assignment import Assignment
from pytest_tinytorch.grade.screening import screen as screened
from tests.grade.honest_programs import PROGRAMS, loops
from tests.grade.programs import Files, Program, after_imports, dedented, rewritten, solved
from tests.grade.variants import MODULES as VARIED
from tests.grade.variants import VARIANTS, variant
from tests.mistakes import catalogue
from tests.template.conftest import no_git_settings, template  # noqa: F401 (fixtures)
from tests.template.rendering import Template
from tools import EXERCISES, SOLUTIONS

ABOUT_DELEGATION = {"the composed formula", "mean made with NumPy"}  # mistakes that are what the screen looks for
NEVER_LOADED = "; the grader did not load it, so it had no effect"


def found(files: Files) -> list[str]:
    """What the screen of the files says, as `file:line kind: sentence`."""
    return [f"{file}:{line} {kind}: {says}" for kind, says, file, line in screened("tinytorch", files)]


def around(root: Path, assignment: Assignment | None = None) -> dict[str, str]:
    """What is said of files around the package, by file."""
    said = integrity.screen(root, "tinytorch", {}, assignment)
    assert {one.kind for one in said} <= {"tampered configuration"}
    assert all(one.says.endswith(NEVER_LOADED) for one in said)
    return {one.file: one.says.removesuffix(NEVER_LOADED) for one in said}


def written(root: Path, *names: str, **texts: str) -> Path:
    """A folder with files, those of `names` empty."""
    for name, text in (dict.fromkeys(names, "") | texts).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(dedented(text), encoding="utf-8")
    return root


# ---- honest work ----


def test_nothing_is_said_of_the_solutions(tmp_path: Path) -> None:
    assert integrity.screen(tmp_path, "tinytorch", solved(), Assignment()) == ()


def test_nothing_is_said_of_bare_exercises() -> None:
    assert found({path.name: path.read_bytes() for path in EXERCISES.glob("*.py")}) == []


def test_nothing_is_said_of_one_file_that_is_solved() -> None:
    bare = {path.name: path.read_bytes() for path in EXERCISES.glob("*.py")}
    assert found(bare | {"tensor.py": (SOLUTIONS / "tensor.py").read_bytes()}) == []


@pytest.mark.parametrize("module", [module for module in MODULES if module.exercises], ids=lambda module: module.name)
def test_nothing_is_said_of_usual_mistakes(module: Module) -> None:
    source = (SOLUTIONS / module.file).read_text("utf-8")
    mistakes = catalogue()[module.name]
    assert {mistake.name: found({module.file: mistake.make(source).encode()}) for mistake in mistakes
            if mistake.name not in ABOUT_DELEGATION} == {
        mistake.name: [] for mistake in mistakes if mistake.name not in ABOUT_DELEGATION
    }  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS, ids=[program.name for program in PROGRAMS])
def test_nothing_is_said_of_unusual_programs(program: Program) -> None:
    assert found(program.files()) == []


@pytest.mark.parametrize("name", VARIANTS)
def test_nothing_is_said_of_solutions_that_were_written_apart(name: str) -> None:
    assert found({f"{module}.py": variant(name, module).encode() for module in VARIED}) == []


@pytest.mark.parametrize(
    "top",
    [
        "import typing\nif typing.TYPE_CHECKING:\n    import torch",
        "import typing as t\nif t.TYPE_CHECKING:\n    import torch",
    ],
)
def test_type_checkers_may_see_what_the_package_may_not(top: str) -> None:
    assert found({"mine.py": top.encode()}) == []


def test_layout_comments_and_type_hints_are_a_matter_of_taste() -> None:
    import ast  # noqa: PLC0415 (only here)

    def relaid(source: bytes) -> bytes:
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                node.returns = None
                for argument in [*node.args.args, *node.args.kwonlyargs]:
                    argument.annotation = None
                if ast.get_docstring(node) and len(node.body) > 1:
                    node.body.pop(0)
        return b"\xef\xbb\xbf" + ast.unparse(tree).replace("\n", "\r\n").encode()

    assert found({name: relaid(source) for name, source in solved().items()}) == []


def test_a_stub_may_stand_above_its_answer() -> None:
    stubs, answers = ((folder / "activations.py").read_bytes() for folder in (EXERCISES, SOLUTIONS))
    answers = answers.replace(b"from __future__ import annotations\n", b"")
    assert found({"activations.py": stubs + answers}) == found({"activations.py": stubs + answers + answers}) == []


def test_a_base_of_ones_own_may_bring_a_method() -> None:
    source = rewritten((SOLUTIONS / "losses.py").read_text("utf-8"), "MSELoss.forward", "pass")
    mixed = source.replace("class MSELoss(Loss):", "class MSELoss(Difference, Loss):")
    assert found({"losses.py": mixed.encode()}) == []
    assert found({"losses.py": source.encode()}) == [
        "tinytorch/losses.py:1 tampered stub: what the course gave is not there: `MSELoss.forward`"
    ]


# ---- forbidden anywhere ----

IMPORTED = sorted((name, entry.says) for entry in rules.FORBIDDEN for name in entry.imports)
USED = sorted((name, entry.says) for entry in rules.FORBIDDEN for name in entry.uses)


def test_every_forbidden_import_is_found() -> None:
    for name, says in IMPORTED:
        lines = [
            f"import {name}",
            f"import {name}.sub as s",
            f"from {name} import thing",
            f"import_module('{name}.sub')",
        ]
        for line in lines:
            source = f"from importlib import import_module\n\n\ndef f():\n    {line}\n"
            (said,) = found({"mine.py": source.encode()})
            assert said.startswith(f"tinytorch/mine.py:5 forbidden import: `{name}`: ")
            assert says in said or len([entry for entry in rules.FORBIDDEN if name in entry.imports]) > 1


@pytest.mark.parametrize(("name", "says"), USED, ids=[name for name, _ in USED])
def test_every_forbidden_use_is_found(name: str, says: str) -> None:
    base, _, last = name.rpartition(".")
    for source in (
        f"import {base} as o\n\nx = o.{last}(1)\n",
        f"import {base}\n\nx = [{name}]\n",
        f"import {base}\n\nx = getattr({base}, '{last}')\n",
        f"from {base} import (\n\n    {last} as f)\n",
    ):
        said = found({"mine.py": source.encode()})
        assert len(said) == 1
        assert f"forbidden import: `{name}" in said[0] or f"`{name.partition('.')[0]}" in said[0]
        assert said[0].endswith(says) or name == "multiprocessing.pool.Pool"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("x = eval('1')", "`eval`"),
        ("run = exec", "`exec`"),
        ("x = compile('1', '', 'eval')", "`compile`"),
        ("__import__('to' + 'rch')", "`__import__`"),
        ("x = __builtins__['ev' + 'al']", "`__builtins__`"),
        ("def f(e):\n    return e.__traceback__.tb_frame", "`.tb_frame`"),
        ("def f(e):\n    return e.f_back.f_back", "`.f_back`"),
        ("x = ().__class__.__base__.__subclasses__()", "`.__subclasses__`"),
        ("from importlib import import_module as i\nx = i('to' + 'rch')", "`import_module`"),
        ("from importlib import import_module as i\nx = i(''.join('torch'))", "`import_module`"),
        ("import sys\nx = sys.modules['numpy.testing']", "`sys.modules`"),
        ("import os\ntry:\n    import torch\nexcept ImportError:\n    torch = None", "`torch`"),
        ("import autograd.numpy as np", "`autograd`"),
        ("from autograd import elementwise_grad", "`autograd`"),
        ("from torch import *", "`torch`"),
        ("from os import *\nfork()", "`os.fork`"),
        ("TYPE_CHECKING = True\nif TYPE_CHECKING:\n    import torch", "`torch`"),
        ("from typing import TYPE_CHECKING\nTYPE_CHECKING = 1\nif TYPE_CHECKING:\n    import torch", "`torch`"),
        ("import typing\ntyping.TYPE_CHECKING = 1\nif typing.TYPE_CHECKING:\n    import torch", "`torch`"),
        ("from typing import TYPE_CHECKING\nif not TYPE_CHECKING:\n    import torch", "`torch`"),
        ("if __name__:\n    import torch", "`torch`"),
        ("__name__ = '__main__'\nif __name__ == '__main__':\n    import torch", "`torch`"),
        ("import \uff54\uff4f\uff52\uff43\uff48", "`torch`"),  # wide letters, which Python takes for plain ones
    ],
)
def test_other_ways_to_what_is_forbidden(source: str, shown: str) -> None:
    said = found({"mine.py": source.encode()})
    assert said
    assert shown in said[0]


def test_one_sentence_for_one_thing_in_one_file() -> None:
    source = b"import torch\nimport torch.nn\nx = torch.zeros(1)\n"
    assert len(found({"a.py": source, "b.py": source})) == 2


# ---- delegation ----

DELEGATED = [
    (rule, exercise, use)
    for rule in rules.DELEGATION
    for exercise in rule.exercises
    for use in sorted(rule.uses - {rules.UNLOOPED})
]
HELPERS = """
def _work(*arguments):
    return _more(*arguments)


def _more(*arguments):
    {line}
"""


LOOPS_ASKED = "delegation: `matmul_loops` asks for loops over single numbers and no product of NumPy's; it uses {}"


def using(use: str) -> str:
    """A line that uses something."""
    if use == "@":
        return "return arguments[0] @ arguments[1]"
    if use.startswith(".data."):
        return f"return arguments[0]{use}()"
    if use.startswith("."):
        return f"return arguments[0]{use}(arguments[1])"
    if use.startswith("tt."):
        owner, *names = use.removeprefix("tt.").split(".")
        return f"from .{owner} import {names[0]}\n    return {'.'.join(names)}(*arguments)"
    base, _, name = use.rpartition(".")
    return f"import {base or name}\n    return {use}(*arguments)"


def handed_on(exercise: str, line: str, top: str = "", beside: Files | None = None) -> list[str]:
    """What is said of an exercise with one line for a body."""
    module, _, name = exercise.partition(".")
    source = (SOLUTIONS / f"{module}.py").read_text("utf-8")
    short = name.rpartition(".")[2]
    body = f"def {short}(*arguments, **options):\n    {line}\n"
    text = after_imports(rewritten(source, name, body), top)
    said = found({f"{module}.py": text.encode()} | (beside or {}))
    return [one for one in said if " delegation: " in one]


def alone(exercise: str, line: str, top: str = "") -> list[str]:
    """What is said of an exercise with one line for a body, in a file with nothing else."""
    module, *owner, name = exercise.split(".")
    text = f"def {name}(*arguments, **options):\n    {line}\n"
    text = f"class {owner[0]}:\n{textwrap.indent(text, '    ')}" if owner else text
    said = found({f"{module}.py": f"{dedented(top)}\n\n{text}".encode()})
    return [one for one in said if " delegation: " in one]


@pytest.mark.parametrize(("rule", "exercise", "use"), DELEGATED, ids=[f"{e} {u}" for _, e, u in DELEGATED])
def test_delegation_is_found_where_it_stands_and_behind_helpers(
    rule: rules.Delegation, exercise: str, use: str
) -> None:
    name = exercise.partition(".")[2]
    line = using(use)
    direct = alone(exercise, line)
    helped = alone(exercise, "return _work(*arguments)", HELPERS.format(line=line))
    assert len(direct) == len(helped) == 1
    assert f"delegation: `{name}` {rule.says}; it uses `" in direct[0]
    assert helped[0].endswith(", by way of `_work` and `_more`")


@pytest.mark.parametrize(
    ("line", "top", "beside"),
    [
        ("return fast(*arguments)", "from .quick import fast", "def fast(a, b):\n    return a @ b\n"),
        ("return quick.fast(*arguments)", "from . import quick", "def fast(a, b):\n    return a @ b\n"),
        ("return q.fast(*arguments)", "import tinytorch.quick as q", "def fast(a, b):\n    return a @ b\n"),
        ("return product(*arguments)", "product = np.matmul", ""),
        ("return product(*arguments)", "from functools import partial\nproduct = partial(np.dot)", ""),
        ("return product(*arguments)", "from numpy import einsum as product", ""),
        ("return (lambda a, b: a @ b)(*arguments)", "", ""),
        ("return reduce(np.dot, arguments)", "", ""),
        ("return getattr(np, 'matmul')(*arguments)", "", ""),
        ("out = arguments[0].copy(); out @= arguments[1]; return out", "", ""),
        ("return Fast().go(*arguments)", "class Fast:\n    def go(self, a, b):\n        return a @ b", ""),
        ("return Fast(arguments[0])[arguments[1]]", "class Fast:\n    def __getitem__(self, b):\n        b @ b", ""),
        ("return (Tensor(arguments[0]) @ Tensor(arguments[1])).data", "", ""),
        ("return np.array([np.dot(r, arguments[1]) for r in arguments[0]])", "", ""),
        ("assert (out := arguments[0] @ arguments[1]) is not None; return out", "", ""),
        ("return dot(*arguments)", "from numpy import *", ""),
        ("return fast(*arguments)", "from .quick import *", "def fast(a, b):\n    return a @ b\n"),
        ("return q.matmul_tiled(*arguments)", "from . import quick as q", "from .acceleration import matmul_tiled\n"),
        ("return given(*arguments)", "given = None\nfrom .quick import fast as given", "fast = lambda a, b: a @ b\n"),
    ],
)  # fmt: skip
def test_a_product_is_found_wherever_it_hides(line: str, top: str, beside: str) -> None:
    (said,) = handed_on("acceleration.matmul_loops", line, top, {"quick.py": beside.encode()} if beside else None)
    assert LOOPS_ASKED.format("`") in said


@pytest.mark.parametrize(
    "code", ["from .quick import fast as matmul_loops", "from .quick import *", "matmul_loops = np.matmul"]
)
def test_an_exercise_that_is_defined_elsewhere_is_followed(code: str) -> None:
    program = Program(
        name="",
        module="acceleration",
        exercise="matmul_loops",
        code=code,
        beside=(("quick.py", "def fast(a, b):\n    return a @ b\n\n\ndef matmul_loops(a, b):\n    return a @ b\n"),),
    )
    (said,) = found(program.files())
    assert LOOPS_ASKED.format("`") in said


def test_every_rule_is_about_an_exercise_of_the_course() -> None:
    exercises = {f"{module.name}.{name}" for module in MODULES for name in module.exercises}
    assert {exercise for rule in rules.DELEGATION for exercise in rule.exercises} <= exercises


def test_a_given_helper_that_was_changed_is_followed() -> None:
    source = (SOLUTIONS / "acceleration.py").read_text("utf-8")
    source = rewritten(source, "check_matrices", "def check_matrices(a, b):\n    return np.matmul(a, b)")
    source = rewritten(source, "matmul_loops", "def matmul_loops(a, b):\n    return check_matrices(a, b)")
    said = found({"acceleration.py": source.encode()})
    assert [one.split(" ", 1)[1] for one in said] == [
        LOOPS_ASKED.format("`numpy.matmul`, by way of `check_matrices`"),
        "tampered stub: `check_matrices`, which the course gave, was changed",
    ]


def test_whole_matrices_are_no_tiles() -> None:
    assert len(handed_on("acceleration.matmul_tiled", "return arguments[0] @ arguments[1]")) == 1
    program = Program(
        name="", module="acceleration", exercise="matmul_loops", code=loops(total="np.dot(a[i], b[:, j])")
    )
    (said,) = found(program.files())
    assert "it uses `numpy.dot`" in said


# ---- stubs ----


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("relu", "pass", ":1 tampered stub: what the course gave is not there: `relu`"),
        ("relu", "def relu(y):\n    return y", ": the exercise `relu` takes (y), and (x) as the course gave it"),
        ("relu", "def relu():\n    return 0", ": the exercise `relu` takes (), and (x) as the course gave it"),
        ("relu", "def relu(x, y):\n    return x", ": the exercise `relu` takes (x, y), and (x) as the course gave it"),
        ("softmax", "def softmax(dim, x):\n    return x", "takes (dim, x), and (x, dim) as the course gave it"),
        (
            "softmax",
            "def softmax(x, y=1, dim=1):\n    return x",
            "takes (x, y, dim), and (x, dim) as the course gave it",
        ),
        ("check_dim", "def check_dim(x, dim):\n    return 0", "`check_dim`, which the course gave, was changed"),
        ("check_dim", "pass", ":1 tampered stub: what the course gave is not there: `check_dim`"),
        ("relu", "def relu(x):\n    return 1\ndef relu(x):\n    return 2", ": Python takes the last"),
    ],
)
def test_a_tampered_stub_is_found(name: str, code: str, says: str) -> None:
    (said,) = found(
        {"activations.py": rewritten((SOLUTIONS / "activations.py").read_text("utf-8"), name, code).encode()}
    )
    assert says in said
    assert said.startswith("tinytorch/activations.py:")


def test_a_renamed_exercise_is_found_under_its_new_name() -> None:
    source = (SOLUTIONS / "activations.py").read_text("utf-8").replace("def relu(", "def rectify(")
    said = [one for one in found({"activations.py": source.encode()}) if "`relu`" in one]
    line = source[: source.index("def rectify(")].count("\n") + 1
    told = f"tampered stub: `relu` is not there; `rectify` in line {line} has its docstring"
    assert said == [f"tinytorch/activations.py:{line} {told}"]


def test_a_constant_of_the_course_that_was_changed() -> None:
    source = (SOLUTIONS / "acceleration.py").read_text("utf-8").replace("GELU_CUBE = 0.044715", "GELU_CUBE = 0.0")
    (said,) = found({"acceleration.py": source.encode()})
    assert "`GELU_CUBE`, which the course gave, was changed" in said


def test_a_folder_that_hides_a_module() -> None:
    said = found({"tensor.py": (SOLUTIONS / "tensor.py").read_bytes(), "tensor/__init__.py": b"from .x import *\n"})
    told = "tampered stub: beside tensor.py there is a folder tensor/, which Python imports in its place"
    assert said == [f"tinytorch/tensor/__init__.py:1 {told}"]


# ---- configuration ----


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (
            "conftest.py",
            "def pytest_runtest_makereport(item, call):\n    pass\n",
            "its hook `pytest_runtest_makereport`",
        ),
        ("tests/conftest.py", "pytest_plugins = ['evil']\n", "other plugins"),
        ("conftest.py", "import numpy.testing as t\nt.assert_allclose = print\n", "change something of another module"),
        ("tinytorch/conftest.py", "from _pytest import runner\n", "the inside of pytest"),
        ("conftest.py", "for name in ():\n    pass\n", "run code"),
        ("pytest.ini", "[pytest]\naddopts = -q\n", "take the place of the course's settings"),
        ("tox.ini", "[pytest]\n", "take the place"),
        ("setup.cfg", "[tool:pytest]\n", "take the place"),
        ("pyproject.toml", "[tool.pytest.ini_options]\naddopts = '-p evil'\n", "steer every run of pytest (-p)"),
        ("pyproject.toml", "[tool.pytest.ini_options]\naddopts = ['-pevil']\n", "steer every run of pytest (-pevil)"),
        ("pyproject.toml", "[tool.pytest]\naddopts = ['--deselect=x']\n", "steer every run of pytest (--deselect=x)"),
        ("pyproject.toml", "[project.entry-points.pytest11]\nx = 'evil'\n", "a plugin into pytest"),
        ("sitecustomize.py", "", "run it at its start"),
        ("deep/usercustomize.py", "", "run it at its start"),
        ("evil.pth", "import evil\n", "run it at its start, where it is installed"),
        ("numpy.py", "", "take the place of the module numpy"),
        ("random.py", "", "take the place of the module random"),
        ("pytest/__init__.py", "", "take the place of the module pytest"),
        ("evil-1.0.dist-info/METADATA", "", "pass for an installed package"),
        ("evil.egg-info/entry_points.txt", "", "pass for an installed package"),
        ("tinytorch/tensor.so", "", "compiled code"),
        ("tinytorch/tensor.pyc", "", "without a source beside it"),
        ("tinytorch/__pycache__/tensor.cpython-311.pyc", "abcd\x01\0\0\0", "not to be compared"),
    ],
)
def test_configuration_that_would_steer_a_run(tmp_path: Path, name: str, text: str, says: str) -> None:
    said = around(written(tmp_path, **{name: text}))
    assert len(said) == 1
    ((file, sentence),) = said.items()
    assert name.startswith(file)
    assert says in sentence


def test_files_of_ones_own_are_nobodys_business(tmp_path: Path) -> None:
    written(tmp_path, "test.py", "code.py", "notes.md", "numpy/notes.md", "tests/test_a.py", "tinytorch/mine/x.py")
    written(
        tmp_path,
        "course.egg-info/PKG-INFO",
        ".venv/pyvenv.cfg",
        ".venv/lib/site-packages/a.pth",
        ".venv/sitecustomize.py",
    )
    (tmp_path / "weights.pth").write_bytes(b"PK\x03\x04\0\nimport x")
    (tmp_path / "tinytorch" / "__pycache__").mkdir()
    (tmp_path / "tinytorch" / "__pycache__" / "a.cpython-311.pyc").write_bytes(b"abcd\0\0\0\0")
    fixtures = "import pytest\nLIMIT = 3\n\n\n@pytest.fixture\ndef tt():\n    return 1\n"
    written(tmp_path, **{"conftest.py": fixtures, "setup.cfg": "[flake8]\n", "tox.ini": "[tox]\n"})
    written(tmp_path, **{"pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-q --tb=short -x -n 2'\n"})
    assert around(tmp_path) == {}


def test_a_link_out_of_the_submission(tmp_path: Path) -> None:
    root = written(tmp_path / "root", "tinytorch/tensor.py")
    try:
        (root / "passwords").symlink_to("/etc/passwd")
        (root / "all").symlink_to(tmp_path)
        (root / "within").symlink_to("tinytorch", target_is_directory=True)
        (root / "circle").symlink_to("circle")
    except OSError:
        pytest.skip("this system lets nobody make a link")
    assert around(root) == dict.fromkeys(("all", "passwords"), "the link leads out of the submission")


@pytest.mark.parametrize("autograding", ["none", "github", "classroom50", "gradescope"])
def test_nothing_is_said_of_a_course_as_it_is_made(
    template: Template,  # noqa: F811 (a fixture)
    tmp_path: Path,
    autograding: str,
) -> None:
    course = template.course(tmp_path / "course", autograding=autograding)
    students = tmp_path / "students"
    shutil.copytree(course, students)
    assignment = Assignment(source=str(course / "grading.toml"))
    files = {path.name: path.read_bytes() for path in (students / "tinytorch").glob("*.py")}
    assert integrity.screen(students, "tinytorch", files, assignment) == ()
    workflows = sorted((students / ".github" / "workflows").glob("*.yml"))
    for workflow in workflows:
        workflow.write_text("on: never\n", encoding="utf-8")
    changed = {one.file for one in integrity.screen(students, "tinytorch", files, assignment)}
    assert changed == {workflow.relative_to(students).as_posix() for workflow in workflows}


def test_a_workflow_that_is_not_the_courses(tmp_path: Path) -> None:
    answers = {".copier-answers.yml": "_commit: v0.1.0\n"}
    workflow = ".github/workflows/grade.yml"
    ours = written(tmp_path / "ours", **answers, **{workflow: "on: push\n", "grading.toml": ""})
    same = written(tmp_path / "same", ".github/workflows/own.yml", **answers)
    (same / ".github/workflows/grade.yml").write_bytes(b"on: push\r\n")
    other = written(tmp_path / "other", **answers, **{workflow: "on: never\n"})
    older = written(tmp_path / "older", **{".copier-answers.yml": "_commit: v0.0.9\n", workflow: "on: never\n"})
    assignment = Assignment(source=str(ours / "grading.toml"))
    assert around(same, assignment) == around(older, assignment) == around(other) == {}
    assert around(other, assignment) == {".github/workflows/grade.yml": "this file of the course was changed"}


# ---- hostile texts ----

HOSTILE = {
    "no UTF-8": b"x = '\xff\xfe'\n",
    "NUL": b"import os\0\nos.fork()\n",
    "parentheses": b"x = " + b"(" * 5000 + b")" * 5000,
    "minus": b"x = " + b"-" * 200_000 + b"1",
    "not": b"x = " + b"not " * 100_000 + b"1",
    "a sum": b"x = " + b"+".join([b"1"] * 100_000),
    "attributes": b"x = a" + b".b" * 200_000,
    "calls": b"x = a" + b"()" * 200_000,
    "elif": b"if a:\n    pass\n" + b"elif a:\n    pass\n" * 20_000,
    "blocks": b"".join(b" " * n + b"if a:\n" for n in range(500)),
    "lambdas": b"x = " + b"lambda: " * 50_000 + b"1",
    "a number": b"x = " + b"9" * 900_000,
    "a text": b"x = '" + b"a" * 900_000 + b"'",
    "a cookie": b"# coding: rot13\nvzcbeg bf\n",
    "another cookie": b"# coding: utf-7\n+AGkAbQBwAG8AcgB0-\n",
    "no end": b"def f(:\n" + b"(\n" * 500,
    "names": b"\n".join(b"def f%d(): return f%d()" % (n, n + 1) for n in range(20_000)),
    "one name": b"x = 1\n" * 100_000,
    "format": b"x = " + b"f'{" * 100 + b"1" + b"}'" * 100,
    "wide letters": "\uff49\uff4d\uff50\uff4f\uff52\uff54 os\n".encode(),
    "surrogates": b"x = '\\ud800'\ndef f(a='\\ud800'): pass\n",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_text_is_a_finding_or_nothing(text: bytes) -> None:
    files = {"mine.py": text, "activations.py": text, "bad.py": b"import torch\n"}
    began = time.monotonic()
    said = integrity.screen(None, "tinytorch", files)
    assert time.monotonic() - began < 3 * integrity.SECONDS + 3 * integrity.FILE_SECONDS  # on a busy computer
    assert "tinytorch/bad.py" in {one.file for one in said}
    assert {one.kind for one in said if one.file == "tinytorch/mine.py"} <= {"attack"}


def test_a_file_that_is_too_large_is_named_and_the_others_are_read() -> None:
    said = integrity.screen(None, "tinytorch", {"big.py": b"#" * (3 << 20), "bad.py": b"import torch\n"})
    assert [(one.kind, one.file) for one in said] == [
        ("attack", "tinytorch/big.py"),
        ("forbidden import", "tinytorch/bad.py"),
    ]
    assert "3.0 MB" in said[0].says


def test_a_text_that_ends_the_reader_costs_itself_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrity, "SECONDS", 0.5)
    monkeypatch.setattr(integrity, "FILE_SECONDS", 0.5)
    slow = b"f(x)\n" * 200_000
    said = integrity.screen(None, "tinytorch", {"slow.py": slow, "bad.py": b"import torch\n"})
    assert [(one.kind, one.file) for one in said] == [
        ("attack", "tinytorch/slow.py"),
        ("forbidden import", "tinytorch/bad.py"),
    ]
    many = {f"{name}.py": slow for name in "abcd"}
    assert integrity.screen(None, "tinytorch", many)[-1].says.startswith("reading the package takes all time")


@pytest.mark.skipif(sys.platform == "win32", reason="names of files are text there")
def test_hostile_names_and_trees(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    try:
        Path(os.fsdecode(os.fsencode(root) + b"/\xff\xfe.pth")).write_bytes(b"import evil\n")
    except OSError:
        pytest.skip("this file system takes no such name")
    deep = root
    for _ in range(40):
        deep = deep / "d"
        deep.mkdir()
    (deep / "sitecustomize.py").touch()
    (root / "pyproject.toml").write_bytes(b"x = " + b"[" * 20_000)
    (root / "pytest.ini").write_bytes(b"\0\xff")
    (root / "pipe").mkdir()
    os.mkfifo(root / "pipe" / "conftest.py")
    said = around(root)
    assert len(said) == 1
    assert all(name.encode("utf-8") for name in said)
