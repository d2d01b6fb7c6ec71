"""A signature says whether a result was changed, and nothing more."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_tinytorch.grade import cli, outputs, signing
from pytest_tinytorch.grade.result import Grade
from pytest_tinytorch.grade.signing import Checked, Key, KeyFileError, Verdict, signed, verify, verify_file

KEY, OTHER = Key(b"k" * 32), Key(b"o" * 32)
MakeGrade = Callable[..., Grade]


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """A key in a file."""
    signing.make_key(tmp_path / "key")
    return tmp_path / "key"


@pytest.fixture
def signed_grade(tmp_path: Path, key_file: Path, make_grade: MakeGrade) -> Path:
    """A grade that was written as `--sign` writes it."""
    path = tmp_path / "grade.json"
    targets = signing.signed_targets([outputs.parse(f"json:{path}")], signing.read_key(key_file))
    assert outputs.write(make_grade(), targets) == []
    return path


def of(path: Path, key: Key | None) -> list[Verdict]:
    return [one.verdict for one in verify_file(path, key)]


# ---- keys ----


def test_a_new_key_is_read_by_nobody_else(key_file: Path) -> None:
    if os.name == "posix":
        assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
        assert not signing.is_open_to_others(key_file)
    assert signing.read_key(key_file).name != signing.make_key(key_file.with_name("other")).name


def test_a_key_is_never_overwritten(key_file: Path) -> None:
    before = key_file.read_bytes()
    with pytest.raises(KeyFileError, match="is there already"):
        signing.make_key(key_file)
    assert key_file.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"secret",
        b"tinytorch-grade-key-1 ",
        b"tinytorch-grade-key-1 !!",
        b"tinytorch-grade-key-2 aaaa",
    ],
)
def test_what_is_no_key_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(KeyFileError, match=r"is no key: `tinytorch-grade keygen FILE` makes one$"):
        signing.read_key(tmp_path / "key")


def test_a_key_that_is_not_there_or_has_no_place(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="cannot be read"):
        signing.read_key(tmp_path / "key")
    with pytest.raises(KeyFileError, match="cannot be read"):
        signing.read_key(tmp_path)
    with pytest.raises(KeyFileError, match="cannot be written"):
        signing.make_key(tmp_path / "no" / "key")


def test_a_keys_name_does_not_give_it_away() -> None:
    assert KEY.name == Key(b"k" * 32).name != OTHER.name
    assert len(KEY.name) == 8


# ---- results ----


def test_a_grade_that_nobody_touched(signed_grade: Path, key_file: Path, make_grade: MakeGrade) -> None:
    assert of(signed_grade, signing.read_key(key_file)) == [Verdict.UNCHANGED]
    data = json.loads(signed_grade.read_text("utf-8"))
    assert Grade.from_dict(data) == make_grade()


def test_layout_does_not_count(signed_grade: Path, key_file: Path) -> None:
    data = json.loads(signed_grade.read_text("utf-8"))
    laid_out = json.dumps(dict(sorted(data.items(), reverse=True)), ensure_ascii=False, separators=(" ,", " :"))
    signed_grade.write_text(laid_out, encoding="utf-8")
    assert of(signed_grade, signing.read_key(key_file)) == [Verdict.UNCHANGED]


def changes(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where every single value of a result stands."""
    if isinstance(data, dict):
        return [place for name, value in data.items() for place in changes(value, (*path, name))]
    if isinstance(data, list):
        return [place for number, value in enumerate(data) for place in changes(value, (*path, number))]
    return [path]


def test_every_value_counts(make_grade: MakeGrade) -> None:
    whole = signed(make_grade().as_dict(), KEY)
    places = changes(whole)
    assert len(places) > 50
    for *folder, last in places:
        data = json.loads(json.dumps(whole))
        inner = data
        for step in folder:
            inner = inner[step]
        inner[last] = "other"
        assert verify(data, KEY) in {Verdict.CHANGED, Verdict.OTHER_KEY}
        del inner[last]
        assert verify(data, KEY) is not Verdict.UNCHANGED
    assert verify(whole | {"more": 1}, KEY) is Verdict.CHANGED


def test_unsigned_another_key_and_no_key(make_grade: MakeGrade) -> None:
    data = make_grade().as_dict()
    assert verify(data, KEY) is verify(data, None) is verify(data | {"signature": None}, KEY) is Verdict.UNSIGNED
    assert verify(signed(data, OTHER), KEY) is Verdict.OTHER_KEY
    assert verify(signed(data, KEY), None) is Verdict.NO_KEY
    assert signed(signed(data, OTHER), KEY) == signed(data, KEY)


@pytest.mark.parametrize(
    "signature", ["text", [], 3, {}, {"algorithm": "none", "key": KEY.name, "value": ""}, {"value": "é"}]
)
def test_a_signature_that_is_none(signature: Any) -> None:
    assert verify({"score": 1, "signature": signature}, KEY) is Verdict.CHANGED


@pytest.mark.parametrize("data", [None, 1, "text", [], {}, [{"score": 1}]])
def test_what_is_no_result(data: Any) -> None:
    assert verify(data, KEY) is Verdict.UNREADABLE


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff",
        b"{}\n{}",
        b"[" * 100_000,
        b'{"score": ' + b"9" * 10_000 + b"}",
        b"null",
    ],
)
def test_what_is_no_json(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "grade.json").write_bytes(text)
    assert of(tmp_path / "grade.json", KEY)[0] in {Verdict.UNREADABLE, Verdict.UNSIGNED}


def test_a_name_that_stands_twice_is_a_change(tmp_path: Path) -> None:
    text = json.dumps(signed({"student": "ada", "score": 1}, KEY))
    (tmp_path / "grade.json").write_text(text.replace('"score": 1', '"score": 9, "score": 1'), encoding="utf-8")
    assert list(verify_file(tmp_path / "grade.json", KEY)) == [Checked(0, "ada", Verdict.CHANGED)]


def test_numbers_that_are_no_json(tmp_path: Path) -> None:
    text = json.dumps(signed({"score": 1}, KEY)).replace("1", "NaN", 1)
    (tmp_path / "grade.json").write_text(text, encoding="utf-8")
    assert of(tmp_path / "grade.json", KEY) == [Verdict.CHANGED]


def test_other_formats_stay_as_they_are(tmp_path: Path, make_grade: MakeGrade) -> None:
    plain = [outputs.parse(f"csv:{tmp_path / 'a.csv'}"), outputs.parse(f"gradescope:{tmp_path / 'r.json'}")]
    assert signing.signed_targets(plain, KEY) == plain
    assert outputs.write(make_grade(), plain) == []
    assert of(tmp_path / "r.json", KEY) == [Verdict.UNSIGNED]


# ---- the command ----


def run(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """`tinytorch-grade` with these words: exit code, output, errors."""
    try:
        code = cli.main(words)
    except SystemExit as error:
        code = int(str(error.code))
    said = capsys.readouterr()
    return code, said.out, said.err


def test_verify_says_what_it_found(
    signed_grade: Path, key_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, key, other = str(signed_grade), str(key_file), str(tmp_path / "other")
    assert run("keygen", other, capsys=capsys)[0] == 0
    assert run("verify", file, "--key", key, capsys=capsys) == (0, f"{file}: unchanged\n", "")
    assert run("verify", file, "--key", other, capsys=capsys) == (2, f"{file}: signed with another key\n", "")
    assert run("verify", file, capsys=capsys)[:2] == (2, f"{file}: signed, and no key was given to check it with\n")
    signed_grade.write_text(signed_grade.read_text("utf-8").replace('"score": ', '"score": 1', 1), encoding="utf-8")
    assert run("verify", file, "--key", key, capsys=capsys) == (1, f"{file}: changed\n", "")


def test_verify_refuses_in_one_sentence(key_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing, key = str(tmp_path / "no.json"), str(key_file)
    code, out, err = run("verify", missing, "--key", key, capsys=capsys)
    assert (code, out, err.count("\n")) == (2, "", 1)
    code, out, err = run("verify", key, "--key", missing, capsys=capsys)
    assert (code, out, err.count("\n")) == (4, "", 1)
    code, out, err = run("keygen", key, capsys=capsys)
    assert (code, out, err.count("\n")) == (4, "", 1)
    assert run("verify", capsys=capsys)[0] == 4
    assert run("verify", key, "--key", key, capsys=capsys)[:2] == (2, f"{key}: no result\n")
    assert run("verify", str(tmp_path), "--key", key, capsys=capsys)[0] == 2


@pytest.mark.skipif(os.name != "posix", reason="other systems have other permissions")
def test_a_key_that_others_may_read_is_told(
    signed_grade: Path, key_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key_file.chmod(0o644)
    code, out, err = run("verify", str(signed_grade), "--key", str(key_file), capsys=capsys)
    assert (code, out) == (0, f"{signed_grade}: unchanged\n")
    assert "chmod 600" in err


def test_each_line_of_a_class_is_for_itself(key_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = signing.read_key(key_file)
    lines = [json.dumps(signed({"student": name, "grade": {"score": 1}}, key)) for name in ("ada", "bob", "cyn")]
    results = tmp_path / "class" / "results.jsonl"
    results.parent.mkdir()
    results.write_text("\n".join(lines) + "\n", encoding="utf-8")
    words = ("verify", str(results.parent), "--key", str(key_file))
    assert run(*words, capsys=capsys) == (0, f"{results.parent}: 3 unchanged\n", "")
    lines[1] = lines[1].replace('"score": 1', '"score": 9')
    lines.append('{"student": "d\\u001b[31m\\u2603"}')
    lines.append('{"torn": ')
    results.write_text("\n".join(lines), encoding="utf-8")
    code, out, _ = run(*words, capsys=capsys)
    assert code == 1
    assert out.splitlines() == [
        f"{results.parent}: 2 unchanged, 1 changed, 1 unsigned, 1 no result",
        "line 2 (bob): changed",
        "line 4 (d\\x1b[31m\\u2603): unsigned",
        "line 5 (nobody): no result",
    ]


def test_many_lines_are_told_in_few() -> None:
    checked = [Checked(number, "ada", Verdict.CHANGED) for number in range(1, 101)]
    told = list(signing._told("f", checked))
    assert told[0] == "f: 100 changed"
    assert told[-1] == "and 80 more"
    assert len(told) == 22
