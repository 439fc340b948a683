"""Labels that say something else than what is there: another class here, another state, a stretch far too wide."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from workstation.core.annotation import Annotation, Keyframe
from workstation.core.geometry import Cuboid
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.inject.joined import PICTURES, is_span, joined, keyframes_of, lies_on, stream_of, streams_of, target_of
from workstation.inject.kind import Edit, Place, Plant, kind
from workstation.inject.plan import Target

_SOLID = ("box", "cuboid", "polygon", "mask", "point_set")
_MOVES_MPS = 1.3
_STANDS = {"motion": "parked", "pedestrian_state": "standing"}


@kind("other_class", error_type="semantic")
def other_class(snapshot: Snapshot, sample: Sample) -> Iterator[Place]:
    """One view of a thing is given another class than the thing has everywhere else."""
    ontology = snapshot.ontology()
    streams = streams_of(snapshot, sample)
    entities = {str(each.id): each.class_id for each in snapshot.entities(sample.id)}
    if ontology is None:
        return
    views: dict[str, list[Annotation]] = {}
    for each in snapshot.annotations(sample.id):
        if each.entity in entities and each.kind.value in _SOLID:
            views.setdefault(str(each.entity), []).append(each)
    for entity, labels in views.items():
        if len(labels) > 1:
            for label in labels:
                others = _others(ontology, entities[entity], label, stream_of(label, streams))
                if others:
                    yield partial(_relabel, label, tuple(others))


def _others(ontology: CompiledOntology, class_id: str, label: Annotation, stream: Stream | None) -> list[str]:
    """Classes under the same parent that could be drawn so."""
    parent = ontology.classes[class_id].parent if class_id in ontology.classes else None
    return [
        each
        for each, known in ontology.classes.items()
        if each != class_id
        and parent is not None
        and known.parent == parent
        and stream is not None
        and label.kind in ontology.shapes_for(each, stream.kind)
    ]


def _relabel(label: Annotation, others: tuple[str, ...], rng: np.random.Generator, size: float) -> Plant:
    del size
    other = str(rng.choice(others))
    return Plant(
        edits=(Edit("annotation.relabel", {"annotations": [label.id], "class_id": other, "here": True}),),
        items=(target_of(label),),
        note=f"called {other}",
    )


@kind("other_state", error_type="semantic")
def other_state(snapshot: Snapshot, sample: Sample) -> Iterator[Place]:
    """What moves in space is said to stand."""
    for label in snapshot.annotations(sample.id):
        if label.track is None or label.kind.value != "cuboid":
            continue
        speed = _speed_mps(keyframes_of(snapshot, label))
        for name, stands in _STANDS.items():
            if speed is not None and speed > _MOVES_MPS and label.attributes.get(name) not in (None, stands):
                yield partial(_stand, label, name, stands, speed)


def _stand(label: Annotation, name: str, stands: str, speed: float, rng: np.random.Generator, size: float) -> Plant:
    del rng, size
    said = {"annotations": [label.id], "attributes": {name: stands}}
    return Plant(
        edits=(Edit("annotation.set_attributes", said),),
        items=(target_of(label),),
        note=f"said to be {stands} at {speed:.1f} m/s",
    )


def _speed_mps(keyframes: list[Keyframe]) -> float | None:
    there = [(each.time_ns, each.shape.center) for each in keyframes if isinstance(each.shape, Cuboid)]
    if len(there) < 2 or there[-1][0] == there[0][0]:
        return None
    way = np.subtract(there[-1][1], there[0][1])
    return float(np.linalg.norm(way)) / (there[-1][0] - there[0][0]) * 1e9


@kind("coarse_span", error_type="granularity")
def coarse_span(snapshot: Snapshot, sample: Sample) -> Iterator[Place]:
    """A sound or what is seen of it is stretched over the whole of what there is; the other stays an event."""
    streams = streams_of(snapshot, sample)
    whole = _whole(snapshot, sample, streams)
    for link, labels in joined(snapshot, sample):
        if len(labels) != 2 or not all(map(is_span, labels)) or not _seen_and_heard(labels, streams):
            continue
        for label in labels:
            stream = stream_of(label, streams)
            if stream is not None:
                start_ns, end_ns = (stream.time_map.to_stream(each) for each in whole)
                yield partial(_stretch, label, max(start_ns, 0), end_ns, target_of(link))


def _seen_and_heard(labels: tuple[Annotation, ...], streams: dict[str, Stream]) -> bool:
    return any(lies_on(each, streams, StreamKind.AUDIO) for each in labels) and any(
        lies_on(each, streams, *PICTURES) for each in labels
    )


def _whole(snapshot: Snapshot, sample: Sample, streams: dict[str, Stream]) -> tuple[int, int]:
    """From the first to the last thing that is labelled, in session time."""
    times = []
    for label in snapshot.annotations(sample.id):
        stream = stream_of(label, streams)
        own = [each for each in (label.start_ns, label.end_ns) if each is not None]
        if label.track is not None:
            own = [each.time_ns for each in keyframes_of(snapshot, label)]
        times += own if stream is None else [stream.time_map.to_session(each) for each in own]
    return min(times, default=0), max(times, default=0)


def _stretch(
    label: Annotation, start_ns: int, end_ns: int, link: Target, rng: np.random.Generator, size: float
) -> Plant:
    del rng, size
    edit = Edit("annotation.set_interval", {"annotation": label.id, "start_ns": start_ns, "end_ns": end_ns})
    return Plant(edits=(edit,), items=(target_of(label), link), note="one label for all of it")
