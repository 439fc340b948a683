"""Findings in place: on every label they are about, in every pane that shows it.

A glass over the docks of the main window, which catches no click. A small sign stands at each label that an open
finding is about. The finding that is looked at (``N``, a click in the list), else those of the label that is pointed
at or selected, are drawn whole: brackets around the labels of all its sides, and a callout in each pane with the rule,
what was measured, the limit and what helps. Where labels are, panes say (``Pane.where``); while there is something to
show, the glass looks again some times a second and repaints only what moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, Qt, QTimer, Slot
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QMainWindow, QWidget

from workstation.core.ontology import Severity
from workstation.core.values import dataclass
from workstation.ui.glass import show_only
from workstation.ui.keymap import keyless
from workstation.ui.scenes.finding_marks import (
    paint_brackets,
    paint_callout,
    paint_sign,
    place_callout,
    place_of_brackets,
    place_of_sign,
)

if TYPE_CHECKING:
    from workstation.app.findings_shown import Shown
    from workstation.core.selection import SelectionChanged
    from workstation.ui.panes.base import Pane
    from workstation.ui.workbench import Workbench

_SOON_MS, _AGAIN_MS = 40, 100
_MOST_SIGNS, _MOST_WHOLE = 120, 3
_LAST = ("timeline", "trajectory")
"""Panes that show everything: a callout stands there only where no other pane shows the label."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A label with an open finding."""

    rect: QRectF
    severity: Severity


@dataclass(frozen=True, slots=True)
class Bracket:
    """A label of a finding that is looked at; ``number`` says which side, where there are several."""

    pane: str
    label: str
    rect: QRectF
    severity: Severity
    number: str


@dataclass(frozen=True, slots=True)
class Callout:
    """What is said of a finding in a pane."""

    pane: str
    fingerprint: str
    box: QRectF
    severity: Severity
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """Everything on the glass."""

    signs: tuple[Sign, ...] = ()
    brackets: tuple[Bracket, ...] = ()
    callouts: tuple[Callout, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.signs or self.brackets or self.callouts)


@dataclass(frozen=True, slots=True)
class _Sight:
    pane: str
    rect: QRectF
    inside: QRectF


class FindingGlass(QWidget):
    """The glass. ``panes`` answers which panes there are."""

    def __init__(self, window: QMainWindow, panes: Callable[[], Iterator[Pane]]) -> None:
        super().__init__(window)
        self.setObjectName("finding_glass")
        self.setAccessibleName("Findings in place")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()
        self.drawn = Drawn()
        self.wanted = True
        """Whether a person wants to see findings in place at all."""
        self._window = window
        self._panes = panes
        self._bench: Workbench | None = None
        self._near: list[Shown] = []
        self._whole: list[Shown] = []
        self._soon, self._again = QTimer(self), QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self._gather)
        self._again.setInterval(_AGAIN_MS)
        self._again.timeout.connect(self._look)
        window.installEventFilter(self)

    def bind(self, bench: Workbench) -> None:
        """Show the findings of this workbench's sample."""
        self._bench = bench
        bench.findings_placed.connect(self._on_news)
        bench.finding_changed.connect(self._on_news)
        bench.selection.selection_changed.connect(self._on_selection)
        bench.records_changed.connect(self._on_news)
        bench.sample_changed.connect(self._on_sample)

    def unbind(self) -> None:
        """Show nothing; may be called twice."""
        bench, self._bench = self._bench, None
        if bench is not None:
            bench.findings_placed.disconnect(self._on_news)
            bench.finding_changed.disconnect(self._on_news)
            bench.selection.selection_changed.disconnect(self._on_selection)
            bench.records_changed.disconnect(self._on_news)
            bench.sample_changed.disconnect(self._on_sample)
        self._soon.stop()
        self._drop()

    def turn(self) -> bool:
        """Show findings in place, or not, from now on; which of both it is now."""
        self.wanted = not self.wanted
        self._gather()
        return self.wanted

    # --- from the workbench -------------------------------------------------------------------------------------

    def _on_news(self, _news: object) -> None:
        self._soon.start()

    def _on_selection(self, change: SelectionChanged) -> None:
        if change.ids_changed or change.hover_changed:
            self._soon.start()

    def _on_sample(self, _view: object) -> None:
        self._drop()

    # --- what is shown ------------------------------------------------------------------------------------------

    def _drop(self) -> None:
        self._again.stop()
        self._near, self._whole, self.drawn = [], [], Drawn()
        self.hide()

    @Slot()
    def _gather(self) -> None:
        """Which findings are to be seen."""
        from workstation.app.findings_shown import of_labels, shown

        bench = self._bench
        self._near, self._whole = [], []
        if self.wanted and bench is not None and bench.view is not None and bench.places is not None:
            view, places = bench.view, bench.places
            self._near = places.nearest(bench.clock.time_ns, _MOST_SIGNS)
            looked_at = None if bench.finding is None else places.by_fingerprint(bench.finding)
            state = bench.selection.state
            self._whole = of_labels(self._near, () if state.hovered is None else (state.hovered,))
            if not self._whole and looked_at is not None:
                self._whole = [shown(view, looked_at)]
            if not self._whole:
                self._whole = of_labels(self._near, state.ids)
            self._whole = self._whole[:_MOST_WHOLE]
        if not self._near and not self._whole:
            self._drop()
            return
        self._again.start()
        self._look()

    @Slot()
    def _look(self) -> None:
        """Where everything is now."""
        spelled = keyless if self._bench is None else self._bench.spelled
        sights = self._sights()
        drawn = Drawn(_signs(self._near, sights), *_wholes(self._whole, sights, spelled))
        if drawn == self.drawn and self.isVisible() is bool(drawn):
            return
        self.drawn = drawn
        if self.size() != self._window.size():
            self.resize(self._window.size())
        show_only(self, self._places())

    def _places(self) -> Iterator[QRectF]:
        """Where something is drawn."""
        for sign in self.drawn.signs:
            yield place_of_sign(sign.rect)
        for bracket in self.drawn.brackets:
            yield place_of_brackets(bracket.rect)
        for callout in self.drawn.callouts:
            yield callout.box.adjusted(-2, -2, 2, 2)

    def _sights(self) -> dict[str, list[_Sight]]:
        wanted = frozenset().union(*(each.labels for each in (*self._near, *self._whole)))
        window, found = self._window, dict[str, list[_Sight]]()
        for pane in self._panes() if wanted else ():
            if not pane.awake or pane.failed or not pane.isVisible() or pane.window() is not window:
                continue
            corner = QPointF(pane.mapTo(window, QPoint()))
            inside = QRectF(pane.rect()).translated(corner)
            for key, rect in pane.guard(pane.where, wanted) or ():
                found.setdefault(key, []).append(_Sight(pane.kind, rect.translated(corner), inside))
        return found

    # --- Qt -----------------------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The glass is as large as the window."""
        if event.type() is QEvent.Type.Resize and watched is self._window:
            self.resize(self._window.size())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        bench = self._bench
        if bench is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for sign in self.drawn.signs:
            paint_sign(painter, bench.theme, sign.severity, sign.rect)
        for each in self.drawn.brackets:
            paint_brackets(painter, bench.theme, each.severity, each.rect, each.number)
        for callout in self.drawn.callouts:
            paint_callout(painter, bench.theme, callout.severity, callout.box, callout.lines)
        painter.end()


_RANK = {Severity.INFO: 0, Severity.WARNING: 1, Severity.ERROR: 2}


def _signs(near: list[Shown], sights: dict[str, list[_Sight]]) -> tuple[Sign, ...]:
    """One sign at each place, of the gravest finding there."""
    worst: dict[str, Severity] = {}
    for each in near:
        for label in each.labels & sights.keys():
            known = worst.setdefault(label, each.finding.severity)
            if _RANK[each.finding.severity] > _RANK[known]:
                worst[label] = each.finding.severity
    return tuple(Sign(sight.rect, severity) for label, severity in worst.items() for sight in sights[label])


def _wholes(
    whole: list[Shown], sights: dict[str, list[_Sight]], spelled: Callable[[str], str]
) -> tuple[tuple[Bracket, ...], tuple[Callout, ...]]:  # fmt: skip
    from workstation.app.findings_shown import said

    brackets: list[Bracket] = []
    callouts: list[Callout] = []
    for each in whole:
        lines, severity = tuple(map(spelled, said(each.finding))), each.finding.severity
        largest: dict[str, _Sight] = {}
        for number, side in enumerate(each.sides, 1):
            name = str(number) if len(each.sides) > 1 else ""
            for label in sorted(side & sights.keys()):
                for sight in sights[label]:
                    brackets.append(Bracket(sight.pane, label, sight.rect, severity, name))
                    known = largest.get(sight.pane)
                    if known is None or _area(sight) > _area(known):
                        largest[sight.pane] = sight
        near = {pane: sight for pane, sight in largest.items() if pane not in _LAST} or largest
        for pane, sight in near.items():
            taken = [one.box for one in callouts] + [one.rect for one in brackets if one.pane == pane]
            box = place_callout(lines, sight.rect, sight.inside, taken)
            callouts.append(Callout(pane, each.finding.fingerprint, box, severity, lines))
    return tuple(brackets), tuple(callouts)


def _area(sight: _Sight) -> float:
    return sight.rect.width() * sight.rect.height()
