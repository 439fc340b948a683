"""The window as the command line sees it: ``__main__`` hands one over, so that nothing here imports Qt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from workstation.app.playback_bench import PictureProbe


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


@runtime_checkable
class Windows(Protocol):
    """Opens windows; every call returns an exit code when the window is closed."""

    def available(self) -> bool:
        """Whether a window could be seen."""
        ...

    def show(self, project: Path | None) -> int:
        """A window on a project, or on the welcome page."""
        ...

    def picture(self, shot: Shot) -> tuple[int, int]:
        """A picture of the window, written to a file, with no display needed; its size in pixels."""
        ...

    def picture_probe(self) -> PictureProbe | None:
        """What times flashes on a real screen for ``bench playback``; ``None`` where nothing could be seen."""
        ...
