"""What is labelled in a sample, for labellers that start from it: turns to look for names in, boxes to make masks of.

Read on the labeller's own thread through a connection of its own, as of the moment it begins; nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from workstation.app.labellers import Assignment
from workstation.app.opening import open_project
from workstation.app.sample_view import SampleView
from workstation.core.annotation import Annotation, SourceKind, State
from workstation.core.ids import SampleId

MAIN = "main"
"""The layer people work in."""


@contextmanager
def labelled(assignment: Assignment) -> Iterator[SampleView]:
    """The sample of an assignment."""
    with open_project(assignment.project, read_only=True) as session:
        yield SampleView(session.store, SampleId(assignment.sample))


def looked_at(assignment: Assignment, view: SampleView) -> list[Annotation]:
    """What a labeller may start from on its stream, oldest first: nothing rejected, nothing that this model said
    itself, and only the layer people work in and the one the job writes to. What others keep as truth stays unread."""
    name, layers = assignment.model.manifest.id, {MAIN, assignment.layer}
    return [
        each
        for each in sorted(view.annotations_of(assignment.stream.id), key=lambda label: label.id)
        if each.state is not State.REJECTED
        and each.layer in layers
        and not (each.source.kind is SourceKind.MODEL and each.source.name == name)
    ]
