"""Repositories, by the system's git: fetched into a bare one of ours, and read object by object.

Nothing is checked out, so that no hook, filter, attribute or submodule of the repository has a say, and a link is a few
bytes of text. What is fetched is limited in time and in size.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .unpacked import SubmissionError, Unpacked, Unpacking, shown

SECONDS = 120.0  # in which a repository must have been fetched
MOST_BYTES = 1 << 30  # of a repository
PROTOCOLS = "file:git:http:https:ssh"
URL = re.compile(r"(\w[\w+.-]*)://|[\w.-]+@[\w.-]+:")
SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.bigFileThreshold": "1m",  # larger ones are not kept in memory
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "fetch.fsckObjects": "false",  # old repositories hold oddities
    "gc.auto": "0",
    "maintenance.auto": "false",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "30",
    "log.showSignature": "false",
    "advice.detachedHead": "false",
}
# a repository of another user may be read from: upload-pack is made for strangers
UPLOAD_PACK = "git -c safe.directory=* upload-pack"


def is_url(source: str) -> bool:
    """Whether a source is the address of a repository: `https://…`, `ssh://…`, `git@host:…`."""
    return URL.match(source) is not None


def is_repository(path: Path) -> bool:
    """Whether a folder is a repository, with files or bare."""
    return (path / ".git").exists() or is_bare(path)


def is_bare(path: Path) -> bool:
    """Whether a folder is a repository without files."""
    return (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()


def unpack(source: str, package: str, folder: Path, ref: str, at: str) -> Unpacked:
    """The files that matter of one commit, in a new folder.

    Raises:
        SubmissionError: there is no such repository or commit, it cannot be had, or holds what no student's does.
    """
    what = shown(re.sub(r"^(\w+://)[^/@\s]+@", r"\1", source))
    if source.startswith("-") or ref.startswith("-"):
        raise SubmissionError(f"{shown(ref if ref.startswith('-') else source)} is no name of a repository or commit")
    if shutil.which("git") is None:
        raise SubmissionError(f"git is not installed, and without it {what} cannot be fetched")
    scheme = (URL.match(source) or [""])[0].partition(":")[0]
    if "://" in source and scheme.lower() not in PROTOCOLS.split(":"):
        raise SubmissionError(f"{what}: repositories are fetched by {', '.join(PROTOCOLS.split(':'))}, not by {scheme}")
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="git-", ignore_cleanup_errors=True) as store:
        git = Git(Path(store), what)
        address = source if is_url(source) else str(Path(source).resolve())
        commit, committed = _commit(git, address, ref, at)
        unpacking = Unpacking(root=folder, package=package, what=what)
        _read_files(git, commit, unpacking)
    return unpacking.done(commit, committed)


def _commit(git: Git, address: str, ref: str, at: str) -> tuple[str, str]:
    """Fetch the commit that counts: its name, and when it was made."""
    git.run("init", "--quiet", "--bare", "--template=", ".")
    wanted = ref or "HEAD"
    if at:
        git.fetch(address, wanted)
        commit = git.run("rev-list", "--max-count=1", f"--before={moment_of(at)}", "FETCH_HEAD").strip()
        if not commit:
            raise SubmissionError(f"{git.what} has no commit from before {at}")
    else:
        _fetch_one(git, address, wanted)
        commit = git.run("rev-parse", "--verify", "--quiet", "FETCH_HEAD^{commit}").strip()
    return commit, git.run("log", "--max-count=1", "--no-notes", "--format=%cI", commit).strip()


def _fetch_one(git: Git, address: str, wanted: str) -> None:
    """One commit without its history; with all of it, where the server gives none by an abbreviated name."""
    try:
        git.fetch(address, wanted, "--depth=1")
    except SubmissionError:
        if not re.fullmatch(r"[0-9a-f]{4,39}", wanted):
            raise
        git.fetch(address, "HEAD")
        git.run("fetch", "--quiet", ".", git.run("rev-parse", "--verify", f"{wanted}^{{commit}}").strip())


def moment_of(at: str) -> str:
    """A time as git takes it: seconds since 1970. Without an offset it is UTC; a day lasts until its end.

    Raises:
        SubmissionError: it is no time.
    """
    try:
        moment = datetime.datetime.fromisoformat(at.replace("Z", "+00:00"))
    except ValueError:
        raise SubmissionError(f"{shown(at)} is no time, such as 2026-10-31T18:00:00Z") from None
    if len(at) == len("2026-10-31"):
        moment = moment.replace(hour=23, minute=59, second=59)
    return f"@{(moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)).timestamp():.0f}"


# ---- files ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Blob:
    """A file of a commit: the name of its object, and its own in parts."""

    name: bytes
    parts: list[str]


def _read_files(git: Git, commit: str, unpacking: Unpacking) -> None:
    wanted = []
    for mode, name, size, path in _tree(git, commit):
        unpacking.count()
        parts = unpacking.parts(path)
        if mode == b"120000":
            unpacking.note_link(parts)
        elif mode.startswith(b"100") and unpacking.wants(parts, size):
            wanted.append(_Blob(name, parts))
    if not unpacking.entries:
        raise SubmissionError(f"{unpacking.what} is empty")
    with git.started("cat-file", "--batch") as process:
        for blob in wanted:
            unpacking.write(blob.parts, _content(process, blob, unpacking))


def _tree(git: Git, commit: str) -> Iterator[tuple[bytes, bytes, int, str]]:
    """Mode, object, size and path of every entry; a repository that never ends is not read to its end."""
    with git.started("ls-tree", "-r", "-z", "--long", "--full-tree", commit) as process:
        rest = b""
        while chunk := process.stdout.read(1 << 16):  # type: ignore[union-attr]  # a pipe, as asked for
            *lines, rest = (rest + chunk).split(b"\0")
            for line in lines:
                about, _, path = line.partition(b"\t")
                mode, _kind, name, size = about.split()
                yield mode, name, int(size) if size.isdigit() else 0, path.decode("utf-8", "surrogateescape")


def _content(process: subprocess.Popen[bytes], blob: _Blob, unpacking: Unpacking) -> bytes:
    ask, answer = process.stdin, process.stdout
    if ask is None or answer is None:
        raise SubmissionError(f"{unpacking.what} cannot be read")
    ask.write(blob.name + b"\n")
    ask.flush()
    words = answer.readline().split()
    if len(words) != 3:
        raise SubmissionError(f"{unpacking.what} is damaged: {shown('/'.join(blob.parts))} is missing")
    return answer.read(int(words[2]) + 1)[:-1]


# ---- git --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Git:
    """The system's git, in a bare repository of ours. `what` names the submission in sentences."""

    store: Path
    what: str

    def fetch(self, address: str, wanted: str, *options: str) -> None:
        """Fetch a branch, tag or commit, within time and size."""
        self.run(
            *("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance"),
            *options,
            *("--upload-pack", UPLOAD_PACK, "--", address, wanted),
        )

    def run(self, *words: str) -> str:
        """What git prints. Raises SubmissionError with what it says went wrong."""
        with self._errors() as errors:
            process = self._start(words, errors)
            try:
                self._watch(process)
                out = process.stdout.read() if process.stdout else b""
                if process.wait():
                    raise SubmissionError(_cannot(self.what, _said(errors)))
            finally:
                _end(process)
        return out.decode("utf-8", "replace")

    @contextlib.contextmanager
    def started(self, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        """A git that is asked and answers; it is ended afterwards."""
        with self._errors() as errors:
            process = self._start(words, errors)
            try:
                yield process
            except (OSError, ValueError):
                raise SubmissionError(f"{self.what} is damaged: {_said(errors)}") from None
            finally:
                _end(process)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[Path]:
        handle, name = tempfile.mkstemp(dir=self.store, prefix="said-")
        os.close(handle)
        yield Path(name)

    def _start(self, words: tuple[str, ...], errors: Path) -> subprocess.Popen[bytes]:
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        with errors.open("wb") as said:
            return subprocess.Popen(  # noqa: S603 -- git, with words that are ours and names after `--`
                ["git", *settings, *words],  # noqa: S607 -- the git that the user has
                cwd=self.store,
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                start_new_session=True,
            )

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for the end, unless it takes too long or fetches too much."""
        deadline, pause = time.monotonic() + SECONDS, 0.005
        while process.poll() is None:
            if time.monotonic() > deadline:
                raise SubmissionError(f"{self.what} could not be fetched within {SECONDS:g} seconds")
            if _size(self.store) > MOST_BYTES:
                raise SubmissionError(f"{self.what} has more than {MOST_BYTES >> 20} MB")
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(pause)
            pause = min(0.2, pause * 2)


def _environment() -> dict[str, str]:
    """The user's own environment, for agents and certificates, without what would lead git elsewhere or have it ask."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS": "",
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=20",
        "GIT_ALLOW_PROTOCOL": PROTOCOLS,
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "LC_ALL": "C",
    }


def _cannot(what: str, said: str) -> str:
    """Why a repository could not be fetched."""
    missing = "couldn't find remote ref "
    if said == f"{missing}HEAD":
        return f"{what} is a repository without a commit"
    if said.startswith(missing):
        return f"{what} has no branch, tag or commit {said.removeprefix(missing)}"
    return f"{what} cannot be fetched: {said}"


def _size(store: Path) -> int:
    """Bytes of what was fetched so far."""
    total = 0
    for folder, _folders, files in os.walk(store):
        for file in files:
            with contextlib.suppress(OSError):  # git has moved it meanwhile
                total += (Path(folder) / file).stat().st_size
    return total


def _said(errors: Path) -> str:
    """The last thing that git said went wrong."""
    lines = [line.strip() for line in errors.read_bytes().decode("utf-8", "replace").splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "ERROR:", "remote:"))] or lines
    return (
        shown(re.sub(r"//[^/@\s]+@", "//", telling[0].partition(":")[2].strip() or telling[0]))
        if telling
        else "git failed"
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End git and what it has started."""
    if process.poll() is None:
        if sys.platform == "win32":
            process.kill()
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    process.wait()
