"""Close views of compressed sound: nothing is decoded where it would hold up the window, and what a worker brings makes
them exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from workstation.app.lane_sound import SoundLane, Stretch
from workstation.app.viewport import Viewport
from workstation.core.ids import IdSource, SampleId, StreamId
from workstation.core.sample import Stream, StreamKind
from workstation.core.timebase import offset_map
from workstation.media.audio import AudioFile, open_audio
from workstation.media.base import CancelToken, OpenContext

RATE = 8000
SECOND = 1_000_000_000


def lane_in(folder: Path, suffix: str) -> tuple[SoundLane, AudioFile, np.ndarray]:
    """Thirty seconds of noise that grows, as the file holds it, with its waveform built."""
    rng = np.random.default_rng(4)
    values = (rng.integers(-3000, 3000, 30 * RATE) * np.linspace(0.1, 8, 30 * RATE)).astype(np.int16)
    path = folder / f"noise.{suffix}"
    soundfile.write(path, values, RATE, subtype="PCM_16")
    ids = IdSource()
    stream = Stream(
        id=StreamId(ids.new()),
        sample=SampleId(ids.new()),
        key="mic",
        kind=StreamKind.AUDIO,
        time_map=offset_map(SECOND),
    )
    context = OpenContext()
    sound = open_audio(path, context=context)
    lane = SoundLane(stream, sound, context)
    lane.build(CancelToken())
    return lane, sound, values


def fresh(lane: SoundLane, sound: AudioFile) -> tuple[SoundLane, AudioFile]:
    """The same lane over a reader that has decoded nothing yet: looking for onsets did."""
    again = open_audio(sound.path)
    made = SoundLane(lane.stream, again, OpenContext())
    made._wave.pyramid = lane._wave.pyramid
    return made, again


VIEW = Viewport(11 * SECOND, SECOND // 2, 400)
"""Ten samples a column, from 10 s of the sound on."""


def truth(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    parts = values[10 * RATE : 10 * RATE + RATE // 2].reshape(400, 10)
    return parts.min(axis=1), parts.max(axis=1)


def test_a_close_view_of_compressed_sound_decodes_nothing_and_is_exact_once_it_was_brought(tmp_path: Path) -> None:
    built, whole, values = lane_in(tmp_path, "flac")
    lane, sound = fresh(built, whole)
    wanted = lane.missing(VIEW)
    assert isinstance(wanted, Stretch)
    assert wanted.start <= 10 * RATE < 10 * RATE + RATE // 2 <= wanted.stop
    coarse = lane.columns(VIEW, 0)
    assert not sound.held(10 * RATE, 10 * RATE + 1)
    low, high = truth(values)
    assert (coarse.low <= low).all()  # a bin of 256 holds the column and more: no peak is lost
    assert (coarse.high >= high).all()
    lane.bring(wanted, CancelToken())
    assert lane.missing(VIEW) is None
    exact = lane.columns(VIEW, 0)
    np.testing.assert_array_equal(exact.low, low)
    np.testing.assert_array_equal(exact.high, high)
    assert lane.missing(VIEW.panned(SECOND // 10, VIEW.shown)) is None  # there is room to move in
    for each in (whole, sound):
        each.close()


def test_plain_samples_and_far_views_never_wait(tmp_path: Path) -> None:
    built, whole, values = lane_in(tmp_path, "wav")
    lane, sound = fresh(built, whole)
    assert lane.missing(VIEW) is None
    low, high = truth(values)
    found = lane.columns(VIEW, 0)
    np.testing.assert_array_equal(found.low, low)
    np.testing.assert_array_equal(found.high, high)
    assert lane.missing(Viewport(0, 60 * SECOND, 400)) is None
    for each in (whole, sound):
        each.close()


@pytest.mark.parametrize("start", [-100, 100])
def test_beside_the_sound_nothing_is_missing(tmp_path: Path, start: int) -> None:
    built, whole, _ = lane_in(tmp_path, "flac")
    lane, sound = fresh(built, whole)
    assert lane.missing(Viewport(start * SECOND, SECOND // 2, 400)) is None
    for each in (whole, sound):
        each.close()


def test_a_view_that_begins_or_ends_a_hair_from_a_knot_of_the_map_is_drawn_whole(tmp_path: Path) -> None:
    """A knot less than half a pixel inside an edge left a piece without width: no picture, and the program ended."""
    lane, sound, _ = lane_in(tmp_path, "wav")
    (knot, *_) = [session for _, session in lane.stream.time_map.knots]
    width, span = 400, SECOND // 2
    pixel = span / width
    for start in (knot - round(pixel / 4), knot + round(pixel / 4), knot - span + round(pixel / 4), knot - span // 2):
        view = Viewport(start, span, width)
        assert len(lane.columns(view).low) == width
    sound.close()
