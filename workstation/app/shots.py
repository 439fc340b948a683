"""What a picture of the window is to show: said by the command line, drawn by the window."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """What a picture of the window is to show."""

    project: Path
    output: Path
    at: str = ""
    """As a person writes it: 14.327, frame 430."""
    sample: str = ""
    workspace: str = "label"
    select: tuple[str, ...] = ()
    """Ids, beginnings of ids, or names such as ``car 17``."""
    pane: str = ""
    """Only this one, as large as the window."""
    theme: str = "dark"
    size_px: tuple[int, int] = (1600, 1000)
    scale: float = 1.0
