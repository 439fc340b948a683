"""Where the planes of the volume pane stand: stored slices large, cuts beside or below, several volumes in columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from workstation.app.volume_planes import PlaneName
from workstation.core.sample import Stream

if TYPE_CHECKING:
    from workstation.ui.panes.volume_shown import VolumeShown
    from workstation.ui.panes.volume_view import PlaneView

MOST_VOLUMES = 4
_WIDE = 1.15
"""A pane this many times as wide as high has the cuts beside the slices."""
_PRIOR = ("prior", "previous", "earlier", "old", "baseline")


class VolumeLayout:
    """The grid in the pane's body, and what stands there without a volume."""

    def __init__(self, body: QWidget) -> None:
        self._body = body
        self._beside = True
        self._grid = QGridLayout(body)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(3)
        self._nothing = QLabel("This sample has no volume.", body)
        self._nothing.setObjectName("volume_nothing")
        self._nothing.setWordWrap(True)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)

    def forget(self, plane: PlaneView) -> None:
        """It goes."""
        self._grid.removeWidget(plane)

    def stands_wrong(self, volumes: Sequence[VolumeShown]) -> bool:
        """Whether the body has another shape than the planes were laid out for."""
        return len(volumes) == 1 and self._is_wide() != self._beside

    def arrange(self, volumes: Sequence[VolumeShown], views: Sequence[PlaneView], enlarged: PlaneName | None) -> None:
        """Put everything where it belongs; ``enlarged``: that plane alone, of every volume."""
        for plane in views:
            self._grid.removeWidget(plane)
        for number in range(max(self._grid.columnCount(), 2 * MOST_VOLUMES)):
            self._grid.setColumnStretch(number, 0)
        self._beside = len(volumes) == 1 and self._is_wide()
        for number, volume in enumerate(volumes):
            planes = [each for each in views if each.volume is volume]
            name = enlarged or volume.main
            main = next((each for each in planes if each.name is name), None)
            for plane in planes:
                plane.setVisible(enlarged is None or plane is main)
            if main is not None:
                others = [] if enlarged is not None else [each for each in planes if each is not main]
                self._place(number, main, others)
        self._stretch(len(volumes), alone=enlarged is not None)
        troubles = [volume.trouble for volume in volumes if volume.trouble]
        self._nothing.setText("\n".join(troubles) if troubles else "This sample has no volume.")
        self._nothing.setVisible(not views)
        if not views:
            self._grid.addWidget(self._nothing, 0, 0)

    def _is_wide(self) -> bool:
        return self._body.width() > _WIDE * self._body.height()

    def _place(self, number: int, main: PlaneView, others: Sequence[PlaneView]) -> None:
        if self._beside:
            self._grid.addWidget(main, 0, 0, 2, 1)
        else:
            self._grid.addWidget(main, 0, 2 * number, 1, 2)
        for row, plane in enumerate(others):
            self._grid.addWidget(plane, *((row, 1) if self._beside else (1, 2 * number + row)))

    def _stretch(self, count: int, *, alone: bool) -> None:
        self._grid.setRowStretch(0, 1 if self._beside else 3)
        self._grid.setRowStretch(1, 0 if alone else 1 if self._beside else 2)
        if self._beside:
            self._grid.setColumnStretch(0, 3)
            self._grid.setColumnStretch(1, 0 if alone else 2)
        else:
            for number in range(2 * count):
                self._grid.setColumnStretch(number, 1)


def in_time_order(streams: list[Stream]) -> list[Stream]:
    """The earlier ones first: as roles and keys name them, then by when they were taken, then by key."""

    def place(stream: Stream) -> tuple[bool, int, str]:
        name = f"{stream.role} {stream.key}".lower()
        return not any(word in name for word in _PRIOR), stream.epoch_ns or 0, stream.key

    return sorted(streams, key=place)
