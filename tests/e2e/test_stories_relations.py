"""The story of one moment: sound, motion, picture, cloud and words linked in one window, by keys and mouse alone."""

from __future__ import annotations

import threading
from collections.abc import Generator
from pathlib import Path

import pytest
from hands import LEFT, PLAIN, Person, Stored, on_screen, sit_down
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QWidget

from strict_windows import copy_of
from workstation.core.geometry import Box
from workstation.ui.panels.ends import EndsPanel
from workstation.ui.panels.graph import GraphPanel
from workstation.ui.panels.links import LinksPanel
from workstation.ui.panes.cloud import CloudPane
from workstation.ui.panes.series import SeriesPane

pytestmark = pytest.mark.slow
AT_S = "4"


@pytest.fixture(scope="module")
def project(demo_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of(demo_template, tmp_path_factory.mktemp("relations") / "drive")


@pytest.fixture(scope="module")
def me(qapp: QApplication, project: Path) -> Generator[Person, None, None]:
    """At the window, in the workspace for links, at four seconds."""
    assert qapp is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKSTATION_HOME", str(project.parent / "home"))
        with sit_down(project) as person:
            person.window.resize(1600, 1000)
            person.press("Ctrl+2")
            person.waits(lambda: any(each.name == "checks" for each in threading.enumerate()), "the checks to begin")
            yield person


@pytest.fixture
def stored(project: Path) -> Stored:
    return Stored(project)


def newest(stored: Stored, kind: str) -> str:
    """The id of the record that was made last."""
    rows = stored.content(kind, f"k.id = (SELECT id FROM {kind} ORDER BY created_rev DESC, id DESC LIMIT 1)")
    return str(rows[0]["id"])


def links(stored: Stored, type_id: str) -> list[dict[str, object]]:
    """Links of a type that a person made here, as they are stored."""
    found = stored.content("link", "k.type_id = ?", type_id)
    return [each for each in found if each.get("source", {}).get("kind", "person") == "person"]


def walker(me: Person) -> tuple[str, tuple[int, int, int, int]]:
    """A pedestrian's cuboid that the front camera shows whole, and where its outline stands in the picture."""
    view = me.bench.view
    assert view is not None
    scene = me.camera("front_camera").scene
    me.waits(lambda: bool(scene.shadows), "outlines")
    found = []
    for each in scene.shadows:
        places = each.seen.segments.reshape(-1, 2)
        if view.class_of(view.annotations[each.seen.annotation]) == "pedestrian" and len(places):
            low, high = places.min(0), places.max(0)
            inside = (low > 20).all() and high[0] < 940 and high[1] < 520
            found += [(float((high - low).prod()), each.seen.annotation, low, high)] if inside else []
    _, cuboid, low, high = max(found, key=lambda each: each[0])
    (left, top), (right, bottom) = low.astype(int).tolist(), high.astype(int).tolist()
    return cuboid, (left, top, right, bottom)


def click_in_cloud(me: Person, cuboid: str) -> str:
    """On the middle of a cuboid, as it is painted; the one in front, as two sensors may have labelled the same."""
    pane = me.bring("cloud")
    assert isinstance(pane, CloudPane)
    pane.fly_to((cuboid,))  # as the wheel and the middle button would
    me.waits_for_everything()
    assert pane.canvas is not None
    assert pane.moment is not None
    row = pane.moment.cuboids.row(cuboid)
    assert row is not None
    px, _, _ = pane.canvas.look.project(pane.moment.cuboids.centers[row][None])
    QTest.mouseClick(pane.canvas, LEFT, PLAIN, pane.canvas.to_widget(*px[0].tolist()).toPoint())
    (found,) = me.bench.selected
    view = me.bench.view
    assert view is not None
    assert (view.annotations[found].kind, view.class_of(view.annotations[found])) == ("cuboid", "pedestrian")
    return found


def on_timeline(me: Person, record_id: str) -> None:
    canvas, at = me.label_on_timeline(record_id)
    me.click_at(canvas, at)
    assert me.bench.selected == (record_id,)


def row_of(me: Person, record_id: str) -> list[str]:
    """What the list of links says of one."""
    panel = me.pane("links")
    assert isinstance(panel, LinksPanel)
    me.waits(lambda: any(record_id in row.ids for row in panel.model.rows), "the link in the list")
    row = next(row for row in panel.model.rows if record_id in row.ids)
    return [cell.text for cell in row.cells]


def test_a_horn_its_braking_a_pedestrian_twice_and_the_words_become_one_story(me: Person, stored: Stored) -> None:
    windows = [each for each in QApplication.topLevelWidgets() if each.isVisible()]
    # panes together, and the one ontology in each: by key on sound and picture, by name on motion
    me.bring("sound")
    me.go_to("3.9").press("I").go_to("4.3").press("O", "H")
    horn = newest(stored, "annotation")
    me.bring("text")
    me.press("Ctrl+Shift+T").type("watch out ")  # said while it sounds
    me.press("Esc", "Esc", "Esc")
    turns = stored.content("annotation", "k.text_of IS NULL AND k.kind = 'span'")
    (said,) = [each for each in turns if each.get("text") == "watch out"]
    words = str(said["id"])
    series = me.bring("series")
    assert isinstance(series, SeriesPane)
    me.click_at(series.canvas, QPoint(200, 60))
    me.go_to("3.95").press("I").go_to("4.6").press("O", "0").type("braking").press("Enter")
    braking = newest(stored, "annotation")
    assert [each[0] for each in stored.spans("horn")] == ["commentary"]
    assert [each[0] for each in stored.spans("braking")] == ["gps"]
    me.press("Esc", "Esc").go_to(AT_S).waits_for_pictures()
    cuboid, corners = walker(me)
    me.click_at(me.camera("front_camera").header, QPoint(20, 8))
    me.press("F3", "D").draw("front_camera", corners)
    box = newest(stored, "annotation")
    view = me.bench.view
    assert view is not None
    assert (view.annotations[box].kind, view.class_of(view.annotations[box])) == ("box", "pedestrian")
    me.press("Esc", "Esc", "F2")

    # one link with five ends, picked in four panes while the playhead moves
    me.press("R")
    on_timeline(me, horn)
    on_timeline(me, braking)
    me.go_to(AT_S).waits_for_pictures()
    middle = ((corners[0] + corners[2]) // 2, corners[1] + 1)
    area = me.camera("front_camera").area
    for _ in range(6):
        me.click_at(area, on_screen(me.camera("front_camera"), middle))
        if me.bench.selected == (box,):
            break
    me.waits(lambda: box in me.window.link_mode.picks, "the box to be picked")
    while set(me.window.link_mode.picks) - {horn, braking, box}:
        me.press("Backspace")  # what lay under the same place
    cuboid = click_in_cloud(me, cuboid)
    while set(me.window.link_mode.picks) - {horn, braking, box, cuboid}:
        me.press("Backspace")
    on_timeline(me, words)
    assert set(me.window.link_mode.picks) == {horn, braking, box, cuboid, words}
    me.keep_picture("sysb_picked")
    me.press("P")  # a voice speaks: no such relation of five
    assert "'speaks' needs" in me.said
    me.press("C")
    (story,) = links(stored, "coincides_with")
    assert {end["target"] for end in story["ends"]} == {horn, braking, box, cuboid, words}  # type: ignore[attr-defined]
    link = str(story["id"])
    assert me.bench.selected == (link,)

    # all of it is seen: lines between panes, the ends side by side, the graph
    me.waits(lambda: {line.link for line in me.window.lines.lines} == {link}, "lines between panes")
    ends = me.pane("ends")
    assert isinstance(ends, EndsPanel)
    me.waits(lambda: len(ends.widgets) == 5, "the ends side by side")
    graph = me.pane("graph")
    assert isinstance(graph, GraphPanel)
    me.waits(lambda: any(link in each.links for each in graph.canvas.scene.graph.relations), "the graph")
    me.keep_picture("sysb_linked")

    # one end is changed: what hangs in a link with it is flagged, at once and in place; taken back it is not
    assert "stale" not in row_of(me, link)[3]
    me.go_to(AT_S).waits_for_pictures()
    me.bench.select([box], cause="test")
    start = on_screen(me.camera("front_camera"), middle)
    me.drag(area, start + QPoint(0, 0), start + QPoint(90, 0))
    me.waits(lambda: "stale" in row_of(me, link)[3], "the flag in the list")
    me.waits(lambda: any(each.stale for each in graph.canvas.scene.graph.relations), "the flag in the graph")
    me.keep_picture("sysb_flagged")
    me.press("Ctrl+Z").waits(lambda: "stale" not in row_of(me, link)[3], "the flag to go")
    assert [each for each in QApplication.topLevelWidgets() if each.isVisible()] == windows  # one window for all of it


def test_an_end_moves_an_absence_is_stated_and_a_relation_denied_each_in_one_step(me: Person, stored: Stored) -> None:
    view = me.bench.view
    assert view is not None
    cars = [each.id for each in view.annotations.values() if view.class_of(each) == "car" and each.kind == "cuboid"]
    (story,) = links(stored, "coincides_with")
    link, steps = str(story["id"]), stored.edits()
    old = {str(end["target"]) for end in story["ends"]}  # type: ignore[attr-defined]

    tall = {dock.spec.kind: dock.height() for dock in me.window.docks if dock.in_sight}
    me.bench.select([link], cause="test")
    for _ in range(3):  # the two lines of link mode come and go, and leave the panes as tall as they were
        me.press("R").waits(me.window.link_mode.isVisible, "link mode").press("Esc")
    me.waits(lambda: {d.spec.kind: d.height() for d in me.window.docks if d.in_sight} == tall, "the panes as they were")
    me.press("Shift+R")
    assert "pick where it shall stand" in me.read("link_mode_words")
    me.bench.select([cars[0]], cause="cloud")
    numbers = [each.role for each in me.window.link_mode.choices]
    assert len(numbers) == 5  # any of the five may stand there
    me.press("1")
    (moved,) = links(stored, "coincides_with")
    now = {str(end["target"]) for end in moved["ends"]}  # type: ignore[attr-defined]
    assert len(now - old) == len(old - now) == 1
    assert now - old == {cars[0]}
    me.press("Ctrl+Z")
    assert links(stored, "coincides_with") == [story]

    me.press("Esc", "Esc")
    me.bench.select(cars[1:3], cause="test")
    me.press("R", "-", "?").type("another colour").press("Enter", "S")
    (denied,) = [each for each in links(stored, "same_object") if each.get("holds") is False]
    assert denied["rationale"] == "another colour"
    assert {end["target"] for end in denied["ends"]} == set(cars[1:3])  # type: ignore[attr-defined]
    me.press("Ctrl+Z")
    assert not [each for each in links(stored, "same_object") if each.get("holds") is False]

    me.press("Esc", "Esc")
    me.bench.select([cars[3]], cause="test")
    me.press("R", "X")
    assert me.dialog is not None
    where, reason = (me.dialog.findChild(QComboBox, name) for name in ("absence_where", "absence_reason"))
    assert where is not None
    assert reason is not None
    where.setCurrentIndex(where.findText("back_camera"))
    reason.setCurrentIndex(reason.findData("out_of_view"))
    me.keep_picture("absence")
    me.click("State the absence")
    (absence,) = links(stored, "absent")
    assert absence["reason"] == "out_of_view"
    me.press("Ctrl+Z")
    assert links(stored, "absent") == []

    # where a sound comes from is said in a sentence, which is asked for
    (horn, *_) = [each.id for each in view.annotations.values() if view.class_of(each) == "horn"]
    me.press("Esc", "Esc")
    me.bench.select([horn, cars[0]], cause="test")
    me.press("R", "H")
    assert "say how the sound comes from it" in me.read("link_mode_words")
    assert links(stored, "sound_source") == []
    me.press("Enter")
    assert links(stored, "sound_source") == []  # no words, no link
    me.keep_picture("sound_source")
    me.type("the red car hoots twice").press("Enter")
    (hoots,) = links(stored, "sound_source")
    assert hoots["rationale"] == "the red car hoots twice"
    me.press("Ctrl+Z")
    me.press("Esc", "Esc")
    me.bench.select([horn], cause="test")
    me.press("Ctrl+Shift+A")
    assert me.dialog is not None
    me.click("State the absence")
    problem = me.dialog.findChild(QLabel, "absence_problem")  # of this one: the closed one before may still be there
    assert problem is not None
    me.waits(lambda: problem.isVisible() and "Say in a sentence" in problem.text(), "the reason")
    me.press("Esc")
    assert stored.edits() == steps + 8  # four steps done and four taken back


def test_one_relation_is_made_the_main_one_and_the_others_go(me: Person, stored: Stored) -> None:
    """LINK-21: annotators see that tool only, and its coverage leads."""
    view = me.bench.view
    assert view is not None
    cuboids = [each.id for each in view.annotations.values() if each.kind == "cuboid"][:2]
    me.press("Esc", "Esc", "Ctrl+K").type("relations of the project").press("Enter")
    assert me.dialog is not None
    main = me.dialog.findChild(QComboBox, "relations_main")
    assert main is not None
    main.setCurrentIndex(main.findData("same_object"))
    me.click("Only that one")
    me.keep_picture("relations_of_project")
    me.click("Done")
    (project,) = stored.content("project", "1")
    assert project["main_link"] == "same_object"
    assert {"sound_source", "coincides_with"} <= set(project["links_off"])
    me.bench.select(cuboids, cause="test")
    me.press("R")
    assert [each.type_id for each in me.window.link_mode.offered] == ["same_object"]
    panel = me.pane("links")
    assert isinstance(panel, LinksPanel)
    me.waits(lambda: panel.main.isVisible() and "Same object: thing" in panel.main.text(), "its coverage in the list")
    me.keep_picture("one_relation")
    me.press("Esc", "Esc", "Ctrl+Z")
    (project,) = stored.content("project", "1")
    assert "main_link" not in project


def test_keys_go_from_linked_label_to_linked_label_and_through_the_graph(me: Person, stored: Stored) -> None:
    (story,) = links(stored, "coincides_with")
    ends = {str(end["target"]) for end in story["ends"]}  # type: ignore[attr-defined]
    me.press("Esc", "Esc")
    me.bench.select([next(iter(sorted(ends)))], cause="test")
    passed: list[str] = []
    for _ in range(2 * len(ends)):
        me.press("Alt+PgDown")
        passed += me.bench.selected
    assert ends <= set(passed)
    times = {each: me.bench.view.session_range(me.bench.view.annotations[each]) for each in passed}  # type: ignore[union-attr]
    last = times[passed[-1]]
    assert last is not None
    assert last.contains(me.bench.clock.time_ns)
    me.window.show_pane("graph")
    graph = me.pane("graph")
    assert isinstance(graph, GraphPanel)
    me.waits(lambda: graph.canvas.scene.graph.focus is not None, "the graph around the label")
    me.press("Right", "Right")
    stood = graph.current
    assert stood is not None
    item = graph.canvas.scene.item(stood)
    assert item is not None
    me.press("Enter")
    assert me.bench.selected == item.ids
    me.press("Shift+A")
    me.waits(lambda: len(graph.canvas.scene.items) > 20, "all links")
    me.press("Shift+A")


def test_a_right_click_on_a_label_leads_to_what_it_is_linked_to(me: Person, stored: Stored) -> None:
    """VIEW-03 by mouse: in a picture and on the timeline; by the menu key in the text."""
    (story,) = links(stored, "coincides_with")
    view = me.bench.view
    assert view is not None
    ends = {str(end["target"]) for end in story["ends"]}  # type: ignore[attr-defined]
    (box,) = [each for each in ends if view.annotations[each].kind == "box"]
    (horn,) = [each for each in ends if view.class_of(view.annotations[each]) == "horn"]
    (words,) = [each for each in ends if view.annotations[each].text == "watch out"]
    me.press("Esc", "Esc").go_to(AT_S).waits_for_pictures()
    canvas, at = me.label_on_timeline(horn)
    right_click(me, canvas, at, horn)
    assert me.bench.selected == (horn,)
    assert {each.data() for each in entries(me)} == ends - {horn}
    me.keep_picture("label_menu")
    choose(me, box)
    assert me.bench.selected == (box,)
    camera = me.camera("front_camera")
    me.waits(lambda: bool(camera.where(frozenset({box}))), "the box in the picture")
    shape = view.keyframes(box)[0].shape
    assert isinstance(shape, Box)
    right_click(me, camera.area, on_screen(camera, (shape.x, shape.y + shape.height / 3)), box)
    choose(me, words)
    assert me.bench.selected == (words,)
    text = me.bring("text")
    QApplication.sendEvent(text, QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(5, 5), QPoint(5, 5)))
    me.waits(lambda: me.window.label_menu.menu is not None, "the menu by key")
    choose(me, horn)
    assert me.bench.selected == (horn,)


def right_click(me: Person, widget: QWidget, at: QPoint, label: str) -> None:
    """As the window gets it, since panes take every press: the pointer comes to the label, then the click."""
    QTest.mouseMove(widget, at - QPoint(3, 0))
    QTest.mouseMove(widget, at)
    me.waits(lambda: me.bench.selection.state.hovered == label, "the label under the pointer")
    window = me.window.windowHandle()
    assert window is not None
    QTest.mouseClick(window, Qt.MouseButton.RightButton, PLAIN, widget.mapTo(me.window, at))
    me.waits(lambda: me.window.label_menu.menu is not None, "the menu")


def entries(me: Person) -> list[QAction]:
    menu = me.window.label_menu.menu
    assert menu is not None
    return [each for each in menu.actions() if each.isEnabled() and each.data() in me.bench.view.annotations]  # type: ignore[union-attr]


def choose(me: Person, label: str) -> None:
    menu = me.window.label_menu.menu
    assert menu is not None
    (found,) = [each for each in entries(me) if each.data() == label]
    QTest.mouseClick(menu, LEFT, PLAIN, menu.actionGeometry(found).center())
    me.waits(lambda: me.window.label_menu.menu is None, "the menu to go")


def test_a_pane_without_a_place_comes_as_a_tab_and_one_alone_leaves_all_as_they_were(me: Person) -> None:
    me.press("Esc", "Esc", "Ctrl+1")
    me.window.show_pane("graph")
    docks = me.window.docks
    graph, timeline = docks.dock("graph"), docks.dock("timeline")
    assert graph is not None
    assert timeline is not None
    assert graph.in_sight
    assert timeline in me.window.tabifiedDockWidgets(graph)
    me.press("Ctrl+2").waits(lambda: graph.in_sight and timeline.in_sight, "the workspace for links")
    before = {dock.spec.kind for dock in docks if not dock.isHidden()}
    me.window.show_pane("graph")
    me.press("F11")
    assert {dock.spec.kind for dock in docks if not dock.isHidden()} == {"graph"}
    me.press("F11").waits(lambda: timeline.in_sight, "all panes")
    assert {dock.spec.kind for dock in docks if not dock.isHidden()} == before


def test_a_zoomed_picture_lets_what_is_wanted_in_and_lines_can_be_turned_off(me: Person, stored: Stored) -> None:
    (story,) = links(stored, "coincides_with")
    me.go_to(AT_S).waits_for_pictures()
    camera = me.camera("front_camera")
    me.bench.select([str(story["id"])], cause="test")
    me.waits(lambda: bool(me.window.lines.lines), "lines")
    assert {line.name for line in me.window.lines.lines} == {"Coincides with", ""}  # said once
    camera.set_zoom(camera.viewport.zoomed(8.0, (2.0, 2.0)))
    ends = frozenset(str(end["target"]) for end in story["ends"])  # type: ignore[attr-defined]
    assert camera.scene.where(ends)
    assert not camera.where(ends)
    me.press("F").waits(lambda: bool(camera.where(ends)), "the picture to be shown whole")
    me.press("Ctrl+K").type("lines between panes").press("Enter")
    assert not me.window.lines.isVisible()
    me.press("Ctrl+K").type("lines between panes").press("Enter")
    me.waits(me.window.lines.isVisible, "the lines again")
