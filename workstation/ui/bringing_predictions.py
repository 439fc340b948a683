"""Predictions of a file brought into the project from the window: in portions beside the work, as one group.

Called by the dialog ``import_predictions``. The job hands portions over and waits for each to be stored, so that no
step of it is felt; cancelled, what is in stays, and the history takes the whole group back by name.
"""

from __future__ import annotations

import threading
from pathlib import Path

from workstation.app.bringing_predictions import Fresh, Looked, bring, new_group, portions
from workstation.app.jobs import Job
from workstation.core.errors import DataError, Refused, UserError
from workstation.ui.told import Tone
from workstation.ui.workbench import Workbench

_LOOK_S = 0.2


class BringingPredictions:
    """One import; lives as long as its job."""

    def __init__(self, bench: Workbench, looked: Looked, file: Path) -> None:
        self._bench, self._looked, self._file = bench, looked, file
        self._group = new_group()
        self._room = threading.Semaphore(1)
        self._job: Job | None = None
        self._refused = ""
        self.proposed = 0

    def start(self) -> None:
        """Begin; the job stands in the status line."""
        if self._bench.jobs is not None:
            self._job = self._bench.jobs.start(
                f"Import {self._file.name}", self._work, done=self._done, failed=self._failed
            )  # fmt: skip

    def _work(self, job: Job) -> None:
        """On the job's thread."""
        total, done = self._looked.count, 0
        for portion in portions(self._looked):
            self._wait(job)
            self._bench.gui.post(self._store, portion)
            done += len(portion.predictions)
            job.report(done, total, portion.key)
        self._wait(job)

    def _wait(self, job: Job) -> None:
        while not self._room.acquire(timeout=_LOOK_S):
            job.check()
        job.check()

    # --- on the window's thread ---------------------------------------------------------------------------------

    def _store(self, portion: Fresh) -> None:
        try:
            if not self._refused:
                self.proposed += bring(self._bench.session, portion, self._file, self._group)
        except Refused as problem:
            self._stop(" ".join(problem.problems))
        except (UserError, DataError) as problem:
            self._stop(str(problem))
        finally:
            self._room.release()

    def _stop(self, why: str) -> None:
        self._refused = why
        self._failed(why)
        if self._job is not None:
            self._job.cancel()

    def _done(self, _nothing: None) -> None:
        self._bench.tell(
            f"{self.proposed} predictions of {self._file.name} are proposed; review them (@proposal.next). The history "
            "takes them back as one."
        )

    def _failed(self, why: str) -> None:
        self._bench.tell(f"The import of {self._file.name} stopped: {why}", Tone.REFUSED)
