"""What a new time map would change before it is applied: which findings would come and which would go.

Called by the panel of synchronisation beside the work. The checks that look at time run twice over the same records,
once with the map that stands and once with the one to be; nothing is written. Marks keep the times of their own
streams, so that only their places in the session move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from msgspec.structs import replace

from workstation.app.jobs import Job
from workstation.core.findings import Finding
from workstation.core.ids import SampleId
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, Stream
from workstation.core.snapshot import Snapshot
from workstation.core.timebase import TimeMap
from workstation.qa.findings import choose_rules, load_rules
from workstation.qa.runner import run_rules
from workstation.store.store import Reader

_ABOUT_TIME = ("clocks", "moments")


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Findings that the new map would raise, and those it would settle."""

    raised: tuple[Finding, ...] = ()
    settled: tuple[Finding, ...] = ()

    def words(self) -> str:
        """One sentence or two, with the first of each."""
        if not self.raised and not self.settled:
            return "Accepting changes no verdict of a check."
        parts = [
            f"{verb} {len(found)} finding{'s' if len(found) > 1 else ''} ({found[0].text})"
            for verb, found in (("settles", self.settled), ("raises", self.raised))
            if found
        ]
        return f"Accepting {' and '.join(parts)}."


class _WithMap:
    """A snapshot in which one stream has another map; everything else is asked of the one behind it."""

    def __init__(self, behind: Snapshot, stream: Stream) -> None:
        self._behind = behind
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)

    def get(self, kind: RecordKind, record_id: str) -> Any:
        if kind is RecordKind.STREAM and record_id == self._stream.id:
            return self._stream
        return self._behind.get(kind, record_id)

    def streams(self, sample: SampleId) -> list[Stream]:
        return [self._stream if each.id == self._stream.id else each for each in self._behind.streams(sample)]


def forecast(snapshot: Snapshot, sample: Sample, stream: Stream, time_map: TimeMap) -> Forecast:
    """What checks of time would say with this map of the stream, against what they say now."""
    moved = cast("Snapshot", _WithMap(snapshot, replace(stream, time_map=time_map)))
    now, then = (_open(each, sample) for each in (snapshot, moved))
    return Forecast(
        raised=tuple(found for key, found in then.items() if key not in now),
        settled=tuple(found for key, found in now.items() if key not in then),
    )


def forecasting(
    open_reader: Callable[[], Reader], sample: Sample, stream: Stream, time_map: TimeMap
) -> Callable[[Job], Forecast]:
    """The same as the work of a job, over a connection of its own."""

    def work(_job: Job) -> Forecast:
        with open_reader() as reader:
            return forecast(reader, sample, stream, time_map)

    return work


def _open(snapshot: Snapshot, sample: Sample) -> dict[str, Finding]:
    outcomes: Iterable[Any] = run_rules(snapshot, choose_rules(load_rules(), _ABOUT_TIME), [sample], project=False)
    findings: Sequence[Finding] = [each for outcome in outcomes for each in outcome.findings]
    return {each.fingerprint: each for each in findings if not each.settled}
