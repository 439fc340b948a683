"""Record to row and back, for whatever the types allow."""

from __future__ import annotations

import sqlite3
import string
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workstation.core.errors import DataError
from workstation.core.ids import id_from_bytes
from workstation.core.records import RECORD_TYPES, SCHEMA_VERSION, RecordKind, encode
from workstation.core.timemap import TimeMap, offset_map
from workstation.store.rows import TABLES, bucket_of, key_of, key_or_none, read
from workstation.store.schema import create
from workstation.store.structure import structure_problems

IDS = st.binary(min_size=16, max_size=16).map(id_from_bytes)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
INTS = st.integers(-(1 << 62), 1 << 62)
_ID_FIELDS = {
    "id", "sample", "stream", "entity", "annotation", "person", "assigned_to", "reply_to", "of", "target",
}  # fmt: skip


def values(info: Any, name: str = "") -> st.SearchStrategy[Any]:
    """Any value of a field's type; ids where ids belong."""
    kind = type(info).__name__
    if kind == "StructType" and info.cls is TimeMap:  # refuses to be made of nonsense
        return st.integers(-(10**15), 10**15).map(offset_map)
    if kind == "StructType":
        return st.builds(info.cls, **{f.name: values(f.type, f.name) for f in info.fields})
    if kind == "UnionType":
        return st.one_of([values(part, name) for part in info.types])
    if kind == "VarTupleType":
        return st.lists(values(info.item_type, name), max_size=3).map(tuple)
    if kind == "TupleType":
        return st.tuples(*(values(part, name) for part in info.item_types))
    if kind == "DictType":
        return st.dictionaries(TEXTS, values(info.value_type), max_size=2)
    simple: dict[str, st.SearchStrategy[Any]] = {
        "NoneType": st.none(),
        "BoolType": st.booleans(),
        "IntType": INTS,
        "FloatType": st.floats(allow_nan=False, allow_infinity=False),
        "StrType": IDS if name in _ID_FIELDS else TEXTS,
        "AnyType": st.one_of(st.none(), st.booleans(), TEXTS),
    }
    return st.sampled_from(info.cls) if kind == "EnumType" else simple[kind]


RECORDS = {kind: values(msgspec.inspect.type_info(cls)) for kind, cls in RECORD_TYPES.items()}


@pytest.fixture(scope="module")
def tables() -> Iterator[sqlite3.Connection]:
    """Empty tables in memory."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    create(connection, replica="r")
    yield connection
    connection.close()


@pytest.mark.parametrize("kind", list(RecordKind))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data())
def test_every_record_comes_back(kind: RecordKind, tables: sqlite3.Connection, data: st.DataObject) -> None:
    record = data.draw(RECORDS[kind])
    payload = encode(record)
    back = read(kind, payload, SCHEMA_VERSION)
    assert back == record
    assert encode(back) == payload
    row = TABLES[kind].values(back)
    names = [name for name, _ in TABLES[kind].columns]
    assert len(row) == len(names)
    tables.execute(f"DELETE FROM {kind.value}")
    marks = ", ".join("?" * (4 + len(row)))
    tables.execute(f"INSERT INTO {kind.value} VALUES ({marks})", (key_of(record.id), 1, 1, 1, *row))
    assert tables.execute(f"SELECT {', '.join(names)} FROM {kind.value}").fetchone() == row
    assert all(isinstance(problem, str) for problem in structure_problems(kind, record))


@pytest.mark.parametrize("kind", list(RecordKind))
@settings(max_examples=30)
@given(payload=st.binary(max_size=200))
def test_unreadable_bytes_are_refused_in_words(kind: RecordKind, payload: bytes) -> None:
    with pytest.raises(DataError, match=kind.value):
        read(kind, payload, SCHEMA_VERSION)


def test_what_a_newer_program_wrote_is_refused() -> None:
    with pytest.raises(DataError, match="newer version"):
        read(RecordKind.SAMPLE, b"{}", SCHEMA_VERSION + 1)


@given(st.integers(-(1 << 60), 1 << 60), st.integers(0, 1 << 60))
def test_a_bucket_bounds_the_durations_in_it(start: int, duration: int) -> None:
    bucket = bucket_of(start, start + duration)
    assert duration < 4**bucket
    assert bucket == 0 or duration >= 4 ** (bucket - 1)


@given(st.text(string.printable, max_size=30))
def test_only_ids_have_keys(text: str) -> None:
    assert (key_or_none(text) is None) == (len(text) != 26 or not set(text) <= set("0123456789abcdefghijklmnopqrstuv"))
