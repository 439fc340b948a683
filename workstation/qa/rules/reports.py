"""Sentences of a report beside the region they speak of: kind, size and side; and densities beside the voxels.

Compared is what a ``finding`` link joins; the size is that of the measurements of the region's entity, else of the
region itself. This orders labels; it is no medical advice.
"""

from __future__ import annotations

from collections.abc import Iterator

from workstation.core.annotation import Annotation, Entity, Link, TargetKind
from workstation.core.findings import Item
from workstation.core.geometry import Cuboid, Measurement
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.sample import Sample, Stream, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import LENGTH_TOLERANCE, named_limit
from workstation.core.wording import lengths_in, sides_in
from workstation.qa.findings import LABEL_KINDS, Fault, Reach, Sees, rule
from workstation.qa.rules.items import annotation_item, class_of, judged_annotations, ontology_of, streams_by_id
from workstation.qa.rules.said import annotation_at, language_of, standing_links, text_of, wording_of

FINDING, MEASURES = "finding", "measures"
LENGTH_MM, RELATIVE = 2.0, 0.1
SIDE = "side"
DENSITY_HU, AROUND_MM = 100.0, 2.0
_MM = {"mm": 1.0, "cm": 10.0, "m": 1000.0}


@rule("reports.size", error_type=ErrorType.SEMANTIC, severity=Severity.ERROR, looks_at=LABEL_KINDS,
      sees=Sees(labels=(), links=frozenset({FINDING, MEASURES})),
      limit="the link type's length_mm or relative_length, whichever is more", unit="mm")  # fmt: skip
def size(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A sentence states another size than was measured of the finding it speaks of: 3.2 cm for 23 mm.

    Allowed are 2 mm or a tenth, as the link type says, or the project's tolerance ``length_mm``.
    """
    for link, sentence, region, entity in _spoken_of(snapshot, sample):
        stated = lengths_in(text_of(sentence))
        measured = _size_mm(snapshot, sample, region, entity)
        if not stated or measured is None:
            continue
        kind = ontology_of(snapshot).link_types.get(link.type_id)
        tolerance = {} if kind is None else kind.tolerance
        usual = max(tolerance.get("length_mm", LENGTH_MM), tolerance.get("relative_length", RELATIVE) * measured)
        limit = named_limit(snapshot.project(), LENGTH_TOLERANCE, usual)
        nearest = min(stated, key=lambda each: abs(each.mm - measured))
        off = abs(nearest.mm - measured)
        if off > limit + 1e-9:
            yield _fault(
                snapshot, sample, sentence, region,
                f"the report says {nearest.quote}, the region measures {measured:.4g} mm",
                measured=round(off, 2), limit=round(limit, 2),
                suggestion=f"correct the report to {measured / 10:.2g} cm, or measure again", aspect="size",
            )  # fmt: skip


@rule("reports.side", error_type=ErrorType.SEMANTIC, severity=Severity.ERROR, looks_at=LABEL_KINDS, reach=Reach.NEAR)
def side(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A sentence names the other side of the patient than the finding it speaks of is on."""
    for _, sentence, region, entity in _spoken_of(snapshot, sample):
        language = language_of(snapshot, sentence, ontology_of(snapshot))
        stated = {each.option for each in sides_in(text_of(sentence), language)}
        shown = str((entity.attributes if entity is not None else region.attributes).get(SIDE, ""))
        if len(stated) == 1 and shown in ("left", "right") and shown not in stated:
            (said,) = stated
            yield _fault(
                snapshot, sample, sentence, region, f"the report says {said}, the region lies {shown}",
                measured=said, limit=shown, suggestion="correct the report, or the side of the finding", aspect="side",
            )  # fmt: skip


@rule("reports.kind", error_type=ErrorType.SEMANTIC, severity=Severity.ERROR, looks_at=LABEL_KINDS, reach=Reach.NEAR)
def kind(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A sentence calls a finding by the word of another kind than the region's: cyst for a nodule."""
    ontology = ontology_of(snapshot)
    wording = wording_of(ontology)
    for _, sentence, region, _ in _spoken_of(snapshot, sample):
        class_id = class_of(snapshot, region)
        if class_id not in ontology.classes:
            continue
        language = language_of(snapshot, sentence, ontology)
        named = [each for each in wording.classes_in(text_of(sentence), language) if not each.negated]
        wrong = [each for each in named if wording.contradicts(each, class_id, language)]
        if not any(wording.fits(each, class_id) and each not in wrong for each in named) and wrong:
            yield _fault(
                snapshot, sample, sentence, region,
                f"the report calls it '{wrong[0].quote}', the region is labelled {class_id}",
                measured=wrong[0].quote, limit=class_id,
                suggestion="correct the report, or the class of the finding", aspect="kind",
            )  # fmt: skip


@rule("reports.density", error_type=ErrorType.SEMANTIC, severity=Severity.ERROR, limit=DENSITY_HU, unit="HU",
      looks_at=LABEL_KINDS, reach=Reach.NEAR)  # fmt: skip
def density(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A density that was measured is not that of the voxels at its place, within 2 mm: the series may be mirrored, or
    the mark lies elsewhere.
    """
    import numpy as np

    streams = streams_by_id(snapshot, sample)
    for label in judged_annotations(snapshot, sample):
        shape, stream = label.shape, streams.get(label.stream or "")
        if stream is None or stream.kind is not StreamKind.VOLUME or not isinstance(shape, Measurement):
            continue
        if shape.unit != "HU" or not shape.points or len(shape.points[0]) != 3:
            continue
        x, y, z = np.mean(np.array(shape.points), axis=0).tolist()
        values = snapshot.evidence(sample.id).voxels(stream, (x, y, z), AROUND_MM)
        if not len(values):
            continue
        found = float(np.median(values))
        if abs(found - shape.value) > DENSITY_HU:
            yield Fault(
                text=f"a density of {shape.value:.0f} HU is stated where {stream.key} holds {found:.0f} HU",
                items=(annotation_item(label, streams), Item(RecordKind.STREAM.value, stream.id, stream.key),
                       *_measured_thing(snapshot, label)),
                measured=round(abs(found - shape.value), 1),
                suggestion="see whether the series is mirrored or the mark misplaced, and measure again",
            )  # fmt: skip


def _fault(
    snapshot: Snapshot, sample: Sample, sentence: Annotation, region: Annotation, text: str, *,
    measured: float | str, limit: float | str, suggestion: str, aspect: str,
) -> Fault:  # fmt: skip
    streams = streams_by_id(snapshot, sample)
    items = annotation_item(sentence, streams), annotation_item(region, streams, class_of(snapshot, region))
    return Fault(text=text, items=items, measured=measured, limit=limit, suggestion=suggestion, aspect=aspect)


def _spoken_of(snapshot: Snapshot, sample: Sample) -> Iterator[tuple[Link, Annotation, Annotation, Entity | None]]:
    """Sentences with the regions they are linked to."""
    streams = streams_by_id(snapshot, sample)
    for link in standing_links(snapshot, sample, (FINDING,)):
        ends = [found for end in link.ends if (found := annotation_at(snapshot, end)) is not None]
        sentences = [each for each in ends if text_of(each) and not _is_region(each, streams)]
        for sentence in sentences:
            for region in (each for each in ends if _is_region(each, streams)):
                entity = None if region.entity is None else snapshot.get(RecordKind.ENTITY, region.entity)
                yield link, sentence, region, entity if isinstance(entity, Entity) else None


def _is_region(label: Annotation, streams: dict[str, Stream]) -> bool:
    stream = streams.get(label.stream or "")
    return stream is not None and stream.kind in (StreamKind.VOLUME, StreamKind.IMAGE)


def _size_mm(snapshot: Snapshot, sample: Sample, region: Annotation, entity: Entity | None) -> float | None:
    """The largest length that was measured of the finding, else the largest edge of its cuboid."""
    wanted = {region.id} if entity is None else {region.id, entity.id}
    lengths = []
    for link in standing_links(snapshot, sample, (MEASURES,)):
        if any(end.target in wanted for end in link.ends):
            for end in link.ends:
                label = annotation_at(snapshot, end)
                if label is not None and isinstance(label.shape, Measurement) and label.shape.unit in _MM:
                    lengths.append(label.shape.value * _MM[label.shape.unit])
    if isinstance(region.shape, Measurement) and region.shape.unit in _MM:
        lengths.append(region.shape.value * _MM[region.shape.unit])
    if lengths:
        return max(lengths)
    return max(region.shape.size) if isinstance(region.shape, Cuboid) else None


def _measured_thing(snapshot: Snapshot, label: Annotation) -> Iterator[Item]:
    for link in snapshot.links_of(label.id):
        for end in link.ends:
            if link.type_id == MEASURES and end.kind is TargetKind.ENTITY:
                entity = snapshot.get(RecordKind.ENTITY, end.target)
                if isinstance(entity, Entity):
                    yield Item(RecordKind.ENTITY.value, entity.id, entity.class_id)
