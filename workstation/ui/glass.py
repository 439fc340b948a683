"""How much of a glass over the panes there is: only what is drawn on it.

Used by the glasses of the main window (``link_lines.py``, ``finding_glass.py``). Whatever a glass covers is painted
whenever the glass is, so one as large as the window would have every pane painted for a line between two.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainterPath, QRegion
from PySide6.QtWidgets import QWidget

_PIECES = 24


def show_only(glass: QWidget, places: Iterable[QRectF]) -> None:
    """Show the glass where these places are, and nowhere else; what was drawn elsewhere goes."""
    region = QRegion()
    for place in places:
        region += place.toAlignedRect()
    if region.isEmpty():
        glass.hide()
    elif glass.isVisible() and region == glass.mask():
        glass.raise_()
        glass.update()
    else:
        glass.hide()  # a mask that is changed while it is seen leaves what was under the old one unpainted
        glass.setMask(region)
        glass.show()
        glass.raise_()


def along(path: QPainterPath, pad_px: float) -> Iterable[QRectF]:
    """Boxes that hold a line with so much around it, none much larger than the piece of it that it holds."""
    points = [path.pointAtPercent(k / _PIECES) for k in range(_PIECES + 1)]
    for a, b in pairwise(points):
        yield QRectF(a, b).normalized().adjusted(-pad_px, -pad_px, pad_px, pad_px)
