"""Which tools there are, by the name the hand holds them under. A new tool is a module and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from workstation.ui.tools.canvas import Canvas, Tool
from workstation.ui.tools.draw_box import DrawBox
from workstation.ui.tools.select import Select
from workstation.ui.tools.state import SELECT

TOOLS: Mapping[str, Callable[[Canvas], Tool]] = {SELECT: Select, "box": DrawBox}


def make_tool(name: str, canvas: Canvas) -> Tool:
    """The tool of that name on a canvas; the one that selects for a tool that has no business on pictures."""
    return TOOLS.get(name, Select)(canvas)
