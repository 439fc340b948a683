"""Sound files that lie, end early or are something else: one clear sentence, never a crash, a hang or a full memory."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sounds import encode, impulses, write_wav

from workstation.core.errors import DataError
from workstation.media.audio import open_audio
from workstation.media.base import Cancelled, CancelToken, OpenContext


def _wav_header(
    *, rate: int = 16000, channels: int = 1, bits: int = 16, data_size: int, riff_size: int = 0xFFFFFFFF
) -> bytes:
    align = channels * bits // 8 & 0xFFFF
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * align & 0xFFFFFFFF, align, bits)
    return (
        b"RIFF"
        + struct.pack("<I", riff_size)
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
        + b"data"
        + struct.pack("<I", data_size)
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.wav", b""),
        ("zeros.wav", bytes(5000)),
        ("zeros.m4a", bytes(5000)),
        ("text.mp3", b"this is no sound, it is a sentence. " * 200),
        ("header.wav", b"RIFF"),
        ("nothing.wav", _wav_header(data_size=0)),
        ("no-rate.wav", _wav_header(rate=0, data_size=64) + bytes(64)),
        ("no-channels.wav", _wav_header(channels=0, data_size=64) + bytes(64)),
        ("many-channels.wav", _wav_header(channels=300, data_size=6000) + bytes(6000)),
        ("flac.flac", b"fLaC" + bytes(200)),
        ("ogg.ogg", b"OggS" + bytes(200)),
        ("mp4.m4a", b"\0\0\0\x18ftypM4A " + bytes(12) + b"\x7f\xff\xff\xffmoov" + bytes(99)),
        ("list.m3u8", b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/hostname\n"),
    ],
)  # fmt: skip
def test_a_hopeless_file_is_named_in_one_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError) as refused:
        open_audio(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.wav", tmp_path):
        with pytest.raises(DataError, match="cannot be read"):
            open_audio(path)


def test_a_track_that_is_not_there(tmp_path: Path) -> None:
    signal, _ = impulses(16000)
    encode(tmp_path / "one.mkv", "flac", signal, 16000)
    with pytest.raises(DataError, match="there is no track 4"):
        open_audio(tmp_path / "one.mkv", track=4)


def test_a_wav_that_promises_more_than_it_holds_gives_what_is_there(tmp_path: Path) -> None:
    samples = np.arange(8000, dtype="<i2")
    (tmp_path / "lies.wav").write_bytes(_wav_header(data_size=0x7FFFFFF0) + samples.tobytes())
    sound = open_audio(tmp_path / "lies.wav")
    assert np.array_equal(sound.read(0, 10**9)[:, 0] * 32768, samples)
    sound.close()


def test_a_recorder_that_lost_its_power_leaves_sound_behind_a_length_of_zero(tmp_path: Path) -> None:
    signal = np.arange(-20000, 20000, dtype=np.int16).reshape(-1, 2)
    write_wav(tmp_path / "cut.wav", signal, 48000)
    raw = bytearray((tmp_path / "cut.wav").read_bytes())
    at = raw.index(b"data")
    raw[4:8] = raw[at + 4 : at + 8] = bytes(4)
    (tmp_path / "cut.wav").write_bytes(raw)
    sound = open_audio(tmp_path / "cut.wav")
    assert np.array_equal(np.rint(sound.read(0, sound.frames) * 32768), signal)
    assert "cut off" in " ".join(sound.info.notes)
    sound.close()
    write_wav(tmp_path / "none.wav", signal[:0], 48000)
    with pytest.raises(DataError, match="no sound in it"):
        open_audio(tmp_path / "none.wav")


def test_a_wrong_suffix_does_not_matter(tmp_path: Path) -> None:
    write_wav(tmp_path / "real.wav", np.full((99, 1), 77, np.int16), 8000)
    (tmp_path / "real.wav").rename(tmp_path / "wrong.mp3")
    sound = open_audio(tmp_path / "wrong.mp3")
    assert (sound.read(0, 99) * 32768 == 77).all()
    sound.close()


@pytest.mark.parametrize(
    ("codec", "suffix"), [("flac", "flac"), ("libmp3lame", "mp3"), ("aac", "m4a"), ("libopus", "opus"), ("flac", "mkv")]
)
def test_a_truncated_file_gives_what_is_left_or_says_why(tmp_path: Path, codec: str, suffix: str) -> None:
    rng = np.random.default_rng(1)
    signal = (rng.standard_normal((48000 * 4, 2)) * 0.1).astype(np.float32)
    encode(tmp_path / f"whole.{suffix}", codec, signal, 48000)
    whole = open_audio(tmp_path / f"whole.{suffix}")
    data = (tmp_path / f"whole.{suffix}").read_bytes()
    complaints: list[str] = []
    for share in (0.9, 0.5, 0.05):
        cut = tmp_path / f"cut{share}.{suffix}"
        cut.write_bytes(data[: int(len(data) * share)])
        try:
            sound = open_audio(cut)
        except DataError as error:
            complaints.append(str(error))  # an M4A without its index holds nothing that can be found
            continue
        assert sound.frames < whole.frames
        kept = sound.read(0, sound.frames)
        sure = max(0, sound.frames - 5000)
        assert np.abs(kept[:sure] - whole.read(0, sure)).max(initial=0) < 0.05
        sound.close()
    whole.close()
    assert all(str(tmp_path) in complaint for complaint in complaints)
    assert not complaints or suffix in ("m4a", "opus")


def test_a_flac_that_claims_a_year_of_sound_is_counted(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "year.flac", np.zeros(20000, np.int16), 16000)
    data = bytearray((tmp_path / "year.flac").read_bytes())
    data[21] |= 0x0F  # the upper bits of STREAMINFO's 36-bit sample count
    data[22:26] = b"\xff\xff\xff\xff"
    (tmp_path / "year.flac").write_bytes(bytes(data))
    begin = time.process_time()
    sound = open_audio(tmp_path / "year.flac")
    assert sound.frames == 20000
    assert "truncated" in " ".join(sound.info.notes)
    assert time.process_time() - begin < 5
    sound.close()


def test_opening_can_be_cancelled(tmp_path: Path) -> None:
    signal, _ = impulses(16000)
    encode(tmp_path / "one.mkv", "flac", signal, 16000)
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        open_audio(tmp_path / "one.mkv", context=OpenContext(cancel=token))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(suffix=st.sampled_from(["wav", "flac", "mp3", "m4a", "mkv"]), data=st.data())
def test_flipped_bytes_never_do_worse_than_a_sentence(tmp_path: Path, suffix: str, data: st.DataObject) -> None:
    source = tmp_path / f"good.{suffix}"
    if not source.exists():
        signal, _ = impulses(8000, seconds=3)
        codec = {"wav": "pcm_s16le", "flac": "flac", "mp3": "libmp3lame", "m4a": "aac", "mkv": "flac"}[suffix]
        encode(source, codec, signal, 8000 if suffix != "m4a" else 48000)
    raw = bytearray(source.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, min(len(raw) - 1, 600)))
        raw[at] = data.draw(st.integers(0, 255))
    bad = tmp_path / f"bad.{suffix}"
    bad.write_bytes(bytes(raw))
    try:
        sound = open_audio(bad)
        assert np.isfinite(sound.read(0, 4000)).all()
        sound.read(sound.frames // 2, sound.frames // 2 + 4000)
        sound.close()
    except DataError as error:
        complaint = str(error)
    else:
        return
    assert str(bad) in complaint
