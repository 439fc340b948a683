"""The letters of what is painted by hand. Without NumPy, so that what lies over an empty window may use it."""

from __future__ import annotations

from PySide6.QtGui import QFont


def small_font() -> QFont:
    """The letters on lanes and rulers."""
    font = QFont()
    font.setPixelSize(11)
    return font
