"""Where the findings of the open sample are in time, kept from one check to the next. Without Qt.

Held by the workbench for every pane that shows findings. After an edit only what it touched is placed again. ``take``
works in small steps: placing forty thousand findings for the first time takes half a second, and nobody who plays or
draws meanwhile may feel it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from workstation.app.findings_shown import Shown, shown
from workstation.app.moments_of import arc_of, moment_of_end
from workstation.app.sample_view import SampleView
from workstation.app.walking import when
from workstation.core.annotation import TargetKind
from workstation.core.findings import Finding
from workstation.core.ontology import Severity
from workstation.core.records import RecordKind
from workstation.core.values import dataclass
from workstation.store.changes import ChangeSet

Int64s = NDArray[np.int64]
GRAVITY = {severity: rank for rank, severity in enumerate((Severity.ERROR, Severity.WARNING, Severity.INFO))}
_LABELS = (RecordKind.ENTITY, RecordKind.ANNOTATION, RecordKind.LINK)
_GROUND = frozenset({RecordKind.SAMPLE, RecordKind.STREAM, RecordKind.RIG, RecordKind.PROJECT})
_EVER = 1 << 61
"""A label without a time is there at all times."""


@dataclass(frozen=True, slots=True, eq=False)
class PlacedFinding:
    """A finding with its places; the same object for as long as neither it nor what it is about changes."""

    finding: Finding
    session_ns: int
    """Where its sign stands: at the first of its items that has a time, at the sample's start without."""
    starts_ns: int | None
    """When the earliest of its items begins."""
    stretches: tuple[tuple[int, int], ...]
    """When the labels are that stand for its items; none where no label does."""
    about: frozenset[str]
    """The records that decide all this."""


def placed(view: SampleView, finding: Finding) -> PlacedFinding:
    """Where a finding is now."""
    labels = shown(view, finding).labels
    about = {item.id for item in finding.items} | labels
    stretches = []
    for each in labels:
        range_ = view.session_range(view.annotations[each])
        stretches.append((-_EVER, _EVER) if range_ is None else (range_.start_ns, range_.end_ns))
    moment: int | None = None
    starts = []
    for item in finding.items:
        link = view.links.get(item.id)
        if link is not None:
            about.update(end.target for end in link.ends)
        start = when(view, item.id)
        if start is not None:
            starts.append(start)
        if moment is None:
            moment = _moment(view, item.kind, item.id)
    return PlacedFinding(finding, moment or 0, min(starts, default=None), tuple(stretches), frozenset(about))


def _moment(view: SampleView, kind: str, record_id: str) -> int | None:
    link = view.links.get(record_id)
    arc = None if link is None else arc_of(view, link)
    if arc is not None:
        return arc.first_ns
    of = TargetKind.ENTITY if kind == RecordKind.ENTITY.value else TargetKind.ANNOTATION
    return moment_of_end(view, of, record_id)


class FindingPlaces:
    """Of one sample. What it answers is of the ``take`` that came to its end last."""

    def __init__(self, view: SampleView) -> None:
        self.view = view
        self.told = False
        """Whether the checks have said anything at all."""
        self.all: Sequence[PlacedFinding] = ()
        """In the order of the checks."""
        self._known: dict[str, PlacedFinding] = {}
        """With what a ``take`` that was not ended has placed: where checks follow each other fast the next goes on."""
        self._told: dict[str, PlacedFinding] = {}
        self._touched: set[str] = set()
        """Since the last ``take`` began."""
        self._taking: set[str] = set()
        """Before that, and not placed again yet."""
        self._lows: Int64s = np.zeros(0, np.int64)
        self._highs = self._begins = self._near_ranks = self._lows
        self._with_labels: Sequence[PlacedFinding] = ()

    def apply(self, changes: ChangeSet) -> None:
        """Something was committed: what it touched is placed again by the next ``take``. After the view's own."""
        if changes.kinds & _GROUND:
            self._known = {}
            return
        for kind in _LABELS:
            self._touched |= changes.touched(kind)
        for label in changes.touched(RecordKind.ANNOTATION):
            annotation = self.view.annotations.get(label)
            if annotation is not None and annotation.entity is not None:
                self._touched.add(annotation.entity)

    def take(self, findings: Sequence[Finding]) -> Iterator[None]:
        """Place these, a step at a time; nothing of it is seen before the last. One that was not ended is left."""
        self._taking |= self._touched
        self._touched = set()
        touched, known = frozenset(self._taking), self._known
        now: dict[str, PlacedFinding] = {}
        for finding in findings:
            before = known.get(finding.fingerprint)
            if before is None or before.finding != finding or not before.about.isdisjoint(touched):
                before = placed(self.view, finding)
                known[finding.fingerprint] = before
            now[finding.fingerprint] = before
            yield
        self._taking = set()
        self._told = now
        if self._known is known:  # else streams or the rig changed meanwhile: the next places all of them
            self._known = dict(now)
        self.all, self.told = tuple(now.values()), True
        yield
        self._lay_out([each for each in self.all if each.stretches and not each.finding.settled])

    def by_fingerprint(self, fingerprint: str) -> Finding | None:
        """One of them."""
        found = self._told.get(fingerprint)
        return None if found is None else found.finding

    def _lay_out(self, those: Sequence[PlacedFinding]) -> None:
        counts = np.fromiter((len(each.stretches) for each in those), np.int64, len(those))
        flat = np.array([ns for each in those for stretch in each.stretches for ns in stretch], np.int64).reshape(-1, 2)
        self._lows, self._highs = flat[:, 0], flat[:, 1]
        self._begins = np.cumsum(counts) - counts
        self._near_ranks = np.fromiter((GRAVITY[each.finding.severity] for each in those), np.int64, len(those))
        self._with_labels = those

    def nearest(self, time_ns: int, most: int) -> list[Shown]:
        """The open findings whose labels get a sign: those nearest to a time, the gravest first among equals."""
        if not len(self._with_labels):
            return []
        away = np.maximum(np.maximum(self._lows - time_ns, time_ns - self._highs), 0)
        nearest = np.minimum.reduceat(away, self._begins)
        order = np.lexsort((self._near_ranks, nearest))[:most]
        return [shown(self.view, self._with_labels[i].finding) for i in order.tolist()]


def place_all(view: SampleView, findings: Iterable[Finding]) -> list[PlacedFinding]:
    """All of them at once, for whoever has only some."""
    return [placed(view, each) for each in findings]
