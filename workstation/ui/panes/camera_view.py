"""One camera: a header, its picture with everything drawn over it, the tool in the hand, zoom and light.

Made by the pane (``camera.py``), one per stream with pictures. What it paints is ``frames.frame``, and the header
speaks of exactly that frame: both are set in one step, ``_frame_changed``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QRectF, QTimer
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from workstation.app.lag import Lag
from workstation.app.light import whole_window
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.sample_view import SampleView
from workstation.core.sample import Stream, StreamKind
from workstation.media.base import Window
from workstation.ui.panes.base_drawn import on_screen
from workstation.ui.panes.camera_area import PictureArea
from workstation.ui.panes.camera_canvas import ViewCanvas
from workstation.ui.panes.camera_frames import CameraFrames, Frame
from workstation.ui.panes.camera_header import CameraHeader, Said
from workstation.ui.panes.camera_look import CameraLook
from workstation.ui.panes.camera_scene import CameraScene
from workstation.ui.panes.camera_space import CameraSpace
from workstation.ui.scenes.frame_item import Tone
from workstation.ui.scenes.overlays import Marks
from workstation.ui.scenes.viewport import FIT, Viewport, Zoom
from workstation.ui.theme import Theme
from workstation.ui.times import distance_text, seconds_text
from workstation.ui.tools.canvas import PointerEvent, Wheels
from workstation.ui.tools.catalogue import make_tool
from workstation.ui.workbench import Workbench

_LATE_MS = 150
"""A picture that is not the wanted one is dimmed after so long."""
_SAID_NS = 200_000_000
"""While it plays the header speaks with each picture, and so often where none comes: not with every tick."""
_WHEEL = 1.2


class CameraView(QWidget):
    """One stream of pictures."""

    taken = QtSignal()
    """A person works on this camera now."""
    tool_moved = QtSignal()
    """The tool may have begun or ended something."""
    reshown = QtSignal()
    """Another picture is painted, with what lies over it."""
    zoomed = QtSignal(object)
    """The person has zoomed or panned to this ``Zoom``."""

    def __init__(
        self, bench: Workbench, view: SampleView, stream: Stream, cuboids: PlacedCuboids | None, look: CameraLook,
        guard: Callable[..., Any], parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self.bench = bench
        self.stream = stream
        roles = [each.role for each in view.streams.values() if each.kind is stream.kind]
        self.title = stream.role if roles.count(stream.role) == 1 and stream.role else stream.key
        self.look = look
        self.guard = guard
        self.frames = CameraFrames(stream, bench.gui, self._frame_changed, bench.turnstile)
        self.scene = CameraScene(view, stream, cuboids, bench.sight)
        self.canvas = ViewCanvas(self)
        self.tool = make_tool(bench.hand.tool, self.canvas)
        self._tool_name = bench.hand.tool
        self.marks = Marks()
        self.space = CameraSpace(self)
        self.best = False
        self.zoom_locked = False
        self.late = False
        self.lag = Lag()
        self._zoom = FIT
        self._viewport: Viewport | None = None
        self._size_px = (16, 9)
        self._time_ns = self._said_at_ns = 0
        self._build()

    def _build(self) -> None:
        self.setObjectName(f"camera_{self.stream.key}")
        self.setAccessibleName(f"Camera {self.title}")
        self.header = CameraHeader(self.title, self.bench.theme)
        self.header.setObjectName(f"camera_header_{self.stream.key}")
        self.header.taken.connect(self.taken)
        self.area = PictureArea(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.area, 1)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_LATE_MS)
        self._patience.timeout.connect(self._still_waiting)

    # --- life ---------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Begin to decode."""
        assert self.bench.readers is not None
        self.frames.open(self.bench.readers)
        if self.frames.feed is not None:
            self._size_px = self.frames.feed.size_px
            windows = self.frames.feed.windows
            if windows:
                self.frames.set_tone(replace(self.frames.tone, window=windows[0]))
        self._viewport = None
        self._say()

    def close_feed(self) -> None:
        """End the worker; the view shows nothing more."""
        self._patience.stop()
        self.tool.cancel()
        self.canvas.close()  # it may be reading from the feed
        self.frames.close()

    # --- what is to be shown ------------------------------------------------------------------------------------

    @property
    def viewport(self) -> Viewport:
        """Where the picture lies now."""
        if self._viewport is None:
            area = (float(max(1, self.area.width())), float(max(1, self.area.height())))
            self._viewport = Viewport(
                picture_px=self._size_px, area=area, zoom=self._zoom, device_ratio=self.area.devicePixelRatioF(),
                aspect=1.0 if self.frames.feed is None else self.frames.feed.aspect,
            )  # fmt: skip
        return self._viewport

    def show_time(self, time_ns: int) -> None:
        """The playhead is there."""
        self._time_ns = time_ns
        if not self.isVisible():
            return
        self.frames.seek(time_ns, self.viewport.wanted())
        if not self.frames.pending:
            self._patience.stop()
            self._set_late(False)
        elif not self._patience.isActive():
            self._patience.start()
        if not self.bench.clock.playing or abs(time_ns - self._said_at_ns) >= _SAID_NS:
            self._say()

    def _frame_changed(self) -> None:
        """Another picture, or none: header, scene and screen follow in one step."""
        frame = self.frames.frame
        self.tool.picture_changed()
        if frame is None:
            self.scene.clear()
        else:
            self._fit_size((frame.picture.width_px, frame.picture.height_px))
            self._renew_scene()
        if not self.frames.pending:
            self._patience.stop()
            self._set_late(False)
        self._say()
        self.area.forget_layer()
        self.reshown.emit()

    def showEvent(self, event: QShowEvent) -> None:
        self.show_time(self.bench.clock.time_ns)

    def records_changed(self) -> None:
        """A commit: what is drawn may be something else."""
        self.scene.renew()
        self._renew_scene()
        self._say()  # the rig may be another one
        self.area.forget_layer()

    def renew_layer(self) -> None:
        """The scene has changed."""
        self.area.forget_layer()

    def sight_changed(self) -> None:
        """Something was hidden or shown."""
        self._renew_scene()
        self.area.forget_layer()

    def _renew_scene(self) -> None:
        frame = self.frames.frame
        self.scene.with_cuboids = self.look.cuboids
        if frame is not None and self.frames.feed is not None:
            self.scene.set_picture(frame.own_ns, frame.session_ns, self.frames.feed.instance(frame.index))

    def _fit_size(self, size_px: tuple[int, int]) -> None:
        if size_px != self._size_px:
            self._size_px, self._viewport = size_px, None

    def _still_waiting(self) -> None:
        self._set_late(self.frames.pending and self.frames.frame is not None)

    def _set_late(self, late: bool) -> None:
        if late != self.late:
            self.late = late
            self.area.update()

    # --- what is said -------------------------------------------------------------------------------------------

    def _say(self) -> None:
        self._said_at_ns = self._time_ns
        frame, now, feed = self.frames.frame, self.frames.now, self.frames.feed
        said = Said(best=self.best, locked=self.zoom_locked)
        if self.frames.trouble:
            said = replace(said, note="cannot be shown")
        elif frame is None:
            said = replace(said, note="nothing here" if feed is not None and now.index is None else "")
            if now.index is not None and feed is not None:
                said = replace(said, note=f"decoding #{now.index}")
        elif frame.own_ns is None or frame.session_ns is None:
            of_volume = feed is not None and feed.item_name == "slice"
            note = f"decoding #{now.index}" if self.frames.pending else ""
            place = None if feed is None else feed.place_mm(frame.index)
            said = replace(
                said,
                item=f"slice #{frame.index}" if of_volume else "",
                own="" if place is None else f"{place:.1f} mm",
                distance=_window_text(self.frames.tone.window),
                note=note,
            )
        else:
            said = replace(
                said,
                item=f"#{frame.index}",
                own=seconds_text(frame.own_ns),
                distance=distance_text(frame.session_ns - self._time_ns),
                note=self._note(),
            )
        if not said.note and self.scene.uncalibrated:
            said = replace(said, note="not calibrated")
        self.header.say(said)

    def saw(self, frame: Frame) -> None:
        """A paint event showed it; a small picture in its place does not count."""
        seen = self.bench.seen
        if seen is None or frame.preview:
            return
        if frame.session_ns is not None and frame.end_ns is not None:
            seen.saw_time(self.stream.id, frame.session_ns, frame.end_ns)
        else:
            seen.saw_item(self.stream.id, frame.index)

    def say_lag(self) -> None:
        """``lag`` has something else to say."""
        self._say()

    def _note(self) -> str:
        """What is not as it should be with the painted picture: nothing while it is the wanted one."""
        frame = self.frames.frame
        if frame is None:
            return ""
        if self.bench.clock.playing:
            return self.lag.text
        if self.frames.pending:
            return f"decoding #{self.frames.now.index}"
        return "preview" if frame.preview else ""

    def empty_text(self) -> str:
        """What stands where no picture is."""
        if self.frames.trouble:
            return f"This stream cannot be shown:\n{self.frames.trouble}"
        now = self.frames.now
        if now.index is not None:
            return ""  # the first picture is being decoded, and the header says so
        if now.nearest is None:
            return "nothing here"
        return f"nothing here; nearest #{now.nearest.index} at {seconds_text(now.nearest.session_ns)}"

    def names_missing(self, annotation: str) -> bool:
        """Whether a gap or an absence is worth saying: of what is selected, else of all while they are few."""
        return not self.marks.related or annotation in self.marks.related

    # --- selection and space ------------------------------------------------------------------------------------

    def where(self, ids: frozenset[str]) -> list[tuple[str, QRectF]]:
        """Where these show in the area, as far as they do."""
        shown = self.scene.where(ids) if self.show_overlays else []
        return on_screen(shown, self.viewport, QRectF(self.area.rect()))

    def show_marks(self, marks: Marks) -> None:
        """Other things are selected or hovered; a picture that shows none of them stays as it is."""
        differing, self.marks = self.marks.differing(marks), marks
        if differing and (self.scene.missing or self.scene.shows(differing)):
            self.area.forget_layer()

    def set_best(self, best: bool) -> None:
        """Whether this camera sees the selection best."""
        if best != self.best:
            self.best = best
            self._say()

    def hover(self, event: PointerEvent | None) -> None:
        """The pointer is over the picture, or has left it: tell the others what is under it."""
        selection = self.bench.selection
        if event is None:
            selection.hover(None, cause="camera")
            selection.point_at(None, cause="camera")
            return
        hit = self.canvas.hit(event.place)
        selection.hover(hit[0] if hit else None, cause="camera")
        selection.point_at(self.space.pointed_at(event.place), cause="camera")

    # --- zoom and light -----------------------------------------------------------------------------------------

    @property
    def zoom(self) -> Zoom:
        return self._zoom

    def set_zoom(self, zoom: Zoom) -> None:
        """Look at this part of the picture."""
        if zoom != self._zoom:
            self._zoom = zoom
            self.viewport_changed()

    def viewport_changed(self) -> None:
        """Size or zoom are not what they were."""
        self._viewport = None
        self.area.forget_layer()
        if self.isVisible() and self.frames.feed is not None:
            self.frames.seek(self._time_ns, self.viewport.wanted())

    def wheel(self, steps: float, at: tuple[float, float], *, ctrl: bool) -> None:
        """Zoom around the pointer; over a volume go through its slices, with Ctrl zoom; or with Ctrl size a brush."""
        self.taken.emit()
        if ctrl and isinstance(self.tool, Wheels) and self.tool.wheel(steps):
            return
        if self.stream.kind is StreamKind.VOLUME and not ctrl:
            self.choose_slice(-1 if steps > 0 else 1)
        elif not self.zoom_locked:
            self._zoom_to(self.viewport.zoomed(_WHEEL**steps, at))

    def pan(self, by: tuple[float, float]) -> None:
        """Pull the picture by so many screen pixels."""
        if not self.zoom_locked:
            self._zoom_to(self.viewport.panned(by))

    def zoom_by(self, steps: float) -> None:
        """Zoom around the pointer if it is here, else around the middle."""
        pointer = self.area.pointer
        middle = (self.area.width() / 2, self.area.height() / 2)
        self._zoom_to(self.viewport.zoomed(_WHEEL**steps, middle if pointer is None else (pointer.x(), pointer.y())))

    def fit(self) -> None:
        """All of the picture."""
        self._zoom_to(FIT)

    def to_pixels(self) -> None:
        """One pixel of the picture is one of the screen."""
        viewport = self.viewport
        times = 1.0 / viewport.device_ratio / viewport.scale
        self._zoom_to(viewport.zoomed(times, (self.area.width() / 2, self.area.height() / 2)))

    def _zoom_to(self, zoom: Zoom) -> None:
        self.set_zoom(zoom)
        self.zoomed.emit(zoom)

    def choose_slice(self, by: int) -> None:
        """Another slice of a volume."""
        feed = self.frames.feed
        choose = getattr(feed, "choose", None)
        if feed is not None and choose is not None:
            choose(getattr(feed, "chosen", 0) + by)
            self.show_time(self._time_ns)

    def shift_tone(self, across: float, down: float) -> None:
        """A drag with the right button: the window's width and centre, or contrast and brightness."""
        tone, frame = self.frames.tone, self.frames.frame
        if frame is None:
            return
        if frame.picture.pixels.dtype.itemsize > 1:
            window = tone.window or whole_window(frame.picture.pixels)
            width = max(window.width * (1.0 + 2.0 * across), 1e-6)
            moved = replace(window, name="by hand", centre=window.centre + down * window.width, width=width)
            tone = replace(tone, window=moved)
        else:
            contrast = min(max(tone.contrast * (1.0 + 2.0 * across), 0.1), 10.0)
            tone = replace(tone, contrast=contrast, brightness=min(max(tone.brightness - down, -1.0), 1.0))
        self.set_tone(tone)

    def lock_zoom(self, locked: bool) -> None:
        """Keep the zoom where it is, or let it go."""
        self.zoom_locked = locked
        self._say()

    def plain_light(self) -> None:
        """As the picture is: no brightness, contrast or gamma, and the first window the file brings."""
        windows = () if self.frames.feed is None else self.frames.feed.windows
        self.set_tone(Tone(window=windows[0] if windows else None))

    def set_tone(self, tone: Tone) -> None:
        """Paint with other light."""
        self.frames.set_tone(tone)
        self._say()
        self.area.update()

    # --- the hand -----------------------------------------------------------------------------------------------

    def hand_changed(self) -> None:
        """Another tool is held, or the drawn shape got its class."""
        name = self.bench.hand.tool
        if name != self._tool_name:
            self.tool.cancel()
            self._tool_name, self.tool = name, make_tool(name, self.canvas)
        if not self.bench.hand.waiting and not self.tool.busy:
            self.canvas.preview({})
        self.area.update()

    @property
    def show_overlays(self) -> bool:
        return self.look.overlays

    def set_look(self, look: CameraLook) -> None:
        """Other switches."""
        self.look = look
        self._renew_scene()
        self.area.forget_layer()

    def set_theme(self, theme: Theme, *, focused: bool) -> None:
        """Other colours, or the focus has come or gone."""
        self.header.set_look(theme, focused=focused)
        self.area.update()


def _window_text(window: Window | None) -> str:
    """``LUNG −600 / 1500``: centre and width."""
    if window is None:
        return ""
    return f"{window.name} {window.centre:.0f} / {window.width:.0f}".replace("-", "−").strip()
