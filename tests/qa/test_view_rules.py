"""Several views of one event: a view that is late as a whole, and things that have changed names in one of them."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from plain_snapshot import TEXT, Scene, ontology

from workstation.core.annotation import Keyframe, Link, LinkEnd, State, TargetKind, Track
from workstation.core.geometry import Box, ShapeKind, Span
from workstation.core.sample import Stream, StreamKind

MS = 1_000_000
RULES = (
    TEXT.replace(
        "  near:",
        "  coincides_with: {symmetric: true, tolerance: {time_ms: 50}, roles: {item: {min: 2, max: null, "
        "targets: [annotation]}}}\n  near:",
    )
    .replace("modalities: [image, cloud,", "modalities: [image, video, cloud,")
    .replace("shapes: {image: [box],", "shapes: {image: [box], video: [box, span],")
)
VIEWS = ("front", "side", "top")


class Cell(Scene):
    """Three films of one scene."""

    def __init__(self) -> None:
        super().__init__(ontology(RULES), profile="manipulation")
        image = next(each for each in self.snapshot.held if isinstance(each, Stream) and each.key == "image")
        for key in VIEWS:
            made: Any = self.ids.new()
            self.streams[key] = made
            self.add(replace(image, id=made, key=key, kind=StreamKind.VIDEO))

    def on(self, key: str, **more: Any) -> Any:
        label = replace(self.label("image", **more), stream=self.streams[key])
        self.snapshot.held[-1] = label
        return label

    def event(self, start_ms: int, end_ms: int, late: dict[str, tuple[int, int]]) -> None:
        spans = []
        for key in VIEWS:
            begin, end = late.get(key, (0, 0))
            times = {"start_ns": (start_ms + begin) * MS, "end_ns": (end_ms + end) * MS}
            spans.append(self.on(key, class_id="sound", kind=ShapeKind.SPAN, shape=Span(), **times))
        ends = tuple(LinkEnd(role="item", kind=TargetKind.ANNOTATION, target=each.id) for each in spans)
        link: Any = {"id": self.ids.new(), "sample": self.sample, "type_id": "coincides_with", "ends": ends}
        self.add(Link(**link, state=State.DONE))

    def moving(self, key: str, thing: Any, when: range, across: float = 1.0) -> None:
        """A box that goes to the right in these tenths of a second of five, and stands else."""
        made = self.on(key, kind=ShapeKind.BOX, shape=None, track=Track(), entity=thing.id)
        x = 10.0
        for tenth in range(50):
            x += 4 * across if tenth in when else 0.0
            given: Any = {"id": self.ids.new(), "annotation": made.id, "shape": Box(x, 10, 20, 20)}
            self.add(Keyframe(**given, time_ns=tenth * 100 * MS))


@pytest.mark.parametrize(("late_ms", "found"), [(167, 1), (-40, 1), (8, 0)])
def test_a_view_that_is_late_in_all_events_is_one_finding(late_ms: int, found: int) -> None:
    cell = Cell()
    for start in (500, 1_500, 2_500, 4_000):
        cell.event(start, start + 600, {"side": (late_ms, late_ms)})
    findings = cell.found("views") + cell.found("moments")
    assert [each.rule for each in findings] == ["views.late"] * found
    if findings:
        assert findings[0].measured == abs(late_ms)
        assert findings[0].text.startswith("side shows all 4 events")


def test_one_event_that_begins_late_is_that_events() -> None:
    cell = Cell()
    for start in (500, 1_500, 2_500, 4_000):
        cell.event(start, start + 600, {"side": (100, 0)} if start == 1_500 else {})
    assert cell.found("views") == []
    assert [each.measured for each in cell.found("moments")] == [100.0]


@pytest.mark.parametrize("views", [2, 3])
def test_things_that_move_when_the_other_one_does_have_changed_names(views: int) -> None:
    for exchanged in (False, True):
        cell = Cell()
        cup, bowl, post = cell.entity("car", 1), cell.entity("car", 2), cell.entity("car", 3)
        for key in VIEWS[:views]:
            wrong = exchanged and key == "side"
            first, second = (bowl, cup) if wrong else (cup, bowl)
            cell.moving(key, first, range(5, 20), across=1.5 if key == "front" else 1.0)
            cell.moving(key, second, range(30, 45))
            cell.moving(key, post, range(0))
        found = cell.found("views")
        assert [each.rule for each in found] == ["views.exchanged"] * exchanged
        if found and views == 3:
            assert "on side" in found[0].text
        elif found:
            assert "front" in found[0].text
            assert "side" in found[0].text
