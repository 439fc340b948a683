"""Makes the project, or one sample, what it was at an earlier revision; as a new revision, so nothing is lost."""

from __future__ import annotations

from workstation.core.errors import UserError
from workstation.core.ids import SampleId
from workstation.core.records import RecordKind
from workstation.store.db import Connection
from workstation.store.history import Difference, difference
from workstation.store.transaction import Transaction


def put_back(transaction: Transaction, connection: Connection, rev: int, sample: SampleId | None) -> None:
    """Write every record that differs as it was then; the gate checks structure, rights and references."""
    now = transaction.rev - 1
    found = list(difference(connection, now, rev, sample))
    lost = [one for one in found if one.after_removed]
    if lost:
        raise UserError(_lost_in_words(rev, lost))
    for kind in reversed(RecordKind):
        transaction.delete_many(kind, [one.id for one in found if one.kind is kind and one.after is None])
    transaction.put_many(one.after for one in found if one.after is not None)


def _lost_in_words(rev: int, lost: list[Difference]) -> str:
    names = ", ".join(f"{one.kind.value} {one.id}" for one in lost[:3])
    more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
    return f"revision {rev} cannot be restored: the content of {names}{more} was removed from the history for good"
