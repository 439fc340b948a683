"""The type module of pre-labelling jobs: what a labeller of one sort of stream is given, and what it answers.

A labeller runs models over one stream and answers chunks in the order of the stream; it writes nothing. One that looks
at what is labelled (turns, boxes) reads it for itself, through ``label_records.py``. ``prelabelling.py`` stores each
chunk as proposals with their provenance and remembers how far it came. A module that holds a ``LABELLER`` and stands in
``LABELLERS`` takes part.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from workstation.core.errors import UserError
from workstation.core.sample import Stream, StreamKind
from workstation.prelabel.api import Task
from workstation.prelabel.shelf import ShelvedModel

LABELLERS: tuple[str, ...] = (
    "workstation.app.label_pictures",
    "workstation.app.label_sounds",
    "workstation.app.label_speakers",
    "workstation.app.label_events",
    "workstation.app.label_texts",
    "workstation.app.label_lidar",
    "workstation.app.label_masks",
)
"""Modules with a ``LABELLER``, imported when a job is planned."""

FAMILY_LABELLERS: Mapping[str, str] = {
    "outside": "workstation.app.label_outside",
    "optical-flow": "workstation.app.label_flow",
    "lidar-frustums": "workstation.app.label_frustums",
}
"""Families that a module runs by itself, whatever else is for their task."""


@dataclass(frozen=True, slots=True)
class SpeakerOf:
    """What somebody who speaks is in the ontology: a class, and the roles of voice and person in the link that says who
    speaks; ``None`` where there is no such link, so that the voice itself belongs to the person."""

    class_id: str
    roles: tuple[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One model over one stream: a plain value, so that it can be worked on elsewhere."""

    job: str
    """The same for the same model, parameters and stream: what is resumed by."""
    model: ShelvedModel
    providers: tuple[str, ...]
    """The device proven best, then what to fall back to."""
    project: Path
    sample: str
    stream: Stream
    classes: Mapping[str, str]
    """Label of the model -> class of the ontology. What is not in it is counted and left out."""
    options: Mapping[str, str | bool | int | float] = field(default_factory=dict)
    position: int = 0
    """Where to go on: what the last stored chunk said."""
    threads: int = 0
    """Of the processor for the model; 0 leaves one core to the interface."""
    kept: tuple[bytes, ...] = ()
    """What the stored chunks kept for this, in their order."""
    beside: tuple[ShelvedModel, ...] = ()
    """Models of the same job that this one may lean on, as a recogniser on a voice detector."""
    speaker: SpeakerOf | None = None
    """What speakers are here, where a model of the job tells voices apart."""
    layer: str = "main"
    """Where its proposals go."""
    trusted: bool = False
    """Whether a person said that this model may run code of its own."""
    other_language: str = ""
    """The attribute that says which other language a turn is in; empty where its class has none."""


@dataclass(frozen=True, slots=True)
class LinkTo:
    """A link proposed between what a call makes and the entity it names: the roles of both, and why."""

    type_id: str
    role: str
    entity_role: str
    evidence: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Call:
    """One command that makes a proposal; sample, state and source are added when it is stored."""

    command: str
    arguments: Mapping[str, Any]
    entity: tuple[str, str] | None = None
    """Class and name of the one it shows, which is made where the sample has none of that name."""
    link: LinkTo | None = None
    """Says that what is made and the entity belong together, where it is not the entity itself that is shown."""
    parameters: Mapping[str, str | bool | int | float] = field(default_factory=dict)
    """What this one came from, beside what the whole job was told: part of its provenance."""
    called: str = ""
    """What the model itself calls it, where a class of the ontology stands for that: kept in its provenance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """What was found in a part of the stream. ``position`` is where to go on once it is stored."""

    position: int
    done: int
    total: int
    calls: tuple[Call, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Labels that no class stands for, and how often they were found."""
    notes: tuple[str, ...] = ()
    kept: bytes = b""
    """What a later run needs to go on; derived data."""


class Labeller(Protocol):
    """Runs models of some tasks over streams of some kinds."""

    tasks: frozenset[Task]
    kinds: frozenset[StreamKind]
    follows_labels: bool
    """Whether it looks at what is labelled, so that a job that once was finished has something to do again."""

    def chunks(self, assignment: Assignment, cancelled: Callable[[], bool]) -> Iterator[Chunk]:
        """In the order of the stream, from ``assignment.position`` on."""
        ...


def is_run_by_jobs(model: ShelvedModel) -> bool:
    """Whether there is a labeller for it; others serve tools and checks."""
    try:
        labeller_for(model.manifest.task, model.manifest.family)
    except UserError:
        return False
    return True


def labeller_for(task: Task, family: str = "") -> Labeller:
    """The labeller of a task, or of a family that has one of its own."""
    own = FAMILY_LABELLERS.get(family)
    for name in LABELLERS if own is None else (own,):
        found: Labeller = importlib.import_module(name).LABELLER
        if task in found.tasks:
            return found
    raise UserError(f"models for {task.value} are not run by prelabel yet")
