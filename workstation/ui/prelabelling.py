"""Models at work in the window: a job plans and finds beside the work, the window's thread stores what comes.

Called by the dialog ``prelabel`` and by the panel of models. The job holds back while more than a few chunks wait to be
stored, so that it never runs ahead of the window; cancelled, it goes on another time from where it was.
"""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

from workstation.app.jobs import Job
from workstation.app.labellers import Chunk
from workstation.app.model_list import Shelf
from workstation.app.prelabelling import Plan, Progress, Wish, chunks_of, plan, store
from workstation.core.errors import DataError, Refused, UserError
from workstation.ui.told import Tone
from workstation.ui.workbench import Workbench

_AHEAD = 4
_LOOK_S = 0.2


class Prelabelling:
    """One run of pre-labelling; lives as long as its job."""

    def __init__(self, bench: Workbench, shelf: Shelf, wish: Wish) -> None:
        self._bench = bench
        self._shelf = shelf
        self._wish = wish
        self._room = threading.Semaphore(_AHEAD)
        self.proposed = 0
        self.job: Job | None = None
        self._refused = ""

    def start(self) -> None:
        """Begin; the job stands in the status line and can be cancelled there."""
        bench = self._bench
        if bench.jobs is None:
            bench.tell("Models run in a window, or by workstation prelabel.")
            return
        work = partial(self._work, bench.session.project.path)
        title = f"Pre-label with {', '.join(self._wish.models)}"
        self.job = bench.jobs.start(title, work, done=self._done, failed=partial(_failed, bench))

    # --- on the job's thread ------------------------------------------------------------------------------------

    def _work(self, folder: Path, job: Job) -> Plan:
        from workstation.app.opening import open_project

        with open_project(folder, read_only=True) as session:
            job.report(0, 0, "proving devices")
            planned = plan(session, self._shelf, self._wish, cancelled=lambda: job.cancel_asked)
        for number, progress in enumerate(planned.work, start=1):
            if not progress.mark.finished:
                self._over(job, progress, f"{progress.assignment.stream.key} ({number} of {len(planned.work)})")
        for _ in range(_AHEAD):
            self._wait_for_room(job)  # everything is stored
        return planned

    def _over(self, job: Job, progress: Progress, where: str) -> None:
        for chunk in chunks_of(progress.assignment, cancelled=lambda: job.cancel_asked):
            self._wait_for_room(job)
            self._bench.gui.post(self._store, (progress, chunk))
            job.report(chunk.done, chunk.total, where)

    def _wait_for_room(self, job: Job) -> None:
        while not self._room.acquire(timeout=_LOOK_S):
            job.check()
        job.check()

    # --- on the window's thread ---------------------------------------------------------------------------------

    def _store(self, come: tuple[Progress, Chunk]) -> None:
        progress, chunk = come
        try:
            if not self._refused:
                self.proposed += store(self._bench.session, progress, chunk)
        except Refused as problem:
            self._stop(" ".join(problem.problems))
        except (UserError, DataError) as problem:
            self._stop(str(problem))
        finally:
            self._room.release()

    def _stop(self, why: str) -> None:
        self._refused = why
        self._bench.tell(f"Pre-labelling stopped: {why}", Tone.REFUSED)
        if self.job is not None:
            self.job.cancel()

    def _done(self, planned: Plan) -> None:
        self._bench.tell(said_of(planned, self.proposed))


def said_of(planned: Plan, proposed: int) -> str:
    """What came of a run, in one or two sentences: how many, on what, and what was left out."""
    if not planned.work:
        why = f": {planned.left_out[0]}" if planned.left_out else ""
        return f"Nothing to run: no stream fits these models{why}."
    verdicts = list(dict.fromkeys(each.device for each in planned.work))
    devices = verdicts[0] if len(verdicts) == 1 else ", ".join(dict.fromkeys(_device(each) for each in verdicts))
    text = f"{proposed} proposed on {devices}; review them (@proposal.next)."
    unmapped = {label: None for each in planned.work for label in each.left_out}
    if unmapped:
        names = ", ".join(list(unmapped)[:6]) + (" …" if len(unmapped) > 6 else "")
        text += f" Left out, as no class stands for them: {names}."
    if planned.left_out:
        text += f" Not run: {planned.left_out[0]}."
    return text


def _device(verdict: str) -> str:
    return verdict.partition(",")[0]


def _failed(bench: Workbench, why: str) -> None:
    bench.tell(f"Pre-labelling stopped: {why}", Tone.REFUSED)
