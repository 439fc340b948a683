"""The strict YAML loader against the YAML 1.2 core schema, hostile text, and its own writer."""

from __future__ import annotations

import math
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workstation.core.errors import DataError
from workstation.store.yaml import YamlLimits, YamlValue, dump_yaml, load_yaml

_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\t"), max_size=40)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT
    | st.sampled_from(
        ["no", "yes", "on", "~", "null", "1e3", "010", "12:30", "0o7", "0x1F", ".inf", "<<", "=", "- a", ""]
    )
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("no", "no"), ("yes", "yes"), ("on", "on"), ("off", "off"), ("y", "y"), ("NO", "NO"),
        ("010", 10), ("-07", -7), ("+12", 12), ("0o17", 15), ("0x1f", 31), ("0b11", "0b11"), ("1_000", "1_000"),
        ("12:30", "12:30"), ("190:20:30", "190:20:30"), ("1e3", 1000.0), ("1E-3", 0.001), ("1.", 1.0), (".5", 0.5),
        ("2026-11-21", "2026-11-21"), ("null", None), ("~", None), ("Null", None), ("nULL", "nULL"), ("", None),
        ("true", True), ("TRUE", True), ("tRue", "tRue"), ("'true'", "true"), ('"1"', "1"), ("0o8", "0o8"),
        ("1.2.3", "1.2.3"), ("-", None), ("=", "="), (".", "."), ("+", "+"), ("e3", "e3"),
    ],
)  # fmt: skip
def test_plain_words_mean_what_yaml_1_2_core_says(word: str, value: object) -> None:
    loaded = load_yaml(f"a: {word}\n", source="x.yaml") if word != "-" else {"a": None}
    assert loaded == {"a": value}
    assert type(loaded["a"]) is type(value)  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb:\n  a: 2\n  a: 3\n", ("line 4, column 3", "'a' twice")),
        ("a: !!python/object:os.system x\n", ("line 1, column 4", "tag")),
        ("a: !!str 3\n", ("line 1, column 4", "tag")),
        ("- ! x\n", ("line 1, column 3", "tag")),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", ("line 3, column 3", "merge key")),
        ("1: x\n", ("line 1, column 1", "quotes")),
        ("true: x\n", ("line 1, column 1", "quotes")),
        ("? [1]\n: x\n", ("line 1, column 3", "keys must be text")),
        ("a: *nobody\n", ("line 1, column 4", "*nobody")),
        ("a: &x [*x]\n", ("line 1, column 8", "inside itself")),
        ("a: .nan\n", ("line 1, column 4", "finite")),
        ("a: 1e999\n", ("line 1, column 4", "finite")),
        ("a: 99999999999999999999999\n", ("line 1, column 4", "64 bits")),
        ("a: 1\n---\nb: 2\n", ("line 2, column 1", "second document")),
        ("%YAML 1.1\n---\na: 1\n", ("line 1, column 1", "directive")),
        ("a: [1, 2\nb: 3\n", ("line 2", "not YAML")),
        ('a: "\\x00"\n', ("line 1, column 4", "U+0000")),
        ('a: "\\u0085"\n', ("line 1, column 4", "U+0085")),
        ("a: b\n\tc: d\n", ("line 2", "not YAML")),
        ("a: x\x07y\n", ("line 1, column 5", "U+0007")),
        ("ok: 1\nb: \udc80\n", ("line 2, column 4", "U+DC80")),
    ],
)
def test_what_is_refused_is_refused_with_file_line_and_column(text: str, expected: tuple[str, str]) -> None:
    with pytest.raises(DataError) as caught:
        load_yaml(text, source="rules.yaml")
    assert str(caught.value).startswith("rules.yaml")
    assert (caught.value.place or "").startswith(expected[0])
    assert expected[1] in caught.value.reason


def test_bytes_must_be_utf_8_and_a_byte_order_mark_is_tolerated() -> None:
    assert load_yaml(b"\xef\xbb\xbfname: \xc3\x84\r\n", source="x") == {"name": "Ä"}
    with pytest.raises(DataError, match="line 2: not UTF-8"):
        load_yaml(b"a: 1\nb: \xff\n", source="x")
    with pytest.raises(DataError, match="not UTF-8"):
        load_yaml("a: 1\n".encode("utf-16"), source="x")


def test_an_empty_file_is_nothing() -> None:
    assert load_yaml("", source="x") is None
    assert load_yaml(b"# only a comment\n", source="x") is None


def test_ten_aliases_of_ten_aliases_do_not_blow_up() -> None:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="500,000 values allowed"):
            load_yaml("\n".join(lines), source="bomb.yaml")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64 * 1024 * 1024


def test_aliases_depth_nodes_and_bytes_are_bounded() -> None:
    small = YamlLimits(max_bytes=1000, max_depth=5, max_nodes=50, max_aliases=3)
    assert load_yaml("[[[[[1]]]]]", source="x", limits=small) == [[[[[1]]]]]
    for text, words in (
        ("[[[[[[1]]]]]]", "deeper than the 5 levels"),
        ("a: &a [[[1]]]\nb: [[*a]]", "deeper than the 5 levels"),
        ("[1" + ",1" * 60 + "]", "more than the 50 values"),
        ("a: &a 1\nb: [*a, *a, *a, *a]", "more than the 3 aliases"),
        ("a: " + "x" * 1000, "larger than the 1,000 bytes"),
    ):
        with pytest.raises(DataError, match=words):
            load_yaml(text, source="x", limits=small)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_a_hundred_thousand_levels_stop_at_the_limit(opening: str) -> None:
    with pytest.raises(DataError):
        load_yaml(opening * 100_000, source="deep.yaml")


def test_uses_of_an_alias_are_values_of_their_own() -> None:
    loaded = load_yaml("a: &x [1, {b: 2}]\nc: *x\n", source="x")
    assert loaded == {"a": [1, {"b": 2}], "c": [1, {"b": 2}]}
    assert isinstance(loaded, dict)
    loaded["a"][1]["b"] = 9
    assert loaded["c"] == [1, {"b": 2}]


def test_nan_and_infinity_come_only_when_asked_for() -> None:
    loaded = load_yaml("[.nan, .inf, -.Inf]", source="x", allow_nan=True)
    assert isinstance(loaded, list)
    assert math.isnan(loaded[0])
    assert loaded[1:] == [math.inf, -math.inf]


def test_the_pure_python_scanner_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: [no, 010, 1e3, 'x']\nb: |\n  two\n  lines\nc: &k {d: ~}\ne: *k\n"
    fast = load_yaml(text, source="x")
    monkeypatch.delattr("yaml.CSafeLoader", raising=False)
    assert load_yaml(text, source="x") == fast == {
        "a": ["no", 10, 1000.0, "x"], "b": "two\nlines\n", "c": {"d": None}, "e": {"d": None}
    }  # fmt: skip
    with pytest.raises(DataError, match="line 1"):
        load_yaml("[" * 5000, source="x")


@settings(max_examples=200, deadline=None)
@given(_VALUES)
def test_what_is_written_is_read_back_with_types(value: object) -> None:
    text = dump_yaml(value)  # type: ignore[arg-type]
    again = load_yaml(text, source="x")
    assert again == value
    assert repr(again) == repr(value)
    assert dump_yaml(again) == text


def test_written_yaml_is_readable() -> None:
    text = dump_yaml({"name": "Größe 車", "country": "no", "list": ["a", {"b": 1}], "long": "one\ntwo\n", "empty": {}})
    assert text == (
        "name: Größe 車\ncountry: 'no'\nlist:\n  - a\n  - b: 1\nlong: |\n  one\n  two\nempty: {}\n"
    )  # fmt: skip


@pytest.mark.parametrize("value", [{"a": math.nan}, [math.inf], {"a": "x\x00"}, {1: "x"}])
def test_what_could_not_be_read_is_not_written(value: object) -> None:
    with pytest.raises(DataError):
        dump_yaml(value)  # type: ignore[arg-type]


def _read(data: str | bytes) -> tuple[YamlValue, str]:
    try:
        return load_yaml(data, source="fuzz.yaml"), ""
    except DataError as error:
        return None, str(error)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab: -[]{},&*!<>|#'\"%@\n\t \\?~0.1é\x00"), max_size=60) | st.text(max_size=60))
def test_any_text_is_either_read_or_refused_in_a_sentence(text: str) -> None:
    value, refusal = _read(text)
    if refusal:
        assert refusal.startswith("fuzz.yaml")
    else:
        assert load_yaml(dump_yaml(value), source="again") == value


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_either_read_or_refused(data: bytes) -> None:
    _, refusal = _read(data)
    assert refusal.startswith("fuzz.yaml") or not refusal
