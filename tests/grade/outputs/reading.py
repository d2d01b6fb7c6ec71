"""What reads the outputs: the reporter's two sums, a workflow's log, a Markdown table."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

from pytest_tinytorch.grade.outputs import FORMATS, classroom50
from pytest_tinytorch.grade.result import Grade

CLASSROOM50 = {
    "CLASSROOM": "cs-principles",
    "ASSIGNMENT": "tinytorch",
    "ASSIGNMENT_TYPE": "individual",
    "OWNER": "kim",
    "SUBMISSION_TAG": "submit/2026-10-30T21-59-59Z-c0ffeec",
    "COMMIT_URL": "https://github.com/o/r/commit/c0ffee",
    "RELEASE_URL": "https://github.com/o/r/releases/tag/submit%2F1",
}
Totals = tuple[int, int]


def rendered(name: str, grade: Grade) -> str:
    """The text of one output."""
    return classroom50.render(grade, CLASSROOM50) if name == "classroom50" else FORMATS[name].render(grade)


# ---- a workflow ---------------------------------------------------------------------------------------------


def step_outputs(text: str) -> dict[str, str]:
    """The outputs of a step, as a workflow reads $GITHUB_OUTPUT; a line that is not `name=value` is an error."""
    found = {}
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        assert equals, line[:80]
        assert "<<" not in name, "the beginning of a value of several lines"
        found[name] = value
    return found


def runners(text: str) -> dict[str, Any]:
    """The runners by their ids."""
    return {name: json.loads(base64.b64decode(value)) for name, value in step_outputs(text).items()}


def commands(log: str) -> list[str]:
    """What a workflow takes for commands in a log: `::` first in a line, `##[` anywhere in it."""
    lines = re.split(r"\r\n|\r|\n", log)
    return [line for line in lines if line.strip().startswith("::") or "##[" in line]


def reported(results: dict[str, Any]) -> str:
    """What the reporter action prints about the items, as far as it repeats what they say."""
    lines = []
    for runner in results.values():
        for test in runner["tests"]:
            lines += [f"❌ {test['name']} - line {test['line_no']}", f"Error: {test.get('message') or test['name']}"]
            lines += [f"Test code:\n{test['test_code']}"] if test["test_code"] else []
    return "\n".join(lines)


# ---- totals -------------------------------------------------------------------------------------------------


def table_and_notice(results: dict[str, Any]) -> tuple[tuple[float, int], Totals]:
    """The reporter's sums: by the share of the items that passed, and by their scores."""
    table = notice = most = 0.0
    for runner in results.values():
        passed = sum(test["status"] == "pass" for test in runner["tests"])
        table += passed / len(runner["tests"]) * runner["max_score"]
        if runner["max_score"]:
            notice += sum(test["score"] for test in runner["tests"])
        most += runner["max_score"]
    return (table, int(most)), (int(notice), int(most))


def _json(text: str) -> list[Totals]:
    data = json.loads(text)
    parts = data["checkpoints"]
    score = sum(part["score"] for part in [*parts, *data["milestones"]])
    most = sum(part["max_score"] for part in parts) + sum(part["points"] for part in data["milestones"])
    return [(data["score"], data["max_score"]), (score, most)]


def _github(text: str) -> list[Totals]:
    table, notice = table_and_notice(runners(text))
    assert abs(table[0] - round(table[0])) < 1e-6
    return [(round(table[0]), table[1]), notice]


def _classroom50(text: str) -> list[Totals]:
    data = json.loads(text)
    tests = data["tests"]
    assert all(test["score"] <= test["max-score"] for test in tests)
    sums = (sum(test["score"] for test in tests), sum(test["max-score"] for test in tests))
    return [(data["score"], data["max-score"]), sums]


def _gradescope(text: str) -> list[Totals]:
    data = json.loads(text)
    sums = (sum(test["score"] for test in data["tests"]), sum(test["max_score"] for test in data["tests"]))
    return [(data["score"], data["extra_data"]["max_score"]), sums]


def cells(row: str) -> list[str]:
    """The cells of a row of a Markdown table."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def _summary(text: str) -> list[Totals]:
    head = re.match(r"# (\d+) of (\d+) points?\n", text)
    assert head
    rows = [cells(line) for line in text.partition("\n\n## ")[0].splitlines() if line.startswith(("| ✓", "| ✗"))]
    points = [re.fullmatch(r"(\d+) of (\d+)", row[4]) for row in rows if len(row) == 6]
    sums = [(int(found[1]), int(found[2])) for found in points if found]
    return [(int(head[1]), int(head[2])), (sum(score for score, _ in sums), sum(most for _, most in sums))]


def _junit(text: str) -> list[Totals]:
    root = ET.fromstring(text)  # noqa: S314  # our own document
    cases = [_properties(case) for case in root.iter("testcase")]
    suites = [_properties(suite) for suite in root.iter("testsuite")]
    sums = [(sum(score for score, _ in each), sum(most for _, most in each)) for each in (cases, suites)]
    return [_properties(root), *sums]


def _properties(element: ET.Element) -> Totals:
    found = {each.get("name"): each.get("value") for each in element.findall("properties/property")}
    return int(found["score"] or 0), int(found["max_score"] or 0)


def _csv(text: str) -> list[Totals]:
    heads, row = csv.reader(io.StringIO(text))
    named = dict(zip(heads, row, strict=True))
    first, last = heads.index("max_score") + 1, len(heads) - heads[::-1].index("late") - 1
    most = int(named["max_score"])
    return [(int(named["score"]), most), (sum(int(cell) for cell in row[first:last]), most)]


TOTALS: dict[str, Callable[[str], list[Totals]]] = {
    "json": _json,
    "github": _github,
    "classroom50": _classroom50,
    "gradescope": _gradescope,
    "summary": _summary,
    "junit": _junit,
    "csv": _csv,
}
