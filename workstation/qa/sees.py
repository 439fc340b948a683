"""What a rule declares of the labels and links it looks at, so that checks while editing show it no others.

Declared with ``@rule(sees=…)``; kept by ``held.py``. ``findings.py`` says what the declaration promises.
"""

from __future__ import annotations

from collections.abc import Iterable

from workstation.core.geometry import ShapeKind
from workstation.core.sample import StreamKind
from workstation.core.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Labels of some shapes on some kinds of streams; ``None`` is any, and a label without a stream is on none."""

    shapes: frozenset[ShapeKind] | None
    streams: frozenset[StreamKind] | None
    tracks: bool | None
    """Only tracks, or only what is none."""
    things: bool | None
    """Only labels of an entity, or only those of none."""

    def take(self, shape: ShapeKind, stream: StreamKind | None, *, track: bool, thing: bool) -> bool:
        """Whether such a label is among them."""
        if self.shapes is not None and shape not in self.shapes:
            return False
        if self.tracks is not None and track is not self.tracks:
            return False
        if self.things is not None and thing is not self.things:
            return False
        return self.streams is None or stream in self.streams


def shaped(
    *shapes: ShapeKind, on: Iterable[StreamKind] | None = None, tracks: bool | None = None, things: bool | None = None
) -> tuple[Labels, ...]:
    """Labels of these shapes (all if none is named) on these kinds of streams; several are joined with ``+``."""
    streams = None if on is None else frozenset(on)
    return (Labels(shapes=frozenset(shapes) if shapes else None, streams=streams, tracks=tracks, things=things),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sees:
    """Labels of any of these sorts, and links of these types; ``None``: of all.

    Without ``ends`` only the links themselves count (their type, state, and what they name), and not what becomes of
    the labels that they join.
    """

    labels: tuple[Labels, ...] | None = None
    links: frozenset[str] | None = None
    ends: bool = True


EVERYTHING = Sees()
NO_LABELS = Sees(labels=(), links=frozenset(), ends=False)
"""What is worked out of streams and their media alone."""
