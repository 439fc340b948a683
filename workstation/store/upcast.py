"""Old payloads in today's shape: history is never rewritten, it is read with other eyes.

Whoever changes a record class raises ``records.SCHEMA_VERSION`` and adds one function here for the step.
Called by ``rows.read`` for every payload that an earlier version of the program wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from workstation.core import records
from workstation.core.errors import DataError
from workstation.core.records import RecordKind

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

UPCASTERS: Mapping[tuple[RecordKind, int], Upcaster] = {}
"""``(kind, n): function`` turns the JSON of a record of version ``n`` into that of ``n + 1``.
A kind without an entry did not change in that step."""


def upcast(
    kind: RecordKind,
    payload: bytes,
    schema_version: int,
    *,
    current: int = records.SCHEMA_VERSION,
    upcasters: Mapping[tuple[RecordKind, int], Upcaster] = UPCASTERS,
) -> bytes:
    """The payload as version ``current`` would have written it; the very same bytes where nothing changed."""
    if schema_version == current:
        return payload  # nearly always, and asked of every row that is read
    if schema_version > current:
        raise DataError(f"this {kind} was written by a newer version of the program; open the project with that one")
    if schema_version < 1:
        raise DataError(f"this {kind} has the version {schema_version}, which never existed")
    steps = [upcasters[kind, n] for n in range(schema_version, current) if (kind, n) in upcasters]
    if not steps:
        return payload
    try:
        value: dict[str, Any] = msgspec.json.decode(payload, type=dict)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"not a readable {kind} of version {schema_version}: {error}") from error
    for step in steps:
        value = step(value)
    return msgspec.json.encode(value)
