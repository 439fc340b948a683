"""The project as it was at a revision, with the same questions and the same answers as a store.

On a connection of its own, temporary views stand in front of the current tables: what was not touched since shows
through, what was touched is replaced by what stood then. Work is proportional to what changed since, not to the
project. Called by the store for ``view`` and by tests of history.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from workstation.core.annotation import Link
from workstation.core.errors import UserError
from workstation.core.ids import SampleId, id_to_bytes
from workstation.core.records import RecordKind
from workstation.store import db
from workstation.store.counts import CountKeeper
from workstation.store.history import last_seq
from workstation.store.queries import Reads
from workstation.store.revisions import DELETE
from workstation.store.rows import KINDS, TABLES, Row, link_end_rows, read
from workstation.store.schema import columns_sql

_BATCH = 1000
_TOUCHED = (
    "INSERT INTO temp.touched SELECT kind, id, prev_seq, NULL FROM"
    " (SELECT kind, id, min(seq), prev_seq FROM main.change WHERE seq > ? {where} GROUP BY kind, id)"
)
_ONLY_SAMPLE = "AND rev IN (SELECT rev FROM main.revision_sample WHERE sample = ?)"

_OTHER_VIEWS = """
CREATE TEMP TABLE past_link_end(link BLOB, ordinal INTEGER, role TEXT, kind TEXT, target BLOB);
CREATE TEMP VIEW link_end AS
    SELECT link, ordinal, role, kind, target FROM main.link_end e
    WHERE NOT EXISTS (SELECT 1 FROM temp.touched x WHERE x.kind = 'link' AND x.id = e.link)
    UNION ALL SELECT link, ordinal, role, kind, target FROM temp.past_link_end;
CREATE TEMP TABLE past_removed(kind TEXT, id BLOB, seq INTEGER, created_rev INTEGER);
CREATE TEMP VIEW removed AS
    SELECT kind, id, seq, created_rev FROM main.removed r
    WHERE NOT EXISTS (SELECT 1 FROM temp.touched x WHERE x.kind = r.kind AND x.id = r.id)
    UNION ALL SELECT kind, id, seq, created_rev FROM temp.past_removed;
CREATE TEMP TABLE past_count(scope BLOB, kind TEXT, class_id TEXT, state TEXT, layer TEXT, n INTEGER);
CREATE TEMP VIEW count AS SELECT scope, kind, class_id, state, layer, sum(n) AS n FROM
    (SELECT * FROM main.count UNION ALL SELECT * FROM temp.past_count)
    GROUP BY scope, kind, class_id, state, layer HAVING sum(n) <> 0;
CREATE TEMP VIEW revision AS SELECT * FROM main.revision WHERE rev <= {rev};
CREATE TEMP VIEW revision_sample AS SELECT * FROM main.revision_sample WHERE rev <= {rev};
CREATE TEMP VIEW derived AS SELECT * FROM main.derived WHERE 0
"""


class Snapshot(Reads):
    """A project at one revision. Close it: while it is open the write-ahead log cannot be emptied.

    With ``sample`` only that sample (and what is touched together with it) is as it was; the rest is as it is now.
    """

    _closed = "this view is closed"

    def __init__(self, path: Path, rev: int, *, sample: SampleId | None = None, immutable: bool = False) -> None:
        connection = db.connect(path, True, immutable=immutable)
        try:
            super().__init__(connection)
            connection.execute("PRAGMA query_only = OFF")  # temporary tables only: the file itself is open read-only
            connection.execute("BEGIN")
            (newest,) = connection.execute("SELECT max(rev) FROM main.revision").fetchone()
            if not 0 <= rev <= (newest or 0):
                raise UserError(f"there is no revision {rev}; the newest is {newest or 0}")
            self.rev = rev
            _shadow(connection, rev, sample)
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Let go of the view."""
        if self._connection is not None:
            self._db.close()
            self._connection = None

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _shadow(connection: db.Connection, rev: int, sample: SampleId | None) -> None:
    """Collect what was touched since, and put the views in front."""
    execute = connection.execute
    execute(
        "CREATE TEMP TABLE touched(kind TEXT, id BLOB, past_seq INTEGER, created_rev INTEGER, PRIMARY KEY(kind, id))"
        " WITHOUT ROWID"
    )
    where, values = ("", ()) if sample is None else (_ONLY_SAMPLE, (id_to_bytes(sample),))
    execute(_TOUCHED.format(where=where), (last_seq(connection, rev), *values))
    kinds = [KINDS[row[0]] for row in execute("SELECT DISTINCT kind FROM temp.touched").fetchall()]
    keeper = CountKeeper(connection)
    _count_out(connection, keeper, kinds)
    _make_views(connection, rev)
    _fill(connection, keeper, kinds)
    connection.executemany("INSERT INTO temp.past_count VALUES (?, ?, ?, ?, ?, ?)", keeper.deltas())


def _count_out(connection: db.Connection, keeper: CountKeeper, kinds: list[RecordKind]) -> None:
    """Take the present rows of touched records out of the counts, and note when the records were made."""
    for kind in kinds:
        name = kind.value
        connection.execute(
            f"UPDATE temp.touched SET created_rev = coalesce((SELECT created_rev FROM main.{name} t WHERE t.id ="
            " touched.id), (SELECT created_rev FROM main.removed r WHERE r.kind = touched.kind AND r.id = touched.id))"
            " WHERE kind = ?",
            (name,),
        )
        columns = ", ".join(f"t.{column}" for column, _ in TABLES[kind].columns)
        cursor = connection.execute(
            f"SELECT {columns} FROM temp.touched x JOIN main.{name} t ON t.id = x.id WHERE x.kind = ?", (name,)
        )
        while rows := cursor.fetchmany(_BATCH):
            keeper.add(kind, rows, -1)
        if kind is RecordKind.ENTITY:
            keeper.remember(connection.execute(
                "SELECT t.id, t.class_id FROM temp.touched x JOIN main.entity t ON t.id = x.id WHERE x.kind = 'entity'"
            ))  # fmt: skip


def _make_views(connection: db.Connection, rev: int) -> None:
    for kind, table in TABLES.items():
        names = ", ".join(("id", "seq", "created_rev", "rev", *(column for column, _ in table.columns)))
        connection.execute(f"CREATE TEMP TABLE past_{kind.value}({columns_sql(table)}) WITHOUT ROWID")
        connection.execute(
            f"CREATE TEMP VIEW {kind.value} AS SELECT {names} FROM main.{kind.value} t"
            f" WHERE NOT EXISTS (SELECT 1 FROM temp.touched x WHERE x.kind = '{kind.value}' AND x.id = t.id)"
            f" UNION ALL SELECT {names} FROM temp.past_{kind.value}"
        )
    for statement in _OTHER_VIEWS.format(rev=rev).split(";"):  # not as a script, which would end the transaction
        connection.execute(statement)


def _fill(connection: db.Connection, keeper: CountKeeper, kinds: list[RecordKind]) -> None:
    """Put in what stood then. Entities come first, since annotations without a class count under theirs."""
    for kind in sorted(kinds, key=list(RecordKind).index):
        table = TABLES[kind]
        marks = ", ".join("?" * (4 + len(table.columns)))
        for batch in _past(connection, kind):
            there = [(key, row, current) for key, row, current in batch if row is not None and current is not None]
            connection.executemany(
                f"INSERT INTO temp.past_{kind.value} VALUES ({marks})", [current for _, _, current in there]
            )
            if kind is RecordKind.ENTITY:
                for key, row, _ in batch:
                    keeper.entity_changes(key, row)
            keeper.add(kind, [row for _, row, _ in there], 1)


def _past(connection: db.Connection, kind: RecordKind) -> Iterator[list[tuple[bytes, Row | None, Row | None]]]:
    """Batches of key, values, and the whole past row; ``None`` for what was not there."""
    cursor = connection.execute(
        "SELECT x.id, x.past_seq, x.created_rev, c.op, c.rev, c.payload, c.schema_version"
        " FROM temp.touched x LEFT JOIN main.change c ON c.seq = x.past_seq WHERE x.kind = ?",
        (kind.value,),
    )
    while rows := cursor.fetchmany(_BATCH):
        batch: list[tuple[bytes, Row | None, Row | None]] = []
        ends: list[Row] = []
        removed: list[Row] = []
        for key, seq, created, op, rev, payload, version in rows:
            if op == DELETE:
                removed.append((kind.value, key, seq, created))
            if payload is None:  # not there, or its content was removed for good
                batch.append((key, None, None))
                continue
            record = read(kind, payload, version)
            row = TABLES[kind].values(record)
            batch.append((key, row, (key, seq, created, rev, *row)))
            if isinstance(record, Link):
                ends += link_end_rows(key, record)
        connection.executemany("INSERT INTO temp.past_link_end VALUES (?, ?, ?, ?, ?)", ends)
        connection.executemany("INSERT INTO temp.past_removed VALUES (?, ?, ?, ?)", removed)
        yield batch
