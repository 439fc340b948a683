"""Actions on views into space: where one looks from, what the view follows, what points are coloured by and shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from workstation.ui.actions.action import Hands, Run, action, needs_sample

if TYPE_CHECKING:
    from workstation.ui.panes.cloud import CloudPane

MENU = "Cloud"
SCOPE = "cloud"
NO_CLOUD = "this sample has no point clouds, or their pane is closed"
_TURN_PX = 37.5
"""15°."""
_SHARE = 0.12
"""Of the picture's height that one press pans."""
_MOST_PX = 8


def cloud_of(hands: Hands) -> CloudPane | None:
    """The cloud pane, if it is open."""
    from workstation.ui.panes.cloud import CloudPane

    pane = hands.pane if isinstance(hands.pane, CloudPane) else hands.frame.pane(SCOPE)
    return pane if isinstance(pane, CloudPane) else None


def needs_cloud(hands: Hands) -> str | None:
    """Greyed without a cloud on the screen."""
    if needs_sample(hands) is not None:
        return needs_sample(hands)
    pane = cloud_of(hands)
    return (
        None if pane is not None and pane.layers.layers else "this sample has no point clouds, or their pane is closed"
    )


# --- where one looks from ------------------------------------------------------------------------------------------


def _turning(name: str, title: str, dx: float, dy: float, keys: str) -> Callable[[Hands], object]:
    def turn(hands: Hands) -> None:
        pane = cloud_of(hands)
        if pane is not None and pane.canvas is not None:
            pane.canvas.orbit(dx * _TURN_PX, dy * _TURN_PX)

    turn.__doc__ = f"{title} by 15° (also the middle button, or Alt and the left one)."
    turn.__module__ = __name__
    return action(f"cloud.turn_{name}", title=title, keys=keys, scope=SCOPE, menu=MENU, enabled=needs_cloud,
                  repeats=True)(turn)  # fmt: skip


turn_left = _turning("left", "Turn the view left", -1, 0, "Shift+Left")
turn_right = _turning("right", "Turn the view right", 1, 0, "Shift+Right")
turn_up = _turning("up", "Look from higher", 0, 1, "Ctrl+Up")
turn_down = _turning("down", "Look from lower", 0, -1, "Ctrl+Down")


def _panning(name: str, title: str, dx: float, dy: float, keys: str) -> Callable[[Hands], object]:
    def pan(hands: Hands) -> None:
        pane = cloud_of(hands)
        if pane is not None and pane.canvas is not None:
            step = _SHARE * pane.canvas.height()
            pane.canvas.pan(dx * step, dy * step)

    pan.__doc__ = f"{title} (also the right button, or Shift and the middle one)."
    pan.__module__ = __name__
    return action(f"cloud.pan_{name}", title=title, keys=keys, scope=SCOPE, menu=MENU, enabled=needs_cloud,
                  repeats=True)(pan)  # fmt: skip


pan_left = _panning("left", "Move the view left", 1, 0, "Ctrl+Shift+Left")
pan_right = _panning("right", "Move the view right", -1, 0, "Ctrl+Shift+Right")
pan_up = _panning("up", "Move the view up", 0, 1, "Ctrl+Shift+Up")
pan_down = _panning("down", "Move the view down", 0, -1, "Ctrl+Shift+Down")


def _zooming(name: str, title: str, steps: float, keys: tuple[str, ...]) -> Callable[[Hands], object]:
    def zoom(hands: Hands) -> None:
        pane = cloud_of(hands)
        if pane is not None and pane.canvas is not None:
            pane.canvas.zoom(steps, pane.canvas.pointer)

    zoom.__doc__ = f"{title}, to the pointer if it is over the cloud (also the wheel)."
    zoom.__module__ = __name__
    return action(f"cloud.zoom_{name}", title=title, keys=keys, scope=SCOPE, menu=MENU, enabled=needs_cloud,
                  repeats=True)(zoom)  # fmt: skip


zoom_in = _zooming("in", "Nearer", 2, ("Ctrl++", "Ctrl+="))
zoom_out = _zooming("out", "Farther", -2, ("Ctrl+-",))


def _looking(side: str, title: str, help_text: str, keys: str) -> Callable[[Hands], object]:
    def look(hands: Hands) -> None:
        from workstation.ui.scenes.space_view import Side

        pane = cloud_of(hands)
        if pane is not None:
            pane.look_from(Side(side))

    look.__doc__, look.__module__ = help_text, __name__
    return action(f"cloud.from_{side}", title=title, keys=keys, scope=SCOPE, menu=MENU, enabled=needs_cloud)(look)


from_top = _looking(
    "top", "From above", "Straight down on what is selected, its front up; else on the vehicle.", "Shift+T"
)
from_side = _looking("side", "From the side", "From the right of what is selected; else of the vehicle.", "Shift+S")
from_front = _looking("front", "From the front", "From before what is selected; else before the vehicle.", "Shift+F")


@action("cloud.fit", title="All points", keys="Ctrl+0", scope=SCOPE, menu=MENU, enabled=needs_cloud)
def fit(hands: Hands) -> None:
    """Go back so far that all points of the moment are seen."""
    pane = cloud_of(hands)
    if pane is not None:
        pane.fit_all()


@action("cloud.home", title="Behind the vehicle", keys="Shift+Home", scope=SCOPE, menu=MENU, enabled=needs_cloud)
def home(hands: Hands) -> None:
    """Behind and above the vehicle, looking ahead; a cloud of no vehicle is shown whole."""
    pane = cloud_of(hands)
    if pane is not None:
        pane.home()


@action("cloud.follow", title="Follow the vehicle", keys="Shift+V", scope=SCOPE, menu=MENU, enabled=needs_cloud)
def follow(hands: Hands) -> None:
    """Let the view go along with the vehicle, or stand still while it drives away."""
    from workstation.ui.panes.cloud_look import Follow

    pane = cloud_of(hands)
    if pane is not None:
        follows = pane.look.follow is Follow.VEHICLE
        pane.set_look(follow=Follow.GROUND if follows else Follow.VEHICLE)
        hands.bench.tell("The view stands still." if follows else "The view follows the vehicle.")


# --- what is shown -------------------------------------------------------------------------------------------------


def _switch(name: str) -> Run:
    def switch(hands: Hands) -> None:
        pane = cloud_of(hands)
        if pane is not None:
            pane.set_look(**{name: not getattr(pane.look, name)})

    return switch


def _switching(name: str, title: str, help_text: str, keys: str | tuple[str, ...] = ()) -> Callable[[Hands], object]:
    switch = _switch(name)
    switch.__doc__, switch.__module__ = help_text, __name__
    return action(f"cloud.{name}", title=title, keys=keys, scope=SCOPE, menu=MENU, enabled=needs_cloud)(switch)


flat = _switching("flat", "Orthographic", "Without perspective, or with it.", "Shift+O")
lock_zoom = _switching("zoom_locked", "Lock the zoom of the cloud", "Keep the zoom where it is, or let it go.")
cuboids = _switching("cuboids", "Cuboids in the cloud", "Show or hide cuboids.", "H")
names = _switching("labels", "Names in the cloud", "Show or hide the names beside cuboids.")
grid = _switching("grid", "Ground grid", "Show or hide the grid on the ground.")
frusta = _switching("frusta", "Frusta of cameras", "Show or hide what each calibrated camera looks through.")
axes = _switching("axes", "Axes of the vehicle", "Show or hide the axes: x ahead, y left, z up.")
way = _switching("way", "Way of the vehicle", "Show or hide the way that the vehicle takes.")
legend = _switching("legend", "Legend of the cloud", "Show or hide what the colours mean and which sweeps are shown.")
leave_moving = _switching(
    "leave_moving", "Leave moving things alone",
    "Leave points of things that moved out of the sweeps laid under the one that shows, or keep them.",
)  # fmt: skip


@action("cloud.correct", title="Motion correction", keys="Shift+M", scope=SCOPE, menu=MENU, enabled=needs_cloud)
def correct(hands: Hands) -> None:
    """Put each point where it would have been seen at the sweep's own time, through the poses; or show it as it was
    captured. The header says which."""
    pane = cloud_of(hands)
    if pane is not None:
        pane.set_look(correct=not pane.look.correct)


@action("cloud.more_sweeps", title="Lay more sweeps under", keys="Shift++", scope=SCOPE, menu=MENU, enabled=needs_cloud)
def more_sweeps(hands: Hands) -> None:
    """One more sweep before and after the one that shows, brought here through the poses."""
    _lay(hands, 1)


@action("cloud.fewer_sweeps", title="Lay fewer sweeps under", keys="Shift+-", scope=SCOPE, menu=MENU,
        enabled=needs_cloud)  # fmt: skip
def fewer_sweeps(hands: Hands) -> None:
    """One sweep fewer on each side, down to the one that shows."""
    _lay(hands, -1)


def _lay(hands: Hands, by: int) -> None:
    from workstation.app.cloud_view import MOST_AROUND

    pane = cloud_of(hands)
    if pane is None:
        return
    before, after = (min(max(each + by, 0), MOST_AROUND) for each in (pane.look.before, pane.look.after))
    pane.set_look(before=before, after=after)
    lone = not before and not after
    hands.bench.tell("One sweep is shown." if lone else f"{before} sweeps before and {after} after lie under it.")


@action("cloud.larger_points", title="Larger points", keys="+", scope=SCOPE, menu=MENU, enabled=needs_cloud,
        repeats=True)  # fmt: skip
def larger_points(hands: Hands) -> None:
    """Draw each point a pixel larger."""
    pane = cloud_of(hands)
    if pane is not None:
        pane.set_look(point_px=min(pane.look.point_px + 1, _MOST_PX))


@action("cloud.smaller_points", title="Smaller points", keys="-", scope=SCOPE, menu=MENU, enabled=needs_cloud,
        repeats=True)  # fmt: skip
def smaller_points(hands: Hands) -> None:
    """Draw each point a pixel smaller."""
    pane = cloud_of(hands)
    if pane is not None:
        pane.set_look(point_px=max(pane.look.point_px - 1, 1))


@action(
    "cloud.next_colour",
    title="Colour by something else",
    keys="Shift+C",
    scope=SCOPE,
    menu=MENU,
    enabled=needs_cloud,
)
def next_colour(hands: Hands) -> None:
    """Colour points by the next of height, intensity, class, distance, ring, time, speed, camera…"""
    from workstation.app.cloud_paint import TITLES

    pane = cloud_of(hands)
    ways = [] if pane is None else pane.colourings()
    if pane is None or not ways:
        return
    at = ways.index(pane.look.colour_by) if pane.look.colour_by in ways else -1
    chosen = ways[(at + 1) % len(ways)]
    pane.set_look(colour_by=chosen)
    hands.bench.tell(f"Points are coloured by: {TITLES[chosen].lower()}.")


def _colouring(name: str) -> Callable[[Hands], object]:
    def colour(hands: Hands) -> None:
        from workstation.app.cloud_paint import TITLES, ColourBy

        pane = cloud_of(hands)
        if pane is None:
            return
        if ColourBy(name) in pane.colourings():
            pane.set_look(colour_by=ColourBy(name))
        else:
            hands.bench.tell(f"These points bring nothing to colour by: {TITLES[ColourBy(name)].lower()}.")

    colour.__doc__, colour.__module__ = f"Colour points by {name}.", __name__
    return action(f"cloud.by_{name}", title=f"Colour points by {name}", scope=SCOPE, menu=MENU, enabled=needs_cloud)(
        colour
    )


by_height, by_intensity, by_class, by_distance, by_ring, by_time, by_velocity, by_camera = (
    _colouring(name) for name in ("height", "intensity", "class", "distance", "ring", "time", "velocity", "camera")
)
