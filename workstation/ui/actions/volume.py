"""Actions on volumes: how their planes are looked at, windows, measuring, prior and current, masks between slices."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from workstation.ui.actions.action import Hands, action, needs_sample

if TYPE_CHECKING:
    from workstation.ui.panes.volume import VolumePane

MENU = "Volume"
SCOPE = "volume"
_MEASURING = ("measure", "measure_angle", "measure_ellipse", "measure_outline")
_NO_VOLUME = "this sample has no volume, or its pane is closed"


def _volumes(hands: Hands) -> VolumePane | None:
    from workstation.ui.panes.volume import VolumePane

    pane = hands.pane if isinstance(hands.pane, VolumePane) else hands.frame.pane(SCOPE)
    return pane if isinstance(pane, VolumePane) else None


def _needs_volume(hands: Hands) -> str | None:
    pane = _volumes(hands)
    return None if pane is not None and pane.focused is not None else needs_sample(hands) or _NO_VOLUME


def _needs_two(hands: Hands) -> str | None:
    pane = _volumes(hands)
    return _needs_volume(hands) or ("there is one volume only" if pane is None or len(pane.volumes) < 2 else None)


@action("volume.measure", title="Measure", keys="M", scope=SCOPE, menu=MENU, enabled=_needs_volume)
def measure(hands: Hands) -> None:
    """Measure a distance; again: an angle, an ellipse, an outline."""
    hand = hands.bench.hand
    now = _MEASURING.index(hand.tool) + 1 if hand.tool in _MEASURING else 0
    hands.frame.perform(f"tool.{_MEASURING[now % len(_MEASURING)]}", hands.pane)


@action("volume.fit", title="Whole slice", keys="Ctrl+0", scope=SCOPE, menu=MENU, enabled=_needs_volume)
def fit(hands: Hands) -> None:
    """Show all of the focused plane's slice."""
    pane = _volumes(hands)
    if pane is not None:
        pane.fit()


def _zoom(hands: Hands, times: float) -> None:
    pane = _volumes(hands)
    if pane is not None and pane.focused is not None:
        pane.focused.zoom_by(times)


@action("volume.zoom_in", title="Zoom into the slice", keys=("Ctrl++", "Ctrl+="), scope=SCOPE, menu=MENU,
        enabled=_needs_volume, repeats=True)  # fmt: skip
def zoom_in(hands: Hands) -> None:
    """Nearer, around the pointer (also Ctrl and the wheel)."""
    _zoom(hands, 1.44)


@action("volume.zoom_out", title="Zoom out of the slice", keys="Ctrl+-", scope=SCOPE, menu=MENU,
        enabled=_needs_volume, repeats=True)  # fmt: skip
def zoom_out(hands: Hands) -> None:
    """Farther, around the pointer (also Ctrl and the wheel)."""
    _zoom(hands, 1 / 1.44)


@action("volume.flip_sides", title="Flip left and right", keys="Ctrl+F", scope=SCOPE, menu=MENU, enabled=_needs_volume)
def flip_sides(hands: Hands) -> None:
    """Exchange left and right of the focused plane on the screen. The letters follow; no side of a mark changes."""
    pane = _volumes(hands)
    if pane is not None:
        pane.flip()


@action("volume.flip_up", title="Flip up and down", keys="Ctrl+Shift+F", scope=SCOPE, menu=MENU,
        enabled=_needs_volume)  # fmt: skip
def flip_up(hands: Hands) -> None:
    """Exchange up and down of the focused plane on the screen. The letters follow; no side of a mark changes."""
    pane = _volumes(hands)
    if pane is not None:
        pane.flip(up=True)


@action("volume.cross_hair", title="Cross-hair of the planes", keys="Shift+H", scope=SCOPE, menu=MENU,
        enabled=_needs_volume)  # fmt: skip
def cross_hair(hands: Hands) -> None:
    """Show or hide where the planes cross."""
    pane = _volumes(hands)
    if pane is not None:
        pane.set_look(cross_hair=not pane.look.cross_hair)


@action("volume.overlays", title="Shapes on slices", keys="H", scope=SCOPE, menu=MENU, enabled=_needs_volume)
def overlays(hands: Hands) -> None:
    """Show or hide everything drawn over the slices."""
    pane = _volumes(hands)
    if pane is not None:
        pane.set_look(overlays=not pane.look.overlays)


@action("volume.straight", title="Planes along the patient", scope=SCOPE, menu=MENU, enabled=_needs_volume)
def straight(hands: Hands) -> None:
    """Cut oblique volumes along the patient's own axes, or along their slices. Marks on stored slices need these."""
    pane = _volumes(hands)
    if pane is not None:
        pane.set_straight(not pane.straight)


@action("volume.plane", title="This plane alone, or all", keys="Return", scope=SCOPE, menu=MENU,
        enabled=_needs_volume)  # fmt: skip
def plane(hands: Hands) -> None:
    """Enlarge the focused plane, of every volume; again: all planes (also a double click)."""
    pane = _volumes(hands)
    if pane is not None and pane.focused is not None:
        pane.enlarge(None if pane.enlarged is pane.focused.name else pane.focused.name)


def _windowing(number: int) -> Callable[[Hands], object]:
    def choose(hands: Hands) -> None:
        pane = _volumes(hands)
        if pane is None or pane.focused is None:
            return
        windows = pane.focused.volume.windows
        if number <= len(windows):
            pane.choose_window(windows[number - 1])
        else:
            hands.bench.tell(f"This volume has {len(windows)} windows.")

    choose.__doc__, choose.__module__ = (
        f"Window {number} of the list: the file's own first, then the usual ones.",
        __name__,
    )
    return action(
        f"volume.window_{number}", title=f"Window {number}", keys=f"Alt+{number}", scope=SCOPE, menu=MENU,
        enabled=_needs_volume,
    )(choose)  # fmt: skip


window_1, window_2, window_3, window_4, window_5, window_6 = (_windowing(n) for n in range(1, 7))


@action("volume.link", title="Link volumes at these places", scope=SCOPE, menu=MENU, enabled=_needs_two)
def link(hands: Hands) -> None:
    """Take the places looked at in prior and current for the same place of the patient from now on."""
    pane = _volumes(hands)
    if pane is not None:
        pane.link_here()


@action("volume.part", title="Part the volumes", scope=SCOPE, menu=MENU, enabled=_needs_two)
def part(hands: Hands) -> None:
    """Let every volume go its own way."""
    pane = _volumes(hands)
    if pane is not None:
        pane.part()


@action("volume.write_between", title="Write interpolated slices", scope=SCOPE, menu=MENU, enabled=_needs_volume)
def write_between(hands: Hands) -> None:
    """Make masks of what is interpolated between the drawn slices of the selected thing, as one step."""
    pane = _volumes(hands)
    if pane is None or pane.focused is None:
        return
    count = pane.focused.canvas.write_between()
    hands.bench.tell(
        f"{count} slices written." if count else "Select a mask first that is drawn on slices apart from each other."
    )


def _brush_by(hands: Hands, steps: float) -> None:
    from workstation.ui.tools.draw_mask import size_brush

    pane = _volumes(hands)
    if pane is not None and pane.focused is not None:
        size_brush(pane.focused.canvas, steps)
        hands.bench.tell(f"The brush is {hands.bench.hand.ways.brush_px:g} px wide.")


def _needs_brush(hands: Hands) -> str | None:
    return _needs_volume(hands) or (None if hands.bench.hand.tool in ("brush", "eraser") else "take the brush")


@action("volume.brush_smaller", title="Smaller brush on slices", keys="[", scope=SCOPE, enabled=_needs_brush,
        repeats=True)  # fmt: skip
def brush_smaller(hands: Hands) -> None:
    """A narrower brush and eraser (also Ctrl and the wheel)."""
    _brush_by(hands, -1)


@action("volume.brush_larger", title="Larger brush on slices", keys="]", scope=SCOPE, enabled=_needs_brush,
        repeats=True)  # fmt: skip
def brush_larger(hands: Hands) -> None:
    """A wider brush and eraser (also Ctrl and the wheel)."""
    _brush_by(hands, 1)
