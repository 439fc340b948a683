"""What rules may ask of a sample's media: poses, capture times, pixels, loudness, readings. Answered by ``app``.

Rules stay pure functions of a snapshot; ``Snapshot.evidence`` hands them this. Whoever cannot answer raises
``Unmeasured`` with one sentence, and the rule counts as not run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn, Protocol

from workstation.core.errors import UserError
from workstation.core.geometry import Shape
from workstation.core.sample import Stream
from workstation.core.values import dataclass

if TYPE_CHECKING:  # the window opens without NumPy
    import numpy as np
    from numpy.typing import NDArray

    from workstation.core.space import FrameTree

    Int64s = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Colours = NDArray[np.uint8]


class Unmeasured(UserError):
    """Nobody could measure it; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How well texts fit something, one number each (-1 to 1), and the model that says so with its version."""

    scores: tuple[float, ...]
    model: str


@dataclass(frozen=True, slots=True)
class ClockOff:
    """How much later than another stream's a stream's time stamps are, and by how much that may be wrong."""

    late_ns: int
    half_width_ns: int
    against: Stream


class Evidence(Protocol):
    """Facts of the media of one sample. Times are session time; each answer is computed once and kept."""

    def frames(self) -> FrameTree:
        """The sample's frames with the poses of its trajectories; empty without a rig. Its cameras by ``camera``."""
        ...

    def captures(self, stream: Stream) -> Int64s:
        """When each item of a stream (frame, sweep, reading) was taken, in order."""
        ...

    def pixels(self, stream: Stream, session_ns: int, shape: Shape) -> Colours:
        """The colours (n, 3), red first, inside a flat shape on the picture nearest to a time."""
        ...

    def motion(self, stream: Stream, shape: Shape, start_ns: int, end_ns: int) -> tuple[Int64s, Floats]:
        """How much moves inside a flat shape between one picture of a film and the next, and when (in between)."""
        ...

    def voxels(self, stream: Stream, place: tuple[float, float, float], radius: float) -> Floats:
        """The values of a volume around a place of the patient, all in the volume's own units and millimetres."""
        ...

    def loudness(self, stream: Stream, start_ns: int, end_ns: int, hop_ns: int) -> Floats:
        """Root mean square of all channels, one value per hop, from the start on; 0 where there is no sound."""
        ...

    def readings(self, stream: Stream, channel: str) -> tuple[Int64s, Floats]:
        """Times and values of a channel of a series, gaps left out."""
        ...

    def turning(self, stream: Stream) -> ClockOff | None:
        """How much later a series turns than the poses of the sample do; ``None`` where it is no gyro or nothing has
        poses, refused where hardly anything turns.
        """
        ...

    def tag_likeness(self, tags: Sequence[str], texts: Sequence[str]) -> Likeness:
        """How near each text is in meaning to all tags together; refused without a model or with too few tags."""
        ...

    def picture_likeness(self, stream: Stream, session_ns: int, texts: Sequence[str]) -> Likeness:
        """How well each text fits the picture nearest to a time; refused without a model that sees pictures."""
        ...

    def author(self, record_id: str) -> str:
        """Who said last what a record is (its class), else who made it; by the history, which no medium knows."""
        ...


class NoEvidence:
    """Where there are no media at hand: every question is refused. Fits ``Evidence``."""

    def frames(self) -> NoReturn:
        """Refused."""
        raise Unmeasured("the media of the sample are not at hand, so its poses are not known")

    def captures(self, stream: Stream) -> NoReturn:
        """Refused."""
        raise Unmeasured(f"the media of the sample are not at hand, so nobody knows when {stream.key} was taken")

    def pixels(self, stream: Stream, session_ns: int, shape: Shape) -> NoReturn:
        """Refused."""
        raise Unmeasured(f"the media of the sample are not at hand, so {stream.key} cannot be looked at")

    def motion(self, stream: Stream, shape: Shape, start_ns: int, end_ns: int) -> NoReturn:
        """Refused."""
        raise Unmeasured(f"the media of the sample are not at hand, so {stream.key} cannot be looked at")

    def voxels(self, stream: Stream, place: tuple[float, float, float], radius: float) -> NoReturn:
        """Refused."""
        raise Unmeasured(f"the media of the sample are not at hand, so {stream.key} cannot be measured")

    def loudness(self, stream: Stream, start_ns: int, end_ns: int, hop_ns: int) -> NoReturn:
        """Refused."""
        raise Unmeasured(f"the media of the sample are not at hand, so {stream.key} cannot be listened to")

    def readings(self, stream: Stream, channel: str) -> NoReturn:
        """Refused."""
        raise Unmeasured(f"the media of the sample are not at hand, so {stream.key} has no readings")

    def turning(self, stream: Stream) -> NoReturn:
        """Refused."""
        raise Unmeasured(f"the media of the sample are not at hand, so nobody knows how {stream.key} turns")

    def tag_likeness(self, tags: Sequence[str], texts: Sequence[str]) -> NoReturn:
        """Refused."""
        raise Unmeasured("the media of the sample are not at hand, and no model that compares texts")

    def picture_likeness(self, stream: Stream, session_ns: int, texts: Sequence[str]) -> NoReturn:
        """Refused."""
        raise Unmeasured(f"the media of the sample are not at hand, so {stream.key} cannot be looked at")

    def author(self, record_id: str) -> NoReturn:
        """Refused."""
        raise Unmeasured(f"the history is not at hand, so nobody knows who made {record_id}")
