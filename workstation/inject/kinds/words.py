"""Words that tell of what is not there. The text of the copy gets a file of its own; the original stays."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from workstation.core.annotation import Annotation
from workstation.core.geometry import TextSpan
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.inject.joined import target_of
from workstation.inject.kind import Edit, Place, Plant, kind
from workstation.inject.plan import Target

_LONG = 12
_SENTENCES = {"en": "There is also a {}.", "de": "Da ist auch ein {}."}


@kind("invented_thing", error_type="hallucination")
def invented_thing(snapshot: Snapshot, sample: Sample) -> Iterator[Place]:
    """A caption gets one more sentence, about a thing that nobody labelled anywhere in the sample."""
    ontology = snapshot.ontology()
    if ontology is None:
        return
    there = {each.class_id for each in snapshot.entities(sample.id)}
    lines = {each: _line(ontology, each) for each in ontology.classes}
    inner = {each.parent for each in ontology.classes.values()}
    roots = {lines[each][-1] for each in there if each in lines}
    said = {each.class_id for each in snapshot.annotations(sample.id)} | there
    for stream in snapshot.streams(sample.id):
        captions = [each for each in snapshot.annotations(sample.id) if each.stream == stream.id and _is_whole(each)]
        if stream.kind is not StreamKind.TEXT or stream.language not in _SENTENCES or not captions:
            continue
        words = {
            one.names[stream.language].casefold()
            for one in ontology.classes.values()
            if stream.language in one.names
            and lines[one.id][-1] in roots
            and one.id not in inner
            and not any(one.id in lines.get(each, ()) or each in lines[one.id] for each in said if each)
            and ontology.shapes_for(one.id, StreamKind.IMAGE)
        }
        if words:
            yield partial(_tell, stream, captions[0], tuple(sorted(words)))


def _is_whole(label: Annotation) -> bool:
    """A span over a text from its beginning: the caption itself, not one of its words."""
    shape = label.shape
    return isinstance(shape, TextSpan) and shape.of is None and shape.parts[0][0] == 0 and len(shape.quote) > _LONG


def _line(ontology: CompiledOntology, class_id: str) -> list[str]:
    """The class and all above it."""
    found: list[str] = []
    at: str | None = class_id
    while at is not None and at in ontology.classes and at not in found:
        found.append(at)
        at = ontology.classes[at].parent
    return found


def _tell(stream: Stream, caption: Annotation, words: tuple[str, ...], rng: np.random.Generator, size: float) -> Plant:
    del size
    word = str(rng.choice(words))
    assert isinstance(caption.shape, TextSpan)
    more = _SENTENCES[stream.language].format(word)
    told = f"{caption.shape.quote} {more}"
    shape = {"kind": "text_span", "parts": [[0, len(told)]], "quote": told}
    return Plant(
        edits=(Edit("annotation.set_shape", {"annotation": caption.id, "shape": shape}),),
        items=(target_of(caption), Target("stream", stream.id)),
        text=(stream.id, more),
        note=f"tells of a {word}",
    )
