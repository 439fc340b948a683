"""What every pane is: a header that says what it shows, a body, and six answers to the workbench.

A subclass sets ``kind`` and ``title``, fills ``self.body``, and overrides what it needs of ``bind``, ``unbind``,
``show_time``, ``show_selection``, ``apply`` and ``sample_opened``. The frame (``main_window.py``) makes panes from
``panes/catalogue.py``, binds them, and calls nothing else.

* Everything the workbench tells reaches the pane through a guard: a pane that fails shows its error inside itself, with
  a button to try again, and the rest of the window works on.
* A gesture in progress (``self.gesture``) gets keys before the pane does, and ``Esc`` cancels it.
* A pane that nobody sees (behind another tab, closed) sleeps: nothing is called, and when it is seen again it is told
  what it missed, once. A pane that hears more than the usual signals does so with ``hear``, so that this holds for
  them too, and the pane lets go of them by itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, Qt
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QContextMenuEvent, QImage, QKeyEvent
from PySide6.QtWidgets import QLabel, QMenu, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from workstation.app.lag import Lag
from workstation.core.clock import TimeCause
from workstation.core.selection import SelectionChanged
from workstation.ui.attention import Ear, Missed
from workstation.ui.key_tips import spell_tips
from workstation.ui.pane_header import PaneHeader
from workstation.ui.still import StillBox

if TYPE_CHECKING:
    from workstation.app.sample_view import SampleView
    from workstation.core.clock import TimeChanged, TransportChanged
    from workstation.core.signal import Signal
    from workstation.store.changes import ChangeSet
    from workstation.ui.workbench import Workbench


T = TypeVar("T")
_log = logging.getLogger(__name__)


class Gesture(Protocol):
    """Something begun and not yet ended: a drag, a polygon half drawn."""

    def key(self, event: QKeyEvent) -> bool:
        """Whether the gesture takes this key. ``Key_Undo`` and ``Key_Redo`` stand for the keys of undo and redo,
        whatever they are: what has more than one step takes back its last."""
        ...

    def cancel(self) -> None:
        """Leave everything as it was before."""
        ...


class Pane(QWidget):
    """One modality, or one list, on the workbench."""

    kind = "pane"
    """Names the pane in layouts, keys (the scope of its actions) and causes of selections."""
    title = ""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(self.kind)
        self.setAccessibleName(self.title)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.bench: Workbench | None = None
        self.gesture: Gesture | None = None
        self.awake = True
        """Whether somebody may see it; its dock says so."""
        self.lag = Lag()
        """Told by the paint events of what the pane shows."""
        self._missed = Missed()
        self._ears: list[Ear[Any]] = []
        self.header = PaneHeader(self.title)
        self.body = QWidget()
        self._failure = _Failure()
        self._failure.try_again.connect(self._try_again)
        pages = QWidget()
        self._pages = QStackedLayout(pages)
        self._pages.addWidget(self.body)
        self._pages.addWidget(self._failure)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(StillBox(pages), 1)

    # --- to override --------------------------------------------------------------------------------------------

    def bound(self, bench: Workbench) -> None:
        """The workbench is there: ``hear`` more of its signals than the usual ones."""

    def unbound(self, bench: Workbench) -> None:
        """Let go of everything, workers too; ``bench.view`` may be gone."""

    def woken(self) -> None:
        """Somebody sees the pane again, and it has caught up: go on with what was let lie."""

    def laid_aside(self) -> None:
        """Nobody sees the pane any more: stop what workers do for it."""

    def sample_opened(self, view: SampleView | None) -> None:
        """Another sample, or none."""

    def show_time(self, time_ns: int) -> None:
        """The playhead is there."""

    def show_selection(self, change: SelectionChanged) -> None:
        """Something else is selected, active, hovered or pointed at."""

    def apply(self, changes: ChangeSet) -> None:
        """A commit changed records; ``bench.view`` holds them already."""

    def step_time(self, steps: int) -> int | None:
        """Session time ``steps`` of the pane's own units away (frames, samples, sweeps, words); ``None``: it has
        no units of its own, and the window takes the timeline's."""
        return None

    def unit_name(self) -> str:
        """What ``step_time`` steps over, for the ruler: ``frame``, ``sample``; empty without."""
        return ""

    def where(self, ids: frozenset[str]) -> list[tuple[str, QRectF]]:
        """Where these labels show now, in the pane's own coordinates, as far as they are in sight: lines between panes
        (``ui/link_lines.py``) begin and end there. Asked often; costs what is asked for."""
        return []

    def label_at(self, place: QPoint) -> str | None:
        """The label under a place of the pane, where pointing at it does not make it the hovered one."""
        return None

    def menu_entries(self, menu: QMenu) -> None:
        """Put what the pane itself offers into the menu of a label, under what it is linked to."""

    def settled(self) -> bool:
        """Whether the screen shows what the playhead asks for; ``False`` while a worker still brings it. Pictures of
        the window wait for it."""
        return True

    def lags(self) -> Iterable[Lag]:
        """How far behind the clock it is while playing; one for each picture that comes by itself."""
        return (self.lag,)

    def say_lag(self) -> None:
        """There is something else to be said of ``lags``."""
        self.header.say_lag(self.lag.text)

    def capture(self) -> QImage:
        """The pane's picture, for tests and reports."""
        return self.grab().toImage()

    # --- for subclasses -----------------------------------------------------------------------------------------

    def hear(self, signal: Signal[T], act: Callable[[T], object]) -> None:
        """Call ``act`` whenever the signal is emitted, until the pane is unbound; while it sleeps the last value is
        kept. To be called in ``bound``."""
        self._ears.append(Ear(self, signal, act))

    @property
    def listening(self) -> bool:
        """Whether it is called now; what is told while it sleeps is kept, what is told while it fails is not for it."""
        return self.awake and not self.failed

    # --- what the frame calls -----------------------------------------------------------------------------------

    def bind(self, bench: Workbench) -> None:
        """Begin to show a workbench."""
        self.bench = bench
        bench.sample_changed.connect(self._on_sample)
        bench.records_changed.connect(self._on_records)
        bench.clock.time_changed.connect(self._on_time)
        bench.clock.transport_changed.connect(self._on_clock_runs)
        bench.selection.selection_changed.connect(self._on_selection)
        self._missed = Missed()
        self.guard(self.bound, bench)
        if self.awake:
            self._on_sample(bench.view)
        else:
            self._missed.sample = True
        for part in (self, self.header):  # the header stands in the title bar of the dock
            spell_tips(part, bench.spelled)

    def unbind(self) -> None:
        """Stop; may be called twice. After it no signal reaches the pane."""
        bench, self.bench = self.bench, None
        if bench is None:
            return
        ears, self._ears = self._ears, []
        for ear in ears:
            ear.end()
        bench.sample_changed.disconnect(self._on_sample)
        bench.records_changed.disconnect(self._on_records)
        bench.clock.time_changed.disconnect(self._on_time)
        bench.clock.transport_changed.disconnect(self._on_clock_runs)
        bench.selection.selection_changed.disconnect(self._on_selection)
        self.unbound(bench)

    def guard(self, act: Callable[..., Any], *arguments: object) -> Any:
        """Do it; what goes wrong is shown inside this pane and logged with its traceback."""
        try:
            return act(*arguments)
        except Exception as error:  # noqa: BLE001 - one pane's bug must not stop the others; shown and logged
            _log.error("the pane %s failed", self.kind, exc_info=error)
            self._failure.say(error)
            self._pages.setCurrentWidget(self._failure)
            return None

    def wake(self) -> None:
        """Somebody sees the pane from now on."""
        if not self.awake:
            self.awake = True
            if self.bench is not None and self.bench.clock.playing:
                for lag in self.lags():
                    lag.begin(self.bench.clock.time_ns)
            self.catch_up()
            self.guard(self.woken)

    def sleep(self) -> None:
        """Nobody sees it any more: what happens is remembered, not shown."""
        if self.awake:
            self.awake = False
            self.guard(self.laid_aside)

    def catch_up(self) -> None:
        """Take up what was missed; also before an action is done in a pane that nobody sees."""
        missed, self._missed = self._missed, Missed()
        bench = self.bench
        if bench is None:
            return
        if missed.sample:
            self._begin(bench.view)
        elif not self.failed:
            if missed.changes is not None:
                self.guard(self.apply, missed.changes)
            if missed.before is not None:
                change = SelectionChanged(before=missed.before, after=bench.selection.state, cause=missed.cause)
                self.guard(self.show_selection, change)
            if missed.time:
                self.guard(self.show_time, bench.clock.time_ns)
        for ear in self._ears:
            ear.catch_up()

    @property
    def failed(self) -> bool:
        """Whether the pane shows an error in place of its body."""
        return self._pages.currentWidget() is self._failure

    # --- from the workbench -------------------------------------------------------------------------------------

    def _on_sample(self, view: SampleView | None) -> None:
        if self.awake:
            self._begin(view)
            return
        if not self._missed.sample:
            self._begin(None)  # what it holds of the sample before is closed in a moment
        self._missed = Missed()
        self._missed.sample = True

    def _begin(self, view: SampleView | None) -> None:
        if self.gesture is not None:
            self.gesture.cancel()
        self._pages.setCurrentWidget(self.body)
        self.guard(self.sample_opened, view)
        if self.bench is not None and not self.failed:
            self.guard(self.show_time, self.bench.clock.time_ns)

    def _on_records(self, changes: ChangeSet) -> None:
        if not self.awake:
            if not self._missed.sample:
                self._missed.commit(changes)
        elif not self.failed:
            self.guard(self.apply, changes)

    def _on_time(self, change: TimeChanged) -> None:
        if not self.awake:
            self._missed.time = True
        elif not self.failed:
            self.guard(self.show_time, change.time_ns)
            self._measure(change)

    def _measure(self, change: TimeChanged) -> None:
        assert self.bench is not None
        clock = self.bench.clock
        if not clock.playing:
            return
        if change.cause not in (TimeCause.TICK, TimeCause.AUDIO):
            for lag in self.lags():
                lag.begin(change.time_ns)
            return
        news = [lag.reached(change.time_ns, clock.speed) for lag in self.lags()]  # every one is to hear of it
        if any(news):
            self.guard(self.say_lag)

    def _on_clock_runs(self, change: TransportChanged) -> None:
        assert self.bench is not None
        for lag in self.lags():
            if change.playing:
                lag.begin(self.bench.clock.time_ns)
            else:
                lag.end()
        if self.listening:
            self.guard(self.say_lag)

    def _on_selection(self, change: SelectionChanged) -> None:
        if not self.awake:
            self._missed.selection(change)
        elif not self.failed:
            self.guard(self.show_selection, change)

    def _try_again(self) -> None:
        if self.bench is not None:
            self._begin(self.bench.view)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu key: the menu of what is selected. Right clicks are heard by the window (``ui/label_menu.py``)."""
        if event.reason() is QContextMenuEvent.Reason.Keyboard and self.bench is not None and self.bench.selected:
            self.bench.wish("link.menu")
            event.accept()
        else:
            event.ignore()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Nothing is filtered here; subclasses may."""
        return super().eventFilter(watched, event)


class _Failure(QWidget):
    """What stands in a pane that failed: the reason, where to find more, and a way on."""

    try_again = QtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pane_failure")
        self._text = QLabel()
        self._text.setWordWrap(True)
        self._text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        button = QPushButton("Try again")
        button.setObjectName("pane_try_again")
        button.setAccessibleName("Try again")
        button.clicked.connect(self.try_again)
        column = QVBoxLayout(self)
        column.addStretch(1)
        column.addWidget(self._text)
        column.addWidget(button, 0, Qt.AlignmentFlag.AlignCenter)
        column.addStretch(1)

    def say(self, error: Exception) -> None:
        text = f"This pane failed; the others work on.\n{type(error).__name__}: {error}\nThe log holds the details."
        self._text.setText(text)
