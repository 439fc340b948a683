"""What a pre-labelling job is told beside the model's own thresholds, and what its labels mean in the ontology. Asked
by ``prelabelling.plan``; the options are part of the provenance, and of what makes a job the same job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from workstation.app.builtin_models import FLOW
from workstation.app.class_maps import class_map
from workstation.app.label_voices import SPEAKER
from workstation.app.labellers import SpeakerOf
from workstation.app.transcript import SPEAKS
from workstation.core.annotation import TargetKind
from workstation.core.geometry import ShapeKind
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.ontology_links import EndView
from workstation.core.proposals import OTHER_LANGUAGE
from workstation.core.sample import StreamKind
from workstation.prelabel.api import Task
from workstation.prelabel.shelf import ShelvedModel

BY_LOOKS = "deepsort"
"""The tracker that compares looks."""
COLOURS = "colours"
"""What stands in the provenance where no model told looks."""
Options = dict[str, str | bool | int | float]
_FLAT = frozenset({Task.DETECT, Task.INSTANCE_SEG})
_HEARD = frozenset({Task.ASR, Task.SPEAKER_EMBED})


class Wishes(Protocol):
    """The part of a wish that options come from."""

    @property
    def every(self) -> int: ...
    @property
    def tracker(self) -> str: ...
    @property
    def speakers(self) -> int: ...
    @property
    def frames(self) -> int: ...


def options_of(wish: Wishes, model: ShelvedModel, models: Sequence[ShelvedModel]) -> Options:
    """Of one model among those of the job; only what it listens to, so that nothing else makes it another job."""
    task, family = model.manifest.task, model.manifest.family
    if family == FLOW:
        return {"frames": wish.frames}
    if task in _FLAT:
        told: Options = {"every": wish.every, "tracker": wish.tracker}
        if wish.tracker == BY_LOOKS:
            looks = model_of_looks(models)
            told["looks"] = COLOURS if looks is None else _named(looks)
        return told
    if task is Task.LIDAR_DETECT:
        return {"every": wish.every}
    return _heard(wish, model, models) if task in _HEARD else {}


def _heard(wish: Wishes, model: ShelvedModel, models: Sequence[ShelvedModel]) -> Options:
    told: Options = {}
    detector = first_for(Task.VAD, models)
    if detector is not None:
        told["voice_detector"] = _named(detector)
    encoder = first_for(Task.SPEAKER_EMBED, models)
    if encoder is not None and encoder is not model:
        told["speaker_encoder"] = _named(encoder)
    if encoder is not None and wish.speakers:
        told["speakers"] = wish.speakers
    return told


def first_for(task: Task, models: Sequence[ShelvedModel]) -> ShelvedModel | None:
    """The first of these for a task."""
    return next((each for each in models if each.manifest.task is task), None)


def model_of_looks(models: Sequence[ShelvedModel]) -> ShelvedModel | None:
    """The first that tells things apart by their looks."""
    return first_for(Task.REID, models)


def _named(model: ShelvedModel) -> str:
    return f"{model.manifest.id} {model.manifest.version} {model.manifest.weights_sha256}"


def other_language_of(ontology: CompiledOntology, class_id: str | None) -> str:
    """The attribute for a second language, where turns of the class may carry it."""
    if class_id is None or OTHER_LANGUAGE not in {each.id for each in ontology.attributes_of(class_id)}:
        return ""
    return OTHER_LANGUAGE


def speaker_of_job(
    ontology: CompiledOntology, models: Sequence[ShelvedModel], classes: Mapping[str, str], said: str
) -> SpeakerOf | None:  # fmt: skip
    """What speakers are here, where a model of the job tells voices apart: their class, and the roles of the link that
    says who speaks, if the ontology has one for what the voice is labelled as (``said``)."""
    encoder = first_for(Task.SPEAKER_EMBED, models)
    class_id = None if encoder is None else class_map(encoder.manifest, ontology).known.get(SPEAKER)
    if class_id is None:
        return None
    voice = EndView(
        role="", kind=TargetKind.ANNOTATION, target="voice", shape_kind=ShapeKind.SPAN, class_id=classes.get(said),
        stream_kind=StreamKind.AUDIO.value,
    )  # fmt: skip
    who = EndView(role="", kind=TargetKind.ENTITY, target="who", class_id=class_id)
    legal = [each for each in ontology.link_types_for((voice, who)) if each.link_type.id == SPEAKS]
    return SpeakerOf(class_id, (legal[0].roles[0], legal[0].roles[1]) if legal else None)
