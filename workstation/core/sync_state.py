"""What stands behind the common time of a sample's streams: hardware or software, and whether anybody has verified it.

Asked by the clock table, by the commands that add streams, and by whoever shows the state of a sample.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from workstation.core.sample import Gate, GateState, Project, Sample, Stream, StreamKind
from workstation.core.tolerances import CLOCK_MS, CLOCK_TOLERANCE, time_limit_ms
from workstation.core.values import dataclass

SYNC_GATE = "sync"
TIMED_KINDS = frozenset(
    {
        StreamKind.VIDEO, StreamKind.AUDIO, StreamKind.CLOUD, StreamKind.RADAR, StreamKind.SERIES,
        StreamKind.TRAJECTORY,
    }
)  # fmt: skip
"""Kinds whose items a clock has stamped; words and maps have a place in time only by somebody's word."""

REQUIRED = "required"
"""What a project says of a gate that must be passed before labelling."""
MEASURED = "measured"
"""What it says of one that locks only where a clock is known to be off by more than the limit."""
_BY_PROFILE = {
    "driving": MEASURED, "drone": MEASURED, "drones": MEASURED, "robotics": MEASURED, "manipulation": MEASURED,
    "dialogue": MEASURED,
}  # fmt: skip
"""Where the project says nothing. In the others a label is a matter of one medium, or of no clock."""
LOCKED = "labelling is locked"
"""How the reason begins."""
_UNCORRECTED = frozenset({"identity", "declared"})


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockLeft:
    """How far a stream's clock is still off, by its map and the evidence in it; late is positive."""

    stream: Stream
    left_ns: int
    words: str


def clock_left(stream: Stream) -> ClockLeft | None:
    """The worst that is known of a stream's clock: what was measured and not corrected, what the map leaves of its own
    evidence, what the clock said of itself. ``None`` if nothing is known."""
    time_map = stream.time_map
    said = time_map.evidence_values
    found = []
    measured = said.get("left_ns")
    if isinstance(measured, int) and not isinstance(measured, bool):
        by = said.get("left_by")
        against = said.get("left_against")
        words = f"measured by {by} against {against} and not corrected"
        found.append(ClockLeft(stream=stream, left_ns=measured, words=words))
    if time_map.residual_ns is not None:
        words = f"left by its map ({time_map.method})"
        found.append(ClockLeft(stream=stream, left_ns=time_map.residual_ns, words=words))
    if stream.clock_offset_ns is not None and time_map.method in _UNCORRECTED:
        found.append(ClockLeft(stream=stream, left_ns=stream.clock_offset_ns, words="as its clock said itself"))
    return max(found, key=lambda each: abs(each.left_ns), default=None)


def clocks_off(project: Project | None, sample: Sample, streams: Iterable[Stream]) -> list[ClockLeft]:
    """The streams whose clock is off by more than the limit."""
    limit_ms = time_limit_ms(project, sample, CLOCK_TOLERANCE, CLOCK_MS)
    found = [clock_left(each) for each in timed(streams)]
    return [each for each in found if each is not None and abs(each.left_ns) / 1e6 > limit_ms]


def gate_asked(project: Project | None) -> str:
    """What must be true of the clocks before labelling: what the project says, else what its kind of work does."""
    if project is None:
        return ""
    return project.gates.get(SYNC_GATE, _BY_PROFILE.get(project.profile, ""))


def why_locked(project: Project | None, sample: Sample, streams: Iterable[Stream]) -> str | None:
    """Why nothing may be labelled yet, with what unlocks it; ``None`` if it may. A clock that is off locks wherever the
    kind of work cares for clocks; one that nobody has looked at, where the project requires it."""
    held = list(streams)
    gate = sample.gates.get(SYNC_GATE, Gate()).state
    asked = gate_asked(project)
    if asked not in (REQUIRED, MEASURED) or len(timed(held)) < 2:
        return None
    if gate in (GateState.WAIVED, GateState.NOT_NEEDED):
        return None
    for each in clocks_off(project, sample, held):
        return (
            f"{LOCKED}: {each.stream.key} is {each.left_ns / 1e6:+.1f} ms off, {each.words}; "
            "correct it in the panel Synchronise, or sign a waiver (gate.waive)"
        )
    if gate is GateState.VERIFIED or asked != REQUIRED:
        return None
    return (
        f"{LOCKED}: the clocks of {sample.key} are not verified; "
        "measure them in the panel Synchronise, or sign a waiver (gate.waive)"
    )
