"""How findings look on what they are about: a sign at a label's corner, brackets around it, and a callout beside it.

Painted by the glass over all panes (``ui/finding_glass.py``), so that every modality says it in the same way. Form says
how severe it is as much as colour does; brackets are drawn with corners only, which nothing else in a pane is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

from workstation.core.ontology import Severity
from workstation.ui.scenes.letters import small_font
from workstation.ui.scenes.signs import severity_colour, severity_path
from workstation.ui.theme import Theme

SIGN_PX = 6.5
_PAD, _GAP, _WIDE = 8.0, 8.0, 300.0
_LEAST = 9.0
"""A label that is drawn smaller than this gets brackets of this size."""


def paint_sign(painter: QPainter, theme: Theme, severity: Severity, rect: QRectF) -> None:
    """The sign of a finding at the corner of a label."""
    at = rect.topRight()
    painter.setPen(QPen(QColor(theme.paper), 1.6))
    painter.setBrush(QColor(severity_colour(severity, theme)))
    painter.drawPath(severity_path(severity, at.x(), at.y(), SIGN_PX))


def place_of_sign(rect: QRectF) -> QRectF:
    """What the sign at the corner of a label covers."""
    reach = SIGN_PX * 1.2 + 2
    at = rect.topRight()
    return QRectF(at.x() - reach, at.y() - reach, 2 * reach, 2 * reach)


def place_of_brackets(rect: QRectF) -> QRectF:
    """What the brackets around a label and their number cover."""
    return _grown(rect).adjusted(-9, -9, 9, 9)


def paint_brackets(painter: QPainter, theme: Theme, severity: Severity, rect: QRectF, number: str) -> None:
    """Corners around a label of the finding that is looked at, with which of its sides it is."""
    grown = _grown(rect)
    path = _corners(grown)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((theme.paper, 5.0), (severity_colour(severity, theme), 2.4)):
        painter.setPen(QPen(QColor(colour), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.SquareCap))
        painter.drawPath(path)
    if number:
        box = QRectF(grown.left() - 7, grown.top() - 7, 14, 14)
        painter.setPen(QPen(QColor(theme.paper), 1.2))
        painter.setBrush(QColor(severity_colour(severity, theme)))
        painter.drawEllipse(box)
        painter.setFont(_bold())
        painter.setPen(QColor(theme.paper))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, number)


def _grown(rect: QRectF) -> QRectF:
    return _at_least(rect).adjusted(-4, -4, 4, 4)


def _at_least(rect: QRectF) -> QRectF:
    wide, high = max(rect.width(), _LEAST), max(rect.height(), _LEAST)
    return QRectF(rect.center().x() - wide / 2, rect.center().y() - high / 2, wide, high)


def _corners(rect: QRectF) -> QPainterPath:
    arm = min(14.0, rect.width() / 2, rect.height() / 2)
    path = QPainterPath()
    for corner, x, y in (
        (rect.topLeft(), 1, 1), (rect.topRight(), -1, 1), (rect.bottomRight(), -1, -1), (rect.bottomLeft(), 1, -1),
    ):  # fmt: skip
        path.moveTo(corner + QPointF(arm * x, 0))
        path.lineTo(corner)
        path.lineTo(corner + QPointF(0, arm * y))
    return path


def place_callout(lines: Sequence[str], rect: QRectF, inside: QRectF, taken: Iterable[QRectF]) -> QRectF:
    """Where a callout stands beside a label: below it, above it or at a side, in its pane and clear of others."""
    size = callout_size(lines, inside.width())
    wide, high = size.width(), size.height()
    x = min(max(rect.left(), inside.left() + 4), max(inside.left() + 4, inside.right() - wide - 4))
    y = min(max(rect.top(), inside.top() + 4), max(inside.top() + 4, inside.bottom() - high - 4))
    tries = (
        QRectF(x, rect.bottom() + _GAP, wide, high),
        QRectF(x, rect.top() - _GAP - high, wide, high),
        QRectF(rect.right() + _GAP, y, wide, high),
        QRectF(rect.left() - _GAP - wide, y, wide, high),
    )
    full = list(taken)
    for box in tries:
        if inside.contains(box) and not any(box.intersects(each) for each in full):
            return box
    box = QRectF(tries[0])
    box.moveTop(min(max(box.top(), inside.top() + 4), max(inside.top() + 4, inside.bottom() - high - 4)))
    for each in sorted(full, key=QRectF.top):
        if box.intersects(each) and each.bottom() + 4 + high <= inside.bottom():
            box.moveTop(each.bottom() + 4)
    return box


def callout_size(lines: Sequence[str], room_px: float) -> QRectF:
    """How large a callout is; sentences are wrapped."""
    wide = max(90.0, min(_WIDE, room_px - 8))
    head, text = QFontMetricsF(_bold()), QFontMetricsF(small_font())
    boxes = [
        (head if number == 0 else text).boundingRect(QRectF(0, 0, wide - 2 * _PAD - 16, 1000), _FLAGS, line)
        for number, line in enumerate(lines)
    ]
    used = max((each.width() for each in boxes), default=0.0) + 2 * _PAD + 16
    return QRectF(0, 0, min(wide, used + 2), sum(each.height() for each in boxes) + 2 * (_PAD - 2))


def paint_callout(painter: QPainter, theme: Theme, severity: Severity, box: QRectF, lines: Sequence[str]) -> None:
    """Rule and measure in bold, then what is wrong, then what helps, quieter."""
    colour = QColor(severity_colour(severity, theme))
    painter.setPen(QPen(colour, 1.4))
    painter.setBrush(QColor(theme.panel))
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPath(severity_path(severity, box.left() + 12, box.top() + 13, SIGN_PX))
    place = box.adjusted(_PAD + 14, _PAD - 2, -_PAD, 0)
    for number, line in enumerate(lines):
        painter.setFont(_bold() if number == 0 else small_font())
        painter.setPen(QColor(theme.ink if number < 2 else theme.quiet))
        high = painter.fontMetrics().boundingRect(place.toRect().adjusted(0, 0, 2, 1000), _FLAGS, line).height()
        painter.drawText(QRectF(place.left(), place.top(), place.width() + 2, high + 2), _FLAGS, line)
        place.setTop(place.top() + high)


def _bold() -> QFont:
    font = small_font()
    font.setBold(True)
    return font


_FLAGS = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
