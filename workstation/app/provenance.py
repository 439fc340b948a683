"""Where a record comes from, as plain rows: who or what made, edited and judged it, and on which files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from workstation.core.annotation import Record
from workstation.core.errors import UserError
from workstation.core.ids import is_id
from workstation.core.moments import moment
from workstation.store.provenance import ProvenanceEntry, ProvenanceVerdict
from workstation.store.queries import Reads

Row = dict[str, Any]
_QUIET = ("id", "sample")


def find_record_id(reads: Reads, text: str) -> str:
    """The id that a text means: a whole one (of a deleted record as well), or the beginning of one that exists."""
    if is_id(text):
        return text
    found = list(reads.find_id(None, text))
    if len(found) == 1:
        return found[0][1]
    if found:
        shown = ", ".join(f"{kind.value} {record_id}" for kind, record_id in found[:5])
        raise UserError(f"{text!r} could be {shown}: write more of it")
    raise UserError(f"no record has an id that begins with {text[:40]!r}")


def provenance_rows(reads: Reads, text: str) -> Iterator[Row]:
    """One row per step of the record's life and per verdict on it, oldest first; the last one names its sources."""
    chain = reads.provenance(find_record_id(reads, text))
    rows = [_step(reads, entry, chain.id) for entry in chain.entries] + [_verdict(each) for each in chain.verdicts]
    yield from sorted(rows, key=lambda row: int(row["rev"]))
    yield _without_empty(
        {
            "event": "now", "kind": chain.kind.value, "id": chain.id, "exists": chain.exists,
            "links": [link.id for link in chain.links], "stream": chain.stream and chain.stream.key,
            "recording": chain.stream and chain.stream.recording,
            "files": [f"{file.path} sha256 {file.sha256}" for file in chain.files],
        }
    )  # fmt: skip


def _step(reads: Reads, entry: ProvenanceEntry, record_id: str) -> Row:
    revision = reads.revision(entry.rev)
    event = "deleted" if entry.op == "delete" else "made" if not entry.fields else "changed"
    source = None if entry.source is None else {"kind": entry.source.kind.value, **msgspec.to_builtins(entry.source)}
    return _without_empty(
        {
            "event": "content removed" if entry.content_removed else event, "rev": entry.rev,
            "when": moment(entry.made_ms), "who": entry.actor.name, "as": entry.actor.kind.value,
            "role": entry.actor.role.value, "tool": entry.actor.tool, "label": entry.label, "act": entry.act,
            "part": entry.part, "fields": list(entry.fields), "state": entry.state, "confidence": entry.confidence,
            "source": source, "ontology": entry.ontology, "group": entry.group, "id": record_id,
            "hash": None if revision is None else revision.hash,
        }
    )  # fmt: skip


def _verdict(each: ProvenanceVerdict) -> Row:
    verdict = each.verdict
    return _without_empty(
        {
            "event": "judged", "rev": each.rev, "when": moment(each.made_ms), "who": each.actor, "as": "person",
            "label": verdict.value.value, "level": verdict.level.value, "aspect": verdict.aspect,
            "reason": verdict.reason, "judged_revision": verdict.target_revision, "id": verdict.id,
        }
    )  # fmt: skip


def _without_empty(row: Row) -> Row:
    return {name: value for name, value in row.items() if value not in (None, "", [], {})}


def changed_values(before: Record | None, after: Record | None) -> Row:
    """What a change set, by name: the new value of each field that is not as before."""
    old: Row = {} if before is None else msgspec.to_builtins(before)
    new: Row = {} if after is None else msgspec.to_builtins(after)
    names = [name for name in (*new, *(name for name in old if name not in new)) if name not in _QUIET]
    return {name: new.get(name) for name in names if new.get(name) != old.get(name)}
