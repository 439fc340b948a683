"""How far sound and picture are apart over all samples: a small offset that most of them share, though none fails.

Called by ``workstation report offsets``. A sample's number is what was measured of its sound and kept; where nothing
was, the middle of its links that say that a sound and something seen are one moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from workstation.core.annotation import State
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.seen_and_heard import seen_and_heard
from workstation.core.snapshot import Snapshot

_FEWEST = 3
_SURE = 3.0
"""Standard errors by which a mean differs from nothing."""
_LEAST_MS = 2.0
"""What is less is no matter, however surely it is known."""
_SEEN = frozenset({StreamKind.VIDEO, StreamKind.IMAGE})
_BARS, _WIDEST = 9, 40


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetRow:
    """One sample; late is positive."""

    sample: str
    late_ms: float
    by: str

    def plain(self) -> dict[str, object]:
        """For programs."""
        return {"sample": self.sample, "late_ms": round(self.late_ms, 3), "by": self.by}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The distribution over samples."""

    late_ms: tuple[float, ...]
    mean_ms: float
    deviation_ms: float
    half_width_ms: float
    """Of the 95 % interval of the mean."""

    @property
    def systematic(self) -> bool:
        """Whether the mean is no chance: the samples share a cause, such as a late microphone."""
        sure = abs(self.mean_ms) > _SURE / 1.96 * self.half_width_ms
        return sure and abs(self.mean_ms) >= _LEAST_MS

    def plain(self) -> dict[str, object]:
        """For programs."""
        low, middle, high = np.percentile(self.late_ms, (5, 50, 95)).tolist()
        least, most = min(self.late_ms), max(self.late_ms)
        worst = least if -least > most else most
        return {
            "samples": len(self.late_ms), "mean_ms": round(self.mean_ms, 3),
            "deviation_ms": round(self.deviation_ms, 3), "half_width_ms": round(self.half_width_ms, 3),
            "p5_ms": round(low, 3), "median_ms": round(middle, 3), "p95_ms": round(high, 3),
            "worst_ms": round(worst, 3), "systematic": self.systematic,
        }  # fmt: skip

    def words(self) -> str:
        """One sentence, or two."""
        side = "late" if self.mean_ms >= 0 else "early"
        said = (
            f"{len(self.late_ms)} samples: sound is {abs(self.mean_ms):.1f} ms {side} on average, give or take "
            f"{self.half_width_ms:.1f} ms; single samples scatter by {self.deviation_ms:.1f} ms."
        )
        if self.systematic:
            said += " Systematic: the samples share a cause; look for it in the recorders before correcting each."
        return said

    def bars(self) -> Iterator[str]:
        """A histogram for people."""
        counts, edges = np.histogram(self.late_ms, bins=_BARS)
        for count, low, high in zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            yield f"{low:+8.1f} … {high:+8.1f} ms {'█' * round(count / max(counts) * _WIDEST)} {count}"


def offset_rows(snapshot: Snapshot) -> Iterator[OffsetRow]:
    """The samples that say something, in their order."""
    for sample in snapshot.samples():
        row = _measured(snapshot, sample) or _linked(snapshot, sample)
        if row is not None:
            yield row


def spread_of(late_ms: Sequence[float]) -> Spread | None:
    """The distribution; ``None`` with too few to have one."""
    if len(late_ms) < _FEWEST:
        return None
    deviation = float(np.std(late_ms, ddof=1))
    return Spread(
        late_ms=tuple(late_ms), mean_ms=float(np.mean(late_ms)), deviation_ms=deviation,
        half_width_ms=1.96 * deviation / len(late_ms) ** 0.5,
    )  # fmt: skip


def _measured(snapshot: Snapshot, sample: Sample) -> OffsetRow | None:
    kinds = {each.key: each.kind for each in snapshot.streams(sample.id)}
    for stream in snapshot.streams(sample.id):
        said = stream.time_map.evidence_values
        left = said.get("left_ns")
        if stream.kind is not StreamKind.AUDIO or not isinstance(left, int):
            continue
        if kinds.get(str(said.get("left_against"))) in _SEEN:
            return OffsetRow(sample=sample.key, late_ms=left / 1e6, by=f"measured by {said.get('left_by')}")
    return None


def _linked(snapshot: Snapshot, sample: Sample) -> OffsetRow | None:
    streams: dict[str, Stream] = {each.id: each for each in snapshot.streams(sample.id)}
    ontology = snapshot.ontology()
    types = {} if ontology is None else ontology.link_types
    found = []
    for link in snapshot.links(sample.id):
        link_type = types.get(link.type_id)
        if link_type is None or "time_ms" not in link_type.tolerance or not link.holds:
            continue
        pair = None if link.state is State.REJECTED else seen_and_heard(snapshot, link, streams)
        if pair is not None:
            found.append(pair.late_ns / 1e6)
    return OffsetRow(sample=sample.key, late_ms=float(median(found)), by=f"{len(found)} links") if found else None
