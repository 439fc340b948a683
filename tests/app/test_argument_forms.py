"""The texts of a form become the arguments of a command, and what cannot be read names its field."""

from __future__ import annotations

from pathlib import Path

import pytest

from workstation.app.forms import Place, arguments_from, fields_of, title_of
from workstation.app.opening import open_project
from workstation.app.sample_view import SampleView
from workstation.commands.registry import load_registry
from workstation.core.errors import UserError


def test_seconds_become_whole_nanoseconds_and_empty_fields_are_left_out() -> None:
    move = next(each for each in load_registry() if each.id == "keyframe.move")
    given = arguments_from(move, {"keyframe": "abc", "time_ns": "1,000000001"})
    assert given == {"keyframe": "abc", "time_ns": 1_000_000_001}
    assert arguments_from(move, {"keyframe": " ", "time_ns": ""}) == {}


@pytest.mark.parametrize("text", ["soon", "1.2.3", "--"])
def test_what_is_no_time_names_the_field(text: str) -> None:
    move = next(each for each in load_registry() if each.id == "keyframe.move")
    with pytest.raises(UserError, match="Time"):
        arguments_from(move, {"time_ns": text})
    assert title_of("time_ns") == "Time"


def test_what_is_selected_stands_by_its_name_and_goes_back_as_its_id(demo_template: Path) -> None:
    registry = {each.id: each for each in load_registry()}
    with open_project(demo_template, read_only=True) as session:
        session.open_sample("sf_drive")
        assert session.sample is not None
        view = SampleView(session.store, session.sample)
        chosen = tuple(each.id for each in view.annotations.values() if each.entity is not None)[:8]
        delete = next(
            each for each in fields_of(registry["annotation.delete"], Place(view=view, selected=chosen, time_ns=0))
            if each.name == "annotations"
        )  # fmt: skip
        ask = next(
            each for each in fields_of(registry["question.ask"], Place(view=view, selected=chosen[:1], time_ns=0))
            if each.name == "target"
        )  # fmt: skip
        named = view.name_of(chosen[0])
    assert dict(ask.choices)[ask.value] == named
    assert named in dict(delete.choices)[delete.value]
    assert dict(delete.choices)[delete.value].endswith("and 2 more")
    assert arguments_from(registry["annotation.delete"], {"annotations": delete.value}) == {"annotations": list(chosen)}
    assert arguments_from(registry["question.ask"], {"target": ask.value}) == {"target": chosen[0]}
