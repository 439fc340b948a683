"""JSON and paths of other people's files: exact, bounded, and never out of their folder."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.errors import DataError
from workstation.core.untrusted import Found, inside, parse_json, parse_json_lines, read_json


def test_times_are_rounded_once_from_what_is_written() -> None:
    found = parse_json('{"a": 0.1, "b": "1557539956.400135", "c": 1e-10, "d": 5e-10, "e": -0.25}', path="x")
    assert found["a"].seconds_ns() == 100_000_000
    assert found["b"].seconds_ns() == 1_557_539_956_400_135_000  # a double would be 88 ns off
    assert (found["c"].seconds_ns(), found["d"].seconds_ns(), found["e"].seconds_ns()) == (0, 1, -250_000_000)
    assert found["a"].milliseconds_ns() == 100_000


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"a": ', "f.json, line 1: is not JSON"),
        ('{"a": NaN}', "f.json, a: NaN is no usable number"),
        ('{"a": 1e999999999}', "is no usable time"),
        ('{"a": 99999999999999}', "is no usable time"),
        ('{"a": true}', "must be a number, not true or false"),
        ('{"a": "soon"}', "must be a number, not 'soon'"),
        ('{"a": []}', "must be a number, not a list"),
        ("{}", "lacks 'a'"),
        ("[]", "must be an object, not a list"),
        ('{"a": ' + "7" * 5000 + "}", "too many digits"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 300 + "1" + "}" * 300, "nested more than 200 levels"),
        (b"\xff\xfe\x00", "not UTF-8"),
    ],
)
def test_what_cannot_be_used_is_one_sentence_with_file_and_place(text: str | bytes, sentence: str) -> None:
    with pytest.raises(DataError, match=r"f\.json") as caught:
        parse_json(text, path="f.json")["a"].seconds_ns()
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_place_of_a_nested_value_is_named() -> None:
    found = parse_json('{"a": [{"b": 1}, {"b": "x"}]}', path="f.json")
    with pytest.raises(DataError, match=r"f\.json, a\[1\]\.b: must be a whole number"):
        found["a"][1]["b"].whole()
    with pytest.raises(DataError, match=r"f\.json, a: has no item 2"):
        found["a"][2]
    with pytest.raises(DataError, match=r"must be 3 numbers, not 1"):
        Found([1], "f.json", "a").numbers(3)


def test_lines_of_json_name_the_line_that_is_broken() -> None:
    lines = parse_json_lines('{"a": 1}\n\n{"a": 2}\r\n{"a": ', path="f.jsonl")
    assert [next(lines)["a"].whole(), next(lines)["a"].whole()] == [1, 2]
    with pytest.raises(DataError, match=r"f\.jsonl, line 4: is not JSON"):
        next(lines)


def test_a_file_larger_than_allowed_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("[1, 2, 3]")
    assert [item.value for item in read_json(path)] == [1, 2, 3]
    with pytest.raises(DataError, match="larger than the 5 bytes"):
        read_json(path, max_bytes=5)


@pytest.mark.parametrize(
    "name",
    [
        "../a",
        "a/../../b",
        "/etc/passwd",
        "C:/a",
        "C:\\a",
        "\\\\host\\share\\a",
        "..\\a",
        "",
        "a\0b",
        "out/secret",
        "loop",
    ],
)
def test_an_index_cannot_lead_out_of_its_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (tmp_path / "outside").mkdir()
    (folder / "out").symlink_to(tmp_path / "outside")
    (folder / "loop").symlink_to(folder / "loop")
    with pytest.raises(DataError, match=r"index\.json"):
        inside(folder, name, source="index.json")


def test_names_inside_the_folder_are_followed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    for name in ("a/b.bin", "a\\b.bin", "./a/b.bin"):
        assert inside(tmp_path, name, source="x") == tmp_path / "a" / "b.bin"
    assert inside(tmp_path, "link/c", source="x") == tmp_path / "link" / "c"


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=9))
def test_nine_places_of_seconds_survive(seconds: Decimal) -> None:
    assert Found(seconds, "x").seconds_ns() == int(seconds * 10**9)
