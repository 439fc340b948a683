"""Relations that are wrong or gone: two things' views exchanged, a view missing, a sound that comes from nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise

import numpy as np

from workstation.core.annotation import Annotation, Entity, Link, TargetKind
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.sample import Sample, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.inject.joined import PICTURES, Joined, joined, lies_on, streams_of, target_of
from workstation.inject.kind import Edit, Place, Plant, kind
from workstation.inject.plan import Target


@kind("crossed_views", error_type="incorrect-pairing")
def crossed_views(snapshot: Snapshot, sample: Sample) -> Iterator[Place]:
    """The boxes of two things of one class in one picture are linked to each other's cuboids."""
    streams = streams_of(snapshot, sample)
    classes = {str(each.id): each.class_id for each in snapshot.entities(sample.id)}
    by_place: dict[tuple[str, str], list[tuple[Link, Annotation]]] = {}
    for link, labels in joined(snapshot, sample):
        if any(each.kind.value == "cuboid" for each in labels):
            for each in labels:
                if each.kind.value == "box" and lies_on(each, streams, *PICTURES):
                    key = (classes.get(str(each.entity), ""), str(each.stream))
                    by_place.setdefault(key, []).append((link, each))
    for found in by_place.values():
        for (link, box), (other_link, other) in pairwise(found):
            if link.id != other_link.id:
                yield partial(_cross, link, box, other_link, other)


def _cross(
    link: Link, box: Annotation, other_link: Link, other: Annotation, rng: np.random.Generator, size: float
) -> Plant:
    del rng, size
    edits = [
        Edit("link.retarget", {"link": link.id, "old": f"annotation:{box.id}", "new": f"annotation:{other.id}"}),
        Edit("link.retarget", {"link": other_link.id, "old": f"annotation:{other.id}", "new": f"annotation:{box.id}"}),
    ]
    if box.entity and other.entity:
        edits += [
            Edit("entity.attach", {"entity": other.entity, "annotations": [box.id]}),
            Edit("entity.attach", {"entity": box.entity, "annotations": [other.id]}),
        ]
    items = (target_of(link), target_of(other_link), target_of(box), target_of(other))
    return Plant(edits=tuple(edits), items=items, note="two things' views are exchanged")


@kind("lost_view", error_type="missing-reference")
def lost_view(snapshot: Snapshot, sample: Sample) -> Iterator[Place]:
    """A thing that is labelled in a picture loses its label in space, and nobody says why."""
    streams = streams_of(snapshot, sample)
    for link, labels in joined(snapshot, sample):
        solid = [each for each in labels if each.kind.value == "cuboid"]
        flat = [each for each in labels if lies_on(each, streams, *PICTURES)]
        if len(solid) == 1 and flat and solid[0].entity:
            yield partial(_lose, solid[0], flat, link)


def _lose(solid: Annotation, flat: list[Annotation], link: Link, rng: np.random.Generator, size: float) -> Plant:
    del rng, size
    edits = [Edit("annotation.delete", {"annotations": [solid.id], "links": "remove"})]
    if len(flat) > 1:
        ends = {"view": [f"annotation:{each.id}" for each in flat]}
        edits.append(Edit("link.add", {"type_id": link.type_id, "ends": ends, "state": "draft"}))
    items = (target_of(solid), *map(target_of, flat))
    return Plant(edits=tuple(edits), items=items, note="not labelled in space any more")


@kind("lost_source", error_type="missing-reference")
def lost_source(snapshot: Snapshot, sample: Sample) -> Iterator[Place]:
    """A sound is not linked any more to what makes it."""
    ontology = snapshot.ontology()
    streams = streams_of(snapshot, sample)
    for each in joined(snapshot, sample):
        heard = [label for label in each.labels if lies_on(label, streams, StreamKind.AUDIO)]
        if ontology is not None and len(heard) == 1 and _of_sound(ontology, each):
            yield partial(_remove, each.link, heard[0])


def _of_sound(ontology: CompiledOntology, each: Joined) -> bool:
    """A link from one sound to one thing that makes it."""
    roles = {end.role for end in each.link.ends}
    return "source" in roles and any(end.kind is TargetKind.ENTITY for end in each.link.ends)


def _remove(link: Link, heard: Annotation, rng: np.random.Generator, size: float) -> Plant:
    del rng, size
    return Plant(
        edits=(Edit("link.remove", {"links": [link.id]}),),
        items=(target_of(heard), target_of(link)),
        note="nothing makes this sound any more",
    )


@kind("wrong_word", error_type="incorrect-pairing")
def wrong_word(snapshot: Snapshot, sample: Sample) -> Iterator[Place]:
    """A phrase that means one thing is linked to a thing of another class."""
    classes = {str(each.id): each for each in snapshot.entities(sample.id)}
    for link in snapshot.links(sample.id):
        meant = [end for end in link.ends if end.kind is TargetKind.ENTITY and end.target in classes]
        phrases = [end for end in link.ends if end.role == "phrase"]
        if len(phrases) != 1 or len(meant) != 1:
            continue
        was = classes[meant[0].target]
        others = [each for each in classes.values() if each.class_id != was.class_id]
        if others:
            phrase = Target("annotation", phrases[0].target)
            yield partial(_mean, link, phrase, was, tuple(others))


def _mean(
    link: Link, phrase: Target, was: Entity, others: tuple[Entity, ...], rng: np.random.Generator, size: float
) -> Plant:
    del size
    other = others[int(rng.integers(len(others)))]
    said = {"link": link.id, "old": f"entity:{was.id}", "new": f"entity:{other.id}"}
    return Plant(
        edits=(Edit("link.retarget", said),),
        items=(target_of(link), phrase, target_of(was), target_of(other)),
        note=f"the words mean a {was.class_id} and are linked to a {other.class_id}",
    )
