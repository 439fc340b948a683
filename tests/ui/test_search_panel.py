"""The panel of searches in a real window: a sentence by keys, its fields, going to what was found, keeping a check."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from strict_windows import show, wait_for
from workstation.app.rows import Row
from workstation.core.ontology import ErrorType, Severity
from workstation.core.sample import SearchUse
from workstation.ui.panels.search import SearchPanel
from workstation.ui.workbench import Workbench


@pytest.fixture
def panel(bench: Workbench) -> Iterator[SearchPanel]:
    made = SearchPanel()
    made.resize(420, 760)
    made.bind(bench)
    show(made)
    yield made
    made.unbind()
    made.close()


def found(panel: SearchPanel) -> list[Row]:
    wait_for(lambda: panel.table.empty != "Searching …", what="the search", timeout_ms=60_000)
    return list(panel.model.rows)


def type_in(panel: SearchPanel, sentence: str) -> None:
    panel.field.setFocus()
    panel.field.selectAll()
    QTest.keyClicks(panel.field, sentence)
    QTest.keyClick(panel.field, Qt.Key.Key_Return)


def test_a_sentence_typed_finds_moments_and_a_row_goes_there(bench: Workbench, panel: SearchPanel) -> None:
    type_in(panel, "pedestrian within 10 m")
    rows = found(panel)
    assert rows
    assert {row.sample for row in rows} == {"sf_drive"}
    assert all("pedestrian" in row.cells[2].text for row in rows)
    assert panel.form.head.thing.currentData() == "pedestrian"
    assert panel.form.head.amount.value() == 10
    panel.table.setFocus()
    panel.table.selectRow(0)
    QTest.keyClick(panel.table, Qt.Key.Key_Return)
    wait_for(lambda: set(bench.selected) == set(rows[0].ids), what="the selection")
    assert bench.view is not None
    entity = bench.view.entities[rows[0].ids[0]]
    assert entity.class_id == "pedestrian"


def test_fields_say_the_sentence_and_what_cannot_be_read_says_why(panel: SearchPanel) -> None:
    panel.fields.click()
    form = panel.form
    form.mode.setCurrentIndex(1)
    form.head.thing.setCurrentIndex(form.head.thing.findData("traffic_light"))
    form.head.condition.setCurrentIndex(form.head.condition.findData("unlinked"))
    form.head.other.setCurrentIndex(form.head.other.findData("car"))
    form.head.condition.activated.emit(form.head.condition.currentIndex())
    assert panel.field.text() == "every traffic_light is not linked to a car"
    assert panel.statement is not None
    assert panel.find_all.text() == "Try on all samples"
    panel.say("bus near")
    assert "'near' after 'bus'" in panel.note.text()
    assert not panel.find_all.isEnabled()
    assert not panel.keep.isEnabled()


def test_a_check_is_tried_kept_and_taken_back(bench: Workbench, panel: SearchPanel) -> None:
    type_in(panel, "no bus within 1 m")
    assert found(panel) == []
    assert panel.table.empty == "Nothing was found."
    panel.name.setText("Bus away")
    panel._keep_check(Severity.WARNING, ErrorType.SEMANTIC)
    project = bench.session.store.project()
    assert project is not None
    (rule,) = project.rules
    assert (rule.id, rule.says, rule.on) == ("bus_away", "no bus within 1 m", True)
    assert [row.cells[1].text for row in panel.kept_model.rows] == ["no bus within 1 m"]
    panel.say("pedestrian within 10 m")
    panel._keep_search(SearchUse.SAMPLING)
    assert len(panel.kept_model.rows) == 2
    bench.session.undo()
    bench.session.undo()
    assert panel.kept_model.rows == []


def test_a_check_is_never_written_over_by_another_that_happens_to_get_its_name(
    bench: Workbench, panel: SearchPanel
) -> None:
    def kept() -> dict[str, str]:
        project = bench.session.store.project()
        assert project is not None
        return {each.id: each.says for each in project.rules}

    def keep(sentence: str, name: str = "") -> None:
        panel.say(sentence)
        panel.name.setText(name)
        panel._keep_check(Severity.WARNING, ErrorType.SEMANTIC)

    keep("no bus within 1 m")
    keep("no bus within 2 m")
    bench.session.run("rule.remove", rule="check_1")
    keep("no bus within 3 m")
    assert kept() == {"check_1": "no bus within 3 m", "check_2": "no bus within 2 m"}
    keep("no bus within 4 m", "Check 2")
    assert kept()["check_2"] == "no bus within 2 m"
    assert "already" in panel.note.text()
    row = next(each for each in panel.kept_model.rows if each.key == "rule/check_2")
    panel.kept.chosen.emit(row, None)  # taken from the list it may be changed
    panel.say("no bus within 5 m")
    panel._keep_check(Severity.WARNING, ErrorType.SEMANTIC)
    assert kept()["check_2"] == "no bus within 5 m"
