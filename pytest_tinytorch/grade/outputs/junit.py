"""JUnit XML, which other tools read: a suite for each checkpoint, a case for each check, points as properties."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from ...outcome import Outcome
from ..result import NOT_RUN, GradedCheckpoint
from .words import block, line, told

if TYPE_CHECKING:
    from ..result import Grade, GradedMilestone

ERRORS = {Outcome.BROKEN, Outcome.NO_DATA, NOT_RUN}  # what says nothing of the student's code


def render(grade: Grade) -> str:
    """The document."""
    root = ET.Element("testsuites", name=line(grade.student), time=_seconds(grade.timing.seconds))
    for part in grade.parts():
        root.append(_suite(grade, part))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, 0)) for suite in root)))
    root.insert(0, _properties(grade.score, grade.max_score, trouble=grade.trouble))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _suite(grade: Grade, part: GradedCheckpoint | GradedMilestone) -> ET.Element:
    suite = ET.Element("testsuite", name=line(part.label))
    suite.append(_properties(part.score, part.max_score))
    if isinstance(part, GradedCheckpoint):
        for check in part.checks:
            seconds = grade.timing.checks.get(f"{part.module}::{check.name}", 0)
            case = _case(part.module, check.claim, seconds, check.score, check.points)
            _tell(case, check.outcome, told(check), check.output)
            suite.append(case)
    else:
        case = _case("milestone", part.label, 0, part.score, part.points)
        _tell(case, part.outcome, part.message(), "")
        suite.append(case)
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    suite.set("errors", str(sum(case.find("error") is not None for case in cases)))
    suite.set("time", _seconds(sum(float(case.get("time", 0)) for case in cases)))
    return suite


def _case(home: str, claim: str, seconds: float, score: int, points: int) -> ET.Element:
    names = {"classname": line(home), "name": line(claim, 500), "time": _seconds(seconds)}
    case = ET.Element("testcase", names)
    case.append(_properties(score, points))
    return case


def _tell(case: ET.Element, outcome: str, message: str, printed: str) -> None:
    """What went wrong, and what the student's code printed, where the check did not pass."""
    if outcome == Outcome.PASSED:
        return
    kind = "error" if outcome in ERRORS else "failure"
    found = ET.SubElement(case, kind, type=outcome, message=line(message, 300))
    found.text = block(message, 5000)
    if printed.strip():
        ET.SubElement(case, "system-out").text = block(printed, 5000)


def _properties(score: int, most: int, **more: str) -> ET.Element:
    every = {"score": str(score), "max_score": str(most), **{name: text for name, text in more.items() if text}}
    found = ET.Element("properties")
    for name, value in every.items():
        ET.SubElement(found, "property", name=name, value=line(value, 500))
    return found


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"
