"""What the records of a sample say of each other: which label ends where, on which kind of stream. For the kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from workstation.core.annotation import Annotation, Entity, Keyframe, Link, State, TargetKind
from workstation.core.geometry import ShapeKind
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.inject.plan import Target

PICTURES = frozenset({StreamKind.VIDEO, StreamKind.IMAGE})


class Joined(NamedTuple):
    """A link that stands, with the labels at its ends."""

    link: Link
    labels: tuple[Annotation, ...]


def target_of(record: Annotation | Link | Entity) -> Target:
    """What the plan calls a record."""
    kinds = {Annotation: "annotation", Link: "link", Entity: "entity"}
    return Target(kinds[type(record)], record.id)


def streams_of(snapshot: Snapshot, sample: Sample) -> dict[str, Stream]:
    """The streams by id."""
    return {each.id: each for each in snapshot.streams(sample.id)}


def stream_of(label: Annotation, streams: Mapping[str, Stream]) -> Stream | None:
    """Where a label lies."""
    return None if label.stream is None else streams.get(label.stream)


def lies_on(label: Annotation, streams: Mapping[str, Stream], *kinds: StreamKind) -> bool:
    """Whether it lies on a stream of such a kind."""
    stream = stream_of(label, streams)
    return stream is not None and stream.kind in kinds


def joined(snapshot: Snapshot, sample: Sample) -> Iterator[Joined]:
    """Every link that says that something is so."""
    for link in snapshot.links(sample.id):
        if link.state is not State.REJECTED and link.holds:
            ends = (snapshot.get(RecordKind.ANNOTATION, each.target) for each in link.ends
                    if each.kind is TargetKind.ANNOTATION)  # fmt: skip
            yield Joined(link, tuple(each for each in ends if isinstance(each, Annotation)))


def is_span(label: Annotation) -> bool:
    """Whether it is a stretch of time and nothing else."""
    timed = label.start_ns is not None and label.end_ns is not None
    return timed and label.track is None and label.kind is ShapeKind.SPAN


def tolerance_of(snapshot: Snapshot, link: Link, name: str) -> float | None:
    """What the ontology allows links of that type."""
    ontology = snapshot.ontology()
    found = None if ontology is None else ontology.link_types.get(link.type_id)
    return None if found is None else found.tolerance.get(name)


def keyframes_of(snapshot: Snapshot, label: Annotation) -> list[Keyframe]:
    """The keyframes of a track by time."""
    return sorted(snapshot.keyframes(label.id), key=lambda each: each.time_ns)


def side(rng: np.random.Generator) -> int:
    """Plus or minus one."""
    return 1 if rng.random() < 0.5 else -1
