"""Which channels of its series a person wants to see, in which order and on which scale. Kept per project in the user's
settings; written by the series pane when something was changed, read when a project opens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from workstation.app.series_curves import ScaleMode
from workstation.app.settings import keep_for, kept_for

MOST_AT_FIRST = 8
"""Of a stream with more channels so many are shown until somebody chooses."""


class ChannelChoice(msgspec.Struct, frozen=True, omit_defaults=True):
    """One channel. ``shown`` is ``None`` until somebody chose; ``low`` and ``high`` are typed limits of its axis."""

    shown: bool | None = None
    mode: ScaleMode = ScaleMode.AUTO
    low: float | None = None
    high: float | None = None

    @property
    def limits(self) -> tuple[float, float] | None:
        return (
            (self.low, self.high) if self.low is not None and self.high is not None and self.low < self.high else None
        )


class SeriesLayout(msgspec.Struct, frozen=True, omit_defaults=True):
    """The channels of a project by ``stream/channel``."""

    order: tuple[str, ...] = ()
    channels: Mapping[str, ChannelChoice] = {}

    def choice(self, key: str) -> ChannelChoice:
        return self.channels.get(key, ChannelChoice())

    def with_choice(self, key: str, choice: ChannelChoice) -> SeriesLayout:
        """The same with one channel otherwise."""
        return msgspec.structs.replace(self, channels={**self.channels, key: choice})

    def shown(self, keys: Sequence[str]) -> list[str]:
        """Of the channels of one stream those to show, as ordered by hand, others in the order of the file."""
        return [
            key
            for place, key in enumerate(keys)
            if (place < MOST_AT_FIRST if (wanted := self.choice(key).shown) is None else wanted)
        ]

    def ordered(self, keys: Iterable[str]) -> list[str]:
        """In the order wanted; what nobody moved stays behind the channel it follows in the file."""
        places = {key: place for place, key in enumerate(self.order)}
        ranked: list[tuple[int, int, str]] = []
        last = -1
        for number, key in enumerate(keys):
            last = places.get(key, last)
            ranked.append((last, number, key))
        return [key for _, _, key in sorted(ranked)]

    def moved(self, keys: Sequence[str], key: str, by: int) -> SeriesLayout:
        """The channels in the order they have now, with one ``by`` places further down."""
        order = list(keys)
        at = order.index(key)
        order.insert(min(max(at + by, 0), len(order) - 1), order.pop(at))
        others = tuple(each for each in self.order if each not in order)
        return msgspec.structs.replace(self, order=(*others, *order))


def read_series_layout(project: Path) -> SeriesLayout:
    """The layout of a project, or the usual one."""
    return kept_for(project, "series", SeriesLayout)


def keep_series_layout(project: Path, layout: SeriesLayout) -> None:
    """Remember the layout."""
    keep_for(project, "series", layout)
