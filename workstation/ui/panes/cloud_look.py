"""How a person wants to see clouds: what is switched on, kept per project in the settings. Used by the cloud pane."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec

from workstation.app.cloud_paint import ColourBy
from workstation.app.cloud_view import MOST_AROUND, Ways
from workstation.app.settings import keep_for, kept_for


class Follow(StrEnum):
    """What the view keeps its place by while time goes on."""

    VEHICLE = "vehicle"
    GROUND = "ground"


class CloudLook(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One for the pane."""

    colour_by: ColourBy = ColourBy.HEIGHT
    point_px: Annotated[int, msgspec.Meta(ge=1, le=8)] = 2
    """Side of a point in pixels of a screen at 100 %."""
    correct: bool = True
    before: Annotated[int, msgspec.Meta(ge=0, le=MOST_AROUND)] = 0
    after: Annotated[int, msgspec.Meta(ge=0, le=MOST_AROUND)] = 0
    leave_moving: bool = True
    """Of the sweeps laid under the one that shows, leave out what lies in things that moved meanwhile."""
    cuboids: bool = True
    labels: bool = True
    frusta: bool = True
    grid: bool = True
    axes: bool = True
    way: bool = True
    legend: bool = True
    sides: bool = True
    """Top, side and front of the selected cuboid beside the picture."""
    follow: Follow = Follow.VEHICLE
    flat: bool = False
    """Orthographic."""
    zoom_locked: bool = False
    hidden: tuple[str, ...] = ()
    """Keys of streams whose points are not shown."""

    @property
    def ways(self) -> Ways:
        """What of it the layers need to know."""
        return Ways(before=self.before, after=self.after, correct=self.correct)


def read_look(project: Path) -> CloudLook:
    """What was kept for a project, or the usual look."""
    return kept_for(project, "clouds", CloudLook)


def keep_look(project: Path, look: CloudLook) -> None:
    """Remember the look."""
    keep_for(project, "clouds", look)
