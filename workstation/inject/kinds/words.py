"""Words that tell of what is not there. The text of the copy gets a file of its own; the original stays."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from workstation.core.ontology_compile import CompiledOntology
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.inject.kind import Place, Plant, kind
from workstation.inject.plan import Target

_SENTENCES = {"en": "There is also a {}.", "de": "Da ist auch ein {}."}


@kind("invented_thing", error_type="hallucination")
def invented_thing(snapshot: Snapshot, sample: Sample) -> Iterator[Place]:
    """A text gets one more sentence, about a thing that nobody labelled anywhere in the sample."""
    ontology = snapshot.ontology()
    if ontology is None:
        return
    there = {each.class_id for each in snapshot.entities(sample.id)}
    lines = {each: _line(ontology, each) for each in ontology.classes}
    roots = {lines[each][-1] for each in there if each in lines}
    said = {each.class_id for each in snapshot.annotations(sample.id)} | there
    for stream in snapshot.streams(sample.id):
        if stream.kind is StreamKind.TEXT and stream.language in _SENTENCES:
            words = {
                names[stream.language].casefold()
                for each, names in ((one.id, one.names) for one in ontology.classes.values())
                if stream.language in names
                and lines[each][-1] in roots
                and len(lines[each]) > 1
                and not any(each in lines.get(other, ()) or other in lines[each] for other in said if other)
                and ontology.shapes_for(each, StreamKind.IMAGE)
            }
            if words:
                yield partial(_tell, stream, tuple(sorted(words)))


def _line(ontology: CompiledOntology, class_id: str) -> list[str]:
    """The class and all above it."""
    found: list[str] = []
    at: str | None = class_id
    while at is not None and at in ontology.classes and at not in found:
        found.append(at)
        at = ontology.classes[at].parent
    return found


def _tell(stream: Stream, words: tuple[str, ...], rng: np.random.Generator, size: float) -> Plant:
    del size
    word = str(rng.choice(words))
    return Plant(
        items=(Target("stream", stream.id),),
        text=(stream.id, _SENTENCES[stream.language].format(word)),
        note=f"tells of a {word}",
    )
