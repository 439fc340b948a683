"""The demo projects that come with the program, made whole or not at all. Called by ``workstation demo``."""

from __future__ import annotations

import importlib
import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from workstation.app import demo_drive
from workstation.app.demo_generated import add_generated
from workstation.app.demo_source import Source
from workstation.app.folders import usual_projects_folder
from workstation.app.opening import new_project, open_project
from workstation.app.resources import resource
from workstation.app.session import Session
from workstation.core.errors import DataError, UserError
from workstation.core.rights import ActorKind
from workstation.store.place import project_folder
from workstation.synth.truth import Truth

Build = Callable[[Session], None]
Report = Callable[[int, int], None]
"""How much is done, of how much."""


def _nobody(done: int, total: int) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One demo: what it shows, which ontology it is labelled with, and how its samples are built."""

    name: str
    title: str
    profile: str
    sample: str
    """The key of the sample that is shown first."""
    build: Build | None = None
    build_in_steps: Callable[[Session, Report], None] | None = None
    """In place of ``build``, by scenes that say how far they are."""
    ontology: tuple[str, ...] = ()
    """Where its ontology lies among the resources, if it is not the starter of the profile."""
    moment_s: str = "4"
    """The moment that is drawn if nobody says which."""


@dataclass(frozen=True, slots=True)
class Made:
    """Where the demo is, and whether it was there already."""

    folder: Path
    scene: Scene
    new: bool


def _drive(session: Session, report: Report) -> None:
    done = itertools.count(1)

    def step() -> None:
        report(min(next(done), demo_drive.STEPS), demo_drive.STEPS)

    demo_drive.build(session, Source(resource("demo", "sf_drive")), copy=_copy, step=step)


def _talk(session: Session) -> None:
    from workstation.app.demo_talk import label
    from workstation.synth.talk import talk

    with _generated(talk) as made:
        add_generated(session, made, label)


def _clip(session: Session) -> None:
    from workstation.app.demo_clip import captions_of, label
    from workstation.synth.clip import clip

    with _generated(clip) as made:
        add_generated(session, made, label, texts=captions_of(made))


def _ct(session: Session) -> None:
    from workstation.app.demo_ct import label
    from workstation.synth.ct import ct

    with _generated(ct) as made:
        add_generated(session, made, label)


def _robot(session: Session) -> None:
    from workstation.app.demo_robot import label
    from workstation.synth.robot import robot

    with _generated(robot) as made:
        add_generated(session, made, label)


def _pictures(session: Session) -> None:
    from workstation.app.demo_pictures import build
    from workstation.synth.pictures import scene

    with _generated(scene) as made:
        build(session, made)


def _shop(session: Session) -> None:
    from workstation.app.demo_shop import build
    from workstation.synth.shop import shop

    with _generated(shop) as made:
        build(session, made)


def _batch(session: Session) -> None:
    from workstation.app.demo_batch import build
    from workstation.synth.batch import batch

    with _generated(batch) as made:
        build(session, made)


def _mixed(session: Session) -> None:
    from workstation.app.demo_mixed import build

    with tempfile.TemporaryDirectory(prefix="workstation-") as scratch:
        build(session, Path(scratch))


def _street(session: Session) -> None:
    _generated_drive(session, "street")


def _indoor(session: Session) -> None:
    _generated_drive(session, "indoor")


def _generated_drive(session: Session, scene: str) -> None:
    from workstation.app.demo_street import build
    from workstation.synth.drive.fixture import drive
    from workstation.synth.drive.rig import DriveOptions

    with _generated(lambda folder: drive(folder, options=DriveOptions(scene=scene))) as made:
        build(session, made)


def _fable(session: Session) -> None:
    from workstation.app.demo_recordings import build_fable

    build_fable(session, resource("demo", "fable"))


def _meeting(session: Session) -> None:
    from workstation.app.demo_recordings import build_meeting

    build_meeting(session, resource("demo", "meeting"))


def _published(name: str) -> Callable[[Session], None]:
    """A real recording that ships: ``demo_NAME.build`` puts the files of ``resources/demo/NAME`` into a project."""

    def build(session: Session) -> None:
        importlib.import_module(f"workstation.app.demo_{name}").build(session, resource("demo", name))

    return build


@contextmanager
def _generated(generate: Callable[[Path], Truth]) -> Iterator[Truth]:
    """A scene made in a folder that goes again; the project takes copies."""
    with tempfile.TemporaryDirectory(prefix="workstation-") as scratch:
        yield generate(Path(scratch))


SCENES: dict[str, Scene] = {
    scene.name: scene
    for scene in (
        Scene(
            name="drive",
            title="A real drive: four cameras, LiDAR, GPS, poses, commentary",
            profile="driving",
            sample=demo_drive.KEY,
            build_in_steps=_drive,
        ),
        Scene(
            name="street",
            title="A generated drive: three cameras, LiDAR, radar, sound, CAN, exact truth",
            profile="driving",
            sample="drive-street",
            build=_street,
            moment_s="14.327",
        ),
        Scene(
            name="indoor",
            title="A generated warehouse robot: three cameras, LiDAR, radar, exact truth",
            profile="driving",
            sample="drive-indoor",
            build=_indoor,
            moment_s="8",
        ),
        Scene(
            name="fable",
            title="A real reading of a fable with its printed text",
            profile="dialogue",
            sample="cat_and_mice",
            build=_fable,
            moment_s="31.6",
        ),
        Scene(
            name="meeting",
            title="A real meeting: half a minute with its speakers",
            profile="dialogue",
            sample="meeting",
            build=_meeting,
            moment_s="23.5",
        ),
        Scene(
            name="ecg",
            title="A real electrocardiogram: half an hour of two leads with its beats",
            profile="radiology",
            sample="mitdb-100",
            build=_published("ecg"),
            ontology=("demo", "ecg", "ontology.yaml"),
            moment_s="1518.9",
        ),
        Scene(
            name="road",
            title="A real scan of a road with its picture and calibration",
            profile="driving",
            sample="road",
            build=_published("road"),
            moment_s="0",
        ),
        Scene(
            name="ultrasound",
            title="A real ultrasound film of one second",
            profile="radiology",
            sample="ultrasound",
            build=_published("ultrasound"),
            ontology=("demo", "ultrasound", "ontology.yaml"),
            moment_s="0.5",
        ),
        Scene(
            name="pick",
            title="A real robot that picks up a bottle: camera, joints, task",
            profile="manipulation",
            sample="episode_000029",
            build=_published("pick"),
        ),
        Scene(
            name="ride",
            title="A real flight along a coast: film and sound",
            profile="vision_language",
            sample="karma",
            build=_published("ride"),
        ),
        Scene(
            name="talk",
            title="A generated talk: two faces, their voices, their words",
            profile="dialogue",
            sample="talk",
            build=_talk,
            moment_s="5.5",
        ),
        Scene(
            name="clip",
            title="A generated clip: small actions with their sounds and captions",
            profile="vision_language",
            sample="clip",
            build=_clip,
            moment_s="39",
        ),
        Scene(
            name="ct",
            title="A generated chest series with its report",
            profile="radiology",
            sample="ct-chest",
            build=_ct,
        ),
        Scene(
            name="robot",
            title="A generated robot episode: three cameras, arm, instruction",
            profile="manipulation",
            sample="robot",
            build=_robot,
            moment_s="5",
        ),
        Scene(
            name="scene",
            title="Twelve generated pictures with masks, captions and relations",
            profile="vision_language",
            sample="s01_cups",
            build=_pictures,
        ),
        Scene(
            name="shop",
            title="Thirty generated products: picture, title, description, reviews",
            profile="vision_language",
            sample="p01",
            build=_shop,
        ),
        Scene(
            name="mixed",
            title="A thousand generated street moments with noise on every label",
            profile="driving",
            sample="m0000",
            build=_mixed,
            moment_s="0.22",
        ),
        Scene(
            name="batch",
            title="A thousand generated light samples over all modalities",
            profile="batch",
            sample="b0000",
            build=_batch,
            ontology=("demo", "batch", "ontology.yaml"),
        ),
    )
}


def usual_folder(scene: str) -> Path:
    """Where a demo is put if nobody says where."""
    return usual_projects_folder() / f"workstation-demo-{scene}"


def make_demo(folder: Path, *, scene: str = "drive", report: Report = _nobody) -> Made:
    """Make the demo in ``folder``, or find it there. It appears whole: a run that stops leaves nothing of that name.

    ``report`` is told how much of how much is done, by scenes that know, and may raise to stop.
    """
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
        own = str(resource(*chosen.ontology)) if chosen.ontology else None
        made = new_project(
            workshop / folder.name, name=chosen.title, profile=chosen.profile, ontology=own, in_force=True
        )
        with open_project(made, kind=ActorKind.IMPORT, tool="demo") as session:
            if chosen.build_in_steps is not None:
                chosen.build_in_steps(session, report)
            elif chosen.build is not None:
                chosen.build(session)
            report(1, 1)
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
