"""No attack gains a point, harms anybody else, or goes without a sentence that says what happened."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_tinytorch.grade.assignment import Assignment
from pytest_tinytorch.grade.outputs.words import told
from pytest_tinytorch.grade.result import Grade
from pytest_tinytorch.grade.task import Task, grade
from pytest_tinytorch.handles import limits

from . import (
    PACKAGE,
    TARGET,
    Attack,
    configuration,
    delegation,
    files,
    forging,
    leaving,
    looking,
    lying,
    naive,
    patching,
    resources,
    solved,
    startup,
)
from . import base as course

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the attacks are written for Linux; other systems limit less, as `hardening` says"
)

FAMILIES = {
    "configuration": configuration.ATTACKS,
    "start-up": startup.ATTACKS,
    "exits and skips": leaving.ATTACKS,
    "patching the judge": patching.ATTACKS,
    "lying values": lying.ATTACKS,
    "looking at the answer": looking.ATTACKS,
    "forging the result": forging.ATTACKS,
    "resources": resources.ATTACKS,
    "delegation": delegation.ATTACKS,
    "files": files.ATTACKS,
}
ATTACKS = {attack.name: attack for family in FAMILIES.values() for attack in family}
TRIED = [name for name, attack in ATTACKS.items() if isinstance(attack.fools, bool)]
SEED = 7_351_924  # no other program's


def assignment(limit: float = 1.0) -> Assignment:
    """One small checkpoint, and little time."""
    return Assignment(checkpoints=(TARGET,), time_limit=limit, total_limit=60)


def graded(repository: Path, limit: float = 1.0, ref: str = "") -> Grade:
    """The grade of a repository."""
    return grade(Task(student="mallory", source=str(repository), assignment=assignment(limit), seed=SEED, ref=ref))


@dataclass(frozen=True, kw_only=True)
class Aftermath:
    """What an attack came to: its grade, what is changed outside, which processes run on, and what was printed."""

    grade: Grade
    changed: list[str]
    strays: list[str]
    printed: str

    def said(self) -> str:
        """Every sentence of the grade."""
        checks = [told(check) for part in self.grade.checkpoints for check in part.checks]
        findings = [f"{found.kind} {found.file}: {found.says}" for found in self.grade.integrity]
        return "\n".join([self.grade.trouble, *self.grade.notes, *findings, *checks])


@pytest.fixture(scope="module")
def aftermaths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Aftermath]:
    """What became of each attack that was asked for; each is graded once, all by one grader."""
    return Lazily(tmp_path_factory.mktemp("red"))


class Lazily(dict[str, Aftermath]):
    """Attacks by their names, graded when they are asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __missing__(self, name: str) -> Aftermath:
        folder = self.folder / str(len(self))
        self[name] = attacked(ATTACKS[name], folder)
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)
        return self[name]


def attacked(attack: Attack, folder: Path) -> Aftermath:
    """Grade an attack, with an eye on everything around it."""
    repository, outside, temporary = folder / "repository", folder / "outside", folder / "temporary"
    temporary.mkdir(parents=True)
    attack.write(repository, outside)
    before = snapshot(outside) | snapshot(repository)
    with printed(folder / "printed") as lines, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(temporary))
        patch.setenv("HOME", str(outside / "home"))
        patch.setenv("GITHUB_OUTPUT", str(outside / "results.json"))
        patch.setenv("GITHUB_STEP_SUMMARY", str(outside / "precious.txt"))
        found = graded(repository, attack.limit, attack.ref)
    after = snapshot(outside) | snapshot(repository) | {f"left: {file}": "" for file in snapshot(temporary)}
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    return Aftermath(grade=found, changed=changed, strays=strays(str(temporary)), printed=lines())


@contextlib.contextmanager
def printed(file: Path) -> Iterator[Callable[[], str]]:
    """What this process and its children print meanwhile, as a function that reads it."""
    sys.stdout.flush()
    saved = [os.dup(1), os.dup(2)]
    with file.open("wb") as sink:
        for stream in (1, 2):
            os.dup2(sink.fileno(), stream)
    try:
        yield lambda: file.read_text("utf-8", "replace")
    finally:
        for stream, copy in zip((1, 2), saved, strict=True):
            os.dup2(copy, stream)
            os.close(copy)


def snapshot(folder: Path) -> dict[str, str]:
    """Every file of a folder: kind, mode, size and times, and the text of small ones. No link is followed."""
    found = {}
    for where, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            path = Path(where, name)
            about = path.lstat()
            text = path.read_bytes() if stat.S_ISREG(about.st_mode) and about.st_size < 10_000 else b""
            found[os.fsencode(path).decode("utf-8", "replace")] = (
                f"{about.st_mode:o} {about.st_size} {about.st_mtime_ns} {text!r}"
            )
    return found


def strays(place: str) -> list[str]:
    """The processes that were started with this folder for their files, and that run on."""
    deadline = time.monotonic() + 5
    while found := [str(pid) for pid in Path("/proc").glob("[0-9]*") if _belongs(pid, place)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return found


def _belongs(process: Path, place: str) -> bool:
    try:
        state = (process / "stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z" and place.encode() in (process / "environ").read_bytes()
    except OSError:
        return False


# ---- what must hold -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gains_nothing_and_is_told(aftermaths: dict[str, Aftermath], name: str) -> None:
    attack, found = ATTACKS[name], aftermaths[name]
    unless_kept(attack, found)
    if not attack.delegates:
        assert found.grade.score == 0, found.said()
    assert found.grade.max_score == 48
    assert sum(len(part.checks) for part in found.grade.checkpoints) == 38
    assert re.search(attack.says, found.said(), re.DOTALL), found.said()


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_leaves_nothing_behind(aftermaths: dict[str, Aftermath], name: str) -> None:
    attack, found = ATTACKS[name], aftermaths[name]
    unless_kept(attack, found)
    assert found.changed == []
    assert found.strays == []
    assert found.printed == ""


@pytest.mark.parametrize("name", ATTACKS)
def test_what_an_attack_says_obeys_no_terminal(aftermaths: dict[str, Aftermath], name: str) -> None:
    said = aftermaths[name].said()
    assert "\x1b" not in said
    assert "\r" not in said
    assert said.replace("\n", "").replace("\t", "").isprintable()


def unless_kept(attack: Attack, found: Aftermath) -> None:
    """Skip where this system does not keep from workers what the attack needs; nothing is said where none ran."""
    kept = found.grade.hardening.partition("not restricted here")[0]
    if attack.reach and found.grade.hardening and limits.REACH[attack.reach] not in kept:
        pytest.skip(f"this system does not keep from workers: {limits.REACH[attack.reach]}")


@pytest.mark.parametrize("name", TRIED)
def test_plain_pytest_is_fooled_as_said(name: str, tmp_path: Path) -> None:
    attack = ATTACKS[name]
    attack.write(tmp_path / "repository", tmp_path / "outside")
    assert naive.is_fooled(tmp_path / "repository", attack.hidden) is attack.fools


@pytest.mark.parametrize("hidden", naive.TESTS)
def test_plain_pytest_tells_bare_stubs_from_solutions(hidden: str, tmp_path: Path) -> None:
    Attack(name="", says="", fools=False).write(tmp_path / "bare", tmp_path / "outside")
    Attack(name="", says="", fools=True, files={f"{PACKAGE}/{TARGET}.py": solved()}).write(
        tmp_path / "done", tmp_path / "outside"
    )
    assert not naive.is_fooled(tmp_path / "bare", hidden)
    assert naive.is_fooled(tmp_path / "done", hidden)


# ---- the others ---------------------------------------------------------------------------------------------


def write_honest(folder: Path) -> Path:
    """Somebody's honest submission, half of which is right."""
    text = solved().replace("np.maximum(x.data, data, out=data)", "np.minimum(x.data, data, out=data)", 1)
    for name, source in (course() | {f"{TARGET}.py": text}).items():
        (folder / PACKAGE).mkdir(parents=True, exist_ok=True)
        (folder / PACKAGE / name).write_text(source, encoding="utf-8")
    return folder


SPREADING = (
    "hundreds of processes in sessions of their own",
    "all memory",
    "it takes other people's files away, and their modes and times",
    "limits on the judge's process",
)


def test_the_grade_of_others_is_the_same_beside_attacks(tmp_path: Path) -> None:
    honest = write_honest(tmp_path / "honest")
    alone = graded(honest, limit=20).as_dict(timing=False)
    assert 0 < alone["score"] < alone["max_score"]
    done = threading.Event()

    def attack() -> None:
        for name in SPREADING:
            folder = tmp_path / str(SPREADING.index(name))
            ATTACKS[name].write(folder / "repository", folder / "outside")
            graded(folder / "repository")
        done.set()

    thread = threading.Thread(target=attack)
    thread.start()
    grades = [graded(honest, limit=20).as_dict(timing=False)]
    thread.join()
    grades.append(graded(honest, limit=20).as_dict(timing=False))
    assert done.is_set()
    assert all(found == alone for found in grades)


def test_there_are_attacks_of_every_family() -> None:
    assert len(ATTACKS) == sum(map(len, FAMILIES.values())) >= 60
    assert all(len(family) >= 5 for family in FAMILIES.values())
    assert Counter(attack.fools is True for attack in ATTACKS.values())[True] >= 40
