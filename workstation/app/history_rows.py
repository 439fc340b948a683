"""Revisions as rows, newest first, and what one of them changed, value by value. Without Qt.

The panel of history shows both; the inspector shows the steps of one record.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from workstation.app.provenance import changed_values
from workstation.app.rows import Cell, Column, Row
from workstation.core.annotation import Record
from workstation.core.ids import SampleId
from workstation.core.moments import moment
from workstation.core.records import RecordKind
from workstation.store.history import Revision
from workstation.store.queries import Reads

COLUMNS = (
    Column(title="What", stretch=True),
    Column(title="Who", width=12, spare=2),
    Column(title="When", width=19, spare=1),
)
PAGE = 300
_MOST_CHANGES = 200
_PLACES = frozenset({"sample", "stream"})
"""Never change, and are ids that nobody reads."""


def history_rows(reads: Reads, sample: SampleId | None, *, before: int | None = None, limit: int = PAGE) -> list[Row]:
    """A page of revisions, those taken back marked."""
    found = list(reads.revisions(sample, limit, before))
    undone = undone_of(found)
    return [_row(each, undone) for each in found]


def undone_of(newest_first: Iterable[Revision]) -> frozenset[int]:
    """Revisions that stand taken back, as far as these tell."""
    settled: dict[int, bool] = {}
    for revision in newest_first:
        for rev in revision.header.undoes:
            settled.setdefault(rev, True)
        for rev in revision.header.redoes:
            settled.setdefault(rev, False)
    return frozenset(rev for rev, gone in settled.items() if gone)


def _row(revision: Revision, undone: frozenset[int]) -> Row:
    header = revision.header
    gone = revision.rev in undone
    what = header.label
    count = f" ({revision.changes:,})" if revision.changes > 1 else ""
    tip = f"Revision {revision.rev}: {header.label}, {revision.changes:,} changes"
    if header.group:
        tip += f"\nPart of {header.group}"
    if gone:
        tip += "\nTaken back"
    who = header.actor.name or header.actor.kind.value
    return Row(
        key=str(revision.rev),
        time_ns=header.time_ns,
        enabled=not gone,
        group=f"{header.actor.kind.value} {'undone' if gone else 'stands'}",
        cells=(
            Cell(text=f"{what}{count}" + (" – taken back" if gone else ""), tip=tip, icon="undo" if gone else "",
                 sort=revision.rev),
            Cell(text=who, tip=f"{who} ({header.actor.kind.value}, {header.actor.role.value})"),
            Cell(text=moment(header.made_ms).replace("T", " ")[:19], tip=moment(header.made_ms)),
        ),
    )  # fmt: skip


CHANGE_COLUMNS = (Column(title="Record", width=16), Column(title="Changed", stretch=True))


def change_rows(reads: Reads, rev: int, names: dict[str, str]) -> list[Row]:
    """What a revision changed: each record, and the values it got. ``names`` are those of records still there."""
    rows = []
    for number, change in enumerate(reads.changes(rev)):
        if number == _MOST_CHANGES:
            rows.append(Row(key="more", cells=(Cell(text="…"), Cell(text="more than this list shows", tone="quiet"))))
            break
        before = _before(reads, change.kind, change.id, rev)
        what = "deleted" if change.record is None else "made" if before is None else ""
        values = value_lines(before, change.record) if change.record is not None else []
        said = "; ".join(filter(None, (what, *values)))
        name = names.get(change.id, change.kind.value)
        rows.append(
            Row(
                key=f"{rev} {change.id}",
                ids=(change.id,),
                cells=(Cell(text=name, tip=f"{change.kind.value} {change.id}"), Cell(text=said, tip="\n".join(values))),
            )
        )
    return rows


def value_lines(before: Record | None, after: Record | None) -> list[str]:
    """``state: draft → done`` for each value that is another."""
    names = [name for name in changed_values(before, after) if name not in _PLACES]
    if before is None:
        return [f"{name.replace('_', ' ')}: {_value(after, name)}" for name in names]
    return [f"{name.replace('_', ' ')}: {_value(before, name)} → {_value(after, name)}" for name in names]


def _value(record: Record | None, name: str) -> str:
    """Asked of the record itself, since what is written leaves defaults out."""
    return _short(msgspec.to_builtins(getattr(record, name, None)))


def record_history_rows(reads: Reads, kind: RecordKind, record_id: str) -> list[Row]:
    """The steps of one record's life, newest first, with values and who."""
    past = reads.past(kind, record_id)
    rows = []
    before: Record | None = None
    for change in past:
        revision = reads.revision(change.rev)
        lines = ["deleted"] if change.record is None else value_lines(before, change.record)
        if change.record is not None and before is None:
            lines = ["made", *lines]
        before = change.record
        who = "" if revision is None else revision.header.actor.name or revision.header.actor.kind.value
        when = "" if revision is None else moment(revision.header.made_ms).replace("T", " ")[:19]
        label = "" if revision is None else revision.header.label
        tip = "\n".join((label, *lines))
        rows.append(
            Row(key=str(change.rev), cells=(Cell(text="; ".join(lines), tip=tip), Cell(text=who), Cell(text=when)))
        )
    return rows[::-1]


def _before(reads: Reads, kind: RecordKind, record_id: str, rev: int) -> Record | None:
    found: Record | None = None
    for change in reads.past(kind, record_id):
        if change.rev >= rev:
            break
        found = change.record
    return found


def _short(value: object) -> str:
    if value is None or value in ("", [], {}):
        return "nothing"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_short(each)}" for name, each in list(value.items())[:8])
    if isinstance(value, list | tuple):
        return ", ".join(_short(each) for each in list(value)[:8])
    text = str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


__all__ = ["CHANGE_COLUMNS", "COLUMNS", "PAGE", "change_rows", "history_rows", "record_history_rows", "undone_of"]
