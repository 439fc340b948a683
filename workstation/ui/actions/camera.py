"""Actions on cameras: which one is seen, how near, in what light, with what drawn over it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from workstation.ui.actions.action import Hands, Run, action, needs_sample

if TYPE_CHECKING:
    from workstation.ui.panes.camera import CameraPane
    from workstation.ui.tools.canvas import Canvas

MENU = "Camera"
SCOPE = "camera"


def _cameras(hands: Hands) -> CameraPane | None:
    from workstation.ui.panes.camera import CameraPane

    pane = hands.pane if isinstance(hands.pane, CameraPane) else hands.frame.pane(SCOPE)
    return pane if isinstance(pane, CameraPane) else None


def canvas_of(hands: Hands) -> Canvas | None:
    """The focused camera's picture, as tools and the actions on shapes see it."""
    cameras = _cameras(hands)
    return None if cameras is None or cameras.focused is None else cameras.focused.canvas


def painted_ns(hands: Hands, stream: str) -> int | None:
    """Session time of the picture that a camera has painted."""
    cameras = _cameras(hands)
    view = None if cameras is None else next((each for each in cameras.views if each.stream.id == stream), None)
    frame = None if view is None else view.frames.frame
    return None if frame is None else frame.session_ns


def _needs_camera(hands: Hands) -> str | None:
    if needs_sample(hands) is not None:
        return needs_sample(hands)
    cameras = _cameras(hands)
    return None if cameras is not None and cameras.views else "this sample has no pictures, or their pane is closed"


@action("camera.fit", title="Whole picture", keys="Ctrl+0", scope=SCOPE, menu=MENU, enabled=_needs_camera)
def fit(hands: Hands) -> None:
    """Show all of the focused camera's picture."""
    cameras = _cameras(hands)
    if cameras is not None and cameras.focused is not None:
        cameras.focused.fit()


@action("camera.pixels", title="Picture at its own size", keys="Ctrl+Alt+0", scope=SCOPE, menu=MENU,
        enabled=_needs_camera)  # fmt: skip
def own_size(hands: Hands) -> None:
    """One pixel of the focused camera's picture on one pixel of the screen."""
    cameras = _cameras(hands)
    if cameras is not None and cameras.focused is not None:
        cameras.focused.to_pixels()


@action("camera.zoom_in", title="Zoom in", keys=("Ctrl++", "Ctrl+="), scope=SCOPE, menu=MENU, enabled=_needs_camera,
        repeats=True)  # fmt: skip
def zoom_in(hands: Hands) -> None:
    """Nearer, around the pointer (also the wheel)."""
    cameras = _cameras(hands)
    if cameras is not None and cameras.focused is not None:
        cameras.focused.zoom_by(2)


@action("camera.zoom_out", title="Zoom out", keys="Ctrl+-", scope=SCOPE, menu=MENU, enabled=_needs_camera, repeats=True)
def zoom_out(hands: Hands) -> None:
    """Farther, around the pointer (also the wheel)."""
    cameras = _cameras(hands)
    if cameras is not None and cameras.focused is not None:
        cameras.focused.zoom_by(-2)


@action("camera.lock_zoom", title="Lock zoom of this camera", scope=SCOPE, menu=MENU, enabled=_needs_camera)
def lock_zoom(hands: Hands) -> None:
    """Keep the focused camera's zoom where it is, also when the others are moved together; again: let it go."""
    cameras = _cameras(hands)
    if cameras is not None and cameras.focused is not None:
        cameras.focused.lock_zoom(not cameras.focused.zoom_locked)


def _switch(name: str) -> Run:
    def switch(hands: Hands) -> None:
        cameras = _cameras(hands)
        if cameras is not None:
            cameras.set_look(**{name: not getattr(cameras.look, name)})

    return switch


def _switching(name: str, title: str, help_text: str, keys: str | tuple[str, ...] = ()) -> Callable[[Hands], object]:
    switch = _switch(name)
    switch.__doc__, switch.__module__ = help_text, __name__
    return action(f"camera.{name}", title=title, keys=keys, scope=SCOPE, menu=MENU, enabled=_needs_camera)(switch)


link_zoom = _switching("linked_zoom", "Link zoom", "Zoom and move all cameras together, or each on its own.")
cuboids = _switching("cuboids", "Cuboids in cameras", "Show or hide the projected outlines of cuboids.")
points = _switching("points", "Cloud points in cameras", "Show or hide the points of the cloud, coloured by distance.")
motion = _switching(
    "motion", "Correct points in cameras for motion", "Put each point where it was at the sweep's time, or as captured."
)
overlays = _switching("overlays", "Shapes on pictures", "Show or hide everything drawn over pictures.", "H")
cross_hair = _switching("cross_hair", "Cross-hair", "Show or hide lines through the pointer.", "Shift+H")
magnifier = _switching("magnifier", "Magnifier", "Show or hide the pixels under the pointer, enlarged.", "Shift+M")


@action("camera.plain_light", title="Picture as it is", scope=SCOPE, menu=MENU, enabled=_needs_camera)
def plain_light(hands: Hands) -> None:
    """Take brightness, contrast, gamma and window of the focused camera back."""
    cameras = _cameras(hands)
    if cameras is not None and cameras.focused is not None:
        cameras.focused.plain_light()


@action("camera.all", title="All cameras", keys="Shift+0", menu=MENU, enabled=_needs_camera)
def all_cameras(hands: Hands) -> None:
    """Back from one enlarged camera to all (also Esc)."""
    cameras = _cameras(hands)
    if cameras is not None:
        cameras.enlarge(None)


def _picking(number: int) -> Callable[[Hands], object]:
    def pick(hands: Hands) -> None:
        cameras = _cameras(hands)
        if cameras is not None:
            hands.frame.show_pane(SCOPE)
            cameras.pick(number)

    pick.__doc__, pick.__module__ = f"Enlarge camera {number}; again: all cameras.", __name__
    title = f"Camera {number}"
    return action(f"camera.pick_{number}", title=title, keys=f"Shift+{number}", enabled=_needs_camera)(pick)


pick_1, pick_2, pick_3, pick_4, pick_5, pick_6, pick_7, pick_8, pick_9 = (_picking(n) for n in range(1, 10))


@action("camera.best", title="Camera that sees the selection best", keys="Shift+B", menu=MENU, enabled=_needs_camera)
def best(hands: Hands) -> None:
    """Enlarge the camera in whose picture the selected thing is largest."""
    cameras = _cameras(hands)
    found = None if cameras is None else next((each for each in cameras.views if each.best), None)
    if cameras is not None and found is not None:
        cameras.enlarge(found)
    else:
        hands.bench.tell("No camera sees what is selected now.")
