"""How texts are looked at, and how tall what lies beside the lines is. Values shared by the scenes of the text pane."""

from __future__ import annotations

from dataclasses import dataclass

BAND_PX = 4.0
BAND_STEP_PX = 7.0
NAMED_STEP_PX = 18.0
ARC_STEP_PX = 15.0
RAIL_STEP_PX = 9.0
LINE_GAP_PX = 3.0
SMALL_PX = 10
MOST_LETTERS = 130
"""A row is at most about so many letters wide: longer ones are hard to follow back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLook:
    """What a person has switched on."""

    names: bool = True
    """Classes written under the bands of spans."""
    relations: bool = True
    """All relations; else only those of what is selected."""
    larger: float = 1.5
    """Points by which letters are larger than the window's."""

    @property
    def row_px(self) -> float:
        """The height of a row of bands."""
        return NAMED_STEP_PX if self.names else BAND_STEP_PX
