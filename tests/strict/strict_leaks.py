"""Threads and database connections that a test leaves behind fail that test.

Loaded by ``strict_plugin`` before any module of the program: modules keep what ``sqlite3.connect`` is then.
What a fixture of a wider scope opens belongs to that fixture, and is looked at when the fixture ends. So does what its
window begins later, while a test of the module runs: workers start when something is first looked at.
"""

from __future__ import annotations

import sqlite3
import threading
import time
import traceback
import weakref
from collections.abc import Generator
from typing import Any

import pytest

_GRACE_S = 1.0


class _Tracked(sqlite3.Connection):
    """A connection that knows where it was opened, and tells when nobody closed it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        frames = traceback.extract_stack(limit=12)
        place = next((f for f in reversed(frames) if f.filename != __file__), frames[0])
        self._origin = f"{place.filename}:{place.lineno} in {place.name}"
        self._owed = True
        self.opener = threading.current_thread()
        _open.add(self)

    def close(self) -> None:
        super().close()
        self.settle()

    def settle(self) -> None:
        """Closed, or already complained about."""
        self._owed = False
        _open.discard(self)

    def __del__(self) -> None:
        # Dropped without close(): the system frees it at a moment nobody chose, or never.
        # A flag, because weak references are gone by now; it is absent when opening failed.
        if getattr(self, "_owed", False):
            _dropped.append(self._origin)


_open: weakref.WeakSet[_Tracked] = weakref.WeakSet()
_dropped: list[str] = []
_factories: dict[type[sqlite3.Connection], type[sqlite3.Connection]] = {}
_connect = sqlite3.connect


def _tracking_connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
    wanted = options.pop("factory", sqlite3.Connection)
    if wanted not in _factories:
        bases = (_Tracked,) if wanted is sqlite3.Connection else (_Tracked, wanted)
        _factories[wanted] = type(f"Tracked{wanted.__name__}", bases, {})
    connection: sqlite3.Connection = _connect(*arguments, factory=_factories[wanted], **options)
    return connection


def track_connections() -> None:
    """From here on every connection is opened through us."""
    sqlite3.connect = _tracking_connect  # type: ignore[assignment]
    sqlite3.dbapi2.connect = _tracking_connect  # type: ignore[assignment]


class Snapshot:
    """What was alive before a test; whatever is there on top of it afterwards has leaked."""

    def __init__(self) -> None:
        self.threads = set(threading.enumerate())
        self.connections = set(_open)
        self.dropped = len(_dropped)

    def leaks(self) -> list[str]:
        """One sentence per thread still running (after a moment's grace) and per connection not closed.

        What a thread opened that ran before already (a check behind a wider fixture's project) is that thread's.
        While a fixture of the module or class stands, what is new is handed to it, and must be gone when it ends.
        """
        earlier = self.threads - {threading.main_thread()}
        opened = {connection for connection in set(_open) - self.connections if connection.opener not in earlier}
        began = set(threading.enumerate()) - self.threads
        if _standing:
            _standing[-1].take(began, opened)
            _kept_by_fixtures.update(began, opened)
            began, opened = set(), set()
        return (
            still_running(began)
            + still_open(opened)
            + [f"database connection dropped without close(), opened at {place}" for place in _dropped[self.dropped :]]
        )


class _Standing:
    """A fixture wider than a test, and what was begun while it stood; compared by identity."""

    def __init__(self) -> None:
        self.threads: set[threading.Thread] = set()
        self.connections: set[_Tracked] = set()

    def take(self, threads: set[threading.Thread], connections: set[_Tracked]) -> None:
        """These are to be gone when it ends."""
        self.threads |= {each for each in threads if each.is_alive()}
        self.connections |= connections


def still_running(threads: set[threading.Thread]) -> list[str]:
    """Those of the threads that do not end within the grace."""
    end = time.monotonic() + _GRACE_S
    # A dummy stands for a thread that a library made and Python merely met; it has no end we could wait for.
    ours = [thread for thread in threads if not isinstance(thread, threading._DummyThread)]
    for thread in ours:
        thread.join(max(0.0, end - time.monotonic()))
    return [f"leaked thread {thread.name!r}" for thread in ours if thread.is_alive()]


def still_open(connections: set[_Tracked]) -> list[str]:
    """Those of the connections that nobody closed."""
    left = connections & set(_open)
    for connection in left:
        connection.settle()  # the guilty one is named once; nobody else pays when it is collected
    return [f"leaked database connection, opened at {connection._origin}" for connection in left]


_SNAPSHOT = pytest.StashKey[Snapshot]()
_running: list[Snapshot] = []
_kept_by_fixtures: set[threading.Thread | _Tracked] = set()
_standing: list[_Standing] = []
"""The fixtures of a module or class that stand now, the innermost last."""


def start_leak_watch(item: pytest.Item) -> None:
    """Before the first fixture."""
    item.stash[_SNAPSHOT] = Snapshot()
    _running.append(item.stash[_SNAPSHOT])


def end_leak_watch(item: pytest.Item) -> list[str]:
    """After the last fixture of the test is gone."""
    _running.remove(item.stash[_SNAPSHOT])
    return item.stash[_SNAPSHOT].leaks()


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """A fixture wider than one test keeps what it opens, until it ends itself."""
    if fixturedef.scope == "function":
        return (yield)
    threads: set[threading.Thread] = set()
    connections: set[_Tracked] = set()
    own = _Standing()

    def look() -> None:
        if own in _standing:
            _standing.remove(own)
            if _standing:  # one that still stands may have begun them
                _standing[-1].take(own.threads, own.connections)
            else:
                threads.update(own.threads)
                connections.update(own.connections)
        problems = still_running(threads) + still_open(connections)
        _kept_by_fixtures.difference_update(threads, connections)
        if problems:
            pytest.fail(f"fixture {fixturedef.argname!r}: " + "; ".join(problems), pytrace=False)

    # Added first, so that it runs after the fixture's own ending.
    fixturedef.addfinalizer(look)
    before = Snapshot()
    result = yield
    threads |= set(threading.enumerate()) - before.threads - _kept_by_fixtures
    connections |= set(_open) - before.connections - _kept_by_fixtures
    _kept_by_fixtures.update(threads, connections)
    if fixturedef.scope in ("module", "class"):
        _standing.append(own)
    for snapshot in _running:
        snapshot.threads |= threads
        snapshot.connections |= connections
    return result
