"""When a flash of a film is painted: a small window that shows it as a camera view does, for ``bench playback``.

``__main__`` hands it to the command line. The same feed, worker and pixels as in the cameras; the time is taken when
the paint of the first white picture of a flash is done. What the screen adds after that no program can see.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from workstation.app.feeds import PictureDelivery, PictureFeed
from workstation.app.flash_and_beep import open_film
from workstation.core.clock import Clock, TimeChanged
from workstation.core.ids import SampleId, StreamId
from workstation.core.sample import Stream, StreamKind
from workstation.core.timebase import TimeMap
from workstation.media.base import View
from workstation.ui.application import make_application
from workstation.ui.gui_thread import GuiThread
from workstation.ui.scenes.frame_item import PLAIN, Shown, image_of, shown_pixels

_TICK_MS = 4
_AFTER_MS = 150
"""The last picture may still be on its way when the clock stops."""
_WHITE = 128
_SIZE = (320, 240)


class Ticks(Protocol):
    """What moves the clock: the player."""

    def tick(self) -> None: ...


class FlashProbe:
    """A ``PictureProbe``. Opens a window for as long as it watches."""

    def watch(self, film: Path, clock: Clock, player: Ticks) -> Sequence[int]:
        """Follow the clock with the film; the monotonic nanosecond at which each flash was first painted."""
        application = make_application()
        window = _Window(film, clock, player)
        window.ended = application.exit  # quit would close every window
        try:
            window.show()
            application.exec()
        finally:
            window.end()
        return tuple(window.flashes_ns)


class _Window(QWidget):
    def __init__(self, film: Path, clock: Clock, player: Ticks) -> None:
        super().__init__()
        self.setObjectName("picture_probe")
        self.setAccessibleName("Measuring picture and sound")
        self.setWindowTitle("Measuring picture and sound")
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFixedSize(*_SIZE)
        self.flashes_ns: list[int] = []
        self.ended = _nothing
        self._clock, self._player = clock, player
        self._reader = open_film(film)
        stream = Stream(
            id=StreamId("flash"), sample=SampleId("flash"), key="flash", kind=StreamKind.VIDEO, time_map=TimeMap()
        )  # fmt: skip
        self._gui = GuiThread(self)
        self._feed = PictureFeed(stream, self._reader, self._delivered)
        self._asked: int | None = None
        self._pixels: Shown | None = None
        self._image: QImage | None = None
        self._bright = self._was_bright = False
        clock.time_changed.connect(self._on_time)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def end(self) -> None:
        """Let go of everything."""
        self._timer.stop()
        self._clock.time_changed.disconnect(self._on_time)
        self._feed.close()
        self._reader.close()
        self._gui.close()
        self.close()
        self.deleteLater()

    def _tick(self) -> None:
        self._player.tick()
        if not self._clock.playing:
            self._timer.stop()
            QTimer.singleShot(_AFTER_MS, self, self._stop)

    def _stop(self) -> None:
        self.ended()

    def _on_time(self, change: TimeChanged) -> None:
        index = self._feed.at(change.time_ns).index
        if index is not None and index != self._asked:
            self._asked = index
            self._feed.show(index, View(None, *_SIZE))

    def _delivered(self, delivery: PictureDelivery) -> None:
        """On the feed's thread."""
        if delivery.value is not None and self._feed.screen.accepts(delivery.request, preview=delivery.preview):
            self._gui.post(self._arrived, shown_pixels(delivery.value, PLAIN))

    def _arrived(self, pixels: Shown) -> None:
        self._pixels, self._image = pixels, image_of(pixels)
        self._bright = bool(np.mean(pixels[..., :3]) > _WHITE)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._image is None:
            painter.fillRect(event.rect(), Qt.GlobalColor.black)
        else:
            painter.drawImage(self.rect(), self._image)
        painter.end()
        if self._bright and not self._was_bright:
            self.flashes_ns.append(time.monotonic_ns())
        self._was_bright = self._bright


def _nothing() -> None:
    """Until somebody waits for the end."""
