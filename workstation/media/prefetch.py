"""One worker per stream: the newest request first, then what will be asked next. Panes ask, results come as values.

Rules, each measured to matter:

* A request that was not begun is replaced by a newer one. One that was begun is finished and delivered, and dropped
  only if something newer is on screen (``Screen``); dropping everything but the last shows nothing during a drag.
* While the worker decodes, it looks between packets: a newer request that the cache can answer is answered at once,
  without giving up the work; one that it cannot ends reading ahead.
* Reading ahead follows the direction of travel. How much is held is bounded by the shared cache, not here.

``deliver`` is called on the worker's thread. Errors are delivered, not raised: the pane says what is wrong.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from workstation.core.errors import UserError
from workstation.media.base import Cancelled, CancelToken, Picture, VideoReader, View

Value = TypeVar("Value")
Value_co = TypeVar("Value_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Request:
    """Show this item of the stream like that. ``number`` grows with every request of a stream."""

    number: int
    index: int
    view: View


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery(Generic[Value]):
    """The answer to a request: a value or the error that there is none."""

    request: Request
    value: Value | None = None
    error: Exception | None = None


class Loader(Protocol[Value_co]):
    """What a worker asks of a stream; called on its thread only, except that ``held`` and ``load`` of what is held
    are also called from inside ``load`` and ``read_ahead`` through their cancel token."""

    @property
    def ahead(self) -> int:
        """How many items ``read_ahead`` reads."""
        ...

    def load(self, index: int, view: View, cancel: CancelToken) -> Value_co: ...
    def held(self, index: int) -> bool: ...
    def read_ahead(self, index: int, direction: int, cancel: CancelToken) -> None: ...


class VideoLoader:
    """A video or picture sequence as a loader of pictures."""

    def __init__(self, reader: VideoReader, *, ahead: int = 64) -> None:
        self._reader = reader
        self.ahead = ahead

    def load(self, index: int, view: View, cancel: CancelToken) -> Picture:
        return self._reader.picture(index, view, cancel=cancel)

    def held(self, index: int) -> bool:
        return self._reader.held(index)

    def read_ahead(self, index: int, direction: int, cancel: CancelToken) -> None:
        if 0 <= index < len(self._reader.table):
            self._reader.read_ahead(index, direction, self.ahead, cancel=cancel)


class Screen:
    """What a pane shows of a stream: takes a delivery unless something newer is already shown."""

    def __init__(self) -> None:
        self.shown = 0

    def accepts(self, request: Request) -> bool:
        """Whether to paint it; then it counts as shown."""
        if request.number <= self.shown:
            return False
        self.shown = request.number
        return True


class Worker(Generic[Value]):
    """The thread of one stream. ``show`` from any thread; ``close`` ends the thread and waits for it."""

    def __init__(self, name: str, loader: Loader[Value], deliver: Callable[[Delivery[Value]], None]) -> None:
        self._loader = loader
        self._deliver = deliver
        self._changed = threading.Condition()
        self._waiting: Request | None = None
        self._number = 0
        self._closing = False
        self._idle = True
        self._token = _WorkToken(self)
        self._travel = _Travel()
        self._thread = threading.Thread(target=self._work, name=f"stream {name}", daemon=True)
        self._thread.start()

    def show(self, index: int, view: View | None = None) -> Request:
        """Ask for an item; a request that was not begun yet is forgotten."""
        with self._changed:
            self._number += 1
            request = Request(self._number, index, view or View())
            self._waiting = request
            self._idle = False
            self._changed.notify_all()
        return request

    def close(self) -> None:
        """Stop what is being done, and the thread. May be called twice, not from ``deliver``."""
        with self._changed:
            self._closing = True
            self._waiting = None
            self._token.cancel()
            self._changed.notify_all()
        self._thread.join()

    def wait_idle(self, timeout_s: float) -> bool:
        """Until everything asked is delivered and read ahead; whether that happened in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._idle or self._closing, timeout_s)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting is not None or self._closing)
                if self._closing:
                    return
            request = self._take()
            if request is not None:
                self._answer(request)
                self._travel.went_to(request.index)
            self._read_ahead()
            with self._changed:
                if self._waiting is None:
                    self._idle = True
                    self._changed.notify_all()

    def _take(self) -> Request | None:
        with self._changed:
            request, self._waiting = self._waiting, None
            return request

    def _answer(self, request: Request) -> bool:
        """Load and deliver; False if the loading was given up."""
        delivery: Delivery[Value]
        try:
            value = self._loader.load(request.index, request.view, self._token)
        except Cancelled:
            return False
        except Exception as error:  # noqa: BLE001  (a border: whatever went wrong is the pane's to show)
            delivery = Delivery(request=request, error=error)
        else:
            delivery = Delivery(request=request, value=value)
        if not self._closing:
            self._deliver(delivery)
        return True

    def _read_ahead(self) -> None:
        """Fill the cache the way the requests go, again if they turned meanwhile, then the other way.

        The other way, because the first step back from a frame that was jumped to costs a whole group otherwise.
        """
        done: list[tuple[int, int]] = []
        while not self._closing and self._waiting is None:
            index, direction = self._travel.index, self._travel.direction
            if (index, direction) in done:
                direction = -direction
            if (index, direction) in done:
                return
            done.append((index, direction))
            self._token.stretch = (index + direction, direction)
            try:
                self._loader.read_ahead(index + direction, direction, self._token)
            except Cancelled:
                continue  # a request waits
            except UserError:
                continue  # nobody asked for that item yet; whoever does gets the error
            finally:
                self._token.stretch = None

    def _look(self, stretch: tuple[int, int] | None) -> bool:
        """Between two packets: answer what the cache can answer; whether the work in hand is no longer wanted.

        ``stretch`` is where reading ahead began and its direction, ``None`` while a request is being loaded.
        """
        if self._closing:
            return True
        request = self._waiting
        if request is None:
            return False
        if not self._loader.held(request.index):
            # What is being read ahead anyway comes soonest by going on.
            return stretch is not None and not 0 <= (request.index - stretch[0]) * stretch[1] < self._loader.ahead
        taken = self._take()
        if taken is None:
            return False
        if not self._answer(taken):  # pushed out of the cache in this moment: it waits its turn
            with self._changed:
                self._waiting = self._waiting or taken
            return stretch is not None
        self._travel.went_to(taken.index)
        # A picture newer than the one being loaded is on screen now. Reading ahead stays useful.
        return stretch is None


class _WorkToken(CancelToken):
    """Asked between packets by whatever decodes for the worker."""

    __slots__ = ("_inside", "_worker", "stretch")

    def __init__(self, worker: Worker[Value]) -> None:
        super().__init__()
        self._worker = worker
        self._inside = False
        self.stretch: tuple[int, int] | None = None

    @property
    def cancelled(self) -> bool:
        if self._inside:  # answering from the cache asks again
            return super().cancelled
        self._inside = True
        try:
            return self._worker._look(self.stretch)
        finally:
            self._inside = False

    def check(self) -> None:
        if self.cancelled:
            raise Cancelled


_NEAR_ITEMS = 60


class _Travel:
    """Which way the requests go: back only while they go back in small steps, since reading back is dear."""

    def __init__(self) -> None:
        self.index = 0
        self.direction = 1

    def went_to(self, index: int) -> None:
        back = self.index - _NEAR_ITEMS <= index < self.index
        if index != self.index:
            self.direction = -1 if back else 1
        self.index = index
