"""A sound on timeline and sound pane: its waveform from the pyramid, or its spectrogram from tiles made beside the
window. One channel or all; as close as single samples, which are then drawn as such.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from workstation.app.lane_sound import Frequencies, SoundLane, Stretch, TileKey, WaveColumns
from workstation.app.moods import Felt, Mood
from workstation.app.viewport import Int64s, Viewport
from workstation.core.timebase import TimeRange
from workstation.ui.scenes.lane_scene import Argb, LaneScene, Look, argb, draw_gap, image_of, mixed, painter_on
from workstation.ui.scenes.stream_scenes import gap_label
from workstation.ui.theme import Theme

_MOST_TILES = 192
_SAMPLE_PX = 4
"""Pixels a sample, from which on each is drawn by itself."""


class SoundScene(LaneScene):
    """``miss`` is told which tiles are needed and not there. Without ``channel`` all are drawn as one."""

    def __init__(
        self,
        sound: SoundLane,
        gaps: Sequence[TimeRange],
        miss: Callable[[SoundScene, Sequence[TileKey | Stretch]], None],
        *,
        channel: int | None = None,
        spectrogram: bool = False,
    ) -> None:
        super().__init__()
        self.sound = sound
        self.channel = channel
        self.spectrogram = spectrogram
        self.axis = Frequencies(low_hz=0.0, high_hz=sound.highest_hz)
        self.levels_db = (sound.floor_db, 0.0)
        """What is drawn as the background, and what in the brightest colour."""
        self.height_factor = 1.0
        """How much taller than full scale the waveform is drawn."""
        self.moods: tuple[Felt, ...] = ()
        """Stretches that take a colour: what is said there is felt so."""
        self._gaps = tuple(gaps)
        self._miss = miss
        self._tiles: dict[TileKey, NDArray[np.uint8]] = {}
        self._brought: Stretch | None = None
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

    def look_at(self, axis: Frequencies, levels_db: tuple[float, float], height_factor: float) -> None:
        """Other frequencies, other loudness, another height of the waveform."""
        wanted = (axis, levels_db, height_factor)
        if wanted != (self.axis, self.levels_db, self.height_factor):
            self.axis, self.levels_db, self.height_factor = wanted
            self.invalidate()

    def show_moods(self, moods: tuple[Felt, ...]) -> None:
        """Other stretches take a colour."""
        if moods != self.moods:
            self.moods = moods
            self.invalidate()

    def arrived(self, key: TileKey, tile: NDArray[np.uint8]) -> None:
        """A tile was made."""
        while len(self._tiles) >= _MOST_TILES:
            del self._tiles[next(iter(self._tiles))]
        self._tiles[key] = tile
        if self.spectrogram and key.channel == (self.channel or 0):
            self.invalidate()

    def brought(self, stretch: Stretch) -> None:
        """A stretch was decoded."""
        self._brought = stretch
        if not self.spectrogram:
            self.invalidate()

    def paint(self, look: Look) -> QImage:
        near = not self.spectrogram and self._is_decoded(look) and self.shows_samples(look.view)
        image = image_of(self._frequencies(look) if self.spectrogram else _wave_pixels(self, look, samples=near))
        if not near and not self._gaps and not self.moods:
            return image
        painter = painter_on(image, look)
        for felt in self.moods:
            _paint_mood(painter, felt, look, over_wave=not self.spectrogram)
        if near:
            _paint_samples(painter, self, look)
        for gap in self._gaps:
            draw_gap(painter, look, gap, gap_label(gap))
        painter.end()
        return image

    def _is_decoded(self, look: Look) -> bool:
        """Whether the waveform is exact now; else what it needs is asked for, once: memory may be too small for it."""
        missing = self.sound.missing(look.fine)
        self._miss(self, [] if missing is None or missing == self._brought else [missing])
        return missing is None

    def shows_samples(self, view: Viewport) -> bool:
        """Whether single samples are far enough apart to be drawn one by one."""
        return self.channel is not None and self.sound.samples_in(view) <= view.width_px // _SAMPLE_PX

    def _frequencies(self, look: Look) -> Argb:
        missing = [key for key in self.sound.tiles_in(look.fine, self.channel or 0) if key not in self._tiles]
        self._miss(self, missing)
        levels = self.sound.cut_out(
            look.fine, look.fine_height, self._tiles, channel=self.channel or 0, axis=self.axis
        )  # fmt: skip
        return _heat(look.theme)[_stretched(self.sound.floor_db, self.levels_db)][levels]


_MOODS = {Mood.NEGATIVE: "−", Mood.POSITIVE: "+", Mood.MIXED: "±"}


def _paint_mood(painter: QPainter, felt: Felt, look: Look, *, over_wave: bool) -> None:
    """The wave of the stretch in the colour of how it is said, with a strip and a sign as the second cue.

    Over a spectrogram only strip and sign: its colours are levels.
    """
    left, right = look.view.x_of(felt.shown.start_ns), look.view.x_of(felt.shown.end_ns)
    if right < 0 or left > look.view.width_px:
        return
    theme = look.theme
    colour = QColor({Mood.NEGATIVE: theme.error, Mood.POSITIVE: theme.good}.get(felt.mood, theme.warning))
    rect = QRectF(max(left, -2.0), 0.0, min(right, look.view.width_px + 2.0) - max(left, -2.0), look.height_px)
    if over_wave:
        over = QColor(colour)
        over.setAlpha(210)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceAtop)  # only what is drawn
        painter.fillRect(rect, over)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
    painter.fillRect(QRectF(rect.left(), rect.bottom() - 3.0, max(1.0, rect.width()), 3.0), colour)
    if rect.width() >= 14 and look.height_px >= 18:
        painter.setPen(colour)
        painter.drawText(QPointF(rect.left() + 2.0, 11.0), _MOODS[felt.mood])


def _stretched(floor_db: float, levels_db: tuple[float, float]) -> NDArray[np.uint8]:
    """(256,) which colour a tile's level gets when only ``levels_db`` is to be told apart."""
    decibels = floor_db * (1 - np.arange(256) / 255)
    low, high = levels_db
    share = np.clip((decibels - low) / max(high - low, 1e-3), 0, 1)
    return np.rint(255 * share).astype(np.uint8)


def _paint_samples(painter: QPainter, scene: SoundScene, look: Look) -> None:
    """Each sample a dot on a stem where there is room, joined by a thin line that claims nothing between them."""
    samples = scene.sound.samples(look.view, scene.channel or 0)
    middle = (look.height_px - 1) / 2
    x = [look.view.x_of(each) for each in samples.times.tolist()]
    y = np.clip(middle - samples.values * middle * scene.height_factor, 0, look.height_px - 1).tolist()
    points = [QPointF(a, b) for a, b in zip(x, y, strict=True)]
    colour = QColor(look.theme.wave)
    painter.setPen(QPen(colour, 1.0))
    painter.drawPolyline(points)
    if len(points) * 6 <= look.view.width_px:
        for point in points:
            painter.drawLine(QPointF(point.x(), middle), point)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(look.theme.ink))
    for point in points:
        painter.drawEllipse(point, 2.2, 2.2)


def _wave_pixels(scene: SoundScene, look: Look, *, samples: bool) -> Argb:
    """(height, width): from lowest to highest in every column, inside it the RMS brighter; dotted where not yet known.

    The scale is that of full scale, unless one asks for taller, so loud and quiet recordings compare."""
    if samples:
        return np.zeros((look.fine_height, look.fine.width_px), np.uint32)
    columns: WaveColumns = scene.sound.columns(look.fine, scene.channel)
    height, middle = look.fine_height, (look.fine_height - 1) / 2
    scale = middle / 32768 * scene.height_factor
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
