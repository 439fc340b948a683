"""Panes of a window brought to the front, waited for and compared as pictures, for the law of one selection."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from strict_windows import let_work, wait_for
from workstation.ui.main_window import MainWindow
from workstation.ui.panes.base import Pane

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier

ON_A_DRIVE = (
    "camera",
    "cloud",
    "strip",
    "timeline",
    "trajectory",
    "inspector",
    "entities",
    "links",
    "graph",
    "ends",
)
"""Each thing of the drive is linked to the same thing in the second half, so that panes of links show it too."""
OF_A_TURN = ("text", "sound", "timeline")
ON_PLANES = ("series", "volume", "document")
NO_RECORDS = (
    "search",
    "models",
    "proposals",
    "samples",
    "streams",
    "classes",
    "findings",
    "sync",
    "calibration",
    "history",
    "review",
)
"""These list other things than labels: nothing of a selection can be marked in them."""


def pane(window: MainWindow, kind: str) -> Pane:
    """The pane, in front and settled."""
    window.show_pane(kind)
    wait_for(lambda: window.pane(kind) is not None, what=f"the pane {kind}")
    found = window.pane(kind)
    assert found is not None
    wait_for(lambda: found.isVisible() and found.settled(), what=kind)
    return found


def still(found: Pane) -> NDArray[np.int16]:
    """Its picture, once nothing in it moves any more."""
    before = pixels(found)
    for _ in range(40):
        let_work(60)
        after = pixels(found)
        if found.settled() and np.array_equal(before, after):
            return after
        before = after
    raise AssertionError(f"{found.kind} does not come to rest")


def differs(found: Pane, plain: NDArray[np.int16], *, by: int = 14, more_than: int = 60) -> bool:
    """Whether it comes to look different: a list may be made a moment later."""
    wait_for(lambda: (np.abs(pixels(found) - plain) > by).sum() > more_than, what=f"a mark in {found.kind}")
    return True


def pixels(found: Pane) -> NDArray[np.int16]:
    image = found.capture().convertToFormat(QImage.Format.Format_RGB888)
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return flat[:, : image.width() * 3].astype(np.int16)
