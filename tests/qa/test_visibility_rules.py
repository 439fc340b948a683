"""What each view must say of things and events: labelled, or not to be seen and why. No camera is calibrated here."""

from __future__ import annotations

from typing import Any

import pytest
from plain_snapshot import TEXT, Scene, ontology

from workstation.core.annotation import State, TargetKind
from workstation.core.geometry import ShapeKind, Span
from workstation.core.sample import Stream, StreamKind
from workstation.core.timemap import IDENTITY

VIEWS = ("overhead", "side", "wrist")
AT_ONCE = "  at_once: {symmetric: true, tolerance: {time_ms: 40}, roles: {item: {min: 2, max: null}}}\n"


class Table:
    """Three cups (and what else is asked for) that three cameras look at."""

    def __init__(self, rules: Any, things: int = 3) -> None:
        self.scene = Scene(rules)
        for key in VIEWS:
            made: Any = {"id": self.scene.ids.new(), "sample": self.scene.sample, "key": key, "kind": StreamKind.VIDEO}
            self.scene.streams[key] = made["id"]
            self.scene.add(Stream(**made, time_map=IDENTITY))
        self.things = [self.scene.entity("car", number) for number in range(1, things + 1)]

    def show(self, thing: Any, *views: str) -> list[Any]:
        return [self.scene.label("image", entity=thing.id, stream=self.scene.streams[view]) for view in views]

    def event(self, start_ns: int, *views: str) -> list[Any]:
        timed: Any = {"kind": ShapeKind.SPAN, "shape": Span(), "start_ns": start_ns, "end_ns": start_ns + 10**9}
        spans = [self.scene.label("image", "dog", stream=self.scene.streams[view], **timed) for view in views]
        link = self.scene.same(*spans)
        self.scene.snapshot.held.remove(link)
        given = {name: getattr(link, name) for name in link.__struct_fields__}
        self.scene.add(type(link)(**given | {"type_id": "at_once"}))
        return spans

    def hide(self, what: Any, view: str, **more: Any) -> None:
        ends = {"item": what, "missing_from": (TargetKind.STREAM, self.scene.streams[view])}
        self.scene.link("absent", ends, reason="hidden", **more)

    def found(self) -> list[tuple[str, ...]]:
        return [tuple(item.label for item in each.items) for each in self.scene.found("views.unlabelled")]


@pytest.fixture(scope="module")
def rules() -> Any:
    return ontology(TEXT.replace("  causes:", AT_ONCE + "  causes:"))


def test_a_cup_that_one_view_leaves_out_is_asked_for_until_somebody_says_that_it_is_hidden(rules: Any) -> None:
    table = Table(rules)
    for each in table.things[:2]:
        table.show(each, *VIEWS)
    table.show(table.things[2], "overhead", "side")
    (named,) = table.found()
    assert named[0] == "car 3"
    assert named[-1] == "wrist"
    table.hide(table.things[2], "wrist", state=State.PROPOSED)
    assert len(table.found()) == 1  # a proposal says nothing yet
    table.hide(table.things[2], "wrist")
    assert table.found() == []


def test_a_view_that_shows_other_things_is_asked_for_nothing(rules: Any) -> None:
    table = Table(rules, things=6)
    for each in table.things[:4]:
        table.show(each, "overhead")
    for each in table.things[4:]:
        table.show(each, "overhead", "wrist")
    assert table.found() == []


def test_two_things_are_too_few_to_tell_what_a_view_shows(rules: Any) -> None:
    table = Table(rules, things=2)
    table.show(table.things[0], "overhead", "side")
    table.show(table.things[1], "overhead")
    assert table.found() == []


def test_an_event_that_one_view_leaves_out_is_asked_for_too(rules: Any) -> None:
    table = Table(rules)
    table.event(0, *VIEWS)
    table.event(2 * 10**9, *VIEWS)
    grasp, *_ = table.event(4 * 10**9, "overhead", "side")
    (named,) = table.found()
    assert (named[0], named[-1]) == ("dog (span on overhead)", "wrist")
    table.hide(grasp, "wrist")
    assert table.found() == []
