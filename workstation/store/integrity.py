"""The check of a project's database that nobody waits for: SQLite's quick check in a thread of its own.

The project folder starts one after opening; the window and ``doctor`` ask for its result or are told.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from workstation.core.errors import StoppedError, UserError
from workstation.core.values import dataclass
from workstation.store.db import connect, damage
from workstation.store.readable import Readable


@dataclass(frozen=True, slots=True)
class IntegrityResult:
    """What the check found: a sentence, or nothing."""

    problem: str | None


class IntegrityCheck:
    """One running or finished check; ``close`` ends it early."""

    def __init__(self, where: Readable, on_done: Callable[[IntegrityResult], None] | None = None) -> None:
        """``on_done`` is called from the checking thread; whoever owns the screen passes it on to its own."""
        self._where = where
        self._on_done = on_done
        self._stopping = False
        self._result: IntegrityResult | None = None
        self._thread = threading.Thread(target=self._work, name=f"integrity {where.database.parent.name}", daemon=True)
        self._thread.start()

    @property
    def result(self) -> IntegrityResult | None:
        """The result, once there is one."""
        return self._result

    def wait(self, timeout_s: float) -> IntegrityResult | None:
        """The result, waiting for it at most so long."""
        self._thread.join(timeout_s)
        return self._result

    def close(self) -> None:
        """Stop the check if it still runs."""
        self._stopping = True
        self._thread.join()

    def _work(self) -> None:
        try:
            result = IntegrityResult(quick_problem(self._where, goes_on=lambda: not self._stopping))
        except StoppedError:
            return
        self._result = result
        if self._on_done is not None:
            self._on_done(result)


def quick_problem(where: Readable, *, goes_on: Callable[[], bool] = lambda: True) -> str | None:
    """What is wrong with the database, read through a connection of its own; ``None`` if it is sound."""
    try:
        connection = connect(where.database, read_only=True, immutable=where.immutable)
    except UserError as error:
        return str(error)
    with contextlib.closing(connection):
        found = damage(connection, quick=True, goes_on=goes_on)
    if found is None:
        return None
    return (
        f"{where.database}: the database is damaged ({found}). Restore a backup into a new folder, "
        "or save what is left with `workstation salvage`"
    )
