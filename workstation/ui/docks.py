"""The panes as docks: made from the catalogue, arranged by workspaces, maximised, their places kept and put back.

Held by the main window. A pane is imported, made and bound when somebody first sees its dock, and sleeps while nobody
does (``panes/base.py``), so that a window pays only for what is on the screen. Qt moves docks back and forth while it
arranges them; what is seen in the end is looked at once per turn of the event loop.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QObject, Qt, QTimer, Slot
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar, QWidget

from workstation.ui.panes.base import Pane
from workstation.ui.panes.catalogue import PANES, Area, PaneSpec
from workstation.ui.workspaces.catalogue import Workspace

if TYPE_CHECKING:
    from workstation.app.sample_view import SampleView
    from workstation.ui.workbench import Workbench

_NAMES = b"panes "
"""Begins the line before Qt's state."""
_TALLER = {"camera": 2.0, "inspector": 1.6, "ends": 1.8}
"""How much more of a column's height a pane gets than the one below it."""
_LAYOUT_VERSION = zlib.crc32(" ".join(sorted(spec.kind for spec in PANES)).encode()) & 0x7FFF_FFFF
"""Of which panes a kept layout speaks: one that does not know a pane would leave it wherever Qt puts it."""
Stack = tuple["PaneDock", ...]


class PaneDock(QDockWidget):
    """The place of one pane. Empty until it is seen with a workbench."""

    turned = QtSignal()
    """It came into sight or went out of it, perhaps only for a moment."""

    def __init__(self, spec: PaneSpec, parent: QMainWindow) -> None:
        super().__init__(spec.title, parent)
        self.spec = spec
        self.pane: Pane | None = None
        self._bench: Workbench | None = None
        self._in_sight = False
        self.setObjectName(f"dock_{spec.kind}")
        self.setAccessibleName(spec.title)
        self.setWidget(QWidget())
        self.setTitleBarWidget(QWidget())  # else Qt's own, whose buttons are found by those who look for names
        self.visibilityChanged.connect(self._on_visibility)

    def bind(self, bench: Workbench) -> None:
        """Show this project, as soon as there is somebody to see it."""
        self._bench = bench
        if self.pane is not None:
            self._attend()
            self.pane.bind(bench)

    def unbind(self) -> None:
        """Let go of the project."""
        self._bench = None
        if self.pane is not None:
            self.pane.unbind()

    def built(self) -> Pane | None:
        """The pane, made now if it was not; ``None`` without a project."""
        if self.pane is None and self._bench is not None:
            self.pane = _build(self.spec)
            if not self._in_sight:
                self.pane.sleep()
            self.pane.header.setProperty("pane", self.pane)
            self.setWidget(self.pane)
            self.setTitleBarWidget(self.pane.header)
            self.pane.bind(self._bench)
        return self.pane

    @property
    def in_sight(self) -> bool:
        """Whether it is open and in front of the others in its place."""
        return self._in_sight

    def settle(self) -> None:
        """It stands where it stays: its pane is made if it is seen, and sleeps if it is not."""
        if self._in_sight:
            self.built()
        self._attend()

    def _attend(self) -> None:
        if self.pane is not None:
            if self._in_sight:
                self.pane.wake()
            else:
                self.pane.sleep()

    @Slot(bool)
    def _on_visibility(self, visible: bool) -> None:
        self._in_sight = visible
        self.turned.emit()


class Docks(QObject):
    """All docks of a window."""

    def __init__(self, window: QMainWindow, specs: Sequence[PaneSpec]) -> None:
        super().__init__(window)
        self._window = window
        self._by_kind = {spec.kind: PaneDock(spec, window) for spec in specs}
        self._before_maximising: QByteArray | None = None
        self._bench: Workbench | None = None
        self._let_in = False
        """Whether the panes in the middle, which open media, may be made: not before the window was painted once."""
        self._aside: tuple[PaneDock, ...] = ()
        """Docks that left their place to others, as they have nothing for this sample."""
        self._led_for: tuple[frozenset[str], bool] | None = None
        self._timed: tuple[SampleView, int, bool] | None = None
        """Of which view, with how many streams, it was asked whether there is any time."""
        """For which kinds of streams the tabs were last turned to those that show something."""
        window.setDockOptions(
            QMainWindow.DockOption.AllowNestedDocks
            | QMainWindow.DockOption.AllowTabbedDocks
            | QMainWindow.DockOption.GroupedDragging
        )
        window.setTabPosition(
            Qt.DockWidgetArea.AllDockWidgetAreas, window.tabPosition(Qt.DockWidgetArea.TopDockWidgetArea)
        )
        self._settle_soon = QTimer(self)
        self._settle_soon.setSingleShot(True)
        self._settle_soon.timeout.connect(self.settle)
        for dock in self:
            dock.turned.connect(self._settle_soon.start)
            dock.hide()

    def __iter__(self) -> Iterator[PaneDock]:
        return iter(self._by_kind.values())

    def dock(self, kind: str) -> PaneDock | None:
        return self._by_kind.get(kind)

    def panes(self) -> Iterator[Pane]:
        """Those that have been made."""
        return (dock.pane for dock in self if dock.pane is not None)

    def settled(self) -> bool:
        """Whether every pane that somebody sees shows what it was asked for."""
        waiting = any(dock.in_sight and dock.pane is None for dock in self) and self._bench is not None
        return not waiting and all(pane.settled() for pane in self.panes() if pane.awake)

    def pane(self, kind: str) -> Pane | None:
        """The pane of a kind, up to date, if it is on the screen, or in a tab that was in front once."""
        dock = self._by_kind.get(kind)
        if dock is None or dock.isHidden() or dock.pane is None:
            return None
        dock.pane.catch_up()
        return dock.pane

    def bind(self, bench: Workbench) -> None:
        """Show this project in all of them."""
        self._bench = bench
        self._led_for = None
        bench.sample_changed.connect(self._on_sample)
        for dock in self:
            dock.bind(bench)
        self.settle()

    def _on_sample(self, view: SampleView | None) -> None:
        if view is not None and self._led_for != self._kinds():
            self._settle_soon.start()

    def _give_way(self) -> None:
        """A pane that has nothing for this sample lets one in its place come to the front that has; where none has,
        the place goes to the others until a sample comes for which it has.

        Once for samples of the same kinds: who then turns to another tab or opens a pane finds it there the next time.
        """
        view = None if self._bench is None else self._bench.view
        found = self._kinds()
        if view is None or self._led_for == found or not any(dock.in_sight for dock in self):
            return
        self._led_for = kinds, timed = found
        self._bring_back()
        empty = []
        for dock in [each for each in self if each.in_sight and not each.spec.fits(kinds, timed=timed)]:
            beside = [each for each in self if each in self._window.tabifiedDockWidgets(dock)]
            better = next((each for each in beside if each.spec.fits(kinds, timed=timed)), None)
            if better is not None:
                better.raise_()
            else:
                empty += [dock, *beside]
        filled = any(each.in_sight and each.spec.streams and each not in empty for each in self)
        if filled and not self.maximised:
            for dock in empty:
                dock.hide()
            self._aside = tuple(empty)

    def _kinds(self) -> tuple[frozenset[str], bool]:
        """Of which kinds the sample's streams are, and whether any of them has a time."""
        bench = self._bench
        if bench is None or bench.view is None or bench.readers is None:
            return frozenset(), False
        from workstation.app.spans import has_time  # not before there is a sample

        streams = bench.view.streams
        if self._timed is None or self._timed[0] is not bench.view or self._timed[1] != len(streams):
            self._timed = (bench.view, len(streams), has_time(streams.values(), bench.readers))
        return frozenset(each.kind for each in streams.values()), self._timed[2]

    def _bring_back(self) -> None:
        aside, self._aside = self._aside, ()
        for dock in aside:
            dock.show()
        layout = self._window.layout()
        if aside and layout is not None:
            layout.activate()

    @Slot()
    def settle(self) -> None:
        """Every dock stands where it stays for now: make the panes that are seen, let the others sleep."""
        layout = self._window.layout()
        if layout is not None:
            layout.activate()  # Qt tells which tabs are in front when it has given them their places
            self._give_way()
            layout.activate()
        self._settle_soon.stop()
        self._name_tabs()
        for dock in self:
            if dock.pane is None and dock.spec.area is Area.CENTRE and not self._let_in:
                continue
            dock.settle()
            if dock.pane is not None:
                self._listen(dock.pane)
        if self._bench is not None:
            self._bench.show_panes(frozenset(dock.spec.kind for dock in self if dock.in_sight))

    def unbind(self) -> None:
        """Let go of the project and hide."""
        if self._bench is not None:
            self._bench.sample_changed.disconnect(self._on_sample)
        self._bench = self._timed = None
        self._aside = ()
        for dock in self:
            dock.unbind()
            dock.hide()
        self._before_maximising = None

    def let_in(self) -> bool:
        """The window was painted: the panes in the middle may come; whether they could not before."""
        came, self._let_in = not self._let_in, True
        if came:
            self.settle()
        return came

    def show_pane(self, kind: str) -> Pane | None:
        """Bring it to the front, opening it if it was closed, and give it the focus."""
        dock = self._by_kind.get(kind)
        if dock is None:
            return None
        if self.maximised:
            self.toggle_maximised(dock)
        self._let_stand(dock)
        dock.show()
        dock.raise_()
        self._let_in = True
        self.settle()
        if dock.pane is not None:
            dock.pane.setFocus(Qt.FocusReason.ShortcutFocusReason)
        return dock.pane

    def _is_placed(self, dock: PaneDock) -> bool:
        return self._window.dockWidgetArea(dock) != Qt.DockWidgetArea.NoDockWidgetArea

    def bring(self, wanted: tuple[frozenset[str], ...]) -> None:
        """Have a pane in sight for each of these sets of kinds of streams, beside each other; the focus stays."""
        kept: list[PaneDock] = []
        for kinds in wanted:
            fitting = [dock for dock in self if dock.spec.streams & kinds and dock.spec.kind != "strip"]
            if not fitting or any(dock in kept for dock in fitting):
                continue
            dock = next((each for each in fitting if each.in_sight), fitting[0])
            if not dock.in_sight:
                self._bring_beside(dock, kept)
            kept.append(dock)

    def _bring_beside(self, dock: PaneDock, kept: list[PaneDock]) -> None:
        """To the front, and out of the stack of another one that is to be seen as well."""
        if self.maximised:
            self.toggle_maximised(dock)
        self._let_stand(dock)
        if any(dock in self._window.tabifiedDockWidgets(each) for each in kept):
            host = self._stack_beside(dock, kept)
            if host is None:
                return  # there is one place for both, and the first stays
            self._window.removeDockWidget(dock)
            self._window.tabifyDockWidget(host, dock)
        dock.show()
        dock.raise_()
        self._let_in = True
        self.settle()

    def _stack_beside(self, dock: PaneDock, kept: list[PaneDock]) -> PaneDock | None:
        """Another pane of its area that is in sight and may be covered: Qt splits no stack of tabs."""
        near = self._window.tabifiedDockWidgets
        taken = [*kept, *(other for each in kept for other in near(each))]
        free = [each for each in self if each.in_sight and each not in taken and not each.isFloating()]
        return next((each for each in free if each.spec.area is dock.spec.area), None)

    def _let_stand(self, dock: PaneDock) -> None:
        """Give a pane that the workspace has no place for one beside its like: Qt would show it nowhere."""
        if dock.isFloating() or self._is_placed(dock):
            return
        docked = [each for each in self if each is not dock and not each.isHidden() and not each.isFloating()]
        beside = next((each for each in docked if each.spec.area is dock.spec.area), None)
        host = beside or (docked[0] if docked else None)
        self._window.addDockWidget(Qt.DockWidgetArea.TopDockWidgetArea, dock)
        if host is not None:
            self._window.tabifyDockWidget(host, dock)

    def arrange(self, workspace: Workspace) -> None:
        """Put every dock where the workspace says; the others are closed."""
        self._before_maximising = None
        self._aside, self._led_for = (), None
        for dock in self:
            self._window.removeDockWidget(dock)
        columns = [self._stacks(workspace.left), *map(self._stacks, workspace.centre), self._stacks(workspace.right)]
        columns = [column for column in columns if column]
        for number, column in enumerate(columns):
            if number == 0:
                self._window.addDockWidget(Qt.DockWidgetArea.TopDockWidgetArea, column[0][0])
            else:
                self._window.splitDockWidget(columns[number - 1][0][0], column[0][0], Qt.Orientation.Horizontal)
        for column in columns:
            for above, below in pairwise(column):
                self._window.splitDockWidget(above[0], below[0], Qt.Orientation.Vertical)
        bottom = self._stacks(workspace.bottom)
        for stack in bottom:
            self._window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, stack[0])
        for stack in [stack for column in columns for stack in column] + bottom:
            self._tab(stack)
        self._share(workspace, columns, bottom)
        self._name_tabs()

    @property
    def maximised(self) -> bool:
        """Whether one pane has the whole window."""
        return self._before_maximising is not None

    def toggle_maximised(self, dock: PaneDock) -> None:
        """One pane alone, or all of them again where they were."""
        if self._before_maximising is not None:
            before, self._before_maximising = self._before_maximising, None
            outside = [each for each in self if not self._is_placed(each)]
            self._window.restoreState(before, _LAYOUT_VERSION)
            for each in outside:  # Qt gives those that the workspace has no place for one, and shows them
                self._window.removeDockWidget(each)
            self._led_for = None  # what has nothing for the sample stands there again
            return
        self._bring_back()
        self._before_maximising = self._window.saveState(_LAYOUT_VERSION)
        for other in self:
            other.setVisible(other is dock)

    def maximise(self, pane: Pane | None) -> None:
        """This pane alone, or all of them again."""
        dock = next((each for each in self if each.pane is not None and each.pane is pane), None)
        if dock is not None or self.maximised:
            self.toggle_maximised(dock or next(iter(self)))

    def focus_next(self, pane: Pane | None, step: int) -> None:
        """Give the focus to the next pane that is on the screen, from left to right and from top to bottom."""
        seen = [dock for dock in self if dock.pane is not None and not dock.visibleRegion().isEmpty()]
        seen.sort(key=lambda dock: (dock.y(), dock.x()))
        panes = [dock.pane for dock in seen if dock.pane is not None]
        if panes:
            index = panes.index(pane) + step if pane in panes else 0
            panes[index % len(panes)].setFocus(Qt.FocusReason.ShortcutFocusReason)

    def focus_first(self, workspace: Workspace) -> None:
        """Give the focus to the pane that a workspace is about: the first in the middle, else any."""
        middle = [kind for column in workspace.centre for stack in column for kind in stack]
        for kind in (*middle, *(dock.spec.kind for dock in self)):
            dock = self._by_kind.get(kind)
            pane = None if dock is None or not dock.in_sight else dock.pane
            if pane is not None:
                pane.setFocus(Qt.FocusReason.OtherFocusReason)
                return

    def written(self) -> bytes:
        """Where everything stands, to be kept; what is maximised is kept as it was before."""
        if self._before_maximising is not None:
            return self._with_names(self._before_maximising)
        aside = self._aside
        self._window.setUpdatesEnabled(False)
        self._bring_back()
        state = self._window.saveState(_LAYOUT_VERSION)
        for dock in aside:
            dock.hide()
        self._aside = aside
        self._window.setUpdatesEnabled(True)
        return self._with_names(state)

    def _with_names(self, state: QByteArray) -> bytes:
        """Before Qt's state the names of those that have a place: Qt gives the others one, and shows them."""
        names = [dock.objectName() for dock in self if dock.isFloating() or self._is_placed(dock)]
        return _NAMES + ",".join(names).encode() + b"\n" + bytes(state.data())

    def put_back(self, layout: bytes) -> bool:
        """Stand as it was kept; whether that was possible."""
        head, _, state = layout.partition(b"\n") if layout.startswith(_NAMES) else (b"", b"", layout)
        done = self._window.restoreState(QByteArray(state), _LAYOUT_VERSION)
        if done and head:
            names = head.removeprefix(_NAMES).decode(errors="replace").split(",")
            for dock in self:
                if dock.objectName() not in names:
                    self._window.removeDockWidget(dock)
        self._name_tabs()
        self._settle_soon.start()  # Qt makes some of the tab bars later
        return done

    @Slot()
    def _on_maximise_wanted(self) -> None:
        header = self.sender()
        dock = next((each for each in self if each.pane is not None and each.pane.header is header), None)
        if dock is not None and not dock.isFloating():
            self.toggle_maximised(dock)

    def _listen(self, pane: Pane) -> None:
        pane.header.maximise_wanted.connect(self._on_maximise_wanted, Qt.ConnectionType.UniqueConnection)

    def _stacks(self, kinds: tuple[tuple[str, ...], ...]) -> list[Stack]:
        stacks = [tuple(self._by_kind[kind] for kind in stack if kind in self._by_kind) for stack in kinds]
        return [stack for stack in stacks if stack]

    def _tab(self, stack: Stack) -> None:
        for dock in stack:
            dock.show()
        for other in stack[1:]:
            self._window.tabifyDockWidget(stack[0], other)
        stack[0].raise_()

    def _share(self, workspace: Workspace, columns: list[list[Stack]], bottom: list[Stack]) -> None:
        width, height = self._window.width(), self._window.height()
        fronts = [column[0][0] for column in columns]
        wants = [_share_of(front.spec.kind, workspace) for front in fronts]
        if fronts:
            shares = [max(1, round(width * want / sum(wants))) for want in wants]
            self._window.resizeDocks(fronts, shares, Qt.Orientation.Horizontal)
        if fronts and bottom:
            low = round(height * workspace.bottom_share)
            self._window.resizeDocks([fronts[0], bottom[0][0]], [height - low, low], Qt.Orientation.Vertical)
        for column in columns:
            if len(column) > 1:  # else what wants most height leaves the others a strip
                wants = [_TALLER.get(stack[0].spec.kind, 1.0) for stack in column]
                room = height * (1 - workspace.bottom_share) / sum(wants)
                heights = [round(room * want) for want in wants]
                self._window.resizeDocks([stack[0] for stack in column], heights, Qt.Orientation.Vertical)

    def _name_tabs(self) -> None:
        """The tab bars are Qt's own and come without a name, new ones whenever a layout is put back."""
        direct = Qt.FindChildOption.FindDirectChildrenOnly
        for number, bar in enumerate(self._window.findChildren(QTabBar, options=direct)):
            if not bar.accessibleName():
                bar.setObjectName(f"dock_tabs_{number}")
                bar.setAccessibleName("Panes in this place")
                bar.setDrawBase(False)
                bar.setElideMode(Qt.TextElideMode.ElideNone)  # arrows where room is short, not a row of initials
                bar.setUsesScrollButtons(True)


def _share_of(kind: str, workspace: Workspace) -> float:
    sides = (*workspace.left, *workspace.right)
    return 1.2 if any(kind in stack for stack in sides) else 5.0 / max(1, len(workspace.centre))


def _build(spec: PaneSpec) -> Pane:
    """The pane; one that cannot even be made stands there with its error."""
    try:
        return spec.build()
    except Exception as error:  # noqa: BLE001 - one pane's bug must not stop the others; shown in its place, logged
        return _Unmade(spec, error)


class _Unmade(Pane):
    """In the place of a pane that could not be made; says why."""

    def __init__(self, spec: PaneSpec, error: Exception) -> None:
        self.kind = spec.kind
        self.title = spec.title
        super().__init__()
        self._error = error

    def sample_opened(self, view: SampleView | None) -> None:
        raise self._error
