"""What a new time map or a new calibration would change before it is applied: verdicts that come, and that go.

Called by the panel of synchronisation beside the work, and by ``workstation sync … --dry-run``. All checks of a sample
run twice over the same records, once as they stand and once as they would be; nothing is written. Marks keep the times
of their own streams, so that only their places in the session move; cuboids keep their numbers, and only where they
are seen moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, cast

from msgspec.structs import replace

from workstation.app.evidence import media_evidence
from workstation.app.jobs import Job
from workstation.core.annotation import Record
from workstation.core.evidence import Evidence, Unmeasured
from workstation.core.findings import Finding
from workstation.core.ids import SampleId
from workstation.core.pair_fit import LooseLink, loose_links
from workstation.core.records import RecordKind
from workstation.core.sample import Rig, Sample, Stream
from workstation.core.snapshot import Snapshot
from workstation.core.stopping import StopToken
from workstation.core.timebase import TimeMap
from workstation.core.tolerances import OVERRUN_PX, OVERRUN_TOLERANCE, named_limit
from workstation.qa.findings import choose_rules, load_rules
from workstation.qa.remembered import RememberedSnapshot
from workstation.qa.runner import run_rules
from workstation.store.project import ProjectFolder
from workstation.store.queries import Reads
from workstation.store.store import Reader

OpenEvidence = Callable[[Snapshot], Callable[[Sample], AbstractContextManager[Evidence]]]
"""What knows a sample's media, for records as they would be."""
_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Findings that the change would raise, and those it would settle; how many labels move in session time."""

    raised: tuple[Finding, ...] = ()
    settled: tuple[Finding, ...] = ()
    loosened: tuple[LooseLink, ...] = ()
    """Links of boxes and cuboids that leave the tolerance of their edges."""
    mended: tuple[LooseLink, ...] = ()
    """Links that come back into it."""
    moved: int = 0

    @property
    def links(self) -> tuple[str, ...]:
        """Ids of the links whose verdict changes."""
        fits = [each.link for each in (*self.loosened, *self.mended)]
        return tuple(dict.fromkeys((*self._items(RecordKind.LINK), *fits)))

    @property
    def labels(self) -> tuple[str, ...]:
        """Ids of the labels whose verdict changes."""
        return self._items(RecordKind.ANNOTATION)

    def _items(self, kind: RecordKind) -> tuple[str, ...]:
        every = [item.id for each in (*self.raised, *self.settled) for item in each.items if item.kind == kind.value]
        return tuple(dict.fromkeys(every))

    def words(self) -> str:
        """One sentence or two, with the first of each."""
        if not (self.raised or self.settled or self.loosened or self.mended):
            return "Accepting changes no verdict of a check."
        parts = [
            f"{verb} {len(found)} finding{'s' if len(found) > 1 else ''} ({found[0].text})"
            for verb, found in (("settles", self.settled), ("raises", self.raised))
            if found
        ]
        parts += [
            f"{verb} {len(found)} link{'s' if len(found) > 1 else ''} of boxes and cuboids"
            for verb, found in (("mends", self.mended), ("loosens", self.loosened))
            if found
        ]
        return f"Accepting {' and '.join(parts)}."

    def lines(self) -> list[str]:
        """Every changed verdict as a line, the first dozen of each side."""
        found = [f"{self.moved} labels move in session time; their own times stay."] if self.moved else []
        for verb, some in (("settles", self.settled), ("raises", self.raised)):
            found += [f"{verb} {each.rule}: {each.text}" for each in some[:_SHOWN]]
            if len(some) > _SHOWN:
                found.append(f"{verb} {len(some) - _SHOWN} more")
        for verb, some_links in (("mends", self.mended), ("loosens", self.loosened)):
            found += [f"{verb} a link: {each.words()}" for each in some_links[:_SHOWN]]
            if len(some_links) > _SHOWN:
                found.append(f"{verb} {len(some_links) - _SHOWN} links more")
        if not (self.raised or self.settled or self.loosened or self.mended):
            found.append("No verdict of a check changes.")
        return found

    def plain(self) -> dict[str, object]:
        """For programs."""
        return {
            "raised": [_plain(each) for each in self.raised], "settled": [_plain(each) for each in self.settled],
            "loosened": [each.link for each in self.loosened], "mended": [each.link for each in self.mended],
            "links": list(self.links), "labels": list(self.labels), "moved": self.moved,
        }  # fmt: skip


def _plain(finding: Finding) -> dict[str, object]:
    return {
        "rule": finding.rule, "text": finding.text, "measured": finding.measured, "limit": finding.limit,
        "unit": finding.unit, "items": [{"kind": each.kind, "id": each.id} for each in finding.items],
    }  # fmt: skip


class _WithChange:
    """A snapshot in which some streams and the newest calibration are others; the rest is asked of the one behind."""

    def __init__(self, behind: Snapshot, changed: Sequence[Stream | Rig]) -> None:
        self._behind = behind
        self._streams = {str(each.id): each for each in changed if isinstance(each, Stream)}
        self._rigs = [each for each in changed if isinstance(each, Rig)]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)

    def get(self, kind: RecordKind, record_id: str) -> Record | None:
        if kind is RecordKind.STREAM and record_id in self._streams:
            return self._streams[record_id]
        return self._behind.get(kind, record_id)

    def streams(self, sample: SampleId) -> list[Stream]:
        return [self._streams.get(each.id, each) for each in self._behind.streams(sample)]

    def records(self, kind: RecordKind, *, sample: SampleId | None = None) -> list[Record]:
        found = list(self._behind.records(kind, sample=sample))
        if kind is RecordKind.STREAM:
            return [self._streams.get(str(getattr(each, "id", "")), each) for each in found]
        return [*found, *self._rigs] if kind is RecordKind.RIG else found


def with_map(stream: Stream, time_map: TimeMap) -> Stream:
    """The stream as it would be."""
    return replace(stream, time_map=time_map)


def forecast(
    snapshot: Snapshot, sample: Sample, changed: Sequence[Stream | Rig], *, evidence: OpenEvidence | None = None,
    stop: StopToken | None = None,
) -> Forecast:  # fmt: skip
    """What the checks would say with these streams and this newest calibration, against what they say now. Raises
    ``Stopped`` once asked to ``stop``."""
    moved = cast("Snapshot", _WithChange(snapshot, changed))
    now, then = (_open(each, sample, None if evidence is None else evidence(each), stop) for each in (snapshot, moved))
    streams = {str(each.id) for each in changed if isinstance(each, Stream)}
    loose, looser = (_loose(each, sample, evidence, stop) for each in (snapshot, moved))
    return Forecast(
        loosened=tuple(each for key, each in looser.items() if key not in loose),
        mended=tuple(each for key, each in loose.items() if key not in looser),
        raised=tuple(found for key, found in then.items() if key not in now),
        settled=tuple(found for key, found in now.items() if key not in then),
        moved=sum(str(each.stream) in streams for each in snapshot.annotations(sample.id)) if streams else 0,
    )


def _loose(
    snapshot: Snapshot, sample: Sample, evidence: OpenEvidence | None, stop: StopToken | None
) -> dict[str, LooseLink]:
    """The links out of tolerance; none where the media that would say so are missing."""
    limit_px = named_limit(snapshot.project(), OVERRUN_TOLERANCE, OVERRUN_PX)
    with nullcontext() if evidence is None else evidence(snapshot)(sample) as known:
        try:
            return loose_links(RememberedSnapshot(snapshot, known, stop), sample, limit_px)
        except Unmeasured:
            return {}


def media_of(project: ProjectFolder, stop: StopToken | None = None) -> OpenEvidence:
    """The evidence of a project's own media."""
    return lambda snapshot: media_evidence(cast("Reads", snapshot), project, stop=stop)


def forecasting(
    project: ProjectFolder, open_reader: Callable[[], Reader], sample: Sample, changed: Sequence[Stream | Rig]
) -> Callable[[Job], Forecast]:
    """The same as the work of a job, over a connection of its own."""

    def work(job: Job) -> Forecast:
        with open_reader() as reader:
            return forecast(reader, sample, changed, evidence=media_of(project, job.stop), stop=job.stop)

    return work


def _open(
    snapshot: Snapshot, sample: Sample, evidence: Callable[[Sample], AbstractContextManager[Evidence]] | None,
    stop: StopToken | None,
) -> dict[str, Finding]:  # fmt: skip
    outcomes: Iterable[Any] = run_rules(
        snapshot, choose_rules(load_rules(), ()), [sample], project=False, evidence=evidence, stop=stop
    )
    findings: Sequence[Finding] = [each for outcome in outcomes for each in outcome.findings]
    return {each.fingerprint: each for each in findings if not each.settled}
