"""Which panes and panels there are: kind, title, where they stand at first, and how to make one. Data for the frame.

A new pane is a new module and one line here. Modules are imported when the pane is first shown.
"""

from __future__ import annotations

import importlib
from enum import StrEnum

from workstation.core.values import dataclass
from workstation.ui.panes.base import Pane


class Area(StrEnum):
    """Where a pane stands before anybody moves it."""

    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"
    RIGHT_BELOW = "right_below"
    BOTTOM = "bottom"


@dataclass(frozen=True, slots=True)
class PaneSpec:
    """``make`` is ``module:Class``."""

    kind: str
    title: str
    area: Area
    make: str
    streams: frozenset[str] = frozenset()
    """Of which kinds of streams (``StreamKind``, whose module is too heavy for a start) it shows something; empty if it
    always has something to show."""
    timed: bool = False
    """Shows something only of samples that have a time."""

    def fits(self, kinds: frozenset[str], *, timed: bool) -> bool:
        """Whether it shows anything of a sample with streams of these kinds."""
        return (timed or not self.timed) and (not self.streams or bool(self.streams & kinds))

    def build(self) -> Pane:
        """Import the module and make the pane."""
        module, _, name = self.make.partition(":")
        made: Pane = getattr(importlib.import_module(module), name)()
        return made


def _middle(kind: str, title: str, name: str, *streams: str) -> PaneSpec:
    return PaneSpec(kind, title, Area.CENTRE, f"workstation.ui.panes.{kind}:{name}", frozenset(streams))


PANES: tuple[PaneSpec, ...] = (
    _middle("camera", "Cameras", "CameraPane", "video", "image"),
    _middle("sound", "Sound", "SoundPane", "audio"),
    _middle("text", "Text", "TextPane", "text", "turns", "audio"),
    _middle("cloud", "Cloud", "CloudPane", "cloud", "radar"),
    _middle("volume", "Volume", "VolumePane", "volume"),
    _middle("series", "Series", "SeriesPane", "series"),
    _middle("trajectory", "Trajectory", "TrajectoryPane", "trajectory"),
    _middle("document", "Document", "DocumentPane", "document"),
    PaneSpec("strip", "Track strip", Area.CENTRE, "workstation.ui.panes.cloud_strip:StripPane", frozenset({"cloud"})),
    PaneSpec("timeline", "Timeline", Area.BOTTOM, "workstation.ui.panes.timeline:TimelinePane", timed=True),
    PaneSpec("samples", "Samples", Area.LEFT, "workstation.ui.panels.samples:SamplesPanel"),
    PaneSpec("streams", "Streams", Area.LEFT, "workstation.ui.panels.streams:StreamsPanel"),
    PaneSpec("classes", "Classes", Area.LEFT, "workstation.ui.panels.classes:ClassesPanel"),
    PaneSpec("inspector", "Inspector", Area.RIGHT, "workstation.ui.panels.inspector:InspectorPanel"),
    PaneSpec("entities", "Entities", Area.RIGHT_BELOW, "workstation.ui.panels.entities:EntitiesPanel"),
    PaneSpec("links", "Links", Area.RIGHT_BELOW, "workstation.ui.panels.links:LinksPanel"),
    PaneSpec("graph", "Link graph", Area.BOTTOM, "workstation.ui.panels.graph:GraphPanel"),
    PaneSpec("ends", "Ends", Area.BOTTOM, "workstation.ui.panels.ends:EndsPanel"),
    PaneSpec("findings", "Findings", Area.RIGHT_BELOW, "workstation.ui.panels.findings:FindingsPanel"),
    PaneSpec("proposals", "Proposals", Area.RIGHT_BELOW, "workstation.ui.panels.proposals:ProposalsPanel"),
    PaneSpec("models", "Models", Area.LEFT, "workstation.ui.panels.models:ModelsPanel"),
    PaneSpec("search", "Search", Area.RIGHT_BELOW, "workstation.ui.panels.search:SearchPanel"),
    PaneSpec("sync", "Synchronise", Area.RIGHT_BELOW, "workstation.ui.panels.sync:SyncPanel"),
    PaneSpec("calibration", "Calibration", Area.RIGHT_BELOW, "workstation.ui.panels.calibration:CalibrationPanel"),
    PaneSpec("history", "History", Area.RIGHT_BELOW, "workstation.ui.panels.history:HistoryPanel"),
    PaneSpec("review", "Review", Area.RIGHT_BELOW, "workstation.ui.panels.review:ReviewPanel"),
)
"""In the order of the Panes menu."""
