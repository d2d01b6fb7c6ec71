"""The plugin from outside: dormant until asked, and at home in pytest's own switches."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import CourseRepository

IMPORTS = """
import sys

HEAVY = ("numpy", "rich", "coverage", "pytest_tinytorch.course", "pytest_tinytorch.verifier")

def test_nothing_heavy_was_imported():
    assert [name for name in HEAVY if name in sys.modules] == []
"""


# ---- dormant ----------------------------------------------------------------------------------------------


def test_in_another_project_nothing_is_imported(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(IMPORTS)
    assert pytester.runpytest_subprocess("-p", "pytest_tinytorch.plugin").ret == 0


def test_in_another_project_the_output_is_the_same(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile("def test_one(): pass\ndef test_two(): assert 1 == 2")

    def lines(*args: str) -> list[str]:
        out = pytester.runpytest_subprocess("-p", "no:cacheprovider", *args).outlines
        return [line.partition(" in ")[0] for line in out]

    assert lines("-p", "pytest_tinytorch.plugin") == lines()


def test_a_students_own_tests_run_as_ever(solved: CourseRepository) -> None:
    (solved.root / "tests").mkdir()
    (solved.root / "tests" / "test_mine.py").write_text(
        "from tinytorch import relu, tensor\n\n\ndef test_mine():\n    assert relu(tensor([-1.0])).item() == 0\n"
    )
    result = solved.pytest("-o", "pythonpath=.", "tests")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*apabilit*")


# ---- pytest's own switches ----------------------------------------------------------------------------------


def test_k_selects_by_name(solved: CourseRepository) -> None:
    result = solved.pytest("--checkpoint", "2", "-k", "relu and not leaky")
    assert result.ret == 0
    assert " deselected" in result.stdout.str()


def test_x_stops_at_the_first_failure(bare: CourseRepository) -> None:
    result = bare.pytest("--checkpoint", "2", "-x")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*stopping after 1 failures*"])


def test_v_names_each_check(solved: CourseRepository) -> None:
    result = solved.pytest("--checkpoint", "2", "-v", "-k", "softmax")
    result.stdout.fnmatch_lines(["checkpoint-02-activations::test_*softmax* PASSED*"])


def test_lf_runs_what_failed_last(solved: CourseRepository) -> None:
    whole = solved.pytest("--checkpoint", "2").parseoutcomes()["passed"]
    path = solved.package / "activations.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "\n\ndef relu(x):\n    return x\n", encoding="utf-8")
    failed = solved.pytest("--checkpoint", "2")
    assert failed.ret == 1
    again = solved.pytest("--checkpoint", "2", "--lf").parseoutcomes()
    assert sum(again.get(k, 0) for k in ("failed", "passed")) < whole
    assert again["failed"] == failed.parseoutcomes()["failed"]
    path.write_text(text, encoding="utf-8")
    assert solved.pytest("--checkpoint", "2", "--ff").ret == 0


def test_sw_goes_on_where_it_stopped(bare: CourseRepository) -> None:
    assert bare.pytest("--checkpoint", "2", "--sw").ret != 0
    result = bare.pytest("--checkpoint", "2", "--sw")
    assert "stepwise" in result.stdout.str()


def test_collect_only_lists_the_checks_and_reports_nothing(solved: CourseRepository) -> None:
    result = solved.pytest("--checkpoint", "2", "--collect-only", "-q")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["checkpoint-02-activations::test_*"])
    assert not (solved.root / ".tinytorch").exists()


def test_junit_xml_holds_each_check(bare: CourseRepository) -> None:
    assert bare.pytest("--checkpoint", "2", "--junitxml", "out.xml").ret == 1
    suite = ET.parse(bare.root / "out.xml").getroot()[0]  # noqa: S314 -- written by pytest just now
    assert int(suite.attrib["failures"]) == int(suite.attrib["tests"]) > 5
    failure = suite[0].find("failure")
    assert failure is not None
    assert "not written" in (failure.text or "")


def test_durations_and_tb_still_work(solved: CourseRepository) -> None:
    solved.append("activations", "def relu(x):\n    return x.nonsense")
    result = solved.pytest("--checkpoint", "2", "-k", "relu", "--durations=2", "--tb=short")
    result.stdout.fnmatch_lines(["*FAILURES*", "*x.nonsense*", "*slowest*"])


def test_xdist_gives_the_same_counts(bare: CourseRepository) -> None:
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    alone, together = bare.pytest("--checkpoint", "2,3"), bare.pytest("--checkpoint", "2,3", "-n", "2")
    assert together.parseoutcomes() == alone.parseoutcomes()
    together.stdout.fnmatch_lines(["*02 activations*"])


def test_xdist_remembers_progress(solved: CourseRepository) -> None:
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    assert solved.pytest("--checkpoint", "2", "-n", "2").ret == 0
    assert (solved.root / ".tinytorch" / "progress.json").is_file()


def test_coverage_of_the_students_package(solved: CourseRepository) -> None:
    pytest.importorskip("pytest_cov", reason="pytest-cov is not installed")
    result = solved.pytest("--checkpoint", "2", "--cov", "tinytorch", "--cov-report", "term")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*activations.py*%*"])


def test_without_xdist_n_says_what_is_missing(bare: CourseRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    hide = bare.root / "hide"
    hide.mkdir()
    (hide / "sitecustomize.py").write_text(
        "import importlib.util as u\n"
        "found = u.find_spec\n"
        "u.find_spec = lambda name, package=None: None if name == 'xdist' else found(name, package)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(hide))
    result = bare.pytest("-p", "no:xdist", "-p", "no:xdist.looponfail", "--checkpoint", "1", "-n", "2")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: -n runs checks in parallel and needs pytest-xdist: pip install pytest-xdist"])


@pytest.mark.skipif(sys.platform == "win32", reason="pexpect needs a POSIX terminal")
def test_pdb_stops_in_the_students_own_frame(solved: CourseRepository) -> None:
    solved.append("activations", "def relu(x):\n    surprise = 42\n    return x.nonsense")
    result = solved.pytester.run(
        sys.executable, "-c", "import subprocess, sys; subprocess.run([sys.executable, '-m', 'pytest', '--checkpoint', "
        "'2', '-k', 'relu', '-x', '--pdb'], input=b'p surprise\\nq\\n')",
    )  # fmt: skip
    result.stdout.fnmatch_lines(["*(Pdb)*42*"])


def test_what_the_students_code_prints_is_shown_with_the_failure(solved: CourseRepository) -> None:
    solved.append("activations", "def relu(x):\n    print('so far so good')\n    return x")
    for mode in ([], ["--isolated"]):
        solved.pytest("--checkpoint", "2", "-k", "relu", *mode).stdout.fnmatch_lines(["*so far so good*"])


# ---- seeds, reports, quiet ------------------------------------------------------------------------------------


def test_a_seed_repeats_the_inputs(solved: CourseRepository) -> None:
    solved.append("activations", "def relu(x):\n    return x")

    def shown(seed: str) -> list[str]:
        out = solved.pytest("--checkpoint", "2", "-k", "relu", "--tinytorch-seed", seed).outlines
        return [line for line in out if "yours" in line or "expected" in line]

    assert shown("7") == shown("7") != []
    assert shown("7") != shown("8")


def test_quiet_is_terse(bare: CourseRepository) -> None:
    loud, quiet = bare.pytest("--checkpoint", "2"), bare.pytest("--checkpoint", "2", "-q")
    assert len(quiet.outlines) < len(loud.outlines)


@pytest.mark.parametrize("suffix", ["json", "md", "html", "svg"])
def test_reports_by_suffix(bare: CourseRepository, suffix: str) -> None:
    result = bare.pytest("--checkpoint", "2", "--report", f"out.{suffix}")
    assert result.ret == 1
    assert "softmax" in (bare.root / f"out.{suffix}").read_text(encoding="utf-8")


def test_capabilities_reports_what_was_proved_and_runs_nothing(solved: CourseRepository) -> None:
    before = solved.pytest("--capabilities")
    assert before.ret == 0
    solved.pytest("--checkpoint", "1")
    after = solved.pytest("--capabilities", "--report", "out.json")
    assert after.ret == 0
    assert after.outlines != before.outlines
    assert '"proved"' in (solved.root / "out.json").read_text(encoding="utf-8")
    after.stdout.no_fnmatch_line("*passed in*")


def test_hints_climb_the_ladder(bare: CourseRepository) -> None:
    said = [bare.pytest("--checkpoint", "2", "--hint").stdout.str() for _ in range(3)]
    for level, text in enumerate(said, 1):
        assert f"HINT  activations.relu, {level} of 3" in text


def test_hint_alone_takes_the_next_checkpoint(bare: CourseRepository) -> None:
    bare.pytest("--hint").stdout.fnmatch_lines(["checkpoint-01-tensor*", "HINT*1 of 3*"])


# ---- bad input ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--checkpoint", "actvations"], "*there is no such checkpoint; the nearest is activations*"),
        (["--checkpoint", "1", "--report", "out.docx"], "*out.docx*.html*"),
        (["--checkpoint", "1", "--report", "no/such/folder/out.html"], "*no*such*folder*"),
        (["--checkpoint", "1", "--full"], "*--full goes with --milestone*"),
        (["--milestone", "1957", "--full"], "*1957 Perceptron has no full benchmark: leave out --full*"),
        (["--checkpoint", "1", "tinytorch"], "*take no paths: run your own tests with pytest tinytorch*"),
        (["--full"], "*--full goes with --checkpoint or --milestone*"),
        (["--checkpoint", "1", "-o", "tinytorch_time_limit=soon"], "*tinytorch_time_limit*seconds above 0*"),
        (["--checkpoint", "1", "-o", "tinytorch_track=scenic"], "*'scenic' in * is no track; there are complete*"),
        (["--checkpoint", "1", "-o", "tinytorch_package=nowhere"], "*there is no package nowhere/*"),
        (["--checkpoint", "1", "-o", "tinytorch_package=a b"], "*is no name of a Python package*"),
        (
            ["--checkpoint", "3", "-o", "tinytorch_track=custom", "-o", "tinytorch_modules=3"],
            "*module 03 layers needs 01 tensor*",
        ),
        (["--checkpoint", "1", "--tinytorch-seed", "-3"], "*a seed is a whole number from 0 on*"),
    ],
)
def test_bad_options_get_one_sentence(bare: CourseRepository, args: list[str], sentence: str) -> None:
    result = bare.pytest(*args)
    assert result.ret == 4
    errors = [line for line in result.errlines if line]
    assert len(errors) == 1
    result.stderr.fnmatch_lines([f"ERROR: {sentence}"])
