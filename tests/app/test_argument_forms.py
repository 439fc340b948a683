"""The texts of a form become the arguments of a command, and what cannot be read names its field."""

from __future__ import annotations

import pytest

from workstation.app.forms import arguments_from, title_of
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
