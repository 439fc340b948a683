"""The thread that makes snapshots while people work: after ten minutes of edits, when asked, and on closing.

The project folder starts it with the project and ends it before the lock is given back. It has its own read-only
connection for the time of a snapshot and touches nothing else; what it did is collected with ``take_reports``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from workstation.core.errors import StoppedError, UserError
from workstation.core.values import dataclass
from workstation.store.backup import (
    DEFAULT_MAX_BYTES,
    BackupReason,
    Snapshot,
    clear_litter,
    delete_snapshots,
    list_snapshots,
    make_snapshot,
    thinned,
)

DEFAULT_INTERVAL_S = 600.0
CLOSE_GAP_S = 60.0
# At most this share of the time is spent on snapshots, however large the project grows.
LARGEST_SHARE = 1 / 20


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What one attempt led to: a snapshot, or the reason why there is none."""

    snapshot: Snapshot | None
    problem: str | None


class BackupService:
    """Owns one thread. All methods may be called from any thread; none but ``close`` waits for a snapshot."""

    def __init__(
        self,
        database: Path,
        folder: Path,
        *,
        interval_s: float = DEFAULT_INTERVAL_S,
        close_gap_s: float = CLOSE_GAP_S,
        max_bytes: int = DEFAULT_MAX_BYTES,
        now_ms: Callable[[], int],
    ) -> None:
        self._database = database
        self._folder = folder
        self._interval_s = interval_s
        self._close_gap_s = close_gap_s
        self._max_bytes = max_bytes
        self._now_ms = now_ms
        self._change = threading.Condition()
        self._due: float | None = None
        self._reason = BackupReason.INTERVAL
        self._edits = 0
        self._stopping = False
        self._reports: list[BackupReport] = []
        self._attempts = 0
        clear_litter(folder)
        newest = list_snapshots(folder)[:1]
        self._last_ms = newest[0].made_ms if newest else None
        self._last_seconds = newest[0].seconds if newest else 0.0
        self._thread = threading.Thread(target=self._work, name=f"backup {folder.parent.name}", daemon=True)
        self._thread.start()

    def edited(self) -> None:
        """An edit was stored; a snapshot follows within the interval."""
        with self._change:
            self._edits += 1
            if self._due is None:
                self._due = time.monotonic() + max(self._interval_s, self._last_seconds / LARGEST_SHARE)
                self._reason = BackupReason.INTERVAL
                self._change.notify_all()

    def request(self, reason: BackupReason = BackupReason.ASKED) -> None:
        """Make a snapshot now, in the background."""
        with self._change:
            self._due, self._reason = time.monotonic(), reason
            self._change.notify_all()

    def wait_for_attempts(self, count: int, timeout_s: float) -> bool:
        """Wait until ``count`` snapshots have been tried since the start."""
        with self._change:
            return self._change.wait_for(lambda: self._attempts >= count, timeout_s)

    def take_reports(self) -> list[BackupReport]:
        """What was done since the last call."""
        with self._change:
            reports, self._reports = self._reports, []
            return reports

    def close(self, *, final: bool = True) -> None:
        """End the thread. With ``final``, edits that no snapshot holds yet are saved first.

        A project that is opened, edited and closed every few seconds (scripts) is not copied each time: a snapshot
        younger than a minute, or than twenty times what it took, is enough.
        """
        with self._change:
            self._stopping = True
            self._change.notify_all()
        self._thread.join()
        if final and self._edits and not self._young():
            self._attempt(BackupReason.CLOSE, lambda: True)

    def _young(self) -> bool:
        if self._last_ms is None:
            return False
        age_s = (self._now_ms() - self._last_ms) / 1000
        return 0 <= age_s < max(self._close_gap_s, self._last_seconds / LARGEST_SHARE)

    def _work(self) -> None:
        while True:
            with self._change:
                while not self._stopping and (self._due is None or time.monotonic() < self._due):
                    self._change.wait(None if self._due is None else max(self._due - time.monotonic(), 0))
                if self._stopping:
                    return
                self._due, reason = None, self._reason
            self._attempt(reason, lambda: not self._stopping)

    def _attempt(self, reason: BackupReason, goes_on: Callable[[], bool]) -> None:
        with self._change:
            edits = self._edits
        snapshot, problem = None, None
        try:
            snapshot = make_snapshot(
                self._database, self._folder, reason=reason, now_ms=self._now_ms(), goes_on=goes_on
            )
            doomed = thinned(list_snapshots(self._folder), now_ms=self._now_ms(), max_bytes=self._max_bytes)
            delete_snapshots(self._folder, doomed)
        except StoppedError:
            return  # closing: the final snapshot follows
        except (UserError, OSError) as error:
            problem = str(error)
        with self._change:
            self._attempts += 1
            self._reports.append(BackupReport(snapshot, problem))
            if snapshot is not None:
                self._edits -= edits
                self._last_ms, self._last_seconds = snapshot.made_ms, snapshot.seconds
            if self._edits and self._due is None:  # edits came meanwhile, or the attempt failed: try again later
                self._due = time.monotonic() + max(self._interval_s, self._last_seconds / LARGEST_SHARE)
            self._change.notify_all()
