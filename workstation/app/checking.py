"""Checks of the open sample beside the work: begun after every change, told when they are done. Without Qt.

The window holds one for all panes (``workbench.py``): the timeline and the list of findings show the same. The checks
run on a thread with a connection of its own, on what is stored when they begin; what changes meanwhile is checked next.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from workstation.app.background import go_easy
from workstation.app.evidence import media_evidence
from workstation.app.validation import Validation
from workstation.core.findings import Finding
from workstation.core.ids import SampleId
from workstation.core.records import RecordKind
from workstation.core.sample import Sample
from workstation.core.signal import Signal
from workstation.store.project import ProjectFolder
from workstation.store.store import Reader

Post = Callable[[Callable[[Any], None], object], None]
"""Call something with a value on the thread that owns the session."""


class SampleChecks:
    """``request`` whenever something changed; ``changed`` tells the findings, on the owner's thread."""

    def __init__(self, project: ProjectFolder, open_reader: Callable[[], Reader], post: Post) -> None:
        self.changed: Signal[SampleChecks] = Signal("checks_changed")
        self.findings: tuple[Finding, ...] = ()
        """Of the sample that was checked last."""
        self.not_run: tuple[str, ...] = ()
        """Rules that could not judge, and why."""
        self.sample: SampleId | None = None
        """Which sample that is; ``None`` before the first run has ended."""
        self._project = project
        self._open_reader = open_reader
        self._post = post
        self._wish = threading.Condition()
        self._wanted: SampleId | None = None
        self._closing = False
        self._thread: threading.Thread | None = None

    def request(self, sample: SampleId) -> None:
        """Check this sample as it is now; a run that has not begun yet is replaced."""
        with self._wish:
            if self._closing:
                return
            self._wanted = sample
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="checks", daemon=True)
                self._thread.start()
            self._wish.notify_all()

    def close(self) -> None:
        """End the thread; a second call does nothing."""
        with self._wish:
            self._closing = True
            self._wish.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        go_easy()
        while True:
            with self._wish:
                self._wish.wait_for(lambda: self._wanted is not None or self._closing)
                if self._closing:
                    return
                sample, self._wanted = self._wanted, None
            assert sample is not None
            self._post(self._take, self._checked(sample))

    def _checked(self, sample_id: SampleId) -> tuple[SampleId, tuple[Finding, ...], tuple[str, ...]]:
        with self._open_reader() as reads:
            sample = reads.get(RecordKind.SAMPLE, sample_id)
            if not isinstance(sample, Sample):
                return sample_id, (), ()
            run = Validation(reads, sample=sample, evidence=media_evidence(reads, self._project))
            found: list[Finding] = []
            for _, some in run.findings():
                if self._closing:
                    break
                found += some
            not_run = tuple(f"{each.rule}: {each.reason}" for each in run.summary().not_run)
            return sample_id, tuple(found), not_run

    def _take(self, result: tuple[SampleId, tuple[Finding, ...], tuple[str, ...]]) -> None:
        if not self._closing:
            self.sample, self.findings, self.not_run = result
            self.changed.emit(self)
