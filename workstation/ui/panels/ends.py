"""The panel that shows the ends of a link side by side, each at its own time: while picking, and of what is selected.

There is one playhead, and ends may lie minutes apart; here each end has a picture, its words and its place in time of
its own. A click, or Enter on a card, goes there. What a card says is ``app/end_cards.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from workstation.app.end_cards import Cards, EndCard, Glimpse, ends_to_show
from workstation.app.film_strip import Thumbnail, Thumbnails
from workstation.app.sample_view import SampleView
from workstation.app.streams import reading_context
from workstation.core.errors import UserError
from workstation.core.selection import SelectionChanged
from workstation.core.timebase import TimeRange
from workstation.media.base import OpenContext, Picture
from workstation.store.changes import ChangeSet
from workstation.ui.panels.going import go_to
from workstation.ui.panes.base import Pane
from workstation.ui.scenes.film_scene import image_of
from workstation.ui.scenes.glyphs import paint_mark
from workstation.ui.scenes.letters import small_font
from workstation.ui.theme import Theme
from workstation.ui.times import distance_text, seconds_text
from workstation.ui.workbench import Workbench

if TYPE_CHECKING:
    from workstation.core.selection import Ids

_SOON_MS = 60
_CARD_PX, _HIGH_PX, _LOW_PX = 210, 168, 74
_PICTURE_PX = 360
_AIR = 1.6
"""Of a picture so much more than the shape itself is shown on each side."""
_HELD = 24


class EndWidget(QAbstractButton):
    """One card. ``image`` is the whole small picture; it is cut to the shape with some air around."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setMinimumWidth(_CARD_PX - 20)
        self.card: EndCard | None = None
        self.image: QImage | None = None
        self.full_px = (1, 1)
        """Size of the picture the bounds are in."""
        self.common = TimeRange(0, 1)
        self.off_ns: int | None = None
        """How much later than the first end."""
        self.now_ns = 0
        self.chosen = False
        """Whether it is what is selected, among what it is linked to."""
        self.theme: Theme | None = None

    def sizeHint(self) -> QSize:
        return QSize(_CARD_PX, _HIGH_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        card, theme = self.card, self.theme
        if card is None or theme is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(small_font())
        frame = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        lit = self.chosen or self.hasFocus() or self.underMouse()
        painter.setPen(QPen(QColor(theme.accent if lit else theme.line), 1.6))
        painter.setBrush(QColor(theme.raised))
        painter.drawRoundedRect(frame, 6, 6)
        if self.chosen:
            painter.fillRect(QRectF(frame.left(), frame.top() + 6, 4, frame.height() - 12), QColor(theme.accent))
        self._paint_words(painter, card, theme, frame)
        inner = frame.adjusted(8, 42, -8, -22)
        if self.image is not None and card.glimpse is not None:
            self._paint_picture(painter, theme, card.glimpse, inner)
        else:
            painter.setPen(QColor(theme.ink if card.quote else theme.quiet))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(inner, flags, f"“{card.quote}”" if card.quote else "…" if card.glimpse is not None else "")
        self._paint_time(painter, card, theme, QRectF(frame.left() + 8, frame.bottom() - 15, frame.width() - 16, 9))
        painter.end()

    def _paint_words(self, painter: QPainter, card: EndCard, theme: Theme, frame: QRectF) -> None:
        metrics = QFontMetricsF(painter.font())
        left, room = frame.left() + 8, frame.width() - 16
        if card.paint is not None:
            paint_mark(painter, card.paint.mark, QRectF(left, frame.top() + 8, 10, 10), QColor(card.paint.colour))
            left, room = left + 16, room - 16
        head = f"{card.role}: {card.name}" if card.role else card.name
        painter.setPen(QColor(theme.ink))
        painter.drawText(QRectF(left, frame.top() + 4, room, 18), Qt.AlignmentFlag.AlignVCenter,
                         metrics.elidedText(head, Qt.TextElideMode.ElideRight, room))  # fmt: skip
        painter.setPen(QColor(theme.quiet))
        place = QRectF(frame.left() + 8, frame.top() + 22, frame.width() - 16, 16)
        said = metrics.elidedText(self.when_and_where(), Qt.TextElideMode.ElideRight, place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, said)

    def when_and_where(self) -> str:
        """Stream, time, and how much later than the first end."""
        card = self.card
        if card is None:
            return ""
        at = "always" if card.moment_ns is None else seconds_text(card.moment_ns)
        off = "" if self.off_ns is None else distance_text(self.off_ns)
        return " · ".join(filter(None, (card.where, at, off)))

    def _paint_picture(self, painter: QPainter, theme: Theme, glimpse: Glimpse, room: QRectF) -> None:
        assert self.image is not None
        scale = self.image.width() / max(1, self.full_px[0])
        left, top, right, bottom = (each * scale for each in glimpse.bounds)
        whole = QRectF(self.image.rect())
        shape = QRectF(left, top, right - left, bottom - top)
        cut = whole
        if shape.width() > 0.5 or shape.height() > 0.5:
            wide = max(shape.width() * (1 + _AIR), shape.height() * (1 + _AIR) * room.width() / room.height(), 24.0)
            high = wide * room.height() / room.width()
            cut = QRectF(shape.center().x() - wide / 2, shape.center().y() - high / 2, wide, high)
            cut.moveLeft(max(0.0, min(cut.left(), whole.width() - wide)))
            cut.moveTop(max(0.0, min(cut.top(), whole.height() - high)))
            cut = cut.intersected(whole)
        zoom = min(room.width() / cut.width(), room.height() / cut.height())
        target = QRectF(0, 0, cut.width() * zoom, cut.height() * zoom)
        target.moveCenter(room.center())
        painter.fillRect(room, QColor(theme.picture))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(target, self.image, cut)
        if shape.width() > 0.5 or shape.height() > 0.5:
            drawn = QRectF(target.left() + (shape.left() - cut.left()) * zoom,
                           target.top() + (shape.top() - cut.top()) * zoom,
                           shape.width() * zoom, shape.height() * zoom)  # fmt: skip
            painter.setClipRect(room)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for colour, width in ((theme.paper, 3.2), (theme.accent, 1.6)):
                painter.setPen(QPen(QColor(colour), width))
                painter.drawRect(drawn)
            painter.setClipping(False)

    def _paint_time(self, painter: QPainter, card: EndCard, theme: Theme, room: QRectF) -> None:
        """Where the end is on the axis that all cards share, and where the playhead."""
        painter.fillRect(QRectF(room.left(), room.center().y() - 1, room.width(), 2), QColor(theme.line))
        length = max(1, self.common.duration_ns)

        def x(time_ns: int) -> float:
            return room.left() + room.width() * min(max((time_ns - self.common.start_ns) / length, 0.0), 1.0)

        if card.span is not None:
            left, right = x(card.span.start_ns), x(card.span.end_ns)
            painter.fillRect(QRectF(left, room.top(), max(3.0, right - left), room.height()), QColor(theme.accent))
        if self.common.start_ns <= self.now_ns <= self.common.end_ns:
            painter.fillRect(QRectF(x(self.now_ns) - 1, room.top() - 2, 2, room.height() + 4), QColor(theme.playhead))


class EndsPanel(Pane):
    """See the module."""

    kind = "ends"
    title = "Ends"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.widgets: list[EndWidget] = []
        self._cards: Cards | None = None
        self._picks: Ids = ()
        self._thumbnails: Thumbnails | None = None
        self._held: dict[Thumbnail, tuple[QImage, tuple[int, int]] | None] = {}
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_SOON_MS)
        self._soon.timeout.connect(self._on_soon)
        self._nothing = QLabel("Select a link, or what is linked: its ends stand here side by side.")
        self._nothing.setWordWrap(True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._inner = QWidget()
        self._grid = QGridLayout(self._inner)
        self._grid.setContentsMargins(6, 6, 6, 6)
        self._grid.setSpacing(6)
        area = QScrollArea()
        area.setObjectName("ends_area")
        area.setAccessibleName("Ends side by side")
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(self._inner)
        column = QVBoxLayout(self.body)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._nothing)
        column.addWidget(area, 1)
        self._area = area

    # --- the workbench ------------------------------------------------------------------------------------------

    def bound(self, bench: Workbench) -> None:
        self.hear(bench.picked, self._on_picked)
        self.hear(bench.theme_changed, self._on_theme)

    def unbound(self, bench: Workbench) -> None:
        self._soon.stop()
        self._let_go()

    def _let_go(self) -> None:
        thumbnails, self._thumbnails = self._thumbnails, None
        if thumbnails is not None:
            thumbnails.close()
        self._cards, self._picks = None, ()
        self._held.clear()

    def sample_opened(self, view: SampleView | None) -> None:
        self._let_go()
        self._soon.start()

    def show_time(self, time_ns: int) -> None:
        if self.bench is not None and not self.bench.clock.playing:
            self._soon.start()

    def show_selection(self, change: SelectionChanged) -> None:
        if change.ids_changed:
            self._soon.start()

    def apply(self, changes: ChangeSet) -> None:
        self._cards = None
        self._soon.start()

    def settled(self) -> bool:
        glimpses = [each.card.glimpse for each in self.widgets if each.card is not None]
        waiting = any(each is not None and _wish(each) not in self._held for each in glimpses)
        return not self._soon.isActive() and not waiting

    def _on_picked(self, picks: Ids) -> None:
        self._picks = picks
        self._soon.start()

    def _on_theme(self, _theme: Theme) -> None:
        self._soon.start()

    # --- what is shown ------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Make the cards again."""
        bench = self.bench
        wanted: list[EndCard] = []
        if bench is not None and bench.view is not None and bench.readers is not None:
            if self._cards is None:
                self._cards = Cards(bench.view, bench.readers, bench.placed)
            ends = ends_to_show(bench.view, self._picks, bench.selected)
            ends = [each for each in ends if bench.view.exists(each[1]) or not self._picks]
            wanted = [self._cards.card(role, each, bench.clock.time_ns) for role, each in ends]
        self._nothing.setVisible(not wanted)
        self._area.setVisible(bool(wanted))
        while len(self.widgets) < len(wanted):
            made = EndWidget(self._inner)
            made.clicked.connect(self._on_clicked)
            self.widgets.append(made)
        while len(self.widgets) > len(wanted):
            gone = self.widgets.pop()
            gone.hide()
            gone.deleteLater()
        for number, card in enumerate(wanted):
            self._fill(number, card, wanted)
        self._lay_out()
        self.header.say(item=f"{len(wanted)} end{'' if len(wanted) == 1 else 's'}" if wanted else "")
        self._want([each.glimpse for each in wanted if each.glimpse is not None])

    def _fill(self, number: int, card: EndCard, wanted: list[EndCard]) -> None:
        assert self.bench is not None
        widget = self.widgets[number]
        spans = [each.span for each in wanted if each.span is not None]
        first = wanted[0].moment_ns
        widget.card, widget.theme, widget.now_ns = card, self.bench.theme, self.bench.clock.time_ns
        if spans:
            widget.common = TimeRange(min(each.start_ns for each in spans), max(each.end_ns for each in spans))
        apart = number and first is not None and card.moment_ns is not None
        widget.off_ns = (card.moment_ns or 0) - (first or 0) if apart else None
        held = None if card.glimpse is None else self._held.get(_wish(card.glimpse))
        widget.image, widget.full_px = (None, (1, 1)) if held is None else held
        widget.setFixedHeight(_LOW_PX if card.glimpse is None and not card.quote else _HIGH_PX)
        widget.setObjectName(f"end_{number}")
        widget.chosen = card.key in self.bench.selected
        words = ", ".join(filter(None, (f"{card.role}: {card.name}" if card.role else card.name,
                                        widget.when_and_where(), card.quote,
                                        "selected" if widget.chosen else "")))  # fmt: skip
        widget.setAccessibleName(words)
        widget.setToolTip(f"{words}; Enter goes there")
        widget.update()

    def _lay_out(self) -> None:
        across = max(1, (self.width() - 12) // _CARD_PX)
        for number, widget in enumerate(self.widgets):
            self._grid.addWidget(widget, number // across, number % across)
            widget.show()
        self._grid.setRowStretch(len(self.widgets) // across + 1, 1)

    # --- pictures -----------------------------------------------------------------------------------------------

    def _want(self, glimpses: list[Glimpse]) -> None:
        bench = self.bench
        missing = [wish for wish in map(_wish, glimpses) if wish not in self._held]
        if bench is None or bench.view is None or not missing:
            return
        if self._thumbnails is None:
            streams = tuple(bench.view.streams.values())
            context = reading_context(bench.session.project, streams, shared=OpenContext())
            self._thumbnails = Thumbnails(
                bench.session.project.path, streams, self._picture_made, readers=bench.formats.readers,
                context=context, calm=bench.calm,
            )  # fmt: skip
        self._thumbnails.want(missing)

    def _picture_made(self, wish: Thumbnail, result: Picture | UserError) -> None:
        """On the thread."""
        if self.bench is not None:
            self.bench.gui.post(self._picture_arrived, (wish, result))

    def _picture_arrived(self, made: tuple[Thumbnail, Picture | UserError]) -> None:
        wish, result = made
        if self._thumbnails is None:
            return
        found = (image_of(result.pixels), (result.width_px, result.height_px)) if isinstance(result, Picture) else None
        self._held[wish] = found
        while len(self._held) > _HELD:
            self._held.pop(next(iter(self._held)))
        self._soon.start()

    # --- Qt -----------------------------------------------------------------------------------------------------

    @Slot()
    def _on_soon(self) -> None:
        if self.awake and not self.failed:
            self.guard(self.refresh)

    @Slot()
    def _on_clicked(self) -> None:
        self.guard(self._go, self.sender())

    def _go(self, widget: object) -> None:
        if self.bench is None or not isinstance(widget, EndWidget) or widget.card is None:
            return
        card = widget.card
        if self._picks:
            if card.moment_ns is not None:  # picking goes on: the selection is left alone
                self.bench.clock.pause()
                self.bench.clock.seek(card.moment_ns)
            self.bench.reveal((card.key,))
        else:
            go_to(self.bench, (card.key,), cause=self.kind, time_ns=card.moment_ns)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()


def _wish(glimpse: Glimpse) -> Thumbnail:
    return Thumbnail(glimpse.stream, glimpse.frame, _PICTURE_PX)
