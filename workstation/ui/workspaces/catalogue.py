"""The workspaces: Label, Link, Sync, Review, Compare. Data for the docks and the Workspace menu."""

from __future__ import annotations

from workstation.core.values import dataclass
from workstation.ui.actions.action import WINDOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Columns from left to right over one bar; a tuple of kinds in a column is a stack of tabs, the first in front.

    Kinds nobody made a pane for are left out, so that a workspace can be written before its panes.
    """

    name: str
    title: str
    help: str
    left: tuple[tuple[str, ...], ...]
    centre: tuple[tuple[tuple[str, ...], ...], ...]
    right: tuple[tuple[str, ...], ...]
    bottom: tuple[tuple[str, ...], ...] = (("timeline",),)
    bottom_share: float = 0.38
    scope: str = WINDOW
    """A scope of keys that works only here, as ``review``."""


LABEL = Workspace(
    name="label", title="Label", help="Everything of one moment: pictures, cloud, text, timeline, inspector.",
    left=(("samples",), ("streams", "classes")),
    centre=((("camera",), ("sound", "text", "document", "series", "strip")), (("cloud", "volume", "trajectory"),)),
    right=(("inspector",), ("entities", "links", "proposals", "findings", "history", "review")),
)  # fmt: skip
LINK = Workspace(
    name="link", title="Link", help="Pictures and words beside the list and the graph of links.",
    left=(("samples",), ("ends",)),
    centre=((("camera",), ("text", "sound", "document")), (("cloud", "volume", "series", "trajectory"), ("graph",))),
    right=(("links",), ("inspector", "findings", "search", "history")),
    bottom=(("timeline", "entities"),),
    bottom_share=0.32,
)  # fmt: skip
SYNC = Workspace(
    name="sync", title="Sync", help="One camera, the sound, the streams, and how far their clocks are off.",
    left=(("streams", "samples"),),
    centre=((("camera",), ("sound", "series", "cloud", "trajectory")), (("sync", "calibration"),)),
    right=(("inspector", "findings"),),
    bottom_share=0.3,
)  # fmt: skip
REVIEW = Workspace(
    name="review", title="Review", help="The whole sample to judge: findings and links in front.",
    left=(("samples",),),
    centre=((("camera",), ("text", "sound", "document", "series")), (("cloud", "volume", "trajectory"),)),
    right=(("findings",), ("review", "search", "links", "inspector", "history")),
    bottom=(("timeline", "entities"),),
    bottom_share=0.34,
    scope="review",
)  # fmt: skip
COMPARE = Workspace(
    name="compare", title="Compare", help="Layers and history beside the pictures.",
    left=(("entities", "samples"),),
    centre=((("camera",), ("text", "sound")), (("cloud", "volume", "series", "trajectory"),)),
    right=(("history",), ("inspector", "links", "findings")),
)  # fmt: skip
WORKSPACES: dict[str, Workspace] = {each.name: each for each in (LABEL, LINK, SYNC, REVIEW, COMPARE)}
