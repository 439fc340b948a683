"""The shared selection: modes, the active one, hover, cursor, and repair when records vanish."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workstation.core.selection import (
    Mode,
    Selection,
    SelectionChanged,
    SelectionState,
    SpaceCursor,
    add,
    replace,
    subtract,
    toggle,
)


class Ear:
    def __init__(self, selection: Selection) -> None:
        self.changes: list[SelectionChanged] = []
        selection.selection_changed.connect(self.hear)

    def hear(self, change: SelectionChanged) -> None:
        self.changes.append(change)


ids = st.lists(st.sampled_from("abcdef"), unique=True, max_size=6).map(tuple)


@given(ids, ids)
def test_modes_are_set_operations_that_keep_order(selected: tuple[str, ...], picked: tuple[str, ...]) -> None:
    old, new = set(selected), set(picked)
    for mode, expected in ((replace, new), (add, old | new), (subtract, old - new), (toggle, old ^ new)):
        result = mode(selected, picked)
        assert set(result) == expected
        assert len(result) == len(expected), "each once"
        kept = [item for item in result if item in old and mode is not replace]
        assert kept == [item for item in selected if item in kept]
    assert set(toggle(toggle(selected, picked), picked)) == old


@pytest.mark.parametrize(
    ("mode", "expected", "active"),
    [(replace, ("b", "c"), "c"), (add, ("a", "b", "c"), "c"), (subtract, ("a",), "a"), (toggle, ("a", "c"), "c")],
)
def test_picking_in_each_mode(mode: Mode, expected: tuple[str, ...], active: str) -> None:
    selection = Selection()
    selection.select(["a", "b"], cause="timeline")
    selection.select(["b", "c"], cause="cloud", mode=mode)
    assert selection.state.ids == expected
    assert selection.state.active == active
    assert selection.cause == "cloud"


def test_panes_hear_each_change_once_with_its_cause() -> None:
    selection = Selection()
    ear = Ear(selection)
    selection.select(["a", "a", "b"], cause="camera front", active="a")
    selection.select(["a", "b"], cause="cloud", active="a")
    selection.hover("c", cause="cloud")
    selection.point_at(SpaceCursor("world", (1.0, 2.0, 3.0)), cause="cloud")
    assert [(c.cause, c.ids_changed, c.hover_changed, c.cursor_changed) for c in ear.changes] == [
        ("camera front", True, False, False),
        ("cloud", False, True, False),
        ("cloud", False, False, True),
    ]
    assert ear.changes[0].after == SelectionState(ids=("a", "b"), active="a")


def test_activating_keeps_the_others_selected() -> None:
    selection = Selection()
    selection.select(["a", "b"], cause="list")
    selection.activate("a", cause="list")
    assert selection.state == SelectionState(ids=("a", "b"), active="a")
    selection.activate("c", cause="list")
    assert selection.state == SelectionState(ids=("a", "b", "c"), active="c")
    selection.clear(cause="escape")
    assert selection.state == SelectionState()


def test_vanished_records_leave_nothing_behind() -> None:
    selection = Selection()
    selection.select(["a", "b", "c"], cause="list", active="b")
    selection.hover("b", cause="list")
    ear = Ear(selection)
    selection.forget(["b", "x"], cause="delete")
    assert selection.state == SelectionState(ids=("a", "c"), active="c")
    selection.forget(["x"], cause="delete")
    assert len(ear.changes) == 1
    selection.repair({"a"}.__contains__, cause="other revision")
    assert selection.state == SelectionState(ids=("a",), active="a")


@given(ids, ids, ids)
def test_the_active_one_is_always_selected(
    first: tuple[str, ...], second: tuple[str, ...], left: tuple[str, ...]
) -> None:
    selection = Selection()
    for mode in (replace, add, toggle, subtract):
        selection.select(first, cause="test", mode=mode)
        selection.select(second, cause="test", mode=mode, active="c")
        selection.repair(set(left).__contains__, cause="test")
        state = selection.state
        assert set(state.ids) <= set(left)
        assert (state.active in state.ids) if state.ids else state.active is None


def test_a_remembered_selection_comes_back_as_far_as_it_exists() -> None:
    selection = Selection()
    selection.select(["a", "b"], cause="list")
    remembered = msgspec.json.decode(msgspec.json.encode(selection.state), type=SelectionState)
    assert remembered == selection.state
    selection.clear(cause="list")
    selection.hover("z", cause="list")
    selection.restore(remembered, exists={"a", "z"}.__contains__, cause="undo")
    assert selection.state == SelectionState(ids=("a",), active="a", hovered="z")
