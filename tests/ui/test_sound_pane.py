"""The sound pane in the real window with real mouse and keys: looking, marking, bands, moving, hearing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from main_windows import as_found, bench_of, main_window, press
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication

from strict_windows import copy_of, drag, wait_for
from workstation.app.lanes import LaneKind
from workstation.app.transcript import speaker_of
from workstation.core.annotation import Annotation
from workstation.core.geometry import Band, ShapeKind
from workstation.core.sample import StreamKind
from workstation.ui.main_window import MainWindow
from workstation.ui.panes.base_strips_canvas import RULER_PX
from workstation.ui.panes.sound import SoundPane
from workstation.ui.panes.sound_model import Strip
from workstation.ui.panes.timeline import TimelinePane

SECOND = 1_000_000_000
CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier

pytestmark = pytest.mark.slow
"""All in one window, which takes some seconds to open."""


@pytest.fixture(scope="module")
def shared(
    qapp: QApplication, talk_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MainWindow]:  # fmt: skip
    assert qapp is not None
    folder = tmp_path_factory.mktemp("sound")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(folder / "home"))
        with main_window(copy_of(talk_template, folder / "talk"), checked=False) as made:
            made.resize(1400, 900)
            yield made


@pytest.fixture
def window(shared: MainWindow) -> Iterator[MainWindow]:
    """The sound alone; whatever a test does with the window is taken back."""
    with as_found(shared):
        shared.show_pane("sound")
        shared.maximise(shared.pane("sound"))
        yield shared


@pytest.fixture
def pane(window: MainWindow) -> SoundPane:
    found = window.pane("sound")
    assert isinstance(found, SoundPane)
    wait_for(lambda: found.canvas.width() > 1200 and found.canvas.height() > 600, what="the whole window")
    sizes: list[str] = []

    def settled() -> bool:
        sizes.append(repr(found.canvas.size()))
        return len(sizes) > 20 and len(set(sizes[-20:])) == 1

    wait_for(settled, what="the layout")
    found.setFocus()
    found.snap.setChecked(True)
    found.linked.setChecked(False)
    found.fit()
    return found


def strip(pane: SoundPane, name: str) -> Strip:
    assert pane.model is not None
    return next(each for each in pane.model.strips if each.key.endswith(name))


def at(pane: SoundPane, time_ns: int, name: str, share: float = 0.5) -> QPoint:
    """A time and height on a strip of the canvas."""
    assert pane.model is not None
    row = strip(pane, name)
    return QPoint(round(pane.model.viewport.x_of(time_ns)), round(row.top + RULER_PX + row.height * share))


def labels(window: MainWindow) -> list[Annotation]:
    view = bench_of(window).view
    assert view is not None
    stream = next(each for each in view.streams.values() if each.kind is StreamKind.AUDIO)
    return [each for each in view.annotations_of(stream.id) if each.text is None]


def take_class(window: MainWindow, kind: ShapeKind, *, without: ShapeKind | None = None) -> str:
    view = bench_of(window).view
    assert view is not None
    assert view.ontology is not None
    for class_id in view.ontology.classes_for(StreamKind.AUDIO, kind):
        if without is None or without not in view.ontology.shapes_for(class_id, StreamKind.AUDIO):
            bench_of(window).hand.set_class(class_id)
            return class_id
    raise AssertionError(kind)


def test_a_drag_on_the_waveform_marks_a_span_which_can_be_resized_moved_and_undone(
    window: MainWindow, pane: SoundPane
) -> None:
    bench = bench_of(window)
    assert pane.model is not None
    pane.snap.setChecked(False)
    chosen = take_class(window, ShapeKind.BAND)
    before = len(labels(window))
    drag(pane.canvas, at(pane, 10 * SECOND, "waveform"), at(pane, 12 * SECOND, "waveform"))
    made = [each for each in labels(window) if each.id in bench.selected]
    assert len(made) == 1
    assert len(labels(window)) == before + 1
    assert made[0].class_id == chosen
    px = pane.model.viewport.ns_per_px
    assert made[0].start_ns is not None
    assert made[0].end_ns is not None
    assert abs(made[0].start_ns - 10 * SECOND) <= 2 * px
    assert abs(made[0].end_ns - 12 * SECOND) <= 2 * px
    drag(pane.canvas, at(pane, made[0].end_ns, "waveform"), at(pane, 13 * SECOND, "waveform"))
    longer = bench.view.annotations[made[0].id]  # type: ignore[union-attr]
    assert longer.start_ns == made[0].start_ns
    assert longer.end_ns is not None
    assert abs(longer.end_ns - 13 * SECOND) <= 2 * px
    drag(pane.canvas, at(pane, 11 * SECOND, "waveform"), at(pane, 12 * SECOND, "waveform"), release=False)
    assert pane.gesture is not None
    press(window, Qt.Key.Key_Escape)
    assert pane.gesture is None
    assert bench.view.annotations[made[0].id] == longer  # type: ignore[union-attr]
    QTest.mouseRelease(pane.canvas, Qt.MouseButton.LeftButton)
    drag(pane.canvas, at(pane, 11 * SECOND, "waveform"), at(pane, 12 * SECOND, "waveform"))
    moved = bench.view.annotations[made[0].id]  # type: ignore[union-attr]
    assert moved.start_ns is not None
    assert moved.end_ns is not None
    assert moved.end_ns - moved.start_ns == longer.end_ns - (longer.start_ns or 0)
    assert abs(moved.start_ns - 11 * SECOND) <= 3 * px
    for _ in range(3):
        press(window, Qt.Key.Key_Z, CTRL)
    assert len(labels(window)) == before


def test_a_high_drag_on_the_spectrogram_marks_frequencies(window: MainWindow, pane: SoundPane) -> None:
    bench = bench_of(window)
    take_class(window, ShapeKind.BAND)
    pane.snap.setChecked(False)
    drag(pane.canvas, at(pane, 10 * SECOND, "spectrogram", 0.25), at(pane, 11 * SECOND, "spectrogram", 0.75))
    assert bench.view is not None
    (made,) = [bench.view.annotations[each] for each in bench.selected]
    assert isinstance(made.shape, Band)
    # 16 kHz sound: the axis is linear from 0 to 8000 Hz.
    assert abs(made.shape.high_hz - 6000) < 200
    assert abs(made.shape.low_hz - 2000) < 200
    drag(
        pane.canvas, at(pane, 10 * SECOND + SECOND // 2, "spectrogram", 0.25), at(pane, 10 * SECOND, "spectrogram", 0.5)
    )
    higher = bench.view.annotations[made.id].shape
    assert isinstance(higher, Band)
    assert abs(higher.high_hz - 4000) < 200
    assert higher.low_hz == made.shape.low_hz


def test_keys_mark_in_and_out_and_the_class_is_asked_for(window: MainWindow, pane: SoundPane) -> None:
    bench = bench_of(window)
    assert bench.view is not None
    bench.hand.set_class(None)
    bench.clock.seek(10 * SECOND)
    stored, again = len(labels(window)), CTRL | SHIFT
    press(window, Qt.Key.Key_I)
    press(window, Qt.Key.Key_Z, CTRL)  # about the mark, not about what was stored before
    assert pane.canvas.mark_in_ns is None
    press(window, Qt.Key.Key_Z, again)
    assert pane.canvas.mark_in_ns == 10 * SECOND
    bench.clock.seek(11 * SECOND)
    press(window, Qt.Key.Key_O)
    assert bench.hand.waiting
    press(window, Qt.Key.Key_Z, CTRL)
    assert not bench.hand.waiting
    press(window, Qt.Key.Key_Z, again)
    assert bench.hand.waiting
    assert len(labels(window)) == stored
    assert pane.gesture is None
    class_id = next(
        each
        for each in bench.view.ontology.classes_for(StreamKind.AUDIO, ShapeKind.SPAN)  # type: ignore[union-attr]
    )
    before = len(labels(window))
    bench.hand.say_class(class_id)
    if len(labels(window)) == before:  # a class that wants more than a span says so
        assert window.status.said
    else:
        assert (made := bench.view.annotations[bench.selected[0]]).start_ns == 10 * SECOND
        assert made.end_ns == 11 * SECOND


def wheel(pane: SoundPane, where: QPoint, steps: int, held: Qt.KeyboardModifier) -> None:
    event = QWheelEvent(
        QPointF(where), QPointF(pane.canvas.mapToGlobal(where)), QPoint(), QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton, held, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(pane.canvas, event)


def test_the_wheel_zooms_to_single_samples_around_the_pointer(pane: SoundPane) -> None:
    assert pane.model is not None
    where = at(pane, 5 * SECOND, "waveform")
    held = pane.model.viewport.ns_at(where.x())
    for _ in range(70):
        wheel(pane, where, 1, CTRL)
    assert abs(pane.model.viewport.ns_at(where.x()) - held) < 20_000
    scene = next(scene for _, scene in pane.model.sounds() if not scene.spectrogram)
    assert scene.shows_samples(pane.model.viewport)
    shown = scene.sound.samples(pane.model.viewport, 0)
    assert np.all(np.diff(shown.times) == 62_500)  # 16 kHz
    pane.grab()
    press_fit = pane.model.viewport
    pane.fit()
    assert pane.model.viewport.duration_ns > 100_000 * press_fit.duration_ns // 200


def test_the_header_tells_the_sample_and_that_nothing_is_there(window: MainWindow, pane: SoundPane) -> None:
    bench = bench_of(window)
    bench.clock.seek(3 * SECOND)
    assert "sample #48,000 3.000 s" in pane.header.accessibleName()
    press(window, Qt.Key.Key_Period)
    assert bench.clock.time_ns == 3 * SECOND + 62_500
    assert "sample #48,001" in pane.header.accessibleName()


def test_channels_are_muted_and_gain_is_set_in_the_player(window: MainWindow, pane: SoundPane) -> None:
    bench = bench_of(window)
    button = pane.findChild(QAbstractButton, "sound_mute_sound_1")
    assert button is not None
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert bench.session.player.mix_of("sound").muted_channels == {0}
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert bench.session.player.mix_of("sound").muted_channels == frozenset()


def test_what_is_selected_is_played_to_its_very_end(window: MainWindow, pane: SoundPane) -> None:
    bench = bench_of(window)
    assert bench.view is not None
    turn = next(each for each in bench.view.annotations.values() if each.text is not None and each.start_ns is not None)
    shown = bench.view.session_range(turn)
    assert shown is not None
    assert pane.isVisible()
    bench.clock.set_rate(4)
    bench.select([turn.id], cause="test")
    press(window, Qt.Key.Key_Space, SHIFT)
    assert bench.clock.playing
    wait_for(lambda: not bench.clock.playing, what="the end of the turn")
    assert bench.clock.time_ns == shown.end_ns


def test_waveform_and_spectrogram_come_from_one_place_for_timeline_and_pane(
    window: MainWindow, pane: SoundPane
) -> None:
    bench = bench_of(window)
    assert pane.model is not None
    assert bench.sounds is not None
    wave, spectrum = (scene for _, scene in pane.model.sounds())
    assert wave.sound is spectrum.sound
    assert bench.sounds.lane(wave.sound.stream) is wave.sound
    wait_for(lambda: bool(spectrum._tiles) and wave.sound.complete, what="waveform and tiles")


def test_linked_to_the_timeline_both_show_the_same_time(window: MainWindow, pane: SoundPane) -> None:
    bench = bench_of(window)
    assert pane.model is not None
    window.maximise(None)
    wait_for(lambda: (found := window.pane("timeline")) is not None and found.awake, what="the timeline")
    timeline = window.pane("timeline")
    free = pane.model.viewport
    timeline.zoom(0.5, 100.0)  # type: ignore[union-attr]
    assert pane.model.viewport == free
    pane.linked.setChecked(True)
    timeline.zoom(0.5, 100.0)  # type: ignore[union-attr]
    assert bench.window is not None
    assert pane.model.viewport.shown == bench.window
    pane.zoom(0.5, 50.0)
    assert timeline.model.viewport.shown == pane.model.viewport.shown  # type: ignore[union-attr]


def test_a_turn_is_given_to_another_speaker_by_dragging_by_key_and_taken_back(
    window: MainWindow, pane: SoundPane
) -> None:
    bench = bench_of(window)
    row = strip(pane, "turns/speakers")
    assert row.speakers is not None
    turn = row.speakers.tier.ids[0]
    rows = row.speakers.rows

    def who() -> str | None:
        assert bench.view is not None
        return speaker_of(bench.view, bench.view.annotations[turn])

    def middle(number: int) -> QPoint:
        assert bench.view is not None
        shown = bench.view.session_range(bench.view.annotations[turn])
        assert shown is not None
        return at(pane, shown.start_ns + shown.duration_ns // 3, "turns/speakers", (number + 0.5) / (len(rows) + 1))

    assert who() == rows[0]
    QTest.mouseClick(pane.canvas, Qt.MouseButton.LeftButton, pos=middle(0))
    assert bench.selected == (turn,)
    shown = bench.view.session_range(bench.view.annotations[turn])  # type: ignore[union-attr]
    assert shown is not None
    assert shown.start_ns < bench.clock.time_ns < shown.end_ns  # a click goes there
    drag(pane.canvas, middle(0), middle(1), release=False)
    press(window, Qt.Key.Key_Escape)
    QTest.mouseRelease(pane.canvas, Qt.MouseButton.LeftButton)
    assert who() == rows[0]
    drag(pane.canvas, middle(0), middle(1))
    assert who() == rows[1]
    assert bench.view.session_range(bench.view.annotations[turn]) == shown  # type: ignore[union-attr]
    pane.setFocus()
    press(window, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert who() == rows[2]
    press(window, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert who() == rows[1]
    for _ in range(3):
        press(window, Qt.Key.Key_Z, CTRL)
    assert who() == rows[0]
    people = set(bench.view.entities)  # type: ignore[union-attr]
    drag(pane.canvas, middle(0), middle(len(rows)))  # to the row of somebody new
    press(window, Qt.Key.Key_Return)  # as most who speak are
    assert who() not in people
    assert strip(pane, "turns/speakers").speakers.rows[-1] == who()  # type: ignore[union-attr]
    press(window, Qt.Key.Key_Z, CTRL)
    assert who() == rows[0]
    assert set(bench.view.entities) == people  # type: ignore[union-attr]

    window.maximise(pane)  # all again
    wait_for(lambda: isinstance(window.pane("timeline"), TimelinePane), what="the timeline")
    timeline = window.pane("timeline")
    assert isinstance(timeline, TimelinePane)
    wait_for(lambda: timeline.awake and timeline.model is not None, what="its lanes")
    said = next(scene for _, scene in timeline.model.tiers() if scene.kind is LaneKind.TURNS)  # type: ignore[union-attr]
    before = said.tier
    bench.select([turn], cause="test")
    pane.give_turns(1)
    codes = [int(each.items.codes[each.numbers[turn]]) for each in (before, said.tier)]
    assert codes[0] != codes[1]  # the timeline shows a turn in the colour of whoever speaks
    assert codes[1] in [int(before.items.codes[before.numbers[each]]) for each in before.ids if each != turn]
