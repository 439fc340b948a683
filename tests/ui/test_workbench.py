"""The workbench over the real demo: records held in memory follow every commit, refusals become sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtWidgets import QVBoxLayout

from strict_windows import show
from workstation.app.previews import NEW, Dragged
from workstation.core.geometry import Cuboid
from workstation.core.sample import StreamKind
from workstation.ui.panes.base import Pane
from workstation.ui.workbench import Told, Tone

if TYPE_CHECKING:
    from workstation.app.sample_view import SampleView
    from workstation.ui.workbench import Workbench


class Ear:
    """Hears what is told."""

    def __init__(self) -> None:
        self.heard: list[Told] = []

    def hear(self, told: Told) -> None:
        self.heard.append(told)


def test_an_edit_and_its_undo_reach_the_view(bench: Workbench) -> None:
    view = bench.view
    assert view is not None
    camera = view.stream_by_key("front_camera")
    assert camera is not None
    assert camera.kind is StreamKind.VIDEO
    before = len(view.annotations)
    made = bench.run(
        "annotation.add", stream=camera.id, class_id="car", start_ns=0, end_ns=1,
        shape={"kind": "box", "x": 1.0, "y": 2.0, "width": 30.0, "height": 20.0},
    )  # fmt: skip
    assert made in view.annotations
    assert made in {each.id for each in view.annotations_of(camera.id)}
    bench.select([made], cause="test")
    bench.session.undo()
    assert len(view.annotations) == before
    assert bench.selected == ()


def test_what_is_refused_is_told_and_nothing_changes(bench: Workbench) -> None:
    ear = Ear()
    bench.told.connect(ear.hear)
    head = bench.session.store.head()
    assert bench.run("annotation.add", class_id="no_such_class", kind="tag", shape={"kind": "tag"}) is None
    assert [told.tone for told in ear.heard] == [Tone.REFUSED]
    assert "no_such_class" in ear.heard[0].text
    assert bench.session.store.head() == head


def test_no_drag_outlives_the_sample_it_was_made_on(bench: Workbench) -> None:
    view = bench.view
    assert view is not None
    stream = next(iter(view.streams.values()))
    cuboid = Cuboid(center=(9.0, 0.0, 0.0), size=(4.0, 2.0, 1.5))
    bench.previews.show([Dragged(annotation=NEW, shape=cuboid, stream=stream.id, own_ns=0)], cause="cloud")
    assert bench.open_sample(view.sample.key)
    assert not bench.previews.shapes
    bench.previews.show([Dragged(annotation=NEW, shape=cuboid, stream=stream.id, own_ns=0)], cause="cloud")
    bench.close_sample()
    assert not bench.previews.shapes


def test_the_whole_of_a_thing_is_related(bench: Workbench) -> None:
    view = bench.view
    assert view is not None
    track = next(each for each in view.annotations.values() if each.track is not None and each.entity is not None)
    assert track.entity is not None
    assert {track.id, track.entity} <= view.related([track.id])
    assert view.related([track.entity]) >= {each.id for each in view.annotations_of_entity(track.entity)}
    assert view.name_of(track.id) == view.name_of(track.entity)


class Broken(Pane):
    """Fails at every sample until it is mended."""

    kind = "broken"
    title = "Broken"
    mended = False

    def sample_opened(self, view: SampleView | None) -> None:
        if not self.mended:
            raise RuntimeError("the picture has two ends")

    def bound(self, bench: Workbench) -> None:
        QVBoxLayout(self.body)


@pytest.mark.expect_log("ERROR workstation.ui.panes.base: the pane broken failed")
def test_a_pane_that_fails_says_so_inside_itself(bench: Workbench) -> None:
    pane = Broken()
    pane.bind(bench)
    show(pane, 300, 200)
    assert pane.failed
    bench.clock.seek(1_000_000_000)  # the others, and the pane itself, go on
    pane.mended = True
    bench.open_sample("sf_drive")
    assert not pane.failed
    pane.unbind()
    pane.close()


def test_a_sample_made_ready_is_shown_as_it_is_now(bench: Workbench) -> None:
    """What is read ahead of being chosen is kept true by edits, and thrown away when its streams change."""
    from workstation.app.jobs import Job

    sample = bench.view.id if bench.view is not None else None
    assert sample is not None
    bench.close_sample()
    bench.take_ready(bench.making_ready(sample)(Job(1, "ready", lambda _job: None)))
    assert bench.is_ready(sample)
    label = next(iter(bench.session.store.annotations(sample)))
    bench.session.run("annotation.delete", annotations=(label.id,))
    assert bench.is_ready(sample)
    ready = bench._ready
    assert ready is not None
    assert bench.open_sample("sf_drive")
    assert bench.readers is ready.readers
    assert bench.view is ready.view
    assert label.id not in bench.view.annotations
    assert bench.session.undo() is not None
    assert bench.view.annotations[label.id] == label


def test_what_was_made_ready_before_a_commit_is_not_taken(bench: Workbench) -> None:
    from workstation.app.jobs import Job

    assert bench.view is not None
    sample = bench.view.id
    ready = bench.making_ready(sample)(Job(1, "ready", lambda _job: None))
    label = next(iter(bench.view.annotations))
    bench.session.run("annotation.delete", annotations=(label,))
    bench.take_ready(ready)
    assert not bench.is_ready(sample)
