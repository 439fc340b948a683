"""Which panes and panels there are: kind, title, where they stand at first, and how to make one. Data for the frame.

A new pane is a new module and one line here. Modules are imported when the pane is first shown.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from enum import StrEnum

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

    def build(self) -> Pane:
        """Import the module and make the pane."""
        module, _, name = self.make.partition(":")
        made: Pane = getattr(importlib.import_module(module), name)()
        return made


PANES: tuple[PaneSpec, ...] = (
    PaneSpec("camera", "Cameras", Area.CENTRE, "workstation.ui.panes.camera:CameraPane"),
    PaneSpec("sound", "Sound", Area.CENTRE, "workstation.ui.panes.sound:SoundPane"),
    PaneSpec("text", "Text", Area.CENTRE, "workstation.ui.panes.text:TextPane"),
    PaneSpec("cloud", "Cloud", Area.CENTRE, "workstation.ui.panes.cloud:CloudPane"),
    PaneSpec("volume", "Volume", Area.CENTRE, "workstation.ui.panes.volume:VolumePane"),
    PaneSpec("series", "Series", Area.CENTRE, "workstation.ui.panes.series:SeriesPane"),
    PaneSpec("trajectory", "Trajectory", Area.CENTRE, "workstation.ui.panes.trajectory:TrajectoryPane"),
    PaneSpec("document", "Document", Area.CENTRE, "workstation.ui.panes.document:DocumentPane"),
    PaneSpec("strip", "Track strip", Area.CENTRE, "workstation.ui.panes.cloud_strip:StripPane"),
    PaneSpec("timeline", "Timeline", Area.BOTTOM, "workstation.ui.panes.timeline:TimelinePane"),
    PaneSpec("samples", "Samples", Area.LEFT, "workstation.ui.panels.samples:SamplesPanel"),
    PaneSpec("streams", "Streams", Area.LEFT, "workstation.ui.panels.streams:StreamsPanel"),
    PaneSpec("classes", "Classes", Area.LEFT, "workstation.ui.panels.classes:ClassesPanel"),
    PaneSpec("inspector", "Inspector", Area.RIGHT, "workstation.ui.panels.inspector:InspectorPanel"),
    PaneSpec("entities", "Entities", Area.RIGHT_BELOW, "workstation.ui.panels.entities:EntitiesPanel"),
    PaneSpec("links", "Links", Area.RIGHT_BELOW, "workstation.ui.panels.links:LinksPanel"),
    PaneSpec("findings", "Findings", Area.RIGHT_BELOW, "workstation.ui.panels.findings:FindingsPanel"),
    PaneSpec("history", "History", Area.RIGHT_BELOW, "workstation.ui.panels.history:HistoryPanel"),
    PaneSpec("review", "Review", Area.RIGHT_BELOW, "workstation.ui.panels.review:ReviewPanel"),
)
"""In the order of the Panes menu."""
