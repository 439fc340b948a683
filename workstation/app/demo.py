"""The demo projects that come with the program, made whole or not at all. Called by ``workstation demo``."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workstation.app import demo_drive, demo_generated
from workstation.app.demo_source import Source
from workstation.app.folders import usual_projects_folder
from workstation.app.opening import new_project, open_project
from workstation.app.resources import resource
from workstation.app.session import Session
from workstation.core.errors import DataError, UserError
from workstation.core.rights import ActorKind
from workstation.store.place import project_folder

Build = Callable[[Session], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One demo: what it shows, which ontology it is labelled with, and how its sample is built."""

    name: str
    title: str
    profile: str
    sample: str
    build: Build


@dataclass(frozen=True, slots=True)
class Made:
    """Where the demo is, and whether it was there already."""

    folder: Path
    scene: Scene
    new: bool


def _build_drive(session: Session) -> None:
    demo_drive.build(session, Source(resource("demo", "sf_drive")), copy=_copy)


def _build_talk(session: Session) -> None:
    from workstation.synth.talk import talk

    demo_generated.build(session, talk)


def _build_clip(session: Session) -> None:
    from workstation.synth.clip import clip

    demo_generated.build(session, clip)


def _build_ct(session: Session) -> None:
    from workstation.synth.ct import ct

    demo_generated.build(session, ct)


def _build_robot(session: Session) -> None:
    from workstation.synth.robot import robot

    demo_generated.build(session, robot)


SCENES: dict[str, Scene] = {
    scene.name: scene
    for scene in (
        Scene(
            name="drive",
            title="A real drive: four cameras, LiDAR, GPS, poses, commentary",
            profile="driving",
            sample=demo_drive.KEY,
            build=_build_drive,
        ),
        Scene(
            name="talk",
            title="A generated talk: two faces, their voices, their words",
            profile="dialogue",
            sample="talk",
            build=_build_talk,
        ),
        Scene(
            name="clip",
            title="A generated clip: small actions with their sounds",
            profile="vision_language",
            sample="clip",
            build=_build_clip,
        ),
        Scene(
            name="ct",
            title="A generated chest series with its report",
            profile="radiology",
            sample="ct-chest",
            build=_build_ct,
        ),
        Scene(
            name="robot",
            title="A generated robot episode: cameras, arm, instruction",
            profile="manipulation",
            sample="robot",
            build=_build_robot,
        ),
    )
}


def usual_folder(scene: str) -> Path:
    """Where a demo is put if nobody says where."""
    return usual_projects_folder() / f"workstation-demo-{scene}"


def make_demo(folder: Path, *, scene: str = "drive") -> Made:
    """Make the demo in ``folder``, or find it there. It appears whole: a run that stops leaves nothing of that name."""
    chosen = SCENES.get(scene)
    if chosen is None:
        raise UserError(f"there is no scene {scene!r}; there are {', '.join(SCENES)}")
    folder = folder.absolute()
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        return _found(folder, chosen)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        workshop = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise DataError(f"the demo cannot be made here: {error.strerror}", path=folder.parent) from error
    try:
        made = new_project(workshop / folder.name, name=chosen.title, profile=chosen.profile)
        with open_project(made, kind=ActorKind.IMPORT, tool="demo") as session:
            chosen.build(session)
        made.replace(folder)
    except OSError as error:
        raise DataError(f"the demo could not be made: {error.strerror or error}", path=folder) from error
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
    return Made(folder, chosen, new=True)


def _found(folder: Path, scene: Scene) -> Made:
    """The demo that is there already; anything else in its place is left alone."""
    try:
        with open_project(project_folder(folder), read_only=True) as session:
            if session.store.sample_by_key(scene.sample) is not None:
                return Made(folder, scene, new=False)
    except UserError as error:
        raise UserError(f"{folder} is in use and no demo ({error}); name another folder") from error
    raise UserError(f"{folder} is a project without this demo; name another folder")


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
