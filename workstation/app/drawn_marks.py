"""What is labelled on the pictures, sounds and texts of one sample at a moment, with the name and colour to draw it in.

Read once from a project by whatever draws a sample (``contact_sheet.py``); cuboids are ``scenery.py``'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workstation.app.session import Session
from workstation.core.annotation import Annotation, Entity, effective_class
from workstation.core.geometry import Shape, Span
from workstation.core.ids import SampleId, StreamId
from workstation.core.sample import Stream
from workstation.core.tracks import moment

_GREY = "#9aa0a6"


@dataclass(frozen=True, slots=True)
class Mark:
    """One label as it is shown."""

    annotation: Annotation
    shape: Shape
    name: str
    colour: str


class Marks:
    """The annotations of a sample by stream."""

    def __init__(self, session: Session, sample: SampleId) -> None:
        self._store = session.store
        self._ontology = session.store.ontology()
        self._entities: dict[str, Entity] = {each.id: each for each in session.store.entities(sample)}
        self._on: dict[StreamId | None, list[Annotation]] = {}
        for each in session.store.annotations(sample):
            self._on.setdefault(each.stream, []).append(each)

    def on(self, stream: Stream) -> Iterator[Mark]:
        """Everything on a stream that is no track, whatever its time."""
        for each in self._on.get(stream.id, ()):
            if each.shape is not None:
                yield self._mark(each, each.shape)

    def at(self, stream: Stream, session_ns: int) -> Iterator[Mark]:
        """What is there on a stream with times at a session time: shapes of tracks, and what holds then."""
        own_ns = stream.time_map.first_stream_at(session_ns + 1) - 1
        for each in self._on.get(stream.id, ()):
            if each.track is not None:
                shape = moment(each.track, self._store.keyframes(each.id), own_ns).shape
                if shape is not None:
                    yield self._mark(each, shape)
            elif each.shape is not None and _holds(each, own_ns):
                yield self._mark(each, each.shape)

    def spans_at(self, stream: Stream, session_ns: int) -> list[Mark]:
        """What goes on then and has no outline."""
        return [each for each in self.at(stream, session_ns) if isinstance(each.shape, Span)]

    def blob(self, sha256: str) -> bytes | None:
        """The pixels of a mask."""
        return self._store.blob(sha256)

    def _mark(self, annotation: Annotation, shape: Shape) -> Mark:
        entity = None if annotation.entity is None else self._entities.get(annotation.entity)
        class_id = effective_class(annotation, entity) or ""
        known = self._ontology is not None and class_id in self._ontology.classes
        colour = self._ontology.look(class_id).colour if self._ontology is not None and known else _GREY
        words = (class_id if entity is None else entity.class_id).replace("_", " ")
        return Mark(annotation, shape, words if entity is None else entity.called(words), colour)


def _holds(annotation: Annotation, own_ns: int) -> bool:
    if annotation.start_ns is None or annotation.end_ns is None:
        return True
    return annotation.start_ns <= own_ns < max(annotation.end_ns, annotation.start_ns + 1)
