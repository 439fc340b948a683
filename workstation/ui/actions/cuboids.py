"""Actions on things in space: the tools that make cuboids and point sets, and what is done to the selected cuboids at
the sweep that shows. Those with the id of a command stand for it."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING

from workstation.ui.actions.action import (
    NO_CLASS_FOR_IT,
    NO_STREAM_FOR_IT,
    READ_ONLY,
    Hands,
    action,
    needs_sample,
)
from workstation.ui.actions.cloud import NO_CLOUD, SCOPE, cloud_of, needs_cloud
from workstation.ui.actions.shapes import TOOLS_MENU

if TYPE_CHECKING:
    from workstation.ui.tools.space_tool import Space

MENU = "Cuboid"


def space_of(hands: Hands) -> Space | None:
    """What the cloud pane shows, as tools see it."""
    pane = cloud_of(hands)
    return None if pane is None else pane.work


# --- tools ------------------------------------------------------------------------------------------------------


def _why_not_tool(makes: str) -> Callable[[Hands], str | None]:
    def why_not(hands: Hands) -> str | None:
        from workstation.app.shown_kinds import CLOUD_KINDS
        from workstation.core.geometry import ShapeKind
        from workstation.core.sync_state import why_locked

        view = hands.bench.view
        if view is None:
            return needs_sample(hands)
        kinds = {each.kind for each in view.streams.values()} & set(CLOUD_KINDS)
        if not kinds:
            return f"{NO_STREAM_FOR_IT} point clouds"
        if hands.bench.session.read_only:
            return READ_ONLY
        if (locked := why_locked(hands.bench.session.store.project(), view.sample, view.streams.values())) is not None:
            return locked
        if view.ontology is not None and not any(view.ontology.classes_for(kind, ShapeKind(makes)) for kind in kinds):
            return f"{NO_CLASS_FOR_IT} may be drawn as {makes.replace('_', ' ')} in these clouds"
        return None

    return why_not


def _taking(name: str, title: str, help_text: str, keys: str, makes: str, icon: str) -> Callable[[Hands], object]:
    def take(hands: Hands) -> None:
        hands.bench.hand.forget_drawn()
        hands.bench.hand.take(name)
        hands.frame.show_pane(SCOPE)

    take.__doc__, take.__module__ = help_text, __name__
    return action(
        f"tool.{name}", title=title, keys=keys, menu=TOOLS_MENU, icon=icon, enabled=_why_not_tool(makes)
    )(take)  # fmt: skip


cuboid = _taking(
    "cuboid", "Cuboid",
    "Click on a thing in the cloud, or pull from its rear to its front on the ground. "
    "Shift goes on with the selected track.",
    "F5", "cuboid", "cuboid",
)  # fmt: skip
lasso = _taking(
    "points_lasso", "Points by lasso", "Pull around points; they become a point set. Shift adds, Ctrl takes away.",
    "F7", "point_set", "points_lasso",
)  # fmt: skip
point_box = _taking(
    "points_box", "Points by box", "Pull a box over points; they become a point set. Shift adds, Ctrl takes away.",
    "Shift+F7", "point_set", "",
)  # fmt: skip
grow = _taking(
    "points_grow", "Points by growing",
    "Click on a point: what hangs together with it becomes a point set. Shift adds, Ctrl takes away.",
    "Ctrl+F7", "point_set", "",
)  # fmt: skip


# --- the selected cuboids ---------------------------------------------------------------------------------------


def _edits() -> ModuleType:
    """With the arithmetic of cuboids: a start does not pay for what is done to them later."""
    from workstation.ui.tools import space_keys

    return space_keys


def _needs_cuboid(hands: Hands) -> str | None:
    if hands.bench.session.read_only:
        return READ_ONLY
    from workstation.ui.tools.space_edits import editable

    space = space_of(hands)
    if space is None or needs_cloud(hands) is not None:
        return needs_cloud(hands) or NO_CLOUD
    return None if editable(space) else "select a cuboid of this sweep first"


def _needs_track(hands: Hands) -> str | None:
    if hands.bench.session.read_only:
        return READ_ONLY
    why: str | None = needs_cloud(hands) or _edits().why_no_track(space_of(hands))
    return why


def _doing(
    action_id: str, title: str, help_text: str, act: Callable[[Space], object], keys: str = "", *,
    enabled: Callable[[Hands], str | None] = _needs_cuboid, repeats: bool = False, menu: str = MENU,
) -> Callable[[Hands], object]:  # fmt: skip
    def run(hands: Hands) -> None:
        space = space_of(hands)
        if space is not None:
            act(space)

    run.__doc__, run.__module__ = help_text, __name__
    return action(
        action_id, title=title, keys=keys or (), scope=SCOPE, menu=menu, enabled=enabled, repeats=repeats
    )(run)  # fmt: skip


_WAYS = {"right": (1, 0, 0), "left": (-1, 0, 0), "away": (0, 1, 0), "nearer": (0, -1, 0), "up": (0, 0, 1),
         "down": (0, 0, -1)}  # fmt: skip
_KEYS = {"right": "Right", "left": "Left", "away": "Up", "nearer": "Down", "up": "Shift+Up", "down": "Shift+Down"}


def _nudging(way: str, cm: int) -> Callable[[Hands], object]:
    across, along, up = (each * cm / 100 for each in _WAYS[way])
    fine = "" if cm > 1 else "_fine"
    words = {"away": "away", "nearer": "nearer"}.get(way, way)

    def nudge(space: Space) -> None:
        _edits().nudge(space, across, along, up, "nudge")

    return _doing(
        f"cuboid.nudge_{way}{fine}", f"Move cuboid {words} by {cm} cm",
        f"Move the selected cuboids {cm} cm {words} on the screen; a run of presses is one step.", nudge,
        _KEYS[way] if cm > 1 else f"Alt+{_KEYS[way]}", repeats=True, menu="",
    )  # fmt: skip


def _yawing(side: str, degrees: float, keys: str) -> Callable[[Hands], object]:
    fine = "_fine" if abs(degrees) < 1 else ""

    def yaw(space: Space) -> None:
        _edits().yaw(space, degrees, "yaw")

    return _doing(
        f"cuboid.yaw_{side}{fine}", f"Turn cuboid {side} by {abs(degrees):g}°",
        f"Turn the selected cuboids {abs(degrees):g}° to the {side}; a run of presses is one step.", yaw, keys,
        repeats=True, menu="",
    )  # fmt: skip


nudge_right, nudge_left = _nudging("right", 5), _nudging("left", 5)
nudge_away, nudge_nearer = _nudging("away", 5), _nudging("nearer", 5)
nudge_up, nudge_down = _nudging("up", 5), _nudging("down", 5)
fine_right, fine_left = _nudging("right", 1), _nudging("left", 1)
fine_away, fine_nearer = _nudging("away", 1), _nudging("nearer", 1)
fine_up, fine_down = _nudging("up", 1), _nudging("down", 1)
yaw_left, yaw_right = _yawing("left", 1.0, "Q"), _yawing("right", -1.0, "E")
yaw_left_fine, yaw_right_fine = _yawing("left", 0.1, "Alt+Q"), _yawing("right", -0.1, "Alt+E")

fit = _doing(
    "cuboid.fit", "Lay on its points", "Lay the selected cuboids onto the points about them, in their own size.",
    lambda space: _edits().fit(space), "Ctrl+Shift+F",
)  # fmt: skip
turn_round = _doing(
    "cuboid.turn_round", "Turn round", "Exchange front and back of the selected cuboids.",
    lambda space: _edits().turn_round(space), "Ctrl+R",
)  # fmt: skip
turn_quarter = _doing(
    "cuboid.turn_quarter", "Another side is the front", "Length and width change their names; the box stays.",
    lambda space: _edits().turn_quarter(space), "Ctrl+Shift+R",
)  # fmt: skip
upright = _doing(
    "cuboid.level", "Stand upright", "Take pitch and roll of the selected cuboids away.",
    lambda space: _edits().make_level(space),
)  # fmt: skip
park = _doing(
    "cuboid.park", "Parked: one pose",
    "The pose of the selected tracks at this sweep is their pose for good, in the world; again: they may move.",
    lambda space: _edits().park(space), "Shift+P",
)  # fmt: skip
set_keyframe = _doing(
    "cuboid.keyframe", "Set cuboid keyframe here", "What the selected tracks show at this sweep becomes a keyframe.",
    lambda space: _edits().set_keyframes(space), "Shift+K",
)  # fmt: skip
delete_keyframe = _doing(
    "cuboid.delete_keyframe", "Delete cuboid keyframe here", "Delete the selected tracks' keyframes at this sweep.",
    lambda space: _edits().delete_keyframes(space), "Ctrl+Delete", enabled=_needs_track,
)  # fmt: skip
extend = _doing(
    "cuboid.extend", "Extend cuboid track to here",
    "Let the selected tracks live up to this sweep, standing where they were last seen.",
    lambda space: _edits().extend(space), "Ctrl+E", enabled=_needs_track,
)  # fmt: skip


def _needs_flat(hands: Hands) -> str | None:
    if needs_sample(hands) is not None:
        return needs_sample(hands)
    if hands.bench.session.read_only:
        return READ_ONLY
    if needs_cloud(hands) is not None:
        return needs_cloud(hands)
    from workstation.ui.tools.space_frustum import flat_label

    return None if flat_label(hands.bench) is not None else "select a box, polygon or mask in a camera first"


@action("cuboid.from_box", title="Cuboid from the 2D box", keys="Ctrl+F5", menu=MENU, enabled=_needs_flat)
def from_box(hands: Hands) -> None:
    """Fit a cuboid to the points of the sweep that project into the selected box, and show it in cloud and cameras:
    Enter keeps it for the same thing and links the two, Esc gives it up, a class key gives it another class."""
    from workstation.ui.tools.space_frustum import cuboid_from_box

    space, placed = space_of(hands), hands.bench.placed
    if space is not None and placed is not None:
        cuboid_from_box(hands.bench, space, placed)


@action("cloud.sides", title="Top, side and front", keys="Shift+F5", scope=SCOPE, menu="Cloud", enabled=needs_cloud)
def sides(hands: Hands) -> None:
    """Show or hide the three straight views of the selected cuboid beside the cloud."""
    pane = cloud_of(hands)
    if pane is not None:
        pane.set_look(sides=not pane.look.sides)
