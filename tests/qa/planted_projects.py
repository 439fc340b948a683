"""Generated scenes as projects, in any planted variant: what is wrong with them is known by design."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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

_OPTIONS: dict[str, dict[str, Any]] = {
    "scene": {"options": SceneOptions(width=480, height=360)},
    "clip": {"options": ClipOptions(scale=0.25)},
    "talk": {"options": TalkOptions(scale=0.5)},
    "ct": {"options": CtOptions()},
    "robot": {"options": RobotOptions(scale=0.25)},
}
_MAKERS: dict[str, Callable[..., Truth]] = {
    "scene": scene, "clip": clip, "talk": talk, "ct": ct, "robot": robot, "shop": shop, "batch": batch,
}  # fmt: skip


def _into(session: Session, name: str, made: Truth) -> None:
    if name == "clip":
        add_generated(session, made, demo_clip.label, texts=demo_clip.captions_of(made))
    elif name in ("talk", "ct", "robot"):
        add_generated(session, made, {"talk": demo_talk, "ct": demo_ct, "robot": demo_robot}[name].label)
    else:
        {"scene": demo_pictures, "shop": demo_shop, "batch": demo_batch}[name].build(session, made)


class Planted:
    """Makes each fixture's media once, and a project of a variant when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._projects: dict[tuple[str, str], tuple[Truth, Path]] = {}

    def project(self, name: str, variant: str = "clean") -> tuple[Truth, Path]:
        """What was planted, and the project that holds it."""
        if (name, variant) not in self._projects:
            made = _MAKERS[name](self._folder / name, variant=variant, **_OPTIONS.get(name, {}))
            demo = SCENES[name]
            own = str(resource(*demo.ontology)) if demo.ontology else None
            project = new_project(
                self._folder / f"{name}-{variant}", name=name, profile=demo.profile, ontology=own, in_force=True,
                person="Ana",
            )  # fmt: skip
            with open_project(project, kind=ActorKind.IMPORT, tool="demo") as session:
                _into(session, name, made)
            self._projects[name, variant] = made, project
        return self._projects[name, variant]

    @contextmanager
    def opened(self, name: str, variant: str = "clean") -> Iterator[Session]:
        """The project, for writing by whoever labels."""
        with open_project(self.project(name, variant)[1], person="Ana") as session:
            yield session


def checked(project: Path, *only: str) -> tuple[list[tuple[str, Finding]], list[str]]:
    """Everything that rules find in a project, with the sample's key ("" for the project), and what did not run."""
    with open_project(project, read_only=True) as session:
        run = Validation(session.store, only=only, evidence=media_evidence(session.store, session.project))
        found = [("" if sample is None else sample.key, each) for sample, some in run.findings() for each in some]
        return found, [f"{each.rule}: {each.reason}" for each in run.summary().not_run]
