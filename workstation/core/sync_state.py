"""What stands behind the common time of a sample's streams: hardware or software, and whether anybody has verified it.

Asked by the clock table, by the commands that add streams, and by whoever shows the state of a sample.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from workstation.core.sample import Gate, GateState, Sample, Stream, StreamKind

SYNC_GATE = "sync"
TIMED_KINDS = frozenset(
    {
        StreamKind.VIDEO, StreamKind.AUDIO, StreamKind.CLOUD, StreamKind.RADAR, StreamKind.SERIES,
        StreamKind.TRAJECTORY,
    }
)  # fmt: skip
"""Kinds whose items a clock has stamped; words and maps have a place in time only by somebody's word."""


class SyncBasis(StrEnum):
    """What the streams' times rest on."""

    HARDWARE = "hardware"
    SOFTWARE = "software"
    SINGLE = "single stream"


def timed(streams: Iterable[Stream]) -> list[Stream]:
    """The streams that a clock has stamped."""
    return [stream for stream in streams if stream.kind in TIMED_KINDS]


def recordings(streams: Iterable[Stream]) -> tuple[str, ...]:
    """The recordings that streams say they come from, each once."""
    return tuple(dict.fromkeys(stream.recording for stream in streams if stream.recording))


def sync_basis(streams: Iterable[Stream]) -> SyncBasis:
    """Hardware: one recording in which most stamped streams were locked to a clock. Else it is software."""
    stamped = timed(streams)
    if len(stamped) < 2:
        return SyncBasis.SINGLE
    locked = sum(stream.clock_locked is True for stream in stamped)
    if len(recordings(stamped)) > 1 or 2 * locked <= len(stamped):
        return SyncBasis.SOFTWARE
    return SyncBasis.HARDWARE


def sync_state(sample: Sample, streams: Iterable[Stream]) -> str:
    """In words: "hardware, verified", "software, unverified"."""
    gate = sample.gates.get(SYNC_GATE, Gate())
    return f"{sync_basis(streams).value}, {gate.state.value.replace('_', ' ')}"


def combined_gate(before: Iterable[Stream], added: Stream, *, person: str) -> Gate | None:
    """The sync gate after a stream of another recording has come in: nobody has verified that yet.

    ``None`` if the stream brings no recording that the sample does not have already.
    """
    known = recordings(stream for stream in before if stream.id != added.id)
    if not added.recording or not known or added.recording in known:
        return None
    said = " and ".join((*known, added.recording))
    return Gate(state=GateState.UNVERIFIED, person=person, reason=f"software: streams of {said} are combined")
