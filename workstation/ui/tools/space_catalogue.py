"""Which tools there are over views into space, as data. A tool without an entry here selects."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from workstation.ui.tools.space_tool import Space, SpaceTool
from workstation.ui.tools.state import SELECT

SPACE_TOOLS: Mapping[str, str] = {
    SELECT: "space_select:SpaceSelect",
    "cuboid": "space_cuboid:SpaceCuboid",
    "points_lasso": "space_points:Lasso",
    "points_box": "space_points:PointBox",
    "points_grow": "space_points:Grow",
}
"""``module:Class`` in this folder by the hand's tool: imported when it is taken."""


def make_space_tool(name: str, space: Space) -> SpaceTool:
    """The tool of that name over a view; the one that selects for a tool that has no business in space."""
    module, _, cls = SPACE_TOOLS.get(name, SPACE_TOOLS[SELECT]).partition(":")
    made: SpaceTool = getattr(importlib.import_module(f"workstation.ui.tools.{module}"), cls)(space)
    return made
