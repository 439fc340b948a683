"""Background work with progress and cancel, whose results come back on the owner's thread.

Held by the window, used for demos, pyramids, proxies, backups, relinking. No Qt: the owner gives a ``post`` that calls
something on its own thread (``ui/gui_thread.py``).

* ``work`` runs on a thread of its own. It gets a ``Job`` to report to, may not touch the session, the store or a
  widget, and returns a value.
* ``done`` gets that value, ``failed`` a sentence for the person; both run on the owner's thread. What is no error of
  the person's is logged with its traceback.
* A cancelled job ends at its next ``report`` or ``check``, or where its ``stop`` is looked at; nobody is called back.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from workstation.core.errors import UserError
from workstation.core.signal import Signal
from workstation.core.stopping import Stopped, StopToken

T = TypeVar("T")
Post = Callable[[Callable[[Any], None], object], None]
_log = logging.getLogger(__name__)


class Cancelled(Exception):
    """Somebody does not want the result any more. Raised inside ``work``; catch it only to clean up."""


class JobState(StrEnum):
    """Where a job is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job:
    """One piece of work: reported to from its thread, looked at from any."""

    def __init__(self, number: int, title: str, changed: Callable[[Job], None]) -> None:
        self.number = number
        self.title = title
        self.state = JobState.RUNNING
        self.done = 0
        self.total = 0
        """Of ``done``; 0 while nobody knows."""
        self.detail = ""
        self._changed = changed
        self.stop = StopToken()
        """For work that takes one instead of reporting: asked when the job is cancelled."""
        self._cancelled = threading.Event()
        self._told_share = -1

    @property
    def share(self) -> float | None:
        """How much is done, 0 to 1; ``None`` while nobody knows."""
        return min(1.0, self.done / self.total) if self.total > 0 else None

    def report(self, done: int, total: int, detail: str = "") -> None:
        """So far; raises ``Cancelled`` if nobody wants it any more. Cheap: tells only at whole per cents."""
        self.check()
        self.done, self.total, self.detail = done, total, detail or self.detail
        share = done * 100 // total if total > 0 else 0
        if share != self._told_share:
            self._told_share = share
            self._changed(self)

    def check(self) -> None:
        """Raises ``Cancelled`` if nobody wants it any more."""
        if self._cancelled.is_set():
            raise Cancelled

    def cancel(self) -> None:
        """Ask it to end; it does at its next report."""
        self._cancelled.set()
        self.stop.ask()

    @property
    def cancel_asked(self) -> bool:
        return self._cancelled.is_set()


class Jobs:
    """All running work of one owner. Close it: that cancels and waits."""

    def __init__(self, post: Post) -> None:
        self.changed: Signal[Job] = Signal("jobs_changed", on_error=_bug)
        """On the owner's thread: a job began, went on or ended."""
        self._post = post
        self._numbers = itertools.count(1)
        self._running: dict[int, tuple[Job, threading.Thread]] = {}

    def running(self) -> list[Job]:
        """The oldest first."""
        return [job for job, _ in self._running.values()]

    def start(
        self,
        title: str,
        work: Callable[[Job], T],
        *,
        done: Callable[[T], None] | None = None,
        failed: Callable[[str], None] | None = None,
    ) -> Job:
        """Begin; on the owner's thread."""
        job = Job(next(self._numbers), title, self._tell)
        thread = threading.Thread(
            target=self._run, args=(job, work, done, failed), name=f"job {job.number}: {title}", daemon=True
        )
        self._running[job.number] = (job, thread)
        thread.start()
        self.changed.emit(job)
        return job

    def cancel_all(self) -> None:
        """Ask all of them to end."""
        for job, _ in self._running.values():
            job.cancel()

    def close(self, timeout_s: float = 5.0) -> None:
        """Cancel all and wait; a job that does not look up in time is left to die with the program."""
        self.cancel_all()
        for job, thread in list(self._running.values()):
            thread.join(timeout_s)
            if thread.is_alive():
                _log.warning("job %s did not end when asked to", job.title)
        self._running.clear()

    def _tell(self, job: Job) -> None:
        self._post(self.changed.emit, job)

    def _run(
        self,
        job: Job,
        work: Callable[[Job], T],
        done: Callable[[T], None] | None,
        failed: Callable[[str], None] | None,
    ) -> None:
        try:
            value = work(job)
            job.check()
        except (Cancelled, Stopped):
            self._post(self._ended, (job, JobState.CANCELLED, None, None))
        except UserError as problem:
            self._post(self._ended, (job, JobState.FAILED, failed, str(problem)))
        except Exception as error:  # noqa: BLE001 - a border: the job's bug is logged and said, the window goes on
            _log.error("the job %s failed", job.title, exc_info=error)
            words = f"{job.title} failed ({type(error).__name__}); the log holds the details"
            self._post(self._ended, (job, JobState.FAILED, failed, words))
        else:
            self._post(self._ended, (job, JobState.DONE, done, value))

    def _ended(self, ending: tuple[Job, JobState, Callable[[Any], None] | None, object]) -> None:
        job, state, then, value = ending
        if self._running.pop(job.number, None) is None:
            return  # closed meanwhile
        if job.cancel_asked:
            state = JobState.CANCELLED
        job.state = state
        self.changed.emit(job)
        if then is not None and state is not JobState.CANCELLED:
            then(value)


def _bug(error: Exception) -> None:
    _log.error("a listener to jobs failed", exc_info=error)
