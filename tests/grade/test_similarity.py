"""Copies are found however they are disguised, and independent work ranks far below.

What is measured here: every disguised copy, whole or of one module, scores 0.9 or more, one with idle lines in between
0.6 or more, and two honest solutions 0.4 at most. The threshold lies between.
"""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest

from pytest_tinytorch.grade import similarity
from pytest_tinytorch.grade.fingerprints import LENGTH, WINDOW, Unit, hashed, units, winnow
from pytest_tinytorch.grade.similarity import Pair, Student, compare, ranked
from tests.grade.disguise import disguised
from tests.grade.variants import MODULES, VARIANTS, variant
from tools import EXERCISES, SOLUTIONS
from tools.trial import Trial, package, run_all

HONEST = ("course", *VARIANTS)
COPY, PADDED, INDEPENDENT = 0.9, 0.6, 0.4  # at least, at least, and at most
CHECKPOINTS = "2,10,14"

Files = dict[str, str]


def written(name: str, modules: tuple[str, ...] = MODULES) -> Files:
    """A variant's files, with bare stubs for all other modules."""
    bare = {path.name: path.read_text("utf-8") for path in EXERCISES.glob("*.py")}
    return bare | {f"{module}.py": variant(name, module) for module in modules}


def changed(files: Files, modules: tuple[str, ...] = MODULES) -> Files:
    """The same work in a disguise."""
    return files | {f"{module}.py": disguised(files[f"{module}.py"]) for module in modules}


def scores(pairs: list[Pair]) -> dict[tuple[str, str], float]:
    return {(pair.first, pair.second): pair.score for pair in pairs}


def striking(pairs: list[Pair]) -> list[Pair]:
    return [pair for pair in pairs if pair.is_striking]


@pytest.fixture(scope="module")
def everybody() -> dict[str, Files]:
    """A class of honest students."""
    return {name: written(name) for name in HONEST}


# ---- honest work ----


def test_the_variants_and_their_disguises_are_right() -> None:
    verdicts = run_all(
        [
            Trial(
                name=f"{how} {name}",
                package=package(**{module: change(variant(name, module)) for module in MODULES}),
                checkpoint=CHECKPOINTS,
            )
            for name in HONEST
            for how, change in (("as it is", str), ("disguised", disguised))
        ]
    )
    wrong = {name: [result.name for result in verdict.not_passed] for name, verdict in verdicts.items()}
    assert {name: found for name, found in wrong.items() if found} == {}


def test_independent_solutions_rank_far_below(everybody: dict[str, Files], monkeypatch: pytest.MonkeyPatch) -> None:
    assert max(pair.score for pair in compare(everybody)) < 0.1
    monkeypatch.setattr(similarity, "EVIDENCE", 0.0)
    found = scores(compare(everybody))
    assert set(found) <= {tuple(sorted(pair)) for pair in combinations(HONEST, 2)}
    assert max(found.values()) <= INDEPENDENT < similarity.THRESHOLD < PADDED < COPY


@pytest.mark.parametrize("module", MODULES)
def test_independent_solutions_of_one_module_rank_far_below(module: str) -> None:
    assert compare({name: written(name, (module,)) for name in HONEST}) == []


def test_bare_stubs_are_like_nothing() -> None:
    bare = written("course", ())
    assert compare({"ada": bare, "bob": dict(bare), "cyn": {}}) == []
    assert list(units("tinytorch", {name: text.encode() for name, text in bare.items()})) == []


def test_the_little_that_beginners_have_is_like_nothing() -> None:
    """A first exercise has one way to be written."""
    relu = 'data = np.maximum(x.data, 0)\n    return record("relu", data, (x,), result=data)'
    first = {"activations.py": f"import numpy as np\n\n\ndef relu(x):\n    {relu}\n"}
    assert compare({"ada": first, "bob": dict(first)}) == []


# ---- copies ----


@pytest.mark.parametrize("name", HONEST)
def test_a_disguised_copy_is_first(everybody: dict[str, Files], name: str) -> None:
    first, *others = compare(everybody | {"thief": changed(everybody[name])})
    assert {first.first, first.second} == {name, "thief"}
    assert first.score >= COPY
    assert first.is_striking
    assert max([other.score for other in others], default=0) < INDEPENDENT


@pytest.mark.parametrize("name", HONEST)
def test_a_copy_with_idle_lines_in_it_is_first(everybody: dict[str, Files], name: str) -> None:
    padded = {f"{module}.py": disguised(variant(name, module), padded=True) for module in MODULES}
    first, *others = compare(everybody | {"thief": everybody[name] | padded})
    assert {first.first, first.second} == {name, "thief"}
    assert first.score >= PADDED
    assert max([other.score for other in others], default=0) < INDEPENDENT


@pytest.mark.parametrize("module", MODULES)
def test_a_copy_of_one_module_is_found(everybody: dict[str, Files], module: str) -> None:
    """The rest is the thief's own work."""
    thief = everybody["careful"] | {f"{module}.py": disguised(everybody["plain"][f"{module}.py"])}
    honest = {name: files for name, files in everybody.items() if name != "careful"}
    (pair,) = striking(compare(honest | {"thief": thief}))
    assert {pair.first, pair.second} == {"plain", "thief"}
    assert pair.score >= COPY
    assert pair.where == module
    assert all(match.name.startswith(f"{module}.") for match in pair.matches)


def test_a_copy_in_another_file_is_found(everybody: dict[str, Files]) -> None:
    thief = dict(everybody["plain"])
    thief |= {"mine.py": disguised(thief.pop("profiling.py")), "profiling.py": "from .mine import *\n"}
    (pair,) = striking(compare(everybody | {"thief": thief}))
    assert {pair.first, pair.second} == {"plain", "thief"}
    assert pair.score >= COPY


def test_three_of_a_kind_are_three_pairs(everybody: dict[str, Files]) -> None:
    thieves = {"thief": changed(everybody["terse"]), "twin": dict(everybody["terse"])}
    found = scores(striking(compare(everybody | thieves)))
    assert set(found) == {("terse", "thief"), ("terse", "twin"), ("thief", "twin")}
    assert min(found.values()) >= COPY


def test_the_order_of_students_does_not_count(everybody: dict[str, Files]) -> None:
    submissions = everybody | {"thief": changed(everybody["plain"])}
    turned = dict(reversed(submissions.items()))
    assert compare(submissions, processes=1) == compare(turned, processes=3)


def test_a_pair_says_where(everybody: dict[str, Files]) -> None:
    (pair,) = compare({"ada": everybody["plain"], "bob": everybody["plain"]})
    assert pair.score == 1.0
    match = next(match for match in pair.matches if match.name == "tokenization.merge")
    assert match.share == 1.0
    assert match.first == match.second
    before = everybody["plain"]["tokenization.py"].split("\n")[: match.first[0]]
    assert [line for line in before if line.startswith("def ")][-1] == "def merge(ids, pair, new):"
    assert "tokenization.merge (" in pair.says or "more" in pair.says
    assert pair.says.startswith("everything: ")


# ---- a class ----


def test_what_many_share_is_no_evidence() -> None:
    common = list(range(1000, 1400))
    students = [
        Student(f"s{n:03}", (Unit("tensor", "f", [*common, *range(n * 10_000, n * 10_000 + 300)], [1] * 700),))
        for n in range(1, 61)
    ]
    assert ranked(students) == []
    few = [Student(student.name, student.units) for student in students[:5]]
    assert ranked(few) != []  # of five students, five with the same are no crowd


def test_a_class_is_compared_by_what_is_rare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity, "CHUNK", 1000)
    students = [
        Student(f"s{n:03}", (Unit("tensor", "f", list(range(n * 1000, n * 1000 + 200)), [1] * 200),))
        for n in range(300)
    ]
    students += [
        Student("copy", students[7].units),
        Student("half", (Unit("layers", "g", students[7].units[0].hashes[:100], [1] * 100),)),
    ]
    found = scores(ranked(students))
    assert found == {("s007", "copy"): 1.0, ("s007", "half"): 1.0, ("copy", "half"): 1.0}


# ---- hostile texts ----


def test_what_cannot_be_read_is_like_nothing_and_costs_itself() -> None:
    plain = written("plain")
    deep = {"mine.py": "x = " + "-" * 200_000 + "1", "big.py": "#" * (2 << 20), "torn.py": "def f(:"}
    found = scores(compare({"ada": plain, "bob": plain | deep, "cyn": deep}))
    assert found == {("ada", "bob"): 1.0}
    assert compare({}) == compare({"ada": plain}) == []
    assert compare({"ada": {"a.py": b"\xff\xfe"}, "bob": {"a.py": b"\0"}}) == []


# ---- winnowing ----


def test_two_texts_share_a_fingerprint_where_they_share_enough_in_a_row() -> None:
    run = [f"w{n}" for n in range(LENGTH + WINDOW - 1)]
    one = {value for value, _ in winnow(hashed([f"a{n}" for n in range(40)] + run + [f"b{n}" for n in range(40)]))}
    other = {value for value, _ in winnow(hashed([f"c{n}" for n in range(33)] + run))}
    assert len(one & other) >= 1
    less = {value for value, _ in winnow(hashed([f"d{n}" for n in range(40)] + run[: LENGTH - 1]))}
    assert not one & less


def test_fingerprints_are_few_and_know_their_places() -> None:
    found = winnow(hashed([f"w{n * n % 83}" for n in range(500)]))
    places = [place for _, place in found]
    assert places == sorted(set(places))
    assert len(places) < 500 * 2 / (WINDOW + 1) * 1.5
    assert max(after - before for before, after in pairwise(places)) <= WINDOW
    assert winnow(hashed(["w"] * (LENGTH - 1))) == []
    assert len(winnow(hashed(["w"] * LENGTH))) == 1


def test_the_courses_own_solutions_weigh_little() -> None:
    """Who comes close to it has written well."""
    course = {path.name: path.read_bytes() for path in SOLUTIONS.glob("*.py")}
    (pair,) = compare({"ada": course, "bob": course})
    (whole,) = compare({"ada": written("plain"), "bob": written("plain")})
    per_line = pair.evidence / sum(text.count(b"\n") for text in course.values())
    assert per_line < whole.evidence / sum(variant("plain", module).count("\n") for module in MODULES) / 2
