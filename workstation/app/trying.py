"""A picture model tried on the picture that is looked at: for the window's dialog ``try_model``."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from workstation.app.class_maps import class_map
from workstation.app.known_models import picture_families
from workstation.app.model_devices import here, verdict_of
from workstation.app.models import try_on
from workstation.core.errors import UserError
from workstation.core.ontology_compile import CompiledOntology
from workstation.prelabel.api import BadOutput, FoundBox, Pixels
from workstation.prelabel.promptable_memory import FAMILY
from workstation.prelabel.shelf import Shelf, ShelvedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What it found, the surest first, with the class here that stands for each; and where it ran."""

    boxes: tuple[FoundBox, ...]
    classes: tuple[str, ...]
    device: str
    seconds: float


def why_not_tried(model: ShelvedModel) -> str:
    """Why this one is not tried on a picture; empty if it is."""
    if model.manifest.family in picture_families():
        return ""
    task = model.manifest.task.value
    if task == "promptable-seg":
        with_memory = model.manifest.family == FAMILY
        return f"{'Carry the mask on…' if with_memory else 'the tool Mask from a box or a click'} tries it"
    return f"models for {task} are tried by pre-labelling with them"


def tried(
    model: ShelvedModel, shelf: Shelf, picture: Pixels, ontology: CompiledOntology | None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Tried:  # fmt: skip
    """Run it once, on the device that proved itself. ``UserError`` says what is wrong with it."""
    shelf.check(model)
    try:
        verdict = verdict_of(model, here(), cancelled=cancelled)
        begun = time.monotonic()
        (found,) = try_on(model, [picture], verdict.provider)
    except BadOutput as problem:
        raise UserError(f"{model.manifest.id} answers what cannot be read: {problem}") from problem
    boxes = sorted(found, key=lambda each: -each.score)
    known = {} if ontology is None else class_map(model.manifest, ontology).known
    return Tried(
        boxes=tuple(boxes), classes=tuple(known.get(each.label, "") for each in boxes), device=verdict.words,
        seconds=time.monotonic() - begun,
    )  # fmt: skip
