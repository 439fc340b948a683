"""A sound on the timeline: its waveform from the pyramid, or its spectrogram from tiles made beside the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from workstation.app.lane_sound import SoundLane, TileKey, WaveColumns
from workstation.app.viewport import Int64s
from workstation.core.timebase import TimeRange
from workstation.ui.scenes.lane_scene import Argb, LaneScene, Look, argb, draw_gap, image_of, mixed, painter_on
from workstation.ui.scenes.stream_scenes import gap_label
from workstation.ui.theme import Theme

_MOST_TILES = 192


class SoundScene(LaneScene):
    """``miss`` is told which tiles are needed and not there."""

    def __init__(
        self, sound: SoundLane, gaps: Sequence[TimeRange], miss: Callable[[SoundScene, Sequence[TileKey]], None]
    ) -> None:
        super().__init__()
        self.sound = sound
        self.spectrogram = False
        self._gaps = tuple(gaps)
        self._miss = miss
        self._tiles: dict[TileKey, NDArray[np.uint8]] = {}
        self._say()

    @property
    def onsets(self) -> Int64s:
        """Where sounds set in, for snapping."""
        return self.sound.onsets

    def natural_height(self) -> int:
        return 56

    def progressed(self) -> None:
        """More of the waveform is known."""
        self._say()
        self.invalidate()

    def failed(self, reason: str) -> None:
        """The waveform could not be built."""
        self.note = reason
        self.invalidate()

    def _say(self) -> None:
        self.note = "" if self.sound.complete else f"{self.sound.share_known:.0%}"

    def show_spectrogram(self, wanted: bool) -> None:
        """Frequencies instead of the waveform."""
        if wanted != self.spectrogram:
            self.spectrogram = wanted
            self.invalidate()

    def arrived(self, key: TileKey, tile: NDArray[np.uint8]) -> None:
        """A tile was made."""
        while len(self._tiles) >= _MOST_TILES:
            del self._tiles[next(iter(self._tiles))]
        self._tiles[key] = tile
        self.invalidate()

    def paint(self, look: Look) -> QImage:
        image = image_of(self._frequencies(look) if self.spectrogram else _wave_pixels(self.sound, look))
        if self._gaps:
            painter = painter_on(image, look)
            for gap in self._gaps:
                draw_gap(painter, look, gap, gap_label(gap))
            painter.end()
        return image

    def _frequencies(self, look: Look) -> Argb:
        missing = [key for key in self.sound.tiles_in(look.fine) if key not in self._tiles]
        self._miss(self, missing)
        levels = self.sound.cut_out(look.fine, look.fine_height, self._tiles)
        return _heat(look.theme)[levels]


def _wave_pixels(sound: SoundLane, look: Look) -> Argb:
    """(height, width): from lowest to highest in every column, inside it the RMS brighter; dotted where not yet known.

    The scale is that of full scale, so loud and quiet recordings compare."""
    columns: WaveColumns = sound.columns(look.fine)
    height, middle = look.fine_height, (look.fine_height - 1) / 2
    scale = middle / 32768
    y = np.arange(height)[:, None]
    top, bottom = middle - columns.high * scale, middle - columns.low * scale
    inside = (y >= np.floor(top)) & (y <= np.ceil(bottom)) & columns.known
    reach = np.minimum(columns.rms.astype(np.float64) * scale, np.maximum(bottom - middle, middle - top))
    core = (np.abs(y - middle) <= reach) & inside & (columns.rms > 0)
    pixels = np.where(inside, np.uint32(argb(look.theme.wave, 0.75)), np.uint32(0))
    pixels = np.where(core, np.uint32(argb(mixed(look.theme.wave, look.theme.ink, 0.35))), pixels)
    line = (y == round(middle)) & ~columns.known & (np.arange(len(columns.known)) % 6 < 2)
    made: Argb = np.where(line, np.uint32(argb(look.theme.quiet, 0.6)), pixels).astype(np.uint32)
    return made


def _heat(theme: Theme) -> Argb:
    """256 colours from the background over the wave's colour to the letters': readable in grey as well."""
    stops = (theme.panel, mixed(theme.panel, theme.wave, 0.55), theme.wave, theme.warning, theme.ink)
    table = []
    for level in range(256):
        place = level / 255 * (len(stops) - 1)
        at = min(int(place), len(stops) - 2)
        table.append(argb(mixed(stops[at], stops[at + 1], place - at)))
    return np.array(table, np.uint32)
