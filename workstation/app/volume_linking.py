"""Which places of several volumes belong together: the same patient coordinates where they name the same frame of
reference, else what a person has laid on each other by hand. Used by the volume pane for prior and current.
"""

from __future__ import annotations

import numpy as np

Vec3 = tuple[float, float, float]
NOWHERE: Vec3 = (0.0, 0.0, 0.0)


class VolumeLinks:
    """By stream: how far a volume's coordinates are from the common ones; none while it goes its own way."""

    def __init__(self) -> None:
        self._offsets: dict[str, Vec3 | None] = {}
        self._by_hand: set[str] = set()
        self._reference = ""

    def add(self, stream: str, frame_of_reference: str) -> None:
        """One more volume; the first gives the common coordinates."""
        if not self._offsets:
            self._offsets[stream], self._reference = NOWHERE, frame_of_reference
            return
        same = bool(frame_of_reference) and frame_of_reference == self._reference
        self._offsets[stream] = NOWHERE if same else None

    def said(self, stream: str) -> str:
        """In a word how a volume is linked; empty for the only one."""
        if len(self._offsets) < 2:
            return ""
        if stream in self._by_hand:
            return "linked by hand"
        return "not linked" if self._offsets[stream] is None else "linked"

    def linked(self, stream: str) -> bool:
        """Whether it goes with the others."""
        return len(self._offsets) > 1 and self._offsets.get(stream) is not None

    def others(self, stream: str, place: Vec3) -> dict[str, Vec3]:
        """The same place in every volume linked to this one."""
        own = self._offsets.get(stream)
        if own is None:
            return {}
        common = np.add(place, own)
        found = {}
        for other, offset in self._offsets.items():
            if other != stream and offset is not None:
                x, y, z = (common - offset).tolist()
                found[other] = (x, y, z)
        return found

    def lay_together(self, places: dict[str, Vec3]) -> None:
        """From now on these places, one of each volume, are the same one."""
        first = next(iter(self._offsets))
        for stream, place in places.items():
            if stream != first and stream in self._offsets:
                x, y, z = np.subtract(places[first], place).tolist()
                self._offsets[stream] = (x, y, z)
                self._by_hand |= {stream, first}

    def part(self) -> None:
        """Every volume goes its own way, but for the first."""
        first = next(iter(self._offsets), None)
        self._by_hand.clear()
        for stream in self._offsets:
            if stream != first:
                self._offsets[stream] = None
