"""What the volume pane has begun and not ended: a tool at work, or one plane alone. Used by ``volume.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QKeyEvent

from workstation.ui.pointing import key_of

if TYPE_CHECKING:
    from workstation.ui.panes.volume import VolumePane
    from workstation.ui.panes.volume_view import PlaneView


class ToolGesture:
    """A tool at work, as the pane's gesture: it gets keys first, and ``Esc`` cancels it."""

    def __init__(self, pane: VolumePane, plane: PlaneView) -> None:
        self._pane = pane
        self.plane = plane

    def key(self, event: QKeyEvent) -> bool:
        taken = bool(self.plane.tool.key(key_of(event)))
        self._pane.tool_moved(self.plane)
        return taken

    def cancel(self) -> None:
        self.plane.tool.cancel()
        self._pane.tool_moved(self.plane)
        self.plane.area.update()


class Enlarged:
    """One plane alone, as something that ``Esc`` leaves."""

    def __init__(self, pane: VolumePane) -> None:
        self._pane = pane

    def key(self, event: QKeyEvent) -> bool:
        return False

    def cancel(self) -> None:
        self._pane.enlarge(None)
