"""Whether people work under the guideline in force."""

from __future__ import annotations

from collections.abc import Iterator

from workstation.core.findings import Item
from workstation.core.guideline import newest, people_behind
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.sample import Acknowledgement, Guideline, Sample
from workstation.core.snapshot import Snapshot
from workstation.qa.findings import CannotRunError, Fault, rule


@rule(
    "guideline.acknowledged",
    error_type=ErrorType.SEMANTIC_DRIFT,
    severity=Severity.WARNING,
    per_sample=False,
    per_project=True,
)
def acknowledged(snapshot: Snapshot, _sample: Sample | None) -> Iterator[Fault]:
    """Somebody who works in the project has not read the newest version of the guideline."""
    guidelines = [each for each in snapshot.records(RecordKind.GUIDELINE) if isinstance(each, Guideline)]
    read = [each for each in snapshot.records(RecordKind.ACKNOWLEDGEMENT) if isinstance(each, Acknowledgement)]
    current = newest(guidelines)
    if current is None:
        raise CannotRunError("the project has no guideline yet")
    for person, number in people_behind(snapshot.people(), guidelines, read):
        last = f"the last one read is {number}" if number else "none read yet"
        yield Fault(
            text=f"{person.name} has not acknowledged version {current.number} of the guideline ({last})",
            items=(Item(RecordKind.PERSON.value, person.id, person.name),),
            measured=float(number),
            limit=float(current.number),
            suggestion="read the changed sections and acknowledge them (guideline.acknowledge)",
            aspect=str(current.number),
        )
