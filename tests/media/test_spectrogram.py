"""Spectrograms of tones and clicks that are known, and tiles that fit together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sounds import write_wav

from workstation.media.audio import open_audio
from workstation.media.base import OpenContext
from workstation.media.spectrogram import TILE_COLUMNS, Spectrogram, SpectrogramSettings

RATE = 16000


def _open(tmp_path: Path, signal: np.ndarray, settings: SpectrogramSettings | None = None) -> Spectrogram:
    write_wav(tmp_path / "tone.wav", (signal * 32767).astype(np.int16).reshape(len(signal), -1), RATE)
    context = OpenContext()
    return Spectrogram(open_audio(tmp_path / "tone.wav", context=context), context, settings)


@pytest.mark.parametrize("frequency_hz", [500, 1000, 4000, 7500])
def test_a_tone_stands_at_its_frequency_with_its_level(tmp_path: Path, frequency_hz: int) -> None:
    time_s = np.arange(RATE * 2) / RATE
    spectrogram = _open(tmp_path, 0.1 * np.sin(2 * np.pi * frequency_hz * time_s))
    tile = spectrogram.tile(0, 0, 0)[:, 50:150]
    rows = tile.argmax(axis=0)
    assert {spectrogram.frequency_hz(int(row)) for row in rows} == {float(frequency_hz)}
    shown_db = (tile.max(axis=0) / 255 - 1) * -spectrogram.settings.floor_db
    assert np.abs(shown_db - -20).max() < 0.5  # an amplitude of 0.1
    far = np.abs(np.arange(spectrogram.rows) - rows[0]) > 3
    assert tile[far].max() < 60


def test_a_click_stands_in_its_column(tmp_path: Path) -> None:
    signal = np.zeros(RATE)
    signal[128 * 70] = 1.0
    spectrogram = _open(tmp_path, signal)
    tile = spectrogram.tile(0, 0, 0)
    columns = np.flatnonzero(tile.any(axis=0))
    assert columns.mean() == 70
    assert columns.max() - columns.min() <= 512 // 128


def test_tiles_join_and_the_last_one_ends_with_the_sound(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    signal = rng.uniform(-0.5, 0.5, RATE * 5)
    spectrogram = _open(tmp_path, signal)
    tiles = [spectrogram.tile(0, 0, n) for n in range(-(-spectrogram.columns(0) // TILE_COLUMNS))]
    joined = np.concatenate(tiles, axis=1)
    assert joined.shape == (257, -(-len(signal) // 128))
    # Against NumPy's own transform of one window in the middle of the second tile.
    column = TILE_COLUMNS + 17
    samples = np.trunc(signal * 32767)[column * 128 - 256 : column * 128 + 256] / 32768
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
    level_db = 20 * np.log10(np.abs(np.fft.rfft(samples * window)) * 2 / window.sum())
    assert np.abs(joined[:, column] - np.clip(255 * (1 + level_db / 100), 0, 255)).max() < 1
    with pytest.raises(IndexError):
        spectrogram.tile(0, 0, len(tiles))


def test_zoomed_out_columns_are_the_same_windows_further_apart(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    spectrogram = _open(tmp_path, rng.uniform(-0.5, 0.5, RATE * 20))
    fine = np.concatenate([spectrogram.tile(0, 0, n) for n in range(4)], axis=1)
    assert np.abs(spectrogram.tile(0, 2, 0)[:, :256].astype(int) - fine[:, ::4]).max() <= 1
    assert spectrogram.level_for(128 * 4.5) == 2
    assert spectrogram.tile(0, 6, 0).shape[1] == spectrogram.columns(6)


def test_a_tile_is_made_once(tmp_path: Path) -> None:
    spectrogram = _open(tmp_path, np.ones((RATE, 2)) * 0.1)
    assert spectrogram.tile(1, 0, 0) is spectrogram.tile(1, 0, 0)
    with pytest.raises(IndexError):
        spectrogram.tile(2, 0, 0)


def test_settings_that_make_no_sense_are_refused() -> None:
    for wrong in ({"window": 8}, {"hop": 0}, {"hop": 1024}, {"floor_db": 3.0}):
        with pytest.raises(ValueError, match="no spectrogram"):
            SpectrogramSettings(**wrong)  # type: ignore[arg-type]
