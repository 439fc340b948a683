"""The tables of a project database, and the place for numbered migrations.

``change`` and ``revision`` are the history and the only copy of every record's bytes; they are append-only.
Everything else is computed from them: current tables, ends of links, counts, undo steps.
Called when a project is made and, for the version, whenever one is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from workstation.core.errors import DataError
from workstation.store.db import APPLICATION_ID, Connection
from workstation.store.rows import TABLES, Table

SCHEMA_VERSION = 1

MIGRATIONS: Mapping[int, Callable[[Connection], None]] = {}
"""``n: function`` changes a database of version ``n`` into ``n + 1``, in the transaction of whoever calls it."""

HISTORY = """
CREATE TABLE change(
    seq INTEGER PRIMARY KEY, rev INTEGER NOT NULL, kind TEXT NOT NULL, id BLOB NOT NULL, op TEXT NOT NULL,
    prev_seq INTEGER, schema_version INTEGER NOT NULL, digest BLOB NOT NULL, payload BLOB);
CREATE TRIGGER change_is_kept BEFORE DELETE ON change BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER change_stays BEFORE UPDATE ON change
    WHEN NEW.payload IS NOT NULL OR OLD.seq IS NOT NEW.seq OR OLD.rev IS NOT NEW.rev OR OLD.kind IS NOT NEW.kind
        OR OLD.id IS NOT NEW.id OR OLD.op IS NOT NEW.op OR OLD.prev_seq IS NOT NEW.prev_seq
        OR OLD.schema_version IS NOT NEW.schema_version OR OLD.digest IS NOT NEW.digest
    BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TABLE revision(
    rev INTEGER PRIMARY KEY, prev_hash BLOB NOT NULL, hash BLOB NOT NULL, header BLOB NOT NULL,
    first_seq INTEGER NOT NULL, changes INTEGER NOT NULL, kinds INTEGER NOT NULL, kind TEXT NOT NULL,
    made_ms INTEGER NOT NULL, actor TEXT NOT NULL, actor_kind TEXT NOT NULL, role TEXT NOT NULL, owner TEXT NOT NULL,
    label TEXT NOT NULL, group_id TEXT, barrier TEXT, step INTEGER);
CREATE INDEX revision_by_group ON revision(group_id) WHERE group_id IS NOT NULL;
CREATE INDEX revision_by_barrier ON revision(rev) WHERE barrier IS NOT NULL;
CREATE TRIGGER revision_is_kept BEFORE DELETE ON revision BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER revision_stays BEFORE UPDATE OF rev, prev_hash, hash, header, first_seq, changes ON revision
    BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TABLE refusal(
    number INTEGER PRIMARY KEY, entry BLOB NOT NULL, hash BLOB NOT NULL);
CREATE TRIGGER refusal_is_kept BEFORE DELETE ON refusal BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER refusal_stays BEFORE UPDATE ON refusal BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TABLE blob(sha256 BLOB PRIMARY KEY, size INTEGER NOT NULL, data BLOB);
"""

DERIVED = """
CREATE TABLE revision_sample(sample BLOB NOT NULL, rev INTEGER NOT NULL, PRIMARY KEY(sample, rev)) WITHOUT ROWID;
CREATE TABLE removed(
    kind TEXT NOT NULL, id BLOB NOT NULL, seq INTEGER NOT NULL, created_rev INTEGER NOT NULL, PRIMARY KEY(kind, id)
) WITHOUT ROWID;
CREATE TABLE link_end(
    link BLOB NOT NULL, ordinal INTEGER NOT NULL, role TEXT NOT NULL, kind TEXT NOT NULL, target BLOB NOT NULL,
    PRIMARY KEY(link, ordinal)) WITHOUT ROWID;
CREATE INDEX link_end_by_target ON link_end(target);
CREATE TABLE count(
    scope BLOB NOT NULL, kind TEXT NOT NULL, class_id TEXT NOT NULL, state TEXT NOT NULL, layer TEXT NOT NULL,
    n INTEGER NOT NULL, PRIMARY KEY(scope, kind, class_id, state, layer)) WITHOUT ROWID;
CREATE TABLE entity_number(
    sample BLOB NOT NULL, number INTEGER NOT NULL, entity BLOB NOT NULL, PRIMARY KEY(sample, number)) WITHOUT ROWID;
CREATE TABLE step(
    id INTEGER PRIMARY KEY, owner TEXT NOT NULL, by_hand INTEGER NOT NULL, group_id TEXT, state TEXT NOT NULL,
    changed_rev INTEGER NOT NULL);
CREATE INDEX step_by_owner ON step(owner, by_hand, state, changed_rev);
CREATE INDEX step_by_group ON step(group_id) WHERE group_id IS NOT NULL;
CREATE TABLE derived(
    area TEXT NOT NULL, sample BLOB NOT NULL, key TEXT NOT NULL, data BLOB NOT NULL,
    PRIMARY KEY(area, sample, key)) WITHOUT ROWID;
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


def columns_sql(table: Table) -> str:
    """The column list of a current table."""
    own = ", ".join(f"{name} {kind}" for name, kind in table.columns)
    return f"id BLOB PRIMARY KEY, seq INTEGER NOT NULL, created_rev INTEGER NOT NULL, rev INTEGER NOT NULL, {own}"


def _current_sql(table: Table) -> str:
    statements = [f"CREATE TABLE {table.name}({columns_sql(table)}) WITHOUT ROWID;"]
    for number, columns in enumerate(table.indexes):
        where = f" WHERE {columns[:-1]} IS NOT NULL" if columns.endswith("?") else ""
        statements.append(f"CREATE INDEX {table.name}_{number} ON {table.name}({columns.rstrip('?')}){where};")
    return "\n".join(statements)


def create(connection: Connection, *, replica: str) -> None:
    """Make all tables in an empty database. ``replica`` names this copy of the project in every revision."""
    statements = [HISTORY, DERIVED, *(_current_sql(table) for table in TABLES.values())]
    script = f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION};"
    try:
        connection.executescript(script + "\n".join(statements))
        connection.execute("INSERT INTO meta(key, value) VALUES ('replica', ?)", (replica,))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def version_of(connection: Connection) -> int:
    """The schema version of an open database."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version < 1:
        raise DataError("the database says no schema version, so its creation was not finished: make the project anew")
    return int(version)
