"""Actions between space and pictures: holding the 3D cursor, and taking a cuboid's projection over as a 2D box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.ui.actions.action import NO_LABEL_SELECTED, READ_ONLY, Hands, action, needs_sample
from workstation.ui.actions.camera import painted_ns

if TYPE_CHECKING:
    from workstation.app.adopting import Onlooker, Seen
    from workstation.ui.workbench import Workbench

MENU = "Track"


@action("space.hold_cursor", title="Hold the 3D cursor", keys="Shift+X", menu="Camera", enabled=needs_sample)
def hold_cursor(hands: Hands) -> None:
    """Keep the shared 3D cursor where it is while the pointer goes elsewhere; again: let it follow the pointer."""
    selection = hands.bench.selection
    held = not selection.state.cursor_held
    if held and selection.state.cursor is None:
        hands.bench.tell("Point at a picture or at the cloud first: the 3D cursor is nowhere now.")
        return
    selection.hold_cursor(held, cause="action")


def _cuboid(bench: Workbench) -> str | None:
    """The selected cuboid, or the one of the selected thing."""
    from workstation.core.geometry import ShapeKind

    view, state = bench.view, bench.selection.state
    if view is None or not state.ids:
        return None
    order = [*filter(None, (state.active,)), *state.ids, *sorted(view.related(state.ids))]
    records = (view.annotations.get(each) for each in order)
    return next((each.id for each in records if each is not None and each.kind is ShapeKind.CUBOID), None)


def _needs_cuboid(hands: Hands) -> str | None:
    if needs_sample(hands) is not None:
        return needs_sample(hands)
    if hands.bench.session.read_only:
        return READ_ONLY
    if not hands.bench.selected:
        return NO_LABEL_SELECTED
    return None if _cuboid(hands.bench) is not None else "select a cuboid, or a thing that has one"


@action("cuboid.adopt_here", title="Adopt as 2D box in this camera", keys="Shift+D", menu=MENU, enabled=_needs_cuboid)
def adopt_here(hands: Hands) -> None:
    """The box around the selected cuboid's projection becomes the thing's box on the picture of the focused camera."""
    focused = hands.bench.focused_stream
    cameras = [each for each in _onlookers(hands.bench) if each.stream.id == focused]
    if not cameras:
        hands.bench.tell("The focused stream is no calibrated camera: click into one.")
        return
    _adopt(hands, [(each, _now(hands, each)) for each in cameras], whole=False)


@action("cuboid.adopt_everywhere", title="Adopt as 2D box in all cameras", menu=MENU, enabled=_needs_cuboid)
def adopt_everywhere(hands: Hands) -> None:
    """The same on the pictures of all cameras that see the selected cuboid now."""
    _adopt(hands, [(each, _now(hands, each)) for each in _onlookers(hands.bench)], whole=False)


@action("cuboid.adopt_along", title="Adopt as 2D boxes along the track", menu=MENU, enabled=_needs_cuboid)
def adopt_along(hands: Hands) -> None:
    """Box tracks in all cameras that see the selected cuboid at any time, within a pixel of its projection. Boxes drawn
    by hand stay."""
    from workstation.app.adopting import seen_along

    bench, cuboid = hands.bench, _cuboid(hands.bench)
    if bench.placed is not None and cuboid is not None:
        found = [(each, seen_along(bench.placed, each, cuboid)) for each in _onlookers(bench)]
        _adopt(hands, found, whole=True)


def _onlookers(bench: Workbench) -> list[Onlooker]:
    from workstation.app.adopting import onlookers

    if bench.view is None or bench.readers is None or bench.placed is None:
        return []
    return list(onlookers(bench.view, bench.readers, bench.placed))


def _now(hands: Hands, onlooker: Onlooker) -> list[Seen]:
    """The cuboid in the picture that is painted."""
    from workstation.app.adopting import seen_at

    bench, cuboid = hands.bench, _cuboid(hands.bench)
    if bench.placed is None or cuboid is None:
        return []
    painted = painted_ns(hands, onlooker.stream.id)
    seen = seen_at(bench.placed, onlooker, cuboid, bench.clock.time_ns if painted is None else painted)
    return [] if seen is None else [seen]


def _adopt(hands: Hands, found: list[tuple[Onlooker, list[Seen]]], *, whole: bool) -> None:
    """One step for all cameras, and a sentence about it."""
    bench, cuboid = hands.bench, _cuboid(hands.bench)
    seeing = [(onlooker, seen) for onlooker, seen in found if seen]
    if not seeing or bench.view is None or cuboid is None:
        who = "This camera does not see" if len(found) == 1 else "No calibrated camera sees"
        bench.tell(f"{who} the cuboid{'' if whole else ' now'}.")
        return

    def adopt() -> bool:
        with bench.together("Adopt as 2D box") as run:
            for onlooker, seen in seeing:
                moments = [each.as_moment() for each in seen]
                run("cuboid.adopt_boxes", cuboid=cuboid, stream=onlooker.stream.id, boxes=moments, whole=whole)
        return True

    if bench.attempt(adopt):
        names = ", ".join(onlooker.stream.role or onlooker.stream.key for onlooker, _ in seeing)
        keyframes = sum(len(seen) for _, seen in seeing)
        boxes = f"{keyframes} keyframes" if whole else "Box" if keyframes == 1 else f"{keyframes} boxes"
        bench.tell(f"{boxes} of {bench.view.name_of(cuboid)} adopted: {names}.")
