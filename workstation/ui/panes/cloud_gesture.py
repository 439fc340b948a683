"""A tool at work over a view into space, as its pane's gesture. Used by cloud pane, side views and strip."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QKeyEvent

from workstation.ui.pointing import key_of
from workstation.ui.tools.space_tool import SpaceTool


class ToolGesture:
    """The tool gets keys first, and ``Esc`` cancels it; ``moved`` is told after both."""

    def __init__(self, tool: SpaceTool, moved: Callable[[], None]) -> None:
        self.tool = tool
        self._moved = moved

    def key(self, event: QKeyEvent) -> bool:
        taken = bool(self.tool.key(key_of(event)))
        self._moved()
        return taken

    def cancel(self) -> None:
        self.tool.cancel()
        self._moved()
