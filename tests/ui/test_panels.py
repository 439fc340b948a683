"""The panels in real windows on the demo, worked by keys and clicks: what they show, select, change and refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest
from PySide6.QtCore import QEvent, QModelIndex, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit

from strict_windows import let_work, show, wait_for
from workstation.core.annotation import State
from workstation.ui.panels.classes import ClassesPanel
from workstation.ui.panels.editors import MIXED, ChoiceEditor
from workstation.ui.panels.entities import EntitiesPanel
from workstation.ui.panels.findings import FindingsPanel
from workstation.ui.panels.history import HistoryPanel
from workstation.ui.panels.inspector import InspectorPanel
from workstation.ui.panels.link_mode import LinkMode
from workstation.ui.panels.links import LinksPanel
from workstation.ui.panels.listed import ListPanel
from workstation.ui.panels.review import ReviewPanel
from workstation.ui.panels.row_table import RowTable
from workstation.ui.panels.samples import SamplesPanel
from workstation.ui.panels.streams import StreamsPanel
from workstation.ui.panes.base import Pane
from workstation.ui.theme import LIGHT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workstation.app.sample_view import SampleView
    from workstation.ui.workbench import Told, Workbench

P = TypeVar("P", bound=Pane)
ALL = (
    SamplesPanel, StreamsPanel, ClassesPanel, InspectorPanel, EntitiesPanel, LinksPanel, FindingsPanel, HistoryPanel,
    ReviewPanel,
)  # fmt: skip


class Open:
    """Opens panels on a workbench and closes them afterwards."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.panels: list[Pane] = []

    def __call__(self, kind: type[P]) -> P:
        panel = kind()
        self.panels.append(panel)
        show(panel, 420, 500)
        panel.bind(self.bench)
        if isinstance(panel, SamplesPanel):
            wait_for(lambda: panel.pages.rowCount() > 0, what="samples")
        elif isinstance(panel, ListPanel) and not isinstance(panel, FindingsPanel | ReviewPanel):
            wait_for(lambda: bool(panel.model.rows), what=f"rows of {panel.kind}")
        assert not panel.failed
        return panel


@pytest.fixture
def opened(bench: Workbench) -> Iterator[Open]:
    made = Open(bench)
    yield made
    for panel in made.panels:
        panel.unbind()
        panel.close()


def view_of(bench: Workbench) -> SampleView:
    assert bench.view is not None
    return bench.view


def click(table: RowTable, row: int, column: int = 0) -> None:
    model = table.model()
    table.scrollTo(model.index(row, column))
    place = table.visualRect(model.index(row, column)).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)


def row_of(panel: ListPanel, record_id: str) -> int:
    return next(number for number, row in enumerate(panel.model.rows) if record_id in row.ids)


@pytest.mark.parametrize("kind", ALL)
def test_every_panel_names_its_controls_and_lives_through_its_sample_theme_and_absence(
    opened: Open, bench: Workbench, kind: type[Pane]
) -> None:
    panel = opened(kind)
    controls = [*panel.findChildren(QAbstractButton), *panel.findChildren(QLineEdit), *panel.findChildren(RowTable),
                *panel.findChildren(QComboBox)]  # fmt: skip
    ours = [each for each in controls if each.objectName() and not each.objectName().startswith("qt_")]
    assert ours
    assert [each.objectName() for each in ours if not each.accessibleName()] == []
    bench.set_theme(LIGHT)
    assert not panel.capture().isNull()
    bench.close_sample()
    let_work(60)
    assert not panel.failed
    assert bench.open_sample("sf_drive")
    let_work(60)
    assert not panel.failed


def test_a_click_on_a_link_selects_it_and_goes_there(opened: Open, bench: Workbench) -> None:
    panel = opened(LinksPanel)
    link = next(iter(view_of(bench).links))
    bench.clock.seek(0)
    click(panel.table, row_of(panel, link))
    assert bench.selected == (link,)
    other = next(each for each in view_of(bench).links if each != link)
    bench.select([other], cause="camera")
    assert [row.key for row in panel.table.selected_rows()] == [other]


def test_unlinked_labels_are_listed_and_a_click_selects_the_first(opened: Open, bench: Workbench) -> None:
    panel = opened(LinksPanel)
    panel.set_choice("which", "unlinked")
    view = view_of(bench)
    ends = {end.target for link in view.links.values() for end in link.ends}
    expected = {a.id for a in view.annotations.values() if a.id not in ends and a.entity not in ends}
    assert {each for row in panel.model.rows for each in row.ids} == expected
    click(panel.table, 0)
    assert bench.selected == panel.model.rows[0].ids


def test_links_are_confirmed_from_the_menu(opened: Open, bench: Workbench) -> None:
    panel = opened(LinksPanel)
    link = next(each for each in view_of(bench).links.values() if each.state is State.PROPOSED)
    click(panel.table, row_of(panel, link.id))
    menu = panel.menu()
    assert menu is not None
    confirm = next(each for each in menu.actions() if each.text() == "Confirm")
    confirm.trigger()
    assert view_of(bench).links[link.id].state is State.DONE
    bench.session.undo()
    assert view_of(bench).links[link.id].state is State.PROPOSED


def test_a_field_of_the_inspector_is_changed_by_keys_and_undone(opened: Open, bench: Workbench) -> None:
    panel = opened(InspectorPanel)
    view = view_of(bench)
    spoken = next(each for each in view.annotations.values() if each.text)
    bench.select([spoken.id], cause="timeline")
    panel.refresh()
    editor = panel.form.editor("end")
    assert isinstance(editor, QLineEdit)
    assert spoken.end_ns is not None
    assert float(editor.text()) == pytest.approx(spoken.end_ns / 1e9, abs=1e-6)
    editor.setFocus()
    editor.selectAll()
    later = spoken.end_ns + 250_000_000
    QTest.keyClicks(editor, f"{later / 1e9:.3f}")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    changed = view.annotations[spoken.id].end_ns
    assert changed == pytest.approx(later, abs=500_000)
    bench.session.undo()
    assert view.annotations[spoken.id].end_ns == spoken.end_ns


def test_what_is_typed_stays_with_the_record_it_was_typed_for(opened: Open, bench: Workbench) -> None:
    panel = opened(InspectorPanel)
    view = view_of(bench)
    first, second = [each for each in view.annotations.values() if each.entity is not None][:2]
    bench.select([first.id], cause="camera")
    panel.refresh()
    editor = panel.form.editor("entity_name")
    assert isinstance(editor, QLineEdit)
    editor.setFocus()
    QTest.keyClicks(editor, "taxi")
    bench.select([second.id], cause="camera")  # from elsewhere, while the field is still being edited
    panel.refresh()
    assert first.entity is not None
    assert second.entity is not None
    assert view.entities[first.entity].name == "taxi"
    assert view.entities[second.entity].name == ""


def test_many_show_mixed_and_showing_them_changes_nothing(opened: Open, bench: Workbench) -> None:
    panel = opened(InspectorPanel)
    view, head = view_of(bench), bench.session.store.head()
    by_class: dict[str | None, str] = {}
    for each in view.annotations.values():
        if each.entity is not None:
            by_class.setdefault(view.class_of(each), each.id)
    bench.select(list(by_class.values())[:2], cause="timeline")
    panel.refresh()
    editor = panel.form.editor("class")
    assert isinstance(editor, ChoiceEditor)
    assert editor.currentIndex() == -1
    assert editor.placeholderText() == MIXED
    for ids in (list(view.links)[:1], list(view.streams)[:1], []):
        bench.select(ids, cause="timeline")
        panel.refresh()
        assert not panel.failed
    assert bench.session.store.head() == head


def test_a_query_selects_all_that_fit(opened: Open, bench: Workbench) -> None:
    panel = opened(InspectorPanel)
    panel.focus_query()
    QTest.keyClicks(panel.query, "class:bicycle")
    QTest.keyClick(panel.query, Qt.Key.Key_Return)
    view = view_of(bench)
    assert view.ontology is not None
    below = view.ontology.below("bicycle")
    assert set(bench.selected) == {each.id for each in view.annotations.values() if view.class_of(each) in below}
    assert bench.selected


def test_a_class_is_taken_by_enter_and_greyed_ones_say_why(opened: Open, bench: Workbench) -> None:
    panel = opened(ClassesPanel)
    lidar, commentary = (view_of(bench).stream_by_key(key) for key in ("lidar", "commentary"))
    assert lidar is not None
    assert commentary is not None
    bench.focus_on(lidar.id)
    wait_for(lambda: any(not row.enabled for row in panel.model.rows), what="greyed classes")
    heard: list[str] = []

    class Ear:
        def hear(self, told: Told) -> None:
            heard.append(told.text)

    ear = Ear()
    bench.told.connect(ear.hear)
    rows = panel.model.rows
    click(panel.table, next(i for i, row in enumerate(rows) if not row.enabled))
    assert "no place on cloud" in heard[-1]
    assert bench.hand.class_id is None
    bench.focus_on(commentary.id)
    wait_for(lambda: all(row.enabled for row in panel.model.rows), what="all classes legal on sound")
    QTest.keyClicks(panel.field, "hupe")  # its German name
    QTest.keyClick(panel.field, Qt.Key.Key_Return)
    at_horn = next(i for i, row in enumerate(panel.model.rows) if row.key == "horn")
    while panel.table.currentIndex().row() < at_horn:
        QTest.keyClick(panel.table, Qt.Key.Key_Down)
    QTest.keyClick(panel.table, Qt.Key.Key_Return)
    assert bench.hand.class_id == "horn"


def test_hiding_a_class_is_one_click_on_its_eye(opened: Open, bench: Workbench) -> None:
    panel = opened(ClassesPanel)
    at_car = next(i for i, row in enumerate(panel.model.rows) if row.key == "car")
    click(panel.table, at_car, 3)
    assert bench.sight.is_hidden("car")
    wait_for(lambda: panel.model.rows[at_car].cells[3].icon == "eye_off", what="the closed eye")


def test_streams_are_measured_beside_the_work_and_selecting_one_gives_it_the_hand(
    opened: Open, bench: Workbench
) -> None:
    panel = opened(StreamsPanel)
    view = view_of(bench)
    lidar = view.stream_by_key("lidar")
    assert lidar is not None
    wait_for(lambda: all(row.cells[1].text != "…" for row in panel.model.rows), what="all streams measured")
    row = panel.model.rows[row_of(panel, lidar.id)]
    assert row.cells[1].text.endswith("Hz")
    assert row.cells[2].text == "2"  # the demo's lidar has two gaps
    click(panel.table, row_of(panel, lidar.id))
    assert bench.focused_stream == lidar.id
    assert "Licence" in panel.reading.toPlainText()


def test_a_cell_of_a_thing_goes_to_its_label_there(opened: Open, bench: Workbench) -> None:
    panel = opened(EntitiesPanel)
    columns = [each.title for each in panel.model.columns]
    row = panel.model.rows[0]
    place = columns.index("lidar")
    click(panel.table, 0, place)
    assert bench.selected == row.cells[place].ids
    assert view_of(bench).annotations[bench.selected[0]].entity == row.key


def test_what_a_view_does_not_show_is_said_from_its_cell_and_taken_back_there(opened: Open, bench: Workbench) -> None:
    """MV-06: hidden from this camera, by the menu of the cell, without a dialog."""
    panel = opened(EntitiesPanel)
    place = [each.title for each in panel.model.columns].index("back_camera")
    number, row = next((n, each) for n, each in enumerate(panel.model.rows) if "missing" in each.cells[place].text)
    panel.table.setCurrentIndex(panel.model.index(number, place))

    def entry(words: str) -> Callable[[], None]:
        (found,) = [each for each in panel.entries(panel.table.selected_rows()) if each.text == words]
        assert not found.why_not
        return found.act

    entry("Not on back_camera: Hidden from this sensor")()
    wait_for(lambda: panel.model.rows[row_of(panel, row.key)].cells[place].text == "absent: occluded", what="the word")
    assert panel.model.rows[row_of(panel, row.key)].cells[place - 1].text == row.cells[place - 1].text
    panel.table.setCurrentIndex(panel.model.index(row_of(panel, row.key), place))
    entry("To be seen on back_camera after all")()
    wait_for(lambda: "missing" in panel.model.rows[row_of(panel, row.key)].cells[place].text, what="the word to go")


def test_history_takes_a_step_back_by_name_and_says_why_it_cannot(opened: Open, bench: Workbench) -> None:
    view = view_of(bench)
    thing = next(iter(view.entities))
    bench.run("entity.set", entity=thing, name="first")
    bench.run("entity.set", entity=thing, name="second")
    panel = opened(HistoryPanel)
    click(panel.table, 0)
    assert "name: first → second" in str(panel.changes.model().index(0, 1).data())
    heard: list[str] = []

    class Ear:
        def hear(self, told: Told) -> None:
            heard.append(told.text)

    ear = Ear()
    bench.told.connect(ear.hear)
    click(panel.table, 1)
    panel._take_back()
    assert view.entities[thing].name == "second"
    assert heard  # the later step depends on it, and the sentence says so
    click(panel.table, 0)
    panel._take_back()
    assert view.entities[thing].name == "first"


@pytest.mark.slow
def test_findings_come_by_themselves_and_are_dismissed_with_a_reason(opened: Open, bench: Workbench) -> None:
    car = next(each for each in view_of(bench).entities.values() if each.class_id == "car")
    shows = next(view_of(bench).annotations_of_entity(car.id))
    bench.run("annotation.relabel", annotations=[shows.id], class_id="truck", here=True)
    panel = opened(FindingsPanel)
    wait_for(lambda: any(shows.id in row.ids for row in panel.model.rows), what="a finding about the two classes")
    number = row_of(panel, shows.id)
    key = panel.model.rows[number].key
    click(panel.table, number)
    assert shows.id in bench.selected
    panel._decide("dismissed", reason="not an error here")
    wait_for(
        lambda: any(row.key == key and not row.enabled for row in panel.model.rows), what="the finding to be settled"
    )


def test_link_mode_takes_two_picks_from_anywhere_and_a_key(opened: Open, bench: Workbench) -> None:
    mode = opened(LinkMode)
    view = view_of(bench)
    first, second = [each.id for each in view.annotations.values() if view.class_of(each) == "car"][:2]
    before = set(view.links)
    bench.select([first], cause="camera")
    mode.begin()
    bench.clock.seek(2_000_000_000)
    bench.select([second], cause="timeline")
    assert [each.type_id for each in mode.offered]
    offer = mode.offered[0]
    QTest.keyClick(mode, Qt.Key.Key_F12)  # means nothing here
    assert mode.gesture is not None
    undo, redo = (
        QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier)
        for key in (Qt.Key.Key_Undo, Qt.Key.Key_Redo)
    )
    assert [mode.gesture.key(each) for each in (undo, undo, undo)] == [True, True, False]
    assert mode.picks == []
    assert [mode.gesture.key(each) for each in (redo, redo)] == [True, True]
    assert mode.picks == [first, second]
    offer = mode.offered[0]
    button = mode.findChild(QAbstractButton, f"link_mode_{offer.type_id}")
    assert isinstance(button, QAbstractButton)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(5, 5))
    (made,) = set(view.links) - before
    assert view.links[made].type_id == offer.type_id
    assert not mode.active


def test_submitting_lists_what_is_missing_and_a_click_goes_there(opened: Open, bench: Workbench) -> None:
    panel = opened(SamplesPanel)
    panel.submit()
    assert panel.missing.isVisible()
    model = panel.missing.model()
    proposed = {each.id for each in view_of(bench).links.values() if each.state is State.PROPOSED}
    assert model.rowCount(QModelIndex()) >= len(proposed)
    click(panel.missing, 0)
    assert set(bench.selected) <= proposed
    assert bench.selected
