"""The pictures of one camera view: asks the feed for what the playhead shows, takes what comes, knows what is painted.

Between the view (``camera_view.py``), which paints, and the feed (``app/feeds.py``), whose worker decodes. The worker
also brings the picture into the form the screen takes, so that the window's thread only copies it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic_ns

from PySide6.QtGui import QImage

from workstation.app.feeds import Now, PictureDelivery, PictureFeed, StillFeed, open_pictures
from workstation.app.streams import OpenStreams
from workstation.core.errors import DataError
from workstation.core.sample import Stream
from workstation.media.base import Picture, View
from workstation.ui.gui_thread import GuiThread
from workstation.ui.scenes.frame_item import PLAIN, Shown, Tone, has_alpha, image_of, shown_pixels
from workstation.ui.turnstile import Turnstile


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A picture ready to be painted, and when it is."""

    index: int
    picture: Picture
    shown: Shown
    """What ``image`` lies over."""
    image: QImage
    own_ns: int | None
    session_ns: int | None
    end_ns: int | None
    """Session time at which the next picture shows."""
    next_own_ns: int | None
    preview: bool
    """A small picture of this very frame, while the exact one decodes."""


@dataclass(frozen=True, slots=True, eq=False)
class _Carried:
    """From the worker to the window."""

    carrier: _Carrier
    delivery: PictureDelivery
    shown: Shown | None
    tone: Tone
    error: Exception | None


class _Carrier:
    """Runs on the worker: brings the pixels into the screen's form and posts them."""

    def __init__(self, gui: GuiThread, receive: Callable[[_Carried], None], tone: Tone) -> None:
        self._gui = gui
        self._receive = receive
        self._lock = threading.Lock()
        self._tone = tone

    def set_tone(self, tone: Tone) -> None:
        with self._lock:
            self._tone = tone

    def __call__(self, delivery: PictureDelivery) -> None:
        with self._lock:
            tone = self._tone
        shown, error = None, delivery.error
        if delivery.value is not None:
            try:
                shown = shown_pixels(delivery.value, tone)
            except Exception as problem:  # noqa: BLE001 - a border: whatever went wrong is the pane's to show
                error = problem
        self._gui.post(self._receive, _Carried(self, delivery, shown, tone, error))


class CameraFrames:
    """What is wanted, what is on its way and what is painted, of one stream. The window's thread."""

    def __init__(
        self, stream: Stream, gui: GuiThread, changed: Callable[[], None], turnstile: Turnstile | None = None
    ) -> None:
        """``changed`` is called when another picture, or none, is to be painted."""
        self.stream = stream
        self._turnstile = turnstile
        self._gui = gui
        self._changed = changed
        self._carrier: _Carrier | None = None
        self.feed: PictureFeed | StillFeed | None = None
        self.trouble = ""
        """Why there are no pictures."""
        self.now = Now()
        self.frame: Frame | None = None
        """What is painted."""
        self.tone = PLAIN
        self._asked: tuple[int, View] | None = None
        self._asked_at_ns = 0
        self.latency_ns = 0
        """From asking to having, of the latest picture."""

    def open(self, readers: OpenStreams) -> None:
        """Begin; a stream that cannot be read says why."""
        self._carrier = _Carrier(self._gui, self._arrived, self.tone)
        try:
            self.feed = open_pictures(self.stream, readers, self._carrier)
        except DataError as problem:
            self.trouble = str(problem)
            self._carrier = None

    def stop(self) -> None:
        """Tell the worker to end: ``close`` waits for it."""
        if self.feed is not None:
            self.feed.stop()

    def close(self) -> None:
        """End the worker; what still comes is dropped."""
        feed, self.feed, self._carrier = self.feed, None, None
        self.frame = None
        if feed is not None:
            feed.close()

    @property
    def pending(self) -> bool:
        """Whether another picture than the painted one is on its way."""
        if self._asked is None:
            return False
        return self.frame is None or self.frame.index != self._asked[0]

    def seek(self, session_ns: int, view: View) -> None:
        """The playhead is there, and the screen wants this of the picture."""
        if self.feed is None:
            return
        self.now = self.feed.at(session_ns)
        if self.now.index is None:
            self._asked = None
            if self.frame is not None:
                self.frame = None
                self._changed()
            return
        if self._asked != (self.now.index, view):
            self._asked = (self.now.index, view)
            self._asked_at_ns = monotonic_ns()
            self.feed.show(self.now.index, view)

    def set_tone(self, tone: Tone) -> None:
        """Paint with other light from now on, the picture in hand too."""
        self.tone = tone
        if self._carrier is not None:
            self._carrier.set_tone(tone)
        if self.frame is not None:
            self.frame = self._framed(
                self.frame.index, self.frame.picture, shown_pixels(self.frame.picture, tone), preview=self.frame.preview
            )

    def whole_picture(self) -> Picture | None:
        """The whole picture painted, at full resolution. What is not in hand is decoded while the window waits."""
        frame, feed = self.frame, self.feed
        if frame is None or feed is None:
            return None
        height, width = frame.picture.pixels.shape[:2]
        if not frame.preview and (width, height) == (frame.picture.width_px, frame.picture.height_px):
            return frame.picture
        return feed.whole(frame.index)

    def _arrived(self, carried: _Carried) -> None:
        if self._turnstile is None:
            self._take(carried)
        else:
            self._turnstile.enter(self._take, carried)

    def _take(self, carried: _Carried) -> None:
        feed = self.feed
        if feed is None or carried.carrier is not self._carrier:
            return  # of a sample that is closed
        if not feed.screen.accepts(carried.delivery.request, preview=carried.delivery.preview):
            return
        if self.now.index is None:
            return  # the playhead has gone where the stream has nothing
        if carried.error is not None:
            self.trouble = str(carried.error)
            self.frame = None
            self._asked = None
            self._changed()
            return
        picture, shown = carried.delivery.value, carried.shown
        assert picture is not None
        assert shown is not None
        self.trouble = ""
        self.latency_ns = monotonic_ns() - self._asked_at_ns
        if carried.tone != self.tone:
            shown = shown_pixels(picture, self.tone)
        self.frame = self._framed(carried.delivery.request.index, picture, shown, preview=carried.delivery.preview)
        self._changed()

    def _framed(self, index: int, picture: Picture, shown: Shown, *, preview: bool) -> Frame:
        image = image_of(shown, see_through=has_alpha(picture))
        table = None if self.feed is None else self.feed.table
        if table is None:
            return Frame(index, picture, shown, image, None, None, None, None, preview)
        when = table.shown(index)
        to_session = self.stream.time_map.to_session
        start_ns, end_ns = to_session(when.start_ns), to_session(when.end_ns)
        return Frame(index, picture, shown, image, when.start_ns, start_ns, end_ns, when.end_ns, preview)
