"""The undo stacks: which steps stand, which were taken back. Computed from the revisions as they are written.

A step is one revision, or all of an owner's revisions of one group. Called by the commit, the undo, and the import
of a foreign history, which so arrives with its stacks.
"""

from __future__ import annotations

from workstation.core.rights import Actor
from workstation.core.values import dataclass
from workstation.store.db import Connection
from workstation.store.revisions import Header, RevisionKind, by_hand, owner_of
from workstation.store.rows import key_of

DONE = "done"
UNDONE = "undone"
CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that can be taken back or done again in one go."""

    id: int
    owner: str
    by_hand: bool
    group: str | None
    state: str
    changed_rev: int


_COLUMNS = "s.id, s.owner, s.by_hand, s.group_id, s.state, s.changed_rev"


def note_revision(connection: Connection, rev: int, header: Header) -> int | None:
    """Keep the stacks in step with a revision that is about to be written; answers the step it belongs to."""
    if header.kind in (RevisionKind.UNDO, RevisionKind.REDO):
        revs = header.undoes or header.redoes
        state = DONE if header.kind is RevisionKind.REDO else UNDONE
        row = connection.execute("SELECT step FROM revision WHERE rev = ?", (revs[0],)).fetchone()
        step = None if row is None else row[0]
        connection.execute("UPDATE step SET state = ?, changed_rev = ? WHERE id = ?", (state, rev, step))
        return step if step is None else int(step)
    if header.kind in (RevisionKind.REMOVAL, RevisionKind.MERGE):
        return None
    owner, hand = owner_of(header.actor), by_hand(header.actor)
    if hand:
        connection.execute(
            "UPDATE step SET state = ? WHERE owner = ? AND by_hand = 1 AND state = ?", (CLEARED, owner, UNDONE)
        )
    if header.group is not None:
        row = connection.execute(
            "SELECT id FROM step WHERE group_id = ? AND owner = ? AND by_hand = ? AND state = ? ORDER BY id DESC",
            (header.group, owner, hand, DONE),
        ).fetchone()
        if row is not None:
            connection.execute("UPDATE step SET changed_rev = ? WHERE id = ?", (rev, row[0]))
            return int(row[0])
    connection.execute("INSERT INTO step VALUES (?, ?, ?, ?, ?, ?)", (rev, owner, hand, header.group, DONE, rev))
    return rev


def newest_step(connection: Connection, actor: Actor, state: str, sample: str | None) -> Step | None:
    """The step of the actor's own stack that comes next, in one sample if given."""
    owner = owner_of(actor)
    if sample is None:
        row = connection.execute(
            f"SELECT {_COLUMNS} FROM step s WHERE s.owner = ? AND s.by_hand = 1 AND s.state = ?"
            " ORDER BY s.changed_rev DESC LIMIT 1",
            (owner, state),
        ).fetchone()
    else:
        row = connection.execute(
            f"SELECT {_COLUMNS} FROM revision_sample x CROSS JOIN revision r ON r.rev = x.rev"
            " CROSS JOIN step s ON s.id = r.step"
            " WHERE x.sample = ? AND s.owner = ? AND s.by_hand = 1 AND s.state = ?"
            " ORDER BY s.changed_rev DESC LIMIT 1",
            (key_of(sample), owner, state),
        ).fetchone()
    return None if row is None else Step(row[0], row[1], bool(row[2]), *row[3:])


def step_of_group(connection: Connection, group: str, state: str) -> Step | None:
    """The newest step of a group, whoever's it is."""
    return _one(connection, "s.group_id = ? AND s.state = ?", (group, state))


def step_of_revision(connection: Connection, rev: int) -> Step | None:
    """The step a revision belongs to."""
    return _one(connection, "s.id = (SELECT step FROM revision WHERE rev = ?)", (rev,))


def _one(connection: Connection, where: str, values: tuple[object, ...]) -> Step | None:
    row = connection.execute(f"SELECT {_COLUMNS} FROM step s WHERE {where} ORDER BY s.id DESC", values).fetchone()
    return None if row is None else Step(row[0], row[1], bool(row[2]), *row[3:])


def edits_of(connection: Connection, step: Step) -> list[int]:
    """The revisions that make up a step, newest first; its undos and redos are none of them."""
    if step.group is None:
        return [step.id]
    return [
        int(row[0])
        for row in connection.execute(
            "SELECT rev FROM revision WHERE group_id = ? AND step = ? ORDER BY rev DESC", (step.group, step.id)
        )
    ]
