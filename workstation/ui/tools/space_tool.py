"""The contract between a view into space and a tool in the hand: what a tool may ask, and what it must answer.

``SpaceCanvas`` (``ui/panes/cloud_canvas.py``) shows points and calls a ``SpaceTool``; what the tool asks back is
``Space``, made over the canvas by ``ui/panes/cloud_work.py`` from what only a canvas knows (``SpaceSource``). Tools
know no Qt: pointer and keys reach them as values, so a test drives them without a window. A tool keeps a preview
while the pointer is down and runs one command when it is let go.

Places are metres in the *scene*: the axes of ``Shown.frame`` about ``Shown.origin``, z up. Pixels are device pixels
of the view with (0, 0) at its top left corner.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workstation.app.sample_view import SampleView
from workstation.core.geometry import Cuboid
from workstation.core.sample import Stream
from workstation.core.selection import Ids, Mode
from workstation.core.tracks import Moment
from workstation.ui.tools.canvas import Act, Button, Cursor, HandleKind, KeyPress, Modifier
from workstation.ui.tools.state import Hand, Sight

Vec3 = tuple[float, float, float]
Pixel = tuple[float, float]


class Look(Protocol):
    """The camera of a view as tools use it; ``SpaceView`` is one."""

    @property
    def eye(self) -> Vec3: ...
    @property
    def target(self) -> Vec3: ...
    @property
    def fov_deg(self) -> float | None:
        """``None``: orthographic."""
        ...

    @property
    def width_px(self) -> int: ...
    @property
    def height_px(self) -> int: ...
    def project(
        self, points: NDArray[np.floating], /
    ) -> tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.bool_]]:
        """Pixels (n, 2), depths (n,) in metres along the view, and whether in front (n,)."""
        ...

    def ray(self, x_px: float, y_px: float, /) -> tuple[Vec3, Vec3]:
        """Where the ray through a pixel begins, and its direction as a unit vector."""
        ...


@dataclass(frozen=True, slots=True)
class SpaceHit:
    """The point under the pointer."""

    layer: str
    """``PointsShown.key``."""
    index: int
    """Row of the layer's points."""
    place: Vec3


@dataclass(frozen=True, slots=True, kw_only=True)
class SpacePointer:
    """The pointer over a view into space."""

    x_px: float
    y_px: float
    origin: Vec3
    """Where the ray through the pixel begins (``Look.ray``)."""
    direction: Vec3
    hit: SpaceHit | None = None
    """The nearest point painted within a few pixels."""
    look: Look
    button: Button = Button.NONE
    """The button pressed or let go; none for a move."""
    held: Button = Button.NONE
    """What is down after it."""
    modifiers: Modifier = Modifier.NONE
    clicks: int = 1

    @property
    def pixel(self) -> Pixel:
        return (self.x_px, self.y_px)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PointsShown:
    """One layer of points as shown: one sweep of one stream."""

    key: str
    stream: str
    """Id of the stream."""
    item: int
    """Number of the sweep."""
    own_ns: int | None
    """Stream time of the sweep; ``None`` for a still cloud without one."""
    points: NDArray[np.float32]
    """(n, 3) scene metres."""
    rows: NDArray[np.int64] | None = None
    """Which points of the sweep they are; ``None``: all of them in order."""
    current: bool = True
    """Whether it is the sweep that shows now; false for those that are accumulated around it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shown:
    """What a view into space shows at a moment. Everything is as painted now, not as asked for."""

    session_ns: int
    """The moment things are drawn at: the capture time of the sweep that leads."""
    frame: str
    """Name of the frame whose axes the scene has."""
    origin: Vec3
    """Where the scene's zero lies in ``frame``."""
    stream: str | None
    """The stream that new things are made on: the layer that leads."""
    own_ns: int | None
    """Its stream time of the sweep shown."""
    next_ns: int | None
    """Its stream time of the next sweep."""
    before_ns: int | None = None
    """Its stream time of the sweep before."""
    layers: tuple[PointsShown, ...] = ()


def moment_key(shown: Shown | None) -> tuple[object, ...] | None:
    """What makes one sweep another: its stream and time. Points, colours and cuboids may change meanwhile."""
    return None if shown is None else (shown.frame, shown.origin, shown.stream, shown.own_ns, shown.session_ns)


class SpaceSource(Protocol):
    """What only the canvas knows."""

    @property
    def shown(self) -> Shown | None:
        """What is painted; ``None`` before the first sweep is."""
        ...

    @property
    def look(self) -> Look: ...
    def repaint(self) -> None:
        """Overlay or cuboids have changed: paint lines and overlay anew, not the points."""
        ...


class Space(Protocol):
    """A view into space with what is labelled in it, as tools see it."""

    @property
    def view(self) -> SampleView:
        """The open sample's records."""
        ...

    @property
    def hand(self) -> Hand: ...
    @property
    def sight(self) -> Sight: ...
    @property
    def shown(self) -> Shown | None: ...
    @property
    def look(self) -> Look: ...
    @property
    def stream(self) -> Stream | None:
        """The stream that new things are made on."""
        ...

    @property
    def selected(self) -> Ids: ...
    @property
    def active(self) -> str | None: ...
    def cuboids(self) -> Mapping[str, Cuboid]:
        """Every cuboid that is to be seen now, in the scene; previews in place of what is stored."""
        ...

    def stored(self, annotation: str) -> Cuboid | None:
        """A cuboid without its preview, in the scene."""
        ...

    def points(self) -> NDArray[np.float32]:
        """(n, 3) points of the sweeps that show now (not those accumulated around), in the scene."""
        ...

    def moment_of(self, annotation: str) -> Moment | None: ...
    def own_ns(self, annotation: str) -> int | None:
        """The moment shown, on the axis of the annotation's own stream; of a new one on that of the leading stream."""
        ...

    def record_frame(self, annotation: str) -> str:
        """The frame an annotation's shape is kept in; of a new one the frame of the leading stream."""
        ...

    def to_frame(self, cuboid: Cuboid, frame: str, *, session_ns: int | None = None) -> Cuboid | None:
        """A cuboid of the scene in another frame, as that stands at the moment shown, or at another one."""
        ...

    def stored_at(self, annotation: str, session_ns: int) -> Cuboid | None:
        """Where a cuboid is at another moment, in the scene."""
        ...

    def eye(self) -> Vec3:
        """Where the sensor of the leading stream is, in the scene."""
        ...

    def heading(self) -> float:
        """Where the vehicle looks, radians about z."""
        ...

    def still_frame(self) -> str | None:
        """The frame of the scene, if it is one that does not move."""
        ...

    def locked(self, annotation: str) -> bool: ...
    def preview(self, cuboids: Mapping[str, Cuboid], *, class_id: str | None = None) -> None:
        """Show these (scene) in place of what is stored, in every pane, until the next call; ``{}`` ends it.

        ``class_id`` colours ``NEW``."""
        ...

    def repaint(self) -> None:
        """The overlay has changed."""
        ...

    def run(self, command_id: str, /, **arguments: object) -> Any: ...
    def together(self, label: str, act: Act, *, group: str | None = None) -> Any: ...
    def select(self, ids: Iterable[str], *, mode: Mode | None = None, active: str | None = None) -> None: ...
    def tell(self, text: str) -> None: ...


@dataclass(frozen=True, slots=True)
class SpaceHandle:
    """Something to take hold of, at a place of the scene."""

    place: Vec3
    kind: HandleKind = HandleKind.VERTEX
    held: bool = False


@dataclass(frozen=True, slots=True)
class SpaceGuide:
    """A thin line in the scene: the way to a handle, a footprint in the making."""

    points: tuple[Vec3, ...]
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceOverlay:
    """What a tool wants painted over the view besides cuboids."""

    handles: tuple[SpaceHandle, ...] = ()
    guides: tuple[SpaceGuide, ...] = ()
    ring: tuple[Pixel, ...] = ()
    """A lasso or a box in pixels of the view."""
    ring_closed: bool = False
    marked: NDArray[np.float32] | None = None
    """(n, 3) points to mark."""
    text: str = ""
    """A few words beside the pointer: ``213 points, 14.2 m``."""


NO_OVERLAY = SpaceOverlay()


class SpaceTool(Protocol):
    """One tool on one view. Made when the hand takes it over a view, dropped when the hand takes another."""

    @property
    def busy(self) -> bool:
        """Whether something is begun that ``Esc`` would cancel; then keys come here before the pane's own."""
        ...

    def takes_alt(self, event: SpacePointer) -> bool:
        """Whether a press here with Alt held is meant for it; else it turns the view."""
        ...

    def press(self, event: SpacePointer) -> None: ...
    def move(self, event: SpacePointer) -> None:
        """Also without a button held: hovering."""
        ...

    def release(self, event: SpacePointer) -> None: ...
    def double_click(self, event: SpacePointer) -> bool:
        """In place of the second press; whether it meant something here (else the view flies there)."""
        ...

    def key(self, event: KeyPress) -> bool:
        """Whether the key meant something here."""
        ...

    def cancel(self) -> None:
        """Leave everything as it was; also called when the sweep, the tool or the sample changes."""
        ...

    def scene_changed(self) -> None:
        """Something else is painted now, perhaps another sweep. A drag that belongs to the old one is cancelled by the
        tool."""
        ...

    def overlay(self) -> SpaceOverlay:
        """What to paint over the view now."""
        ...

    def cursor(self, event: SpacePointer) -> Cursor: ...


__all__ = [
    "NO_OVERLAY", "Act", "Button", "Cursor", "HandleKind", "KeyPress", "Look", "Modifier", "Pixel", "PointsShown",
    "Shown", "Space", "SpaceGuide", "SpaceHandle", "SpaceHit", "SpaceOverlay", "SpacePointer", "SpaceSource",
    "SpaceTool", "Vec3", "moment_key",
]  # fmt: skip
