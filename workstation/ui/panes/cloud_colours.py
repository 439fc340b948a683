"""Colours from the cameras for the cloud pane: begun when they are first wanted, let go of with the sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from workstation.app.adopting import onlookers
from workstation.app.camera_colours import CameraColours, Known
from workstation.app.streams import reading_context
from workstation.media.base import OpenContext

if TYPE_CHECKING:
    from workstation.app.adopting import Onlooker
    from workstation.app.cloud_ground import Ground, PlacedSweep
    from workstation.app.placed_cuboids import PlacedCuboids
    from workstation.ui.workbench import Workbench


class CloudColours:
    """One per sample."""

    def __init__(
        self, bench: Workbench, placed: PlacedCuboids, ground: Ground | None, changed: Callable[[], None]
    ) -> None:
        """``changed`` is called when more points have colours."""
        self._bench, self._ground, self._changed = bench, ground, changed
        assert bench.view is not None
        assert bench.readers is not None
        self._view = bench.view
        self._onlookers: tuple[Onlooker, ...] = tuple(onlookers(bench.view, bench.readers, placed))
        self._made: CameraColours | None = None

    @property
    def possible(self) -> bool:
        """Whether there is a calibrated camera with pictures in time."""
        return bool(self._onlookers) and self._ground is not None

    def known(self, sweeps: Iterable[PlacedSweep]) -> Known | None:
        """The colours there are, after asking for those of these sweeps that are missing."""
        if self._made is None and self._ground is not None and self._onlookers:
            bench = self._bench
            project = bench.session.project
            context = reading_context(project, self._view.streams.values(), shared=OpenContext())
            self._made = CameraColours(
                project.path, self._onlookers, self._ground, bench.gui.post, self._changed,
                readers=bench.formats.readers, context=context, calm=bench.calm,
            )  # fmt: skip
        if self._made is None:
            return None
        self._made.want(sweeps)
        return self._made.known

    def close(self) -> None:
        """End the thread, if one was begun."""
        made, self._made = self._made, None
        if made is not None:
            made.close()
