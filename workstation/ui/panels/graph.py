"""The panel that draws the links of the sample as a graph around what is selected; nothing selected: all of it.

A click, or arrows and Enter, goes to a thing or a relation; the graph then stands around that. What lies where is
``app/link_graph.py`` and ``ui/scenes/graph_scene.py``; keys are in ``actions/graph.py``.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Slot
from PySide6.QtCore import Signal as QtSignal
from PySide6.QtGui import QColor, QFocusEvent, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QScrollArea, QToolButton, QToolTip, QVBoxLayout, QWidget

from workstation.app.link_graph import Graph, graph_of
from workstation.app.sample_view import SampleView
from workstation.core.selection import SelectionChanged
from workstation.store.changes import ChangeSet
from workstation.ui.keymap import keyless
from workstation.ui.panels.going import go_to
from workstation.ui.panes.base import Pane
from workstation.ui.scenes.graph_scene import GraphScene, Item, Standing
from workstation.ui.scenes.letters import small_font
from workstation.ui.theme import DARK, Theme
from workstation.ui.workbench import Workbench

_SOON_MS = 30


class GraphCanvas(QWidget):
    """Paints the scene; says what was clicked and what is pointed at."""

    clicked = QtSignal(object)
    pointed = QtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("graph_canvas")
        self.setAccessibleName("Graph of links")
        self.setMouseTracking(True)
        self.scene = GraphScene(Graph(), small_font())
        self.theme: Theme = DARK
        self.standing = Standing(frozenset(), frozenset(), None, None)
        self.empty = ""
        self._spelled: Callable[[str], str] = keyless

    def spell(self, spelled: Callable[[str], str]) -> None:
        """Put keys into words with this from now on."""
        self._spelled = spelled

    def sizeHint(self) -> QSize:
        return QSize(round(self.scene.width), round(self.scene.height))

    def show_scene(self, scene: GraphScene) -> None:
        """Another graph."""
        self.scene = scene
        self.setMinimumSize(self.sizeHint())
        self.updateGeometry()
        self.update()

    def origin(self) -> QPointF:
        """The graph stands in the middle where there is more room than it takes."""
        return QPointF(
            max(0.0, (self.width() - self.scene.width) / 2), max(0.0, (self.height() - self.scene.height) / 2)
        )

    def _item_at(self, at: QPointF) -> Item | None:
        return self.scene.at(at - self.origin())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(self.theme.panel))
        if not self.scene.items:
            painter.setPen(QColor(self.theme.quiet))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(16, 8, -16, -8), flags, self._spelled(self.empty))
        origin = self.origin()
        painter.translate(origin)
        self.scene.paint(painter, self.theme, self.standing, QRectF(event.rect()).translated(-origin))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self.clicked.emit(self._item_at(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self._item_at(event.position())
        self.setCursor(Qt.CursorShape.ArrowCursor if found is None else Qt.CursorShape.PointingHandCursor)
        self.pointed.emit(found)

    def leaveEvent(self, event: QEvent) -> None:
        self.pointed.emit(None)
        super().leaveEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            found = self._item_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), "" if found is None else found.words, self)
            return True
        return super().event(event)


class GraphPanel(Pane):
    """See the module."""

    kind = "graph"
    title = "Link graph"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = GraphCanvas()
        self.current: str | None = None
        """The key of the item on which the arrow keys stand."""
        self._focus: tuple[str, ...] = ()
        self._stale = self._fresh = True
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self._on_soon)
        self._area = QScrollArea()
        self._area.setObjectName("graph_area")
        self._area.setAccessibleName("Graph of links")
        self._area.setWidgetResizable(True)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setWidget(self.canvas)
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._area)
        self.whole = QToolButton()
        self.whole.setObjectName("graph_whole")
        self.whole.setText("All")
        self.whole.setAccessibleName("Show all links of the sample")
        self.whole.setToolTip("All links of the sample, whatever is selected (@graph.whole)")
        self.whole.setCheckable(True)
        self.whole.setAutoRaise(True)
        self.whole.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.whole.toggled.connect(self._on_whole)
        self.header.extra.addWidget(self.whole)
        self.canvas.clicked.connect(self._on_clicked)
        self.canvas.pointed.connect(self._on_pointed)

    # --- the workbench ------------------------------------------------------------------------------------------

    def bound(self, bench: Workbench) -> None:
        self.hear(bench.theme_changed, self._wear)
        self._wear(bench.theme)

    def unbound(self, bench: Workbench) -> None:
        self._soon.stop()
        self.canvas.show_scene(GraphScene(Graph(), small_font()))

    def sample_opened(self, view: SampleView | None) -> None:
        self._focus, self.current, self._fresh = (), None, True
        self.refresh_soon()

    def apply(self, changes: ChangeSet) -> None:
        self.refresh_soon()  # a moved keyframe or a typed word may make a link stale

    def show_selection(self, change: SelectionChanged) -> None:
        if change.ids_changed and not self._holds(change.after.ids):
            self._focus, self._fresh = change.after.ids, True
            self.refresh_soon()
        if change.ids_changed or change.hover_changed:
            self._stand()

    def woken(self) -> None:
        if self._stale:
            self._on_soon()

    def settled(self) -> bool:
        return not self._soon.isActive()

    def _holds(self, ids: tuple[str, ...]) -> bool:
        """A relation of the graph that stands here is selected: the graph stays, so that one can look along it."""
        view = None if self.bench is None else self.bench.view
        links = {link for each in self.canvas.scene.graph.relations for link in each.links}
        return view is not None and bool(ids) and all(each in view.links and each in links for each in ids)

    # --- what is shown ------------------------------------------------------------------------------------------

    def refresh_soon(self) -> None:
        """Make the graph again a moment later, once for many changes."""
        self._stale = True
        self._soon.start()

    def refresh(self) -> None:
        """Make it now."""
        self._soon.stop()
        self._stale = False
        bench = self.bench
        if bench is None or bench.view is None:
            self.canvas.empty = "" if bench is None else "Open a sample to see its links."
            self.canvas.show_scene(GraphScene(Graph(), small_font()))
            self.header.say()
            return
        view = bench.view
        stale = () if bench.stale is None else bench.stale.links()
        graph = graph_of(view, () if self.whole.isChecked() else self._focus, stale=stale)
        self.canvas.empty = "No links yet. Begin one (@link.add): pick, pick, then the key of the relation."
        self._lay(graph)
        self._say(view, graph)
        self._stand()
        if graph.focus is not None:
            self._into_sight(graph.nodes[graph.focus].key)
        elif self._fresh and graph.nodes:
            self._into_sight(graph.nodes[0].key)  # a tall graph has nothing in its corner
        self._fresh = False

    def _lay(self, graph: Graph) -> None:
        self.canvas.show_scene(GraphScene(graph, small_font(), room=self._room()))

    def _room(self) -> int:
        """How wide the graph may be; always with the bar beside it, which comes and goes."""
        return self._area.width() - self._area.verticalScrollBar().sizeHint().width() - 2

    def _say(self, view: SampleView, graph: Graph) -> None:
        shown = sum(len(each.links) for each in graph.relations)
        shown += sum(each.own_links + each.absences for each in graph.nodes)
        total = len(view.links)
        around = "" if graph.focus is None else f"around {graph.nodes[graph.focus].name}"
        if graph.focus is None and self._focus and not self.whole.isChecked() and view.exists(self._focus[0]):
            around = f"none of {view.name_of(self._focus[0])}"
        more = f"{graph.left_out} more things" if graph.left_out else ""
        count = f"{total} links" if shown >= total else f"{shown} of {total} links"
        self.header.say(item=" · ".join(filter(None, (count, around, more))))

    def _stand(self) -> None:
        bench = self.bench
        if bench is None or bench.view is None:
            return
        chosen, view = bench.selected, bench.view
        hovered = bench.selection.state.hovered
        annotation = view.annotations.get(hovered or "")
        if annotation is not None and annotation.entity is not None:
            hovered = annotation.entity
        things = {each.entity for one in chosen if (each := view.annotations.get(one)) is not None and each.entity}
        self.canvas.standing = Standing(
            selected=frozenset(chosen) | things, related=view.marked(chosen) if chosen else frozenset(),
            hovered=hovered, current=self.current if self.hasFocus() else None,
        )  # fmt: skip
        self.canvas.update()

    def _into_sight(self, key: str) -> None:
        found = self.canvas.scene.item(key)
        if found is not None:
            at = found.rect.center() + self.canvas.origin()
            self._area.ensureVisible(round(at.x()), round(at.y()), 120, 80)

    # --- what actions call --------------------------------------------------------------------------------------

    def step(self, across: int, down: int) -> None:
        """The keys stand on the next item in that direction."""
        scene = self.canvas.scene
        here = scene.item(self.current)
        if here is None:
            graph = scene.graph
            found = scene.items[graph.focus or 0] if scene.items else None
        else:
            found = scene.beside(here, across, down)
        if found is not None:
            self.current = found.key
            self.setAccessibleDescription(found.words)
            self.canvas.setAccessibleDescription(found.words)
            if self.bench is not None and found.ids:
                self.bench.selection.hover(found.ids[0], cause=self.kind)
            self._stand()
            self._into_sight(found.key)

    def take(self) -> None:
        """Go to the item on which the keys stand."""
        self._go(self.canvas.scene.item(self.current))

    def turn_whole(self) -> None:
        """All links, or those around the selection."""
        self.whole.setChecked(not self.whole.isChecked())

    def _go(self, item: Item | None) -> None:
        bench = self.bench
        if bench is None:
            return
        if item is None:
            bench.selection.clear(cause=self.kind)
        elif item.ids:
            self.current = item.key
            go_to(bench, item.ids, cause=self.kind)

    # --- Qt -----------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.canvas.scene.items:
            self._lay(self.canvas.scene.graph)

    def _wear(self, theme: Theme) -> None:
        self.canvas.theme = theme
        self.canvas.update()

    @Slot()
    def _on_soon(self) -> None:
        if self.awake and not self.failed:
            self.guard(self.refresh)

    @Slot(bool)
    def _on_whole(self, _on: bool) -> None:
        if self.bench is not None:
            self._focus = self.bench.selected
        self._fresh = True
        self.guard(self.refresh)

    @Slot(object)
    def _on_clicked(self, item: Item | None) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.guard(self._go, item)

    @Slot(object)
    def _on_pointed(self, item: Item | None) -> None:
        if self.bench is not None:
            self.bench.selection.hover(item.ids[0] if item is not None and item.ids else None, cause=self.kind)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._stand()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._stand()
