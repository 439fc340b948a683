"""Links from outside that join labels of different samples: refused by the gate, kept aside, and named here."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from workstation.core.annotation import Annotation
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.sample import Parked, ParkedState, Sample
from workstation.core.snapshot import Snapshot
from workstation.qa.findings import Fault, rule
from workstation.qa.rules.items import annotation_item, class_of, judged_annotations, streams_by_id

_MOST_BYTES = 1 << 20


@rule(
    "delivered.other_sample",
    error_type=ErrorType.INCORRECT_PAIRING,
    severity=Severity.ERROR,
    looks_at={RecordKind.PARKED},
)
def other_sample(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A link that was delivered joins a label of this sample with one of another sample; it is parked. Each label may
    be right by itself. The finding names both, and the label of this sample that stands where the other one does.
    """
    streams = streams_by_id(snapshot, sample)
    for record in snapshot.records(RecordKind.PARKED, sample=sample.id):
        if not isinstance(record, Parked) or record.state is not ParkedState.OPEN:
            continue
        ends = ends_of(snapshot, record)
        own = [each for each in ends if each.sample == sample.id]
        for other in (each for each in ends if each.sample != sample.id) if own else ():
            owner = snapshot.get(RecordKind.SAMPLE, other.sample)
            key = owner.key if isinstance(owner, Sample) else other.sample
            places = streams_by_id(snapshot, owner) if isinstance(owner, Sample) else {}
            there = annotation_item(other, places, class_of(snapshot, other))
            names = [annotation_item(each, streams, class_of(snapshot, each)) for each in own]
            right = _in_its_place(snapshot, sample, other, own)
            partner = None if right is None else annotation_item(right, streams, class_of(snapshot, right))
            yield Fault(
                text=f"a link of {record.origin} joins {names[0].label} with {there.label} of {key}"
                + ("" if partner is None else f" instead of {partner.label}"),
                items=(*names, there, *(() if partner is None else (partner,))),
                measured=key,
                limit=sample.key,
                suggestion=(
                    "see which belongs there" if partner is None else f"link it to {partner.label} {partner.id}"
                )
                + ", and discard the parked record (parked.discard)",
                aspect=record.id,
            )


def ends_of(snapshot: Snapshot, record: Parked) -> list[Annotation]:
    """The labels that a parked link joins, where it names records of this project; none if it is something else."""
    if record.kind != RecordKind.LINK.value or len(record.payload) > _MOST_BYTES:
        return []
    try:
        said = _READ.decode(record.payload)
    except (msgspec.DecodeError, RecursionError):
        return []  # it stays parked, and ontology.parked says so
    found = (snapshot.get(RecordKind.ANNOTATION, each.target) for each in said.ends)
    return [each for each in found if isinstance(each, Annotation)]


class _End(msgspec.Struct, frozen=True):
    target: str = ""


class _Ends(msgspec.Struct, frozen=True):
    ends: tuple[_End, ...] = ()


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.json.Decoder(_Ends)


def _in_its_place(snapshot: Snapshot, sample: Sample, other: Annotation, own: list[Annotation]) -> Annotation | None:
    """The only label of this sample of the same shape on a stream of the same name."""
    foreign = None if other.stream is None else snapshot.get(RecordKind.STREAM, other.stream)
    streams = {each.id for each in snapshot.streams(sample.id) if each.key == getattr(foreign, "key", None)}
    taken = {each.id for each in own}
    found = [
        each
        for each in judged_annotations(snapshot, sample)
        if each.stream in streams and each.kind is other.kind and each.id not in taken
    ]
    return found[0] if len(found) == 1 else None
