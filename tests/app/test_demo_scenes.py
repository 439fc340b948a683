"""Generated scenes open with every stream on one clock."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from workstation import open_project
from workstation.app.demo import SCENES, make_demo
from workstation.app.moment import facts_of
from workstation.app.reading import Formats
from workstation.app.streams import OpenStreams
from workstation.cli.demo import SCENES as OFFERED
from workstation.core.sample import GateState, StreamKind
from workstation.synth import clip, robot
from workstation.synth.truth import Truth

pytestmark = pytest.mark.slow


@pytest.fixture
def small_films(monkeypatch: pytest.MonkeyPatch, made_once: Callable[..., Truth]) -> None:
    """Clip and robot in their whole length but smaller; talk and CT stay as they are made."""

    def smaller(make: Callable[..., Truth], options: object) -> Callable[[Path], Truth]:
        def generate(folder: Path) -> Truth:
            shutil.copytree(made_once(make, options=options).folder / "media", folder / "media")
            return make(folder, options=options)  # finds the media there, made with the same options

        return generate

    monkeypatch.setattr(clip, "clip", smaller(clip.clip, clip.ClipOptions(scale=0.25)))
    monkeypatch.setattr(robot, "robot", smaller(robot.robot, robot.RobotOptions(scale=0.5)))


@pytest.mark.parametrize(
    ("scene", "kinds"),
    [
        ("ct", {StreamKind.VOLUME, StreamKind.TEXT}),
        ("talk", {StreamKind.VIDEO, StreamKind.AUDIO, StreamKind.TURNS}),
        ("clip", {StreamKind.VIDEO, StreamKind.AUDIO}),
        ("robot", {StreamKind.VIDEO, StreamKind.SERIES, StreamKind.TURNS}),
    ],
)
@pytest.mark.usefixtures("small_films")
def test_a_generated_scene_opens(tmp_path: Path, scene: str, kinds: set[StreamKind]) -> None:
    made = make_demo(tmp_path / scene, scene=scene)
    with open_project(made.folder, read_only=True) as session:
        (sample,) = session.store.samples()
        assert sample.key == made.scene.sample
        assert sample.gates["sync"].state is GateState.VERIFIED
        assert session.store.ontology() is not None
        streams = session.store.streams(sample.id)
        assert {stream.kind for stream in streams} == kinds
        with OpenStreams(session.project.path, readers=Formats().readers) as readers:
            assert [facts.trouble for facts in facts_of(streams, readers)] == [""] * len(streams)
    assert not make_demo(tmp_path / scene, scene=scene).new


def test_the_command_line_offers_every_scene() -> None:
    assert set(OFFERED) == set(SCENES)
