"""Checks of the open sample beside the work: begun after every change, told when they are done. Without Qt.

The window holds one for all panes (``workbench.py``): the timeline and the list of findings show the same. The checks
run on a thread with a connection of its own, on what is stored when they begin; what changes meanwhile is checked next.
The first check of a sample asks every rule about all of it; from then on the history says what was touched since, and
only that is checked again (``qa/incremental.py``), with the readers of the media kept open.

A check that nobody wants any more ends in the middle of a rule (``core/stopping.py``): whoever closes a project or
opens another sample does not wait for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from workstation.core.findings import Finding
from workstation.core.ids import SampleId
from workstation.core.records import RecordKind
from workstation.core.sample import Sample
from workstation.core.signal import Signal
from workstation.core.stopping import Stopped, StopToken
from workstation.core.values import dataclass
from workstation.store.project import ProjectFolder
from workstation.store.store import Reader

if TYPE_CHECKING:
    from workstation.app.evidence import KeptEvidence
    from workstation.qa.incremental import KeptChecks
    from workstation.qa.runner import Outcome

_MEDIA = frozenset({RecordKind.SAMPLE, RecordKind.STREAM, RecordKind.RIG})
Post = Callable[[Callable[[Any], None], object], None]
"""Call something with a value on the thread that owns the session."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of checking a sample: its findings, and the rules that could not judge, each with the reason."""

    sample: SampleId
    findings: tuple[Finding, ...]
    not_run: tuple[tuple[str, str], ...]
    whole: bool
    """Whether every rule has looked at the newest labels; those that look far come a moment later."""


def _told(sample: SampleId, outcomes: Sequence[Outcome], *, whole: bool) -> Checked:
    return Checked(
        sample,
        tuple(finding for outcome in outcomes for finding in outcome.findings),
        tuple((each.rule.id, each.not_run) for each in outcomes if each.not_run is not None),
        whole,
    )


class SampleChecks:
    """``request`` whenever something changed; ``changed`` tells the findings, on the owner's thread."""

    def __init__(self, project: ProjectFolder, open_reader: Callable[[], Reader], post: Post) -> None:
        self.changed: Signal[SampleChecks] = Signal("checks_changed")
        self.findings: tuple[Finding, ...] = ()
        """Of the sample that was checked last."""
        self.not_run: tuple[tuple[str, str], ...] = ()
        """Rules that could not judge, and why."""
        self.whole = True
        """Whether every rule has looked; those that look at the whole sample come a moment after the others."""
        self.sample: SampleId | None = None
        """Which sample that is; ``None`` before the first run has ended."""
        self._project = project
        self._open_reader = open_reader
        self._post = post
        self._wish = threading.Condition()
        self._wanted: SampleId | None = None
        self._closing = False
        self._stop = StopToken()
        """Of the check that is run now."""
        self._checking: SampleId | None = None
        """The sample of a check that goes on when the same is wanted again; else the newest wish is the only one."""
        self._thread: threading.Thread | None = None
        self._kept: KeptChecks | None = None
        self._seen: tuple[SampleId, int] | None = None
        """Which sample was checked last, as of which revision."""

    def request(self, sample: SampleId) -> None:
        """Check this sample as it is now; a run that has not begun yet is replaced."""
        with self._wish:
            if self._closing:
                return
            self._wanted = sample
            if sample != self._checking:
                self._stop.ask()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="checks", daemon=True)
                self._thread.start()
            self._wish.notify_all()

    def said_all(self, sample: SampleId) -> bool:
        """Whether nobody asked, or everything that was asked of this sample has been told."""
        return self._thread is None or (self.sample == sample and self.whole and self._wanted is None)

    def stop(self) -> None:
        """Check nothing more; ``close`` is still to come, and waits for what goes on."""
        with self._wish:
            self._closing = True
            self._stop.ask()
            self._wish.notify_all()

    def close(self) -> None:
        """End the thread; a second call does nothing."""
        self.stop()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        from workstation.app.evidence import KeptEvidence  # with models and estimators: a start goes without

        evidence = KeptEvidence(self._project)
        try:
            while (sample := self._next()) is not None:
                try:
                    for checked in self._checked(sample, evidence):
                        self._post(self._take, checked)
                except Stopped:
                    continue  # what it had not told is found by the check that is wanted now
        finally:
            evidence.forget()

    def _next(self) -> SampleId | None:
        """What to check, when somebody wants it; ``None`` at the end."""
        with self._wish:
            self._checking = None
            self._wish.wait_for(lambda: self._wanted is not None or self._closing)
            if self._closing:
                return None
            sample, self._wanted = self._wanted, None
            self._checking, self._stop = sample, StopToken()
            return sample

    def _give_way(self) -> StopToken:
        """From here on every wish ends the check, one for the same sample too: what is told first is told first."""
        with self._wish:
            self._checking = None
            if self._closing or self._wanted is not None:
                raise Stopped
            return self._stop

    def _checked(self, sample_id: SampleId, evidence: KeptEvidence) -> Iterator[Checked]:
        """What all rules say of it now: at once where they look no further than what was touched, then all of them.

        Nothing, or only the first, where something else is wanted meanwhile.
        """
        stop = self._stop
        with self._open_reader() as reads:
            sample = reads.get(RecordKind.SAMPLE, sample_id)
            if not isinstance(sample, Sample):
                self._seen = None
                yield Checked(sample_id, (), (), True)
                return
            touched = reads.touched_since(self._seen[1]) if self._seen and self._seen[0] == sample_id else None
            if touched is None or touched.keys() & _MEDIA:
                evidence.forget()
            kept = self._kept
            if kept is None or touched is None or RecordKind.PROJECT in touched:
                kept, touched = self._new_checks(reads), None
            self._seen = None
            known = evidence.of(reads, sample_id, stop)
            outcomes = kept.check(reads, sample, known, touched, stop, near_first=True)
            if outcomes is None:
                return
            self._seen = (sample_id, reads.head())
            yield _told(sample_id, outcomes, whole=not kept.left)
            if kept.left:
                outcomes = kept.check_rest(sample, self._give_way())
                if outcomes is not None:
                    yield _told(sample_id, outcomes, whole=True)

    def _new_checks(self, reads: Reader) -> KeptChecks:
        """Of nothing yet, with the rules as they are now."""
        from workstation.app.validation import rules_for
        from workstation.qa.findings import rule_modules
        from workstation.qa.incremental import KeptChecks

        for _ in rule_modules():
            self._stop.look()
        self._kept = KeptChecks(rules_for(reads))
        return self._kept

    def _take(self, result: Checked) -> None:
        if not self._closing:
            self.sample, self.findings, self.not_run = result.sample, result.findings, result.not_run
            self.whole = result.whole
            self.changed.emit(self)
