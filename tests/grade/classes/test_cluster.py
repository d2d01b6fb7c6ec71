"""The same grades from the workers of a Dask cluster, also when one of them is killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_tinytorch.grade.classes import cluster
from pytest_tinytorch.grade.classes.cluster import Dask
from pytest_tinytorch.grade.classes.engines import DIED, EngineError, Local
from tests.grade.classes.conftest import PATHS, Classroom
from tools import ROOT

distributed: Any = pytest.importorskip("distributed", reason="the extra `dask` is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # of distributed, about sockets that its workers leave to the system


@pytest.fixture(scope="module")
def workers() -> Iterator[Any]:
    """A cluster of three worker processes."""
    with distributed.LocalCluster(
        n_workers=3, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
    ) as opened:
        yield opened


def results(classroom: Classroom, name: str, engine: Dask | Local) -> list[bytes]:
    """The sorted lines of a run."""
    into = classroom.into.with_name(name)
    classroom.run(engine, into=into)
    return sorted((into / "results.jsonl").read_bytes().splitlines())


def test_the_cluster_gives_the_same_bytes(classroom: Classroom, workers: Any) -> None:
    classroom.hand_in(**{f"s{n}": f"{n % 6} {n // 2}" for n in range(10)}, raising="raise")
    ours = results(classroom, "local", Local(2, PATHS))
    assert results(classroom, "dask", Dask(workers.scheduler_address, PATHS)) == ours


def test_the_command_gives_the_same_bytes(tmp_path: Path, workers: Any) -> None:
    for student, flavour in (("ann", "solutions"), ("bob", "exercises"), ("cem", "solutions")):
        shutil.copytree(ROOT / flavour / "tinytorch", tmp_path / "class" / student / "tinytorch")
    kept = []
    for name, engine in (("local", ["-j", "2"]), ("dask", ["--dask", workers.scheduler_address])):
        words = ["class", str(tmp_path / "class"), "--into", str(tmp_path / name), "--checkpoint", "2", "--seed", "5"]
        command = [sys.executable, "-I", "-m", "pytest_tinytorch.grade", *words, *engine]
        done = subprocess.run(  # noqa: S603 -- our own command
            command, capture_output=True, encoding="utf-8", timeout=600, check=False
        )
        assert done.returncode == 0, done.stderr
        lines = sorted((tmp_path / name / "results.jsonl").read_bytes().splitlines())
        kept.append((lines, (tmp_path / name / "report.html").read_bytes()))
    assert kept[0] == kept[1]
    assert len(kept[0][0]) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_a_worker_that_is_killed_costs_nothing(classroom: Classroom, workers: Any) -> None:
    classroom.hand_in(**{f"s{n:02}": f"{n % 6} {n // 2}" for n in range(30)})
    ours = results(classroom, "local", Local(2, PATHS))
    engine = Dask(workers.scheduler_address, PATHS)
    with distributed.Client(workers.scheduler_address, set_as_default=False) as client:
        victim = min(client.run(os.getpid).values())

    def kill_one() -> None:
        path = classroom.into.with_name("dask") / "results.jsonl"
        for _ in range(6000):
            if path.exists() and path.read_bytes().count(b"\n") >= 5:
                os.kill(victim, signal.SIGKILL)
                return
            time.sleep(0.01)

    killer = threading.Thread(target=kill_one, daemon=True)
    killer.start()
    assert results(classroom, "dask", engine) == ours
    killer.join()


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot send itself SIGKILL on Windows")
def test_a_submission_that_kills_its_process_is_told_in_the_same_words(classroom: Classroom, workers: Any) -> None:
    classroom.hand_in(ann="3", bob="die")
    classroom.run(Dask(workers.scheduler_address, PATHS))
    assert [line["grade"]["trouble"] for line in classroom.lines()] == ["", DIED]


def test_nobody_at_the_address() -> None:
    with pytest.raises(EngineError, match=r"^no Dask scheduler answers at tcp://127\.0\.0\.1:9: "):
        Dask("tcp://127.0.0.1:9")


@pytest.mark.parametrize("address", ["nonsense", "ftp://x:1", ""])
def test_an_address_that_is_none(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    threads = threading.active_count()
    with pytest.raises(EngineError, match=r"^no Dask scheduler answers at"):
        Dask(address)
    assert threading.active_count() <= threads


def test_a_cluster_of_another_version(workers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "__version__", "9.9")
    with pytest.raises(EngineError, match=r"has workers with version .*, this is version 9\.9$"):
        Dask(workers.scheduler_address)


def test_a_cluster_without_workers() -> None:
    with distributed.LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as empty:
        address = empty.scheduler_address
        with pytest.raises(EngineError, match=r"has no workers$"):
            Dask(address)


def test_without_the_extra_a_sentence_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['distributed'] = None\n"
        "from pytest_tinytorch.grade.classes.cluster import Dask\n"
        "from pytest_tinytorch.grade.classes.engines import EngineError\n"
        "try:\n    Dask('tcp://localhost:1')\nexcept EngineError as error:\n    print(error)\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert told.stdout == "--dask needs an extra: pip install 'pytest-tinytorch[dask]'\n"
