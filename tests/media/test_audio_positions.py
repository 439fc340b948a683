"""Planted impulses are found where they were planted, in every codec, through the path that plays."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sounds import encode, impulses, peak_near, write_wav

from workstation.media.audio import open_audio
from workstation.media.base import OpenContext
from workstation.media.cache import MemoryCache

LOSSLESS = [("flac", "flac", 44100), ("flac", "mkv", 44100), ("alac", "m4a", 44100), ("pcm_s16le", "mov", 48000),
            ("pcm_s24le", "mkv", 22050), ("pcm_s16le", "avi", 8000)]  # fmt: skip
LOSSY = [("libmp3lame", "mp3", 44100), ("libmp3lame", "mp3", 22050), ("libmp3lame", "mkv", 44100),
         ("libmp3lame", "mp4", 44100), ("aac", "m4a", 44100), ("aac", "mp4", 48000), ("aac", "mkv", 44100),
         ("libopus", "opus", 48000), ("libopus", "webm", 48000), ("libopus", "mp4", 48000),
         ("ac3", "mp4", 48000)]  # fmt: skip


@pytest.mark.parametrize(("codec", "suffix", "rate"), LOSSLESS)
def test_lossless_sound_comes_back_sample_for_sample(tmp_path: Path, codec: str, suffix: str, rate: int) -> None:
    signal, positions = impulses(rate)
    encode(tmp_path / f"clap.{suffix}", codec, signal, rate)
    sound = open_audio(tmp_path / f"clap.{suffix}")
    found = sound.read(0, sound.frames)
    assert sound.sample_rate_hz == rate
    assert found.shape == signal.shape
    assert np.abs(found - signal).max() < 2 / 32768
    assert [peak_near(found, position) for position in positions] == positions
    assert sound.time_of(0) == 0
    sound.close()


@pytest.mark.parametrize(("codec", "suffix", "rate"), LOSSY)
def test_lossy_sound_is_at_most_one_sample_off(tmp_path: Path, codec: str, suffix: str, rate: int) -> None:
    signal, positions = impulses(rate)
    encode(tmp_path / f"clap.{suffix}", codec, signal, rate)
    sound = open_audio(tmp_path / f"clap.{suffix}")
    found = sound.read(0, sound.frames)
    assert [abs(peak_near(found, p) - p) <= 1 for p in positions] == [True] * len(positions)
    assert abs(sound.time_of(0)) <= 1000  # the first sample the encoder got, not the container's first time stamp
    assert 0 <= sound.frames - len(signal) < 2048
    sound.close()


@pytest.mark.parametrize(
    ("codec", "suffix"), [("libmp3lame", "mp3"), ("libopus", "opus"), ("aac", "m4a"), ("flac", "mkv")]
)
def test_any_place_is_reached_directly(tmp_path: Path, codec: str, suffix: str) -> None:
    signal, positions = impulses(48000, seconds=20)
    encode(tmp_path / f"clap.{suffix}", codec, signal, 48000)
    for position in (positions[2], positions[0], positions[1], positions[0]):
        sound = open_audio(tmp_path / f"clap.{suffix}")  # nothing decoded or cached before
        start = position - 700
        assert abs(peak_near(sound.read(start, start + 1400), 700) - 700) <= 1
        sound.close()


@pytest.mark.parametrize(
    ("codec", "suffix"), [("libmp3lame", "mp3"), ("libmp3lame", "mkv"), ("flac", "flac"), ("libopus", "opus")]
)
def test_a_jump_gives_the_same_samples_as_playing_there(tmp_path: Path, codec: str, suffix: str) -> None:
    rng = np.random.default_rng(7)
    signal = (rng.standard_normal((48000 * 6, 2)) * 0.1).astype(np.float32)
    encode(tmp_path / f"noise.{suffix}", codec, signal, 48000)
    played = open_audio(tmp_path / f"noise.{suffix}", context=OpenContext(memory=MemoryCache(0)))
    straight = np.concatenate([played.read(k, k + 4800) for k in range(0, played.frames, 4800)])
    jumping = open_audio(tmp_path / f"noise.{suffix}", context=OpenContext(memory=MemoryCache(0)))
    for start in rng.integers(0, played.frames - 3000, 16).tolist():
        # Opus and MP3 decoders carry state: they settle within the packets decoded before the wanted one.
        assert np.abs(jumping.read(start, start + 3000) - straight[start : start + 3000]).max() < 1e-4
    played.close()
    jumping.close()


@pytest.mark.parametrize(("codec", "suffix"), [("aac", "aac"), ("aac", "ts"), ("mp2", "mp2")])
def test_what_the_file_cannot_say_is_said(tmp_path: Path, codec: str, suffix: str) -> None:
    signal, _ = impulses(44100)
    encode(tmp_path / f"clap.{suffix}", codec, signal, 44100)
    sound = open_audio(tmp_path / f"clap.{suffix}")
    assert "does not say how many samples" in " ".join(sound.info.notes)
    sound.close()


def test_an_mp3_without_an_encoder_tag_says_so(tmp_path: Path) -> None:
    signal, _ = impulses(44100)
    encode(tmp_path / "clap.mp3", "libmp3lame", signal, 44100)
    tagged = open_audio(tmp_path / "clap.mp3")
    assert tagged.info.notes == ()
    tagged.close()
    data = (tmp_path / "clap.mp3").read_bytes()
    first = data.index(b"\xff\xfb", data.index(b"Info") if b"Info" in data else data.index(b"Xing"))
    (tmp_path / "cut.mp3").write_bytes(data[first:])
    cut = open_audio(tmp_path / "cut.mp3")
    assert "does not say how many samples" in " ".join(cut.info.notes)
    cut.close()


def test_sound_that_starts_late_in_a_film_starts_late(tmp_path: Path) -> None:
    signal, positions = impulses(48000)
    start = 24064  # an edit list counts in milliseconds: with the encoder's 1,024 samples this is a whole number
    encode(tmp_path / "film.mp4", "aac", signal, 48000, start=start, video=True)
    sound = open_audio(tmp_path / "film.mp4")
    peak = peak_near(sound.read(0, sound.frames), positions[0] + sound.sample_rate_hz, within=60000)
    assert abs(sound.time_of(peak) - (positions[0] + start) * 1_000_000_000 // 48000) <= 1_000_000_000 // 48000
    sound.close()


def test_packets_that_are_missing_are_silence_not_a_shift(tmp_path: Path) -> None:
    signal, positions = impulses(48000)
    encode(tmp_path / "torn.mkv", "flac", signal, 48000, without=range(8, 14))
    sound = open_audio(tmp_path / "torn.mkv")
    found = sound.read(0, sound.frames)
    (gap,) = sound.info.gaps
    assert [abs(peak_near(found, position) - position) <= 24 for position in positions] == [True, True, True]
    assert gap.duration_ns == pytest.approx(6 * 4608 / 48000 * 1e9, abs=1e6)
    first, last = sound.sample_at(gap.start_ns), sound.sample_at(gap.end_ns)
    assert first is not None
    assert last is not None
    assert not found[first:last].any()
    assert "missing" in " ".join(sound.info.notes)
    sound.close()


def test_vorbis_in_a_film_counts_from_the_encoders_first_sample(tmp_path: Path) -> None:
    """A Vorbis decoder's first block is no sound; Matroska does not say so and gives it a place in time."""
    signal, positions = impulses(48000)
    soundfile.write(tmp_path / "sound.ogg", signal, 48000)
    with av.open(str(tmp_path / "sound.ogg")) as given, av.open(str(tmp_path / "film.webm"), "w") as film:
        copied = film.add_stream_from_template(given.streams.audio[0])
        for packet in given.demux(audio=0):
            if packet.size:
                packet.stream = copied
                film.mux(packet)
    sound = open_audio(tmp_path / "film.webm")
    found = sound.read(0, sound.frames)
    assert [abs(peak_near(found, position) - position) <= 1 for position in positions] == [True, True, True]
    with av.open(str(tmp_path / "film.webm")) as container:
        first = next(container.decode(audio=0))
        assert first.pts is not None
        assert first.time_base is not None
        assert abs(sound.time_of(0) - first.pts * first.time_base * 1_000_000_000) <= 1_000_000
    sound.close()


def test_a_capture_of_several_recordings_says_that_one_is_heard(tmp_path: Path) -> None:
    signal, _ = impulses(48000)
    one, two = tmp_path / "one.ogg", tmp_path / "two.ogg"
    soundfile.write(one, signal, 48000)
    encode(two, "libopus", signal, 48000)
    (tmp_path / "both.ogg").write_bytes(one.read_bytes() + two.read_bytes())
    alone, both = open_audio(one), open_audio(tmp_path / "both.ogg")
    assert alone.info.notes == ()
    assert both.info.notes == ("it holds several recordings one after another; only the first one is heard",)
    alone.close()
    both.close()


def test_each_track_of_a_film_is_a_stream(tmp_path: Path) -> None:
    signal, positions = impulses(48000)
    encode(tmp_path / "film.mkv", "flac", signal, 48000, video=True, tracks=3)
    for track in range(3):
        sound = open_audio(tmp_path / "film.mkv", track=track)
        assert sound.read(positions[0], positions[0] + 1)[0, 0] == pytest.approx(0.9 / 2**track, abs=1e-3)
        sound.close()


@pytest.mark.parametrize("channels", [1, 2, 3, 17, 64])
def test_every_channel_holds_its_own_samples(tmp_path: Path, channels: int) -> None:
    rng = np.random.default_rng(channels)
    samples = rng.integers(-32768, 32767, (9001, channels)).astype(np.int16)
    write_wav(tmp_path / "array.wav", samples, 16000)
    sound = open_audio(tmp_path / "array.wav")
    assert sound.channels == channels
    assert np.array_equal(sound.read(0, sound.frames) * 32768, samples)
    sound.close()


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(start=st.integers(-50_000, 150_000), length=st.integers(0, 70_000), limit=st.sampled_from([0, 300_000, 1 << 30]))
def test_any_request_gives_the_files_own_samples(tmp_path: Path, start: int, length: int, limit: int) -> None:
    path = tmp_path / "ramp.wav"
    truth = (np.arange(100_001 * 2) % 65536 - 32768).astype(np.int16).reshape(-1, 2)
    if not path.exists():
        write_wav(path, truth, 16000)
    sound = open_audio(path, context=OpenContext(memory=MemoryCache(limit)))
    got = sound.read(start, start + length)
    assert np.array_equal(got * 32768, truth[max(0, start) : max(0, start + length)])
    sound.close()


@given(rate=st.sampled_from([8000, 11025, 16000, 22050, 44100, 48000, 96000]), sample=st.integers(0, 999))
@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_a_sample_sounds_from_its_time_until_the_next_ones(tmp_path: Path, rate: int, sample: int) -> None:
    path = tmp_path / f"{rate}.wav"
    if not path.exists():
        write_wav(path, np.zeros((1000, 1), np.int16), rate)
    sound = open_audio(path)
    begin, end = sound.time_of(sample), sound.time_of(sample + 1)
    assert sound.sample_at(begin) == sound.sample_at(end - 1) == sample
    assert sound.sample_at(-1) is None
    assert sound.sample_at(sound.time_of(1000)) is None
    sound.close()


def test_a_float_wav_with_numbers_that_are_none_plays_silence_there(tmp_path: Path) -> None:
    samples = np.array([0.5, np.nan, np.inf, -np.inf, 1.5], np.float32)
    soundfile.write(tmp_path / "odd.wav", samples, 8000, subtype="FLOAT")
    sound = open_audio(tmp_path / "odd.wav")
    assert sound.read(0, 5)[:, 0].tolist() == [0.5, 0.0, 1.0, -1.0, 1.5]
    sound.close()
