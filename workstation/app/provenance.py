"""Where a record comes from: the whole chain of who or what made, edited and judged it, under which ontology."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from workstation.core.annotation import Record, Source
from workstation.core.errors import UserError
from workstation.core.ids import is_id
from workstation.core.moments import moment
from workstation.core.records import RecordKind
from workstation.store.history import Change, Revision
from workstation.store.store import Store

Entry = dict[str, Any]
_QUIET = ("id", "sample")


def find_record(store: Store, text: str) -> tuple[RecordKind, str]:
    """The record that an id, or the beginning of one, means; also one that was deleted."""
    found = list(store.find_id(None, text))
    if len(found) == 1:
        return found[0]
    if found:
        shown = ", ".join(f"{kind.value} {record_id}" for kind, record_id in found[:5])
        raise UserError(f"{text!r} could be {shown}: write more of it")
    if is_id(text):
        for kind in RecordKind:
            if store.past(kind, text):
                return kind, text
    raise UserError(f"no record has the id {text[:40]!r}")


def provenance(store: Store, text: str) -> Iterator[Entry]:
    """One entry per change of the record, oldest first, then the verdicts on it as they were given."""
    kind, record_id = find_record(store, text)
    entries = list(_changes(store, kind, record_id))
    for verdict in store.verdicts_on(record_id):
        entries += [
            {**entry, "event": "judged", "on": record_id} for entry in _changes(store, RecordKind.VERDICT, verdict.id)
        ]
    yield from sorted(entries, key=lambda entry: int(entry["rev"]))


def _changes(store: Store, kind: RecordKind, record_id: str) -> Iterator[Entry]:
    before: Record | None = None
    for change in store.past(kind, record_id):
        revision = store.revision(change.rev)
        if revision is not None:
            yield _entry(change, revision, before)
        before = change.record


def _entry(change: Change, revision: Revision, before: Record | None) -> Entry:
    header, actor = revision.header, revision.header.actor
    event = "deleted" if change.op == "delete" else "made" if before is None else "changed"
    if change.content_removed:
        event = "content removed"
    entry: Entry = {
        "rev": change.rev, "event": event, "kind": change.kind.value, "id": change.id, "label": header.label,
        "who": actor.name, "as": actor.kind.value, "role": actor.role.value, "tool": actor.tool,
        "when": moment(header.made_ms), "ontology": header.ontology, "revision_kind": header.kind.value,
        "hash": revision.hash,
    }  # fmt: skip
    if change.record is not None:
        source = getattr(change.record, "source", None)
        if isinstance(source, Source):
            entry["source"] = {"kind": source.kind.value, **msgspec.to_builtins(source)}
        entry["values"] = changed_values(before, change.record)
    return {name: value for name, value in entry.items() if value not in (None, "", {})}


def changed_values(before: Record | None, after: Record | None) -> Entry:
    """What a change set, by name: the new value of each field that is not as before."""
    old: Entry = {} if before is None else msgspec.to_builtins(before)
    new: Entry = {} if after is None else msgspec.to_builtins(after)
    names = [name for name in (*new, *(name for name in old if name not in new)) if name not in _QUIET]
    return {name: new.get(name) for name in names if new.get(name) != old.get(name)}
