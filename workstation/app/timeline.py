"""The history as plain rows: revisions, what one changed, how two differ, what was refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from workstation.app.provenance import changed_values
from workstation.core.annotation import Record
from workstation.core.errors import UserError
from workstation.core.ids import SampleId
from workstation.core.moments import moment
from workstation.store.store import Store

Row = dict[str, Any]
REVISION_COLUMNS = ("rev", "when", "who", "role", "label", "kind", "changes", "group", "undoes", "restores")
CHANGE_COLUMNS = ("kind", "id", "op", "values", "content_removed")
DIFFERENCE_COLUMNS = ("kind", "id", "difference", "values")
REFUSAL_COLUMNS = ("when", "who", "role", "label", "problems")


def revision_rows(store: Store, *, sample: SampleId | None, limit: int, before: int | None) -> Iterator[Row]:
    """Newest first."""
    for revision in store.revisions(sample, limit=limit, before=before):
        header = revision.header
        yield {
            "rev": revision.rev, "when": moment(header.made_ms), "who": header.actor.name,
            "as": header.actor.kind.value, "role": header.actor.role.value, "tool": header.actor.tool,
            "label": header.label, "kind": header.kind.value, "changes": revision.changes, "group": header.group,
            "ontology": header.ontology, "undoes": list(header.undoes), "redoes": list(header.redoes),
            "restores": header.restores, "hash": revision.hash,
        }  # fmt: skip


def change_rows(store: Store, rev: int) -> Iterator[Row]:
    """What one revision changed, in the order of writing."""
    if store.revision(rev) is None:
        raise UserError(f"there is no revision {rev}; the newest is {store.head()}")
    for change in store.changes(rev):
        values = None if change.record is None else msgspec.to_builtins(change.record)
        yield {
            "kind": change.kind.value, "id": change.id, "op": change.op, "values": values, "digest": change.digest,
            "content_removed": change.content_removed,
        }  # fmt: skip


def difference_rows(store: Store, a: int, b: int) -> Iterator[Row]:
    """What is not the same in two revisions, with the new values of what changed."""
    for rev in (a, b):
        if rev and store.revision(rev) is None:
            raise UserError(f"there is no revision {rev}; the newest is {store.head()}")
    for each in store.difference(a, b):
        yield {
            "kind": each.kind.value, "id": each.id, "difference": _in_a_word(each.before, each.after),
            "values": changed_values(each.before, each.after),
        }  # fmt: skip


def _in_a_word(before: Record | None, after: Record | None) -> str:
    return "added" if before is None else "removed" if after is None else "changed"


def refusal_rows(store: Store) -> Iterator[Row]:
    """What was refused for want of a right, oldest first."""
    for refusal in store.refusals():
        yield {
            "when": moment(refusal.made_ms), "who": refusal.actor.name, "as": refusal.actor.kind.value,
            "role": refusal.actor.role.value, "label": refusal.label, "problems": list(refusal.problems),
        }  # fmt: skip
