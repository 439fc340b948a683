"""Waveforms at every zoom against the samples themselves, while they are built, after a restart and after a cancel."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sounds import write_wav

from workstation.media.audio import open_audio
from workstation.media.audio_pyramid import Waveform
from workstation.media.base import Cancelled, CancelToken, OpenContext
from workstation.media.cache import DiskCache
from workstation.media.pyramid import BIN, Pyramid, PyramidBuilder, value_count


def _noise(frames: int, channels: int = 1, seed: int = 0) -> NDArray[np.int16]:
    rng = np.random.default_rng(seed)
    loud = np.interp(np.arange(frames), np.linspace(0, frames, 9), rng.uniform(10, 20000, 9))
    noise: NDArray[np.int16] = (rng.uniform(-1, 1, (frames, channels)) * loud[:, None]).astype(np.int16)
    return noise


def _pyramid(samples: NDArray[np.int16], block: int = 40 * BIN) -> Pyramid:
    frames, channels = samples.shape
    builder = PyramidBuilder(np.zeros(value_count(frames, channels), np.int16), frames, channels)
    for start in range(0, frames, block):
        builder.add(samples[start : start + block])
    return builder.pyramid


@settings(deadline=None, max_examples=80)
@given(data=st.data())
def test_no_peak_is_lost_and_none_is_drawn_far_from_where_it_is(data: st.DataObject) -> None:
    frames = data.draw(st.integers(1, 900_000))
    samples = _noise(frames, channels=data.draw(st.sampled_from([1, 2])), seed=3)
    pyramid = _pyramid(samples, block=data.draw(st.sampled_from([BIN, 7 * BIN, 1000 * BIN])))
    start = data.draw(st.integers(-1000, frames))
    width = data.draw(st.integers(1, 300))
    stop = start + width * data.draw(st.integers(2 * BIN, max(2 * BIN, 2 * frames // width)))
    columns = pyramid.columns(start, stop, width)
    edges = start + np.arange(width + 1) * (stop - start) // width
    slack = (stop - start) // width  # one bin is at most half a column; two of them
    for i in range(width):
        inside = samples[max(0, edges[i]) : max(0, edges[i + 1])]
        assert columns.known[i] == (len(inside) > 0)
        if len(inside):
            around = samples[max(0, edges[i] - slack) : max(0, edges[i + 1] + slack)]
            assert (columns.low[i] <= inside.min(axis=0)).all()
            assert (columns.high[i] >= inside.max(axis=0)).all()
            assert (columns.low[i] >= around.min(axis=0)).all()
            assert (columns.high[i] <= around.max(axis=0)).all()
        else:
            assert not columns.low[i].any()


@pytest.mark.parametrize("frames", [1, BIN - 1, BIN, BIN + 1, 5000 * BIN, 5000 * BIN + 7])
def test_the_top_shows_the_extremes_and_the_loudness(frames: int) -> None:
    samples = _noise(frames, channels=2)
    columns = _pyramid(samples).columns(0, max(frames, 2 * BIN), 1)
    assert columns.low[0].tolist() == samples.min(axis=0).tolist()
    assert columns.high[0].tolist() == samples.max(axis=0).tolist()
    truth = np.sqrt(np.mean(samples.astype(float) ** 2, axis=0))
    assert np.abs(columns.rms[0] - truth).max() <= 1 + 0.002 * truth.max()


def test_the_loudest_and_the_lowest_value_fit() -> None:
    samples = np.array([[-32768], [32767]] * 5000, np.int16)
    columns = _pyramid(samples).columns(0, 10_000, 10)
    assert (columns.low == -32768).all()
    assert (columns.high == 32767).all()
    assert (columns.rms >= 32767).all()


def test_columns_of_few_samples_are_exact(tmp_path: Path) -> None:
    samples = _noise(50_000, channels=2)
    write_wav(tmp_path / "noise.wav", samples, 16000)
    sound = open_audio(tmp_path / "noise.wav")
    waveform = Waveform.open(sound, OpenContext())
    for start, stop, width in (
        (0, 50_000, 700),
        (123, 10_123, 1600),
        (-500, 500, 100),
        (49_000, 51_000, 64),
        (7, 27, 100),
    ):
        columns = waveform.columns(start, stop, width)  # before anything is built
        edges = start + np.arange(width + 1) * (stop - start) // width
        for i in range(width):
            inside = samples[max(0, edges[i]) : max(edges[i] + 1, edges[i + 1], 0)]
            assert columns.known[i] == (len(inside) > 0 and edges[i + 1] >= 0)
            if columns.known[i]:
                assert columns.low[i].tolist() == inside.min(axis=0).tolist()
                assert columns.high[i].tolist() == inside.max(axis=0).tolist()
    sound.close()


def test_what_is_built_already_can_be_drawn_while_the_rest_is_read(tmp_path: Path) -> None:
    samples = _noise(3_000_000)
    write_wav(tmp_path / "long.wav", samples, 16000)
    seen: list[float] = []

    def look(share: float) -> None:
        seen.append(share)
        ready = waveform.pyramid.ready_frames
        columns = waveform.columns(0, 3_000_000, 500)
        edges = np.arange(501) * 6000
        whole = edges[1:] <= ready
        assert columns.known[whole].all()
        assert not columns.known[edges[:-1] >= ready].any()
        truth = samples[:, 0].reshape(500, 6000)
        assert (columns.high[whole, 0] >= truth.max(axis=1)[whole]).all()

    sound = open_audio(tmp_path / "long.wav")
    context = OpenContext(progress=look)
    waveform = Waveform.open(sound, context)
    waveform.build(context)
    assert seen[0] * 3_000_000 < 60 * 16000  # the first minute does not wait
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert waveform.complete
    sound.close()


def test_it_is_kept_by_content_and_survives_a_restart(tmp_path: Path) -> None:
    samples = _noise(400_000, channels=2)
    write_wav(tmp_path / "a.wav", samples, 16000)
    disk = DiskCache(tmp_path / "cache")
    sound = open_audio(tmp_path / "a.wav")
    first = Waveform.open(sound, OpenContext(disk=disk))
    assert not first.complete
    first.build(OpenContext(disk=disk))
    again = Waveform.open(sound, OpenContext(disk=DiskCache(tmp_path / "cache")))
    assert again.complete
    assert np.array_equal(again.columns(0, 400_000, 99).high, first.columns(0, 400_000, 99).high)
    write_wav(tmp_path / "a.wav", samples[::-1], 16000)  # another sound under the same name
    changed = open_audio(tmp_path / "a.wav")
    assert not Waveform.open(changed, OpenContext(disk=disk)).complete
    sound.close()
    changed.close()


def test_a_cancelled_build_leaves_nothing_and_can_start_again(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", _noise(2_000_000), 16000)
    disk = DiskCache(tmp_path / "cache")
    sound = open_audio(tmp_path / "a.wav")
    token = CancelToken()
    context = OpenContext(disk=disk, progress=lambda share: token.cancel() if share > 0.3 else None)
    waveform = Waveform.open(sound, context)
    with pytest.raises(Cancelled):
        waveform.build(context, cancel=token)
    assert not list((tmp_path / "cache").rglob("*"))
    waveform.build(OpenContext(disk=disk))
    assert waveform.complete
    sound.close()


def test_a_worker_builds_while_another_thread_reads(tmp_path: Path) -> None:
    samples = _noise(1_000_000)
    write_wav(tmp_path / "a.wav", samples, 16000)
    sound = open_audio(tmp_path / "a.wav")
    waveform = Waveform.open(sound, OpenContext())
    worker = threading.Thread(target=waveform.build, args=(OpenContext(),))
    worker.start()
    for start in range(0, 900_000, 30_000):
        assert np.array_equal(sound.read(start, start + 100) * 32768, samples[start : start + 100])
    worker.join()
    assert waveform.complete
    sound.close()


def test_before_anything_is_read_a_view_over_the_beginning_shows_nothing() -> None:
    """The column over the first sample begins before it: the window once painted such a view while it opened."""
    builder = PyramidBuilder(np.zeros(value_count(48_000, 1), np.int16), 48_000, 1)
    columns = builder.pyramid.columns(-100_000, 600_000, 70)
    assert not columns.known.any()
    assert columns.low.shape == (70, 1)
