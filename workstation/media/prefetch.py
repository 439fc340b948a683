"""One worker per stream: the newest request first, then what will be asked next. Panes ask, results come as values.

Rules, each measured to matter:

* A request that was not begun is replaced by a newer one. One that was begun is finished and delivered, and dropped
  only if something newer is on screen (``Screen``); dropping everything but the last shows nothing during a drag.
* What is held, or has a preview, is answered by a thread of its own, whatever is being decoded: a packet of a 4K film
  alone takes longer than a screen's frame. A preview is followed by the exact item, under the same number.
* A request that cannot be answered at once ends reading ahead, unless it lies on the way. Once something newer is
  shown, what is being decoded for an older one is given up.
* Nothing is read ahead of the first item before ``calm`` is set, or somebody goes on from it: while a window is built
  and painted there is no time to spare.
* After a jump of several streams whoever has its item waits with reading ahead until the others have theirs
  (``Together``): the cores are for what is not on the screen yet.
* Reading ahead follows the direction of travel. How much is held is bounded by the shared cache, not here.
* Once nobody has asked for a while, spare time goes into what a loader builds for later (previews).

``deliver`` is called on one of the stream's two threads. Errors are delivered, not raised: the pane says what is wrong.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from workstation.core.errors import UserError
from workstation.core.values import dataclass
from workstation.media.base import Cancelled, CancelToken, Picture, VideoReader, View

Value = TypeVar("Value")
Value_co = TypeVar("Value_co", covariant=True)

REST_S = 0.5
"""Spare time begins so long after the last request: while something plays there is none."""

_LOOK_S = 0.05


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
    preview: bool = False
    """Whether the exact value follows."""


class Loader(Protocol[Value_co]):
    """What a worker asks of a stream. ``at_once`` and ``preview`` come from a thread of their own, beside the rest."""

    @property
    def ahead(self) -> int:
        """How many items are read ahead."""
        ...

    def load(self, index: int, view: View, cancel: CancelToken) -> Value_co: ...
    def at_once(self, index: int, view: View) -> Value_co | None:
        """What ``load`` would give, if that takes about a millisecond."""
        ...

    def preview(self, index: int, view: View) -> Value_co | None:
        """A stand-in for the same item, of less detail, if there is one at once."""
        ...

    def read_ahead(self, index: int, direction: int, count: int, view: View, cancel: CancelToken) -> None: ...
    def spare(self, index: int, cancel: CancelToken) -> float | None:
        """Use spare time for later, around that item; how many seconds to wait before more, ``None`` if all is done."""
        ...


class Previews(Protocol):
    """Stand-ins for frames that are not held; ``proxy.py`` has them."""

    def picture(self, index: int, view: View) -> Picture | None: ...
    def build_next(self, index: int, cancel: CancelToken) -> float | None: ...


class VideoLoader:
    """A video or picture sequence as a loader of pictures, with previews where there are some."""

    def __init__(self, reader: VideoReader, *, ahead: int = 64, previews: Previews | None = None) -> None:
        self._reader = reader
        self._previews = previews
        self.ahead = ahead

    def load(self, index: int, view: View, cancel: CancelToken) -> Picture:
        return self._reader.picture(index, view, cancel=cancel)

    def at_once(self, index: int, view: View) -> Picture | None:
        return self._reader.held_picture(index, view)

    def preview(self, index: int, view: View) -> Picture | None:
        return None if self._previews is None else self._previews.picture(index, view)

    def read_ahead(self, index: int, direction: int, count: int, view: View, cancel: CancelToken) -> None:
        if 0 <= index < len(self._reader.table):
            self._reader.read_ahead(index, direction, count, cancel=cancel, view=view)

    def spare(self, index: int, cancel: CancelToken) -> float | None:
        return None if self._previews is None else self._previews.build_next(index, cancel)


class Screen:
    """What a pane shows of a stream: takes a delivery unless something newer, or the exact item, is already shown."""

    def __init__(self) -> None:
        self.shown = 0
        self._exact = True

    def accepts(self, request: Request, *, preview: bool = False) -> bool:
        """Whether to paint it; then it counts as shown."""
        sharpens = request.number == self.shown and not self._exact and not preview
        if request.number <= self.shown and not sharpens:
            return False
        self.shown, self._exact = request.number, not preview
        return True


class Together:
    """The streams of one sample that are asked at the same moments; shared by their workers. Any thread."""

    def __init__(self, patience_s: float = 2.0) -> None:
        self.patience_s = patience_s
        """One that decodes for longer does not keep the others from their next steps."""
        self._changed = threading.Condition()
        self._loading = 0

    @contextmanager
    def loading(self) -> Iterator[None]:
        """While what somebody asked for is being made."""
        with self._changed:
            self._loading += 1
        try:
            yield
        finally:
            with self._changed:
                self._loading -= 1
                self._changed.notify_all()

    def wait(self, timeout_s: float) -> bool:
        """Until nothing is; whether that came in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._loading == 0, timeout_s)


class Worker(Generic[Value]):
    """The threads of one stream. ``show`` from any thread; ``close`` ends them and waits."""

    def __init__(
        self,
        name: str,
        loader: Loader[Value],
        deliver: Callable[[Delivery[Value]], None],
        *,
        calm: threading.Event | None = None,
        together: Together | None = None,
    ) -> None:
        self._loader = loader
        self._calm = calm
        self._together = together or Together()
        self._deliver = deliver
        self._changed = threading.Condition()
        self._asked: Request | None = None
        """Not looked at yet."""
        self._waiting: Request | None = None
        """Cannot be answered at once."""
        self._number = self._seen = 0
        """Of the newest request, and of the newest that was answered, if only by a preview."""
        self._loading: Request | None = None
        self._stretch: tuple[int, int] | None = None
        self._moved = self._looking = self._closing = False
        self._idle = True
        self._first: int | None = None
        """The item first asked for."""
        self._going = False
        self._token = _WorkToken(self)
        self._travel = _Travel()
        self._threads = (
            threading.Thread(target=self._work, name=f"stream {name}", daemon=True),
            threading.Thread(target=self._answer_at_once, name=f"stream {name}, at once", daemon=True),
        )
        for thread in self._threads:
            thread.start()

    def show(self, index: int, view: View | None = None) -> Request:
        """Ask for an item; a request that was not begun yet is forgotten."""
        with self._changed:
            self._number += 1
            request = Request(self._number, index, view or View())
            self._asked = request
            self._idle = False
            self._first = index if self._first is None else self._first
            self._going = self._going or index != self._first
            self._changed.notify_all()
        return request

    def stop(self) -> None:
        """End what is being done, without waiting for it: whoever closes many tells all of them first."""
        with self._changed:
            self._closing = True
            self._asked = self._waiting = None
            self._token.cancel()
            self._changed.notify_all()

    def close(self) -> None:
        """Stop, and wait for the threads. May be called twice, not from ``deliver``."""
        self.stop()
        for thread in self._threads:
            thread.join()

    def wait_idle(self, timeout_s: float) -> bool:
        """Until everything asked is delivered and read ahead; whether that happened in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._idle or self._closing, timeout_s)

    def _answer_at_once(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._asked is not None or self._closing)
                request, self._asked = self._asked, None
                self._looking = request is not None
            if request is None:
                return
            delivery = self._at_once(request)
            if delivery is not None:
                self._hand_over(delivery)
            with self._changed:
                self._looking = False
                self._moved = True
                # An older request that waits is no longer wanted either way.
                self._waiting = None if delivery is not None and not delivery.preview else request
                if self._closing:
                    self._waiting = None
                self._changed.notify_all()

    def _at_once(self, request: Request) -> Delivery[Value] | None:
        """The item or its preview, as far as they are there."""
        try:
            value = self._loader.at_once(request.index, request.view)
            if value is not None:
                return Delivery(request=request, value=value)
            value = self._loader.preview(request.index, request.view)
        except Exception as error:  # noqa: BLE001  (a border: whatever went wrong is the pane's to show)
            return Delivery(request=request, error=error)
        return None if value is None else Delivery(request=request, value=value, preview=True)

    def _hand_over(self, delivery: Delivery[Value]) -> None:
        if self._closing:
            return
        with self._changed:  # before: whoever has the newer one must not get the older one afterwards
            self._seen = max(self._seen, delivery.request.number)
        self._deliver(delivery)
        with self._changed:
            if not delivery.preview:
                self._travel.went_to(delivery.request)

    def _work(self) -> None:
        pause: float | None = REST_S
        while True:
            with self._changed:
                called = self._changed.wait_for(self._has_work, pause)
                if self._closing:
                    return
                if called:
                    self._loading, self._waiting = self._waiting, None
                    self._moved = False
            if not called:
                pause = self._use_spare_time()
                continue
            pause = REST_S
            if self._loading is not None:
                with self._together.loading():
                    self._load(self._loading)
                self._loading = None
            self._read_ahead()
            with self._changed:
                self._idle = not (self._asked or self._waiting or self._looking or self._moved)
                self._changed.notify_all()

    def _has_work(self) -> bool:
        return self._closing or self._waiting is not None or self._moved

    def _load(self, request: Request) -> None:
        delivery: Delivery[Value]
        try:
            value = self._loader.load(request.index, request.view, self._token)
        except Cancelled:
            return
        except Exception as error:  # noqa: BLE001  (a border: whatever went wrong is the pane's to show)
            delivery = Delivery(request=request, error=error)
        else:
            delivery = Delivery(request=request, value=value)
        self._hand_over(delivery)

    def _use_spare_time(self) -> float | None:
        """Build for later; how long to wait before going on with that (``None``: until somebody asks)."""
        try:
            return self._loader.spare(self._travel.index, self._token)
        except Cancelled:
            return REST_S
        except UserError:
            return None  # what cannot be built is said by whoever asks for the item itself

    def _read_ahead(self) -> None:
        """Fill the cache around where the requests are, again if they went on meanwhile."""
        with self._changed:
            while not self._going and self._calm is not None and not self._calm.is_set():
                if self._has_work():
                    return  # closed, or the same item otherwise: that first
                self._changed.wait(_LOOK_S)
        self._going = True
        if self._travel.jumped and not self._let_others():
            return
        done: set[tuple[int, int, int]] = set()
        while not self._closing and self._waiting is None:
            step = next((step for step in self._travel.plan(self._loader.ahead) if step not in done), None)
            if step is None:
                return
            done.add(step)
            first, direction, count = step
            self._stretch = (first, direction)
            try:
                self._loader.read_ahead(first, direction, count, self._travel.view, self._token)
            except Cancelled:
                continue  # a request waits
            except UserError:
                continue  # nobody asked for that item yet; whoever does gets the error
            finally:
                self._stretch = None

    def _let_others(self) -> bool:
        """Wait until the other streams have what they were asked for; whether there is still time to read on."""
        end = time.monotonic() + self._together.patience_s
        while not self._has_work():
            if self._together.wait(_LOOK_S) or time.monotonic() > end:
                return not self._has_work()
        return False

    def _look(self) -> bool:
        """Between two packets: whether the work in hand is no longer wanted. On the thread that does it."""
        if self._closing:
            return True
        if self._loading is not None:
            return self._seen > self._loading.number
        request = self._waiting
        if self._stretch is None:  # spare time
            return self._asked is not None or request is not None or self._moved
        if request is None:
            return False
        first, direction = self._stretch
        if not 0 <= (request.index - first) * direction < self._loader.ahead:
            return True
        self._answer_on_the_way(request)  # what is being read ahead anyway comes soonest by going on
        return False

    def _answer_on_the_way(self, request: Request) -> None:
        value = self._loader.at_once(request.index, request.view)
        if value is None:
            return
        with self._changed:
            if self._waiting is not request:
                return
            self._waiting = None
        self._hand_over(Delivery(request=request, value=value))


class _WorkToken(CancelToken):
    """Asked between packets by whatever decodes for the worker."""

    __slots__ = ("_worker",)

    def __init__(self, worker: Worker[Value]) -> None:
        super().__init__()
        self._worker = worker

    @property
    def cancelled(self) -> bool:
        return self._worker._look()

    def check(self) -> None:
        if self.cancelled:
            raise Cancelled


_NEAR_ITEMS = 60


class _Travel:
    """Where the requests are and which way they go: back only while they go back in small steps."""

    def __init__(self) -> None:
        self.index = 0
        self.direction = 1
        self.jumped = True
        self.view = View()

    def went_to(self, request: Request) -> None:
        index = request.index
        if index != self.index:
            self.jumped = abs(index - self.index) > _NEAR_ITEMS
            self.direction = -1 if index < self.index and not self.jumped else 1
        self.index, self.view = index, request.view

    def plan(self, ahead: int) -> tuple[tuple[int, int, int], ...]:
        """(first item, direction, how many) to read ahead, in order.

        After a jump only a little forwards, which is cheap, then back: the first step back that is not there costs a
        whole group, and it should be under way by then.
        """
        index, direction = self.index, self.direction
        around = ((index + direction, direction, ahead), (index - direction, -direction, ahead))
        if not self.jumped:
            return around
        return ((index + direction, direction, max(1, ahead // 4)), *around[::-1])
