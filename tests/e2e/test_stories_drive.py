"""Stories of a morning's work on the drive: mark, box, track, relabel, take back, look from pane to pane."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from pathlib import Path

import pytest
from hands import LEFT, PLAIN, SECOND, Person, Stored, on_screen, sit_down
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QImage, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPlainTextEdit, QWidget

from strict_windows import copy_of
from workstation.core.geometry import Box
from workstation.ui.panels.row_table import RowTable

SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture(scope="module")
def project(two_samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of(two_samples, tmp_path_factory.mktemp("drive_stories") / "drive")


@pytest.fixture(scope="module")
def seat(qapp: QApplication, project: Path) -> Generator[Person, None, None]:
    """One window for all stories of this file."""
    assert qapp is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(project.parent / "home"))
        with sit_down(project) as person:
            person.press("Space").waits(lambda: person.bench.clock.time_ns > 0, "the clock")
            person.press("Space")  # the player's thread is the window's, not a story's
            person.waits_for_pictures()
            person.waits(lambda: any(each.name == "checks" for each in threading.enumerate()), "the checks to begin")
            yield person


@pytest.fixture
def stored(project: Path) -> Stored:
    return Stored(project)


@pytest.fixture
def me(seat: Person, stored: Stored, request: pytest.FixtureRequest) -> Generator[Person, None, None]:
    """At the window, with nothing selected, at the start; afterwards everything done is taken back with Ctrl+Z."""
    before, edits = stored.state(), stored.edits()
    seat.window.show_pane("camera")
    seat.press("Esc", "Esc", "F2", "Home")
    yield seat
    seat.keep_picture(request.node.name)
    while seat.dialog is not None:
        seat.dialog.close()
        QApplication.sendPostedEvents()
    seat.window.show_pane("camera")
    seat.bench.hand.set_class(None)
    for _ in range(stored.edits() - edits):
        if stored.state() == before:
            break
        seat.press("Ctrl+Z")
    assert stored.state() == before


def frame_times(project: Path, camera: str) -> list[int]:
    """When the frames of a camera were captured, as published beside the films, in the stream's own nanoseconds."""
    published = json.loads((project / "media" / "sf_drive" / "timestamps.json").read_text())[camera]["t_s"]
    first = round(published[0] * SECOND)
    return [round(each * SECOND) - first for each in published]


# --- marking ----------------------------------------------------------------------------------------------------


def test_a_horn_is_marked_by_keys_while_listening(me: Person, stored: Stored) -> None:
    me.press("Space").waits(lambda: me.bench.clock.time_ns > SECOND // 20, "some of it to be heard")
    me.press("Space")
    assert not me.bench.clock.playing
    me.window.show_pane("sound")
    me.go_to("2.5").press("I").go_to("3.25").press("O")
    assert stored.spans("horn") == []  # nothing is made before its class is said
    me.press("H")
    assert stored.spans("horn") == [("commentary", 2_500_000_000, 3_250_000_000)]
    me.press("Esc").go_to("4").press("I").go_to("5.125").press("O", "0").type("hor").press("Enter")
    assert stored.spans("horn")[1] == ("commentary", 4_000_000_000, 5_125_000_000)
    me.press("Esc").go_to("6").press("I").go_to("6.5").press("O", "W")  # W is also a key of the pane: classes go first
    assert stored.spans("siren") == [("commentary", 6_000_000_000, 6_500_000_000)]
    assert f"all {stored.edits():,} edits stored" in me.read("status_stored")


def test_a_mark_on_a_camera_is_stored_in_the_cameras_own_time(me: Person, stored: Stored, project: Path) -> None:
    published = json.loads((project / "media" / "sf_drive" / "timestamps.json").read_text())["front_camera"]["t_s"]
    offset_ns = round(published[0] * SECOND)
    me.click_at(me.camera("front_camera").header, QPoint(20, 8))
    me.go_to("2.5").press("I").go_to("3.25").press("O", "0").type("Pedest").press("Enter")
    assert stored.spans("pedestrian") == []  # the ontology knows people on films as shapes alone: they are not offered
    me.press("Esc").press("Esc").go_to("2.5").press("I").go_to("3.25").press("O", "0").type("hor").press("Enter")
    made = ("front_camera", 2_500_000_000 - offset_ns, 3_250_000_000 - offset_ns)
    assert stored.spans("horn") == [made]


def test_brackets_nudge_the_boundary_until_a_brush_is_in_the_hand(me: Person, stored: Stored) -> None:
    me.click_at(me.camera("front_camera").header, QPoint(20, 8))
    me.go_to("2.5").press("I").go_to("3.25").press("O", "H")
    me.press("]")  # the pictures have the focus; the end comes to stand where a picture was taken
    ((_, start_ns, end_ns),) = stored.spans("horn")
    me.press("]")  # the pictures are a tenth of a second apart
    ((_, same_start_ns, later_ns),) = stored.spans("horn")
    assert same_start_ns == start_ns
    assert 90_000_000 < later_ns - end_ns <= 110_000_000
    width_px = me.bench.hand.ways.brush_px
    me.press("F9", "]")
    assert me.bench.hand.ways.brush_px > width_px
    assert stored.spans("horn")[0][2] == later_ns
    me.press("[", "F2")


def test_whole_tracks_are_pasted_while_a_picture_has_the_focus(me: Person, stored: Stored) -> None:
    me.click_at(me.camera("front_camera").header, QPoint(20, 8))
    view = me.bench.view
    assert view is not None
    track = next(each for each in view.annotations.values() if each.track is not None)
    keyframes = len(stored.rows("SELECT 1 FROM keyframe"))
    me.bench.select([track.id], cause="test")
    me.press("Ctrl+C", "Ctrl+Shift+V")
    (made,) = me.bench.selected
    assert made != track.id
    assert len(stored.rows("SELECT 1 FROM keyframe")) == keyframes + len(view.keyframes(track.id))


# --- transcribing -------------------------------------------------------------------------------------------------


def the_turns(stored: Stored) -> dict[str, tuple[int, int, str]]:
    found = stored.content("annotation", "k.text_of IS NULL AND k.kind = 'span'")
    return {each["id"]: (each["start_ns"], each["end_ns"], each["text"]) for each in found if each.get("text")}


def word_times(stored: Stored) -> dict[str, tuple[object, object]]:
    return {each["id"]: (each.get("start_ns"), each.get("end_ns")) for each in stored.content("word", "1")}


def test_a_turn_is_transcribed_and_a_word_mended_while_it_plays(me: Person, stored: Stored) -> None:
    me.bring("text")
    page = me.pane("text").findChild(QPlainTextEdit, "text_page")
    assert page is not None
    me.go_to("3.05").press("I").go_to("3.25").press("O", "H", "Ctrl+Shift+T")
    me.type("mind the gap ")
    made = {each for each in the_turns(stored).values() if each[2] == "mind the gap"}
    assert made == {(3_050_000_000, 3_250_000_000, "mind the gap")}
    before, times = the_turns(stored), word_times(stored)
    me.press("Esc").go_to("0.4").press("Space")
    at = page.document().find("white", 0)
    caret = QTextCursor(at)
    caret.setPosition(at.selectionStart() + 2)
    QTest.mouseDClick(page.viewport(), LEFT, PLAIN, page.cursorRect(caret).center())
    me.type("grey ")
    assert me.bench.clock.playing
    after = the_turns(stored)
    mended = {key: (start, end, text.replace("white", "grey")) for key, (start, end, text) in before.items()}
    assert after == mended != before
    now = word_times(stored)
    assert {key: now[key] for key in now if key in times} == {key: times[key] for key in times if key in now}
    assert len(now) == len(times)
    me.press("Esc", "Space")
    assert not me.bench.clock.playing


# --- boxes and tracks -------------------------------------------------------------------------------------------


def test_a_car_is_boxed_and_tracked_with_three_keyframes(me: Person, stored: Stored, project: Path) -> None:
    times = frame_times(project, "front_camera")
    me.press("Shift+2").waits_for_pictures()
    assert "front camera" in me.header("camera") + me.camera("front_camera").title
    me.go_to("frame 20").waits_for_pictures()
    me.press("F3", "C").draw("front_camera", (100, 60, 200, 120))
    for corners in ((150, 70, 270, 150), (250, 60, 350, 140)):
        me.press(*".....").waits_for_pictures()
        me.draw("front_camera", corners, SHIFT)
    (track,) = me.bench.selected
    rows = stored.content("keyframe", "k.annotation = (SELECT id FROM annotation ORDER BY created_rev DESC LIMIT 1)")
    rows.sort(key=lambda each: each["time_ns"])
    assert [each["time_ns"] for each in rows] == [times[20], times[25], times[30]]
    scale = 960 / (me.camera("front_camera").viewport.to_screen((960, 0))[0]
                   - me.camera("front_camera").viewport.to_screen((0, 0))[0])  # fmt: skip
    drawn = [(100, 60, 100, 60), (150, 70, 120, 80), (250, 60, 100, 80)]
    for row, corners in zip(rows, drawn, strict=True):
        got = tuple(row["shape"][name] for name in ("x", "y", "width", "height"))
        assert got == pytest.approx(corners, abs=1.5 * scale)  # a point of the screen, no more
    for frame in (22, 27):
        me.go_to(f"frame {frame}").waits_for_pictures()
        before, after = (rows[0], rows[1]) if frame < 25 else (rows[1], rows[2])
        share = (times[frame] - before["time_ns"]) / (after["time_ns"] - before["time_ns"])
        shown = me.camera("front_camera").canvas.shape_of(track)
        assert isinstance(shown, Box)
        for name in ("x", "y", "width", "height"):
            by_hand = before["shape"][name] + share * (after["shape"][name] - before["shape"][name])
            assert getattr(shown, name) == pytest.approx(by_hand, abs=1e-6)
    me.press("F2")  # an interpolated frame is edited: a keyframe there, its neighbours as they were
    area = me.camera("front_camera")
    middle = on_screen(area, (shown.x + shown.width / 2, shown.y + shown.height / 2))
    me.drag(area.area, middle, middle + QPoint(0, 40))
    after_edit = stored.content("keyframe", "k.annotation = (SELECT annotation FROM keyframe ORDER BY created_rev DESC "
                                "LIMIT 1)")  # fmt: skip
    assert sorted(each["time_ns"] for each in after_edit) == [times[20], times[25], times[27], times[30]]
    neighbours = [each for each in after_edit if each["time_ns"] != times[27]]
    assert sorted(neighbours, key=lambda each: int(each["time_ns"])) == rows
    me.press("Shift+2")


# --- taking back ------------------------------------------------------------------------------------------------


def test_everything_is_taken_back_to_the_start_and_done_again(me: Person, stored: Stored) -> None:
    states = [stored.state()]

    def step(*chords: str) -> None:
        me.press(*chords)
        if stored.state() != states[-1]:
            states.append(stored.state())

    me.window.show_pane("sound")
    me.go_to("1").press("I").go_to("2").press("O")
    step("H")
    step("]")
    me.window.show_pane("camera")
    me.press("Esc", "Shift+2").waits_for_pictures()
    me.press("F3", "C").draw("front_camera", (100, 60, 200, 120))
    states.append(stored.state())
    step("T")
    me.press("F2")
    step("Delete")
    assert len(states) == 6  # what was done: mark, nudge, box, relabel, delete
    for wanted in reversed(states[:-1]):
        me.press("Ctrl+Z")
        assert stored.state() == wanted, me.said
    for wanted in states[1:]:
        me.press("Ctrl+Shift+Z")
        assert stored.state() == wanted, me.said
    me.press("Ctrl+Shift+Z")
    assert stored.state() == states[-1]
    me.press("Shift+2")


# --- one selection in all panes ---------------------------------------------------------------------------------


def selected_names(me: Person, kind: str) -> list[str]:
    table = me.pane(kind).findChild(RowTable, f"{kind}_list")
    assert table is not None
    return [str(table.model().index(each.row(), 0).data()) for each in table.selectionModel().selectedRows()]


def inspected(me: Person) -> str:
    return (
        me.header("inspector")
        + " "
        + " ".join(each.text() for each in me.pane("inspector").findChildren(QLabel) if each.isVisible())
    )


def click_row(me: Person, kind: str, name: str) -> None:
    table = me.pane(kind).findChild(RowTable, f"{kind}_list")
    assert table is not None
    model = table.model()
    row = next(row for row in range(model.rowCount()) if model.index(row, 0).data() == name)
    table.scrollTo(model.index(row, 0))
    me.click_at(table.viewport(), table.visualRect(model.index(row, 0)).center())


def test_what_is_selected_in_one_pane_is_shown_by_all_others(me: Person) -> None:
    view = me.bench.view
    assert view is not None
    me.go_to("2").waits_for_pictures()
    plain = {kind: me.pane(kind).capture() for kind in ("camera", "timeline")}
    click_row(me, "entities", "Car 4")  # from a list
    me.waits(lambda: "Car 4" in inspected(me), "the inspector")
    for kind, before in plain.items():
        me.waits(lambda kind=kind, before=before: me.pane(kind).capture() != before, f"{kind} to show it")  # type: ignore[misc]
    track = next(each.id for each in view.annotations.values() if each.track and view.name_of(each.id) == "Car 6")
    canvas, at = me.label_on_timeline(track)  # from the timeline
    me.click_at(canvas, at).waits(lambda: selected_names(me, "entities") == ["Car 6"], "the list of things")
    me.waits(lambda: "Car 6" in inspected(me), "the inspector")
    me.go_to("2").waits_for_pictures()
    camera = me.camera("front_camera")
    places = (QPoint(x, y) for y in range(10, camera.area.height(), 6) for x in range(10, camera.area.width(), 6))
    at = next(each for each in places if camera.canvas.hit(camera.viewport.to_picture((each.x(), each.y()))))
    me.click_at(camera.area, at)  # from a picture
    (picked,) = me.bench.selected
    name = view.name_of(picked)
    me.waits(lambda: selected_names(me, "entities") == [name], "the list of things")
    me.waits(lambda: name in inspected(me), "the inspector")
    turn = next(each for each in view.annotations.values() if each.text and "Cuidado" in each.text)
    canvas, at = me.label_on_timeline(turn.id)
    before = me.pane("sound").capture()
    me.click_at(canvas, at).press("F")  # words on the timeline, brought into view everywhere
    me.waits(lambda: me.pane("sound").capture() != before, "the sound pane")
    assert "Cuidado" in inspected(me) or turn.id in me.bench.selected
    assert selected_names(me, "entities") != [name]


def test_many_are_caught_with_a_rubber_band_and_relabelled_in_one_step(me: Person, stored: Stored) -> None:
    me.go_to("2").press("Shift+2").waits_for_pictures()
    me.press("F3", "C")
    for left in (100, 220, 340):
        me.draw("front_camera", (left, 20, left + 80, 60))
        me.press("Esc")
    me.press("F2").draw("front_camera", (60, 5, 460, 80))
    assert len(me.bench.selected) == 3
    before, edits = stored.state(), stored.edits()
    me.press("T")
    newest = stored.rows("SELECT class_id FROM entity ORDER BY created_rev DESC LIMIT 3")
    assert newest == [("truck",)] * 3
    assert stored.edits() == edits + 1
    me.press("Ctrl+Z")
    assert stored.state() == before
    me.press("Shift+2")


@pytest.mark.expect_log("ERROR workstation.ui.panes.base: the pane entities failed")
def test_a_pane_that_fails_says_so_in_its_place_and_the_rest_works(
    me: Person, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    pane = me.pane("entities")

    def breaks(_changes: object) -> None:
        raise RuntimeError("the shelf fell down")

    with monkeypatch.context() as patch:
        patch.setattr(pane, "apply", breaks)
        me.window.show_pane("sound")
        me.go_to("2.5").press("I").go_to("3").press("O", "H")
        assert pane.failed
        assert any("the shelf fell down" in each.text() for each in pane.findChildren(QLabel) if each.isVisible())
        assert stored.spans("horn") == [("commentary", 2_500_000_000, 3_000_000_000)]
        me.press("]")
        assert stored.spans("horn") != [("commentary", 2_500_000_000, 3_000_000_000)]
        me.keep_picture("failed_pane")
    me.click("Try again")
    assert not pane.failed
    click_row(me, "entities", "Car 4")
    me.waits(lambda: "Car 4" in inspected(me), "the inspector")


# --- the focus --------------------------------------------------------------------------------------------------


def around(widget: QWidget, picture: QImage) -> QImage:
    """The widget and a little around it in a picture of the window."""
    corner = widget.mapTo(widget.window(), QPoint(0, 0))
    return picture.copy(QRect(corner, widget.size()).adjusted(-4, -32, 4, 4))


@pytest.mark.slow
def test_tab_goes_through_the_window_and_the_focus_can_always_be_seen(me: Person) -> None:
    me.waits_for_everything()
    seen: list[QWidget] = []
    before = me.screen()
    for _ in range(60):
        me.press("Tab")
        focus = me.focus
        after = me.screen()
        if focus in seen:
            break
        assert around(focus, before) != around(focus, after), f"{focus.objectName()} does not show its focus"
        assert focus.accessibleName() or focus.objectName().startswith("qt_"), focus
        seen.append(focus)
        before = after
    assert len(seen) >= 30
