"""Generated scenes as projects, in any planted variant: what is wrong with them is known by design."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from workstation.app import demo_batch, demo_clip, demo_ct, demo_pictures, demo_robot, demo_shop, demo_talk
from workstation.app.demo import SCENES
from workstation.app.demo_generated import add_generated
from workstation.app.evidence import media_evidence
from workstation.app.opening import new_project, open_project
from workstation.app.resources import resource
from workstation.app.session import Session
from workstation.app.validation import Validation
from workstation.core.findings import Finding
from workstation.core.rights import ActorKind
from workstation.synth.batch import batch
from workstation.synth.clip import ClipOptions, clip
from workstation.synth.ct import CtOptions, ct
from workstation.synth.pictures import SceneOptions, scene
from workstation.synth.robot import RobotOptions, robot
from workstation.synth.shop import shop
from workstation.synth.talk import TalkOptions, talk
from workstation.synth.truth import Truth

Maker = Callable[..., Truth]
FIXTURES: dict[str, tuple[Maker, dict[str, Any]]] = {
    "scene": (scene, {"options": SceneOptions(width=160, height=120)}),
    "clip": (clip, {"options": ClipOptions(scale=0.25)}),
    "talk": (talk, {"options": TalkOptions(scale=0.25)}),
    "ct": (ct, {"options": CtOptions(size=96, spacing_mm=3.5, slices=24, slice_mm=9.0)}),
    "robot": (robot, {"options": RobotOptions(scale=0.5)}),
    "shop": (shop, {}),
    "batch": (batch, {}),
}
"""With the options that other tests make them with, so that a run makes their media once."""


class PlantedProjects:
    """Makes a project of a fixture's variant when it is asked for; all of a fixture share its media."""

    def __init__(self, folder: Path, made_once: Maker) -> None:
        self._folder = folder
        self._made_once = made_once
        self._projects: dict[tuple[str, str], Path] = {}

    def __call__(self, name: str, variant: str = "clean") -> Path:
        """The project that holds the variant as it was delivered."""
        if (name, variant) not in self._projects:
            make, options = FIXTURES[name]
            made = self._made_once(make, **options)
            if variant != "clean":
                made = make(made.folder, variant=variant, **options)
            demo = SCENES[name]
            project = new_project(
                self._folder / f"{name}-{variant}",
                name=name,
                profile=demo.profile,
                ontology=str(resource(*demo.ontology)) if demo.ontology else None,
                in_force=True,
                person="Ana",
            )
            with open_project(project, kind=ActorKind.IMPORT, tool="demo") as session:
                _into(session, name, made)
            self._projects[name, variant] = project
        return self._projects[name, variant]


def _into(session: Session, name: str, made: Truth) -> None:
    if name == "clip":
        add_generated(session, made, demo_clip.label, texts=demo_clip.captions_of(made))
    elif name == "talk":
        add_generated(session, made, demo_talk.label)
    elif name == "ct":
        add_generated(session, made, demo_ct.label)
    elif name == "robot":
        add_generated(session, made, demo_robot.label)
    else:
        {"scene": demo_pictures.build, "shop": demo_shop.build, "batch": demo_batch.build}[name](session, made)


def checked(project: Path, *only: str) -> tuple[list[tuple[str, Finding]], list[str]]:
    """Everything that rules find in a project, with the sample's key ("" for the project), and what did not run."""
    with open_project(project, read_only=True) as session:
        run = Validation(session.store, only=only, evidence=media_evidence(session.store, session.project))
        found = [("" if sample is None else sample.key, each) for sample, some in run.findings() for each in some]
        return found, [f"{each.rule}: {each.reason}" for each in run.summary().not_run]
