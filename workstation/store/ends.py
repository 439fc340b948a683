"""The ends of links against what is stored: what an end looks like now, and which links are stale.

Called by transactions that confirm a link, and by whoever lists what needs a second look.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from workstation.core.annotation import Annotation, EndValue, Entity, Interpolation, Link, LinkEnd, TargetKind
from workstation.core.ids import AnnotationId
from workstation.core.records import RecordKind
from workstation.core.staleness import Limits, significant_change, value_of_annotation
from workstation.core.values import dataclass

if TYPE_CHECKING:
    from workstation.store.queries import Reads


@dataclass(frozen=True, slots=True)
class StaleEnd:
    """An end of a link that has changed significantly since it was confirmed, and how."""

    link: Link
    ordinal: int
    reason: str

    @property
    def end(self) -> LinkEnd:
        """The end itself."""
        return self.link.ends[self.ordinal]


def end_value_now(reads: Reads, end: LinkEnd) -> EndValue:
    """What the target of an end looks like now; streams, samples and modalities have no looks."""
    if end.kind is TargetKind.ANNOTATION:
        annotation = reads.require(RecordKind.ANNOTATION, end.target)
        if isinstance(annotation, Annotation):
            keyframes = reads.keyframes(annotation.id) if annotation.track is not None else ()
            return value_of_annotation(_with_words(reads, annotation), _entity(reads, annotation), keyframes)
    if end.kind is TargetKind.ENTITY:
        entity = reads.require(RecordKind.ENTITY, end.target)
        if isinstance(entity, Entity):
            return EndValue(class_id=entity.class_id)
    if end.kind is TargetKind.LINK:
        link = reads.require(RecordKind.LINK, end.target)
        if isinstance(link, Link):
            return EndValue(class_id=link.type_id)
    return EndValue()


def stale_ends(reads: Reads, links: Iterable[Link], limits: Limits) -> Iterator[StaleEnd]:
    """The ends of ``links`` that a person must look at again."""
    for link in links:
        for ordinal, end in enumerate(link.ends):
            if end.confirmed is None:
                continue
            reason = _changed(reads, end, end.confirmed, limits)
            if reason is not None:
                yield StaleEnd(link, ordinal, reason)


def _changed(reads: Reads, end: LinkEnd, confirmed: EndValue, limits: Limits) -> str | None:
    now = end_value_now(reads, end)
    if now == confirmed:
        return None
    if not now.keyframes:
        return significant_change(confirmed, now, limits)
    annotation = reads.require(RecordKind.ANNOTATION, end.target)
    track = annotation.track if isinstance(annotation, Annotation) else None
    shaped = [(k.time_ns, k.shape) for k in reads.keyframes(AnnotationId(end.target)) if k.shape is not None]
    rule = Interpolation.LINEAR if track is None else track.interpolation
    return significant_change(confirmed, now, limits, all_keyframes=shaped, interpolation=rule)


def _entity(reads: Reads, annotation: Annotation) -> Entity | None:
    if annotation.entity is None or annotation.class_id is not None:
        return None
    entity = reads.get(RecordKind.ENTITY, annotation.entity)
    return entity if isinstance(entity, Entity) else None


def _with_words(reads: Reads, annotation: Annotation) -> Annotation:
    """A transcript turn whose text stands in its words only."""
    if annotation.text is not None:
        return annotation
    words = reads.words(annotation.id)
    if not words:
        return annotation
    return msgspec.structs.replace(annotation, text=" ".join(word.text for word in words))
