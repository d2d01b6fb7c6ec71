"""Files around the package that try to configure the run that judges it. The grader loads none of them."""

from __future__ import annotations

import ast
import configparser
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, TypeAlias

from . import syntax

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it for these Pythons

Said: TypeAlias = "tuple[str, str, int]"  # file, sentence, line

READ = frozenset({"conftest.py", "pyproject.toml", "setup.cfg", "tox.ini", "pytest.ini", ".pytest.ini"})
SECTIONS = {"setup.cfg": "tool:pytest", "tox.ini": "pytest", "pytest.ini": "pytest", ".pytest.ini": "pytest"}
STEERS = re.compile(
    r"^(-p|-c|-o|-k|-m|-W|--config-file|--override-ini|--keyword|--deselect|--ignore|--ignore-glob|--collect-only|--co|"
    r"--confcutdir|--rootdir|--root-dir|--noconftest|--import-mode|--pyargs|--checkpoint|--milestone|--junitxml|--report|"
    r"--maxfail|--runxfail|--pythonwarnings)(=|$)|^-[pcokm].+"
)


def read(package: str, files: Mapping[str, bytes]) -> list[Said]:
    """What each of some files would do, where it would do anything."""
    found: list[Said] = []
    for name, content in sorted(files.items()):
        last = PurePosixPath(name).name
        if last == "conftest.py":
            found += _conftest(name, content)
        elif last == "pyproject.toml":
            found += _pyproject(name, content)
        elif last in SECTIONS:
            found += _ini(name, content, SECTIONS[last])
    return found


def _conftest(name: str, content: bytes) -> Iterator[Said]:
    """Hooks and plugins, and statements that run when it is loaded; fixtures of a student's own tests are welcome."""
    tree = syntax.parse(content)
    for node in syntax.statements(tree.body) if tree else ():
        says = _function(node) or _assignment(node) or _import(node)
        if not says and isinstance(node, ast.For | ast.While | ast.Delete | ast.With | ast.AugAssign):
            says = "it would run code when pytest loads it"
        if says:
            yield name, says, getattr(node, "lineno", 1)


HOOK = "its hook `{}` would take part in a run of pytest"


def _function(node: ast.AST) -> str:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return ""
    if node.name.startswith("pytest_"):
        return HOOK.format(node.name)
    leaves = _leaves_every_test(node)
    return f"its fixture `{node.name}` is part of every test, and calls `pytest.{leaves}`" if leaves else ""


def _assignment(node: ast.AST) -> str:
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return ""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    if "pytest_plugins" in names:
        return "it would load other plugins into a run of pytest"
    if len(names) < len(targets):
        return "it would change something of another module when pytest loads it"
    return next((HOOK.format(name) for name in names if name.startswith("pytest_")), "")


def _import(node: ast.AST) -> str:
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return ""
    if _imports_pytests_inside(node):
        return "it imports the inside of pytest"
    hooks = (alias.name for alias in node.names if (alias.asname or alias.name).startswith("pytest_"))
    return next((HOOK.format(name) for name in hooks), "")


def _leaves_every_test(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """How a fixture that no test asks for ends a test; nothing for any other function."""
    if not any("autouse=True" in ast.unparse(decorator) for decorator in node.decorator_list):
        return ""
    calls = (ast.unparse(part.func) for part in ast.walk(node) if isinstance(part, ast.Call))
    return next((call[7:] for call in calls if call in {"pytest.skip", "pytest.xfail", "pytest.exit"}), "")


def _imports_pytests_inside(node: ast.Import | ast.ImportFrom) -> bool:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    return any(name.partition(".")[0] in {"_pytest", "pluggy", "pytest_tinytorch"} for name in names)


def _pyproject(name: str, content: bytes) -> Iterator[Said]:
    """Options that steer pytest, and plugins of its own."""
    try:
        said = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError):  # pytest cannot read it either
        return
    pytest = _table(said, "tool", "pytest")
    for where in (pytest, _table(pytest, "ini_options")):
        yield from _steering(name, where.get("addopts"), content)
    if _table(said, "project", "entry-points").get("pytest11") is not None:
        yield name, "it would install a plugin into pytest (pytest11)", _line(content, "pytest11")


def _table(said: Any, *names: str) -> dict[str, Any]:
    """A table within tables; empty where it is not there, or is no table."""
    for name in names:
        said = said.get(name, {}) if isinstance(said, dict) else {}
    return said if isinstance(said, dict) else {}


def _ini(name: str, content: bytes, section: str) -> Iterator[Said]:
    """A file that takes the place of the course's settings."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(content.decode("utf-8", "replace"))
    except configparser.Error:
        return
    if parser.has_section(section):
        yield name, f"its [{section}] would take the place of the course's settings", _line(content, f"[{section}]")
        yield from _steering(name, parser.get(section, "addopts", fallback=None), content)


def _steering(name: str, options: object, content: bytes) -> Iterator[Said]:
    """Options that load, leave out or redirect; `-q` and the like are a matter of taste."""
    words = options.split() if isinstance(options, str) else options if isinstance(options, list) else []
    steering = [str(word) for word in words if STEERS.match(str(word))]
    if steering:
        yield name, f"its addopts would steer every run of pytest ({steering[0][:60]})", _line(content, "addopts")


def _line(content: bytes, text: str) -> int:
    """The first line that holds a text."""
    lines = content.decode("utf-8", "replace").split("\n")
    return next((number for number, line in enumerate(lines, start=1) if text in line), 1)
