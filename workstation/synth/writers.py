"""Writers of the media kinds the generators make. Same input, same bytes, on the same versions of the libraries.

Video is MPEG-4 part 2 in MP4 by default (no GPL encoder is touched): about 3 ms a frame at 960×540 with a fixed
quantiser, no B-frames, one encoder thread. Sound is 16-bit PCM in WAV, so every sample is exact.
Nothing here writes a time of day, a host name or a random id into a file.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workstation.core.errors import UserError
from workstation.synth.lettering import Picture
from workstation.synth.opencv import cv2
from workstation.synth.pose import Floats

QUANTISER = 3
_LAMBDA = 118  # FFmpeg's FF_QP2LAMBDA
_GPL_ENCODERS = ("libx264", "libx265", "h264", "hevc", "libx264rgb")


class VideoWriter:
    """One video file with an even frame rate, optionally with the sound beside it in the same file."""

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        height: int,
        rate: int,
        codec: str = "mpeg4",
        group: int = 15,
        sound: tuple[NDArray[np.floating[Any]], int] | None = None,
    ) -> None:
        import av

        if codec in _GPL_ENCODERS:
            raise UserError(
                f"{codec} is a GPL encoder and is never used here; take mpeg4, mjpeg, libvpx-vp9 or libsvtav1"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        self._container: Any = av.open(str(path), "w", options={"fflags": "+bitexact", "movflags": "+faststart"})
        stream: Any = self._container.add_stream(codec, rate=rate)
        self._stream = stream
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, rate)
        context = stream.codec_context
        context.gop_size = group
        context.thread_count = 1
        context.bit_rate = 0
        context.max_b_frames = 0
        context.flags |= 1 << 23  # AV_CODEC_FLAG_BITEXACT
        if codec in ("mpeg4", "mjpeg"):
            context.qmin = context.qmax = QUANTISER
            context.options = {"flags": "+qscale", "global_quality": str(QUANTISER * _LAMBDA)}
        elif codec == "libvpx-vp9":
            context.options = {"crf": "24", "cpu-used": "8", "deadline": "realtime", "row-mt": "0"}
        elif codec == "libsvtav1":
            context.options = {"crf": "30", "preset": "12", "svtav1-params": "lp=1"}
        self._frames, self._tick = 0, Fraction(1, rate)
        self._sound = None
        if sound is not None:
            self._sound = _SoundTrack(self._container, *sound)

    def write(self, image: Picture) -> None:
        """Appends one RGB picture (height×width×3 uint8)."""
        import av

        planes: Any = cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        if self._stream.codec_context.pix_fmt != "yuv420p":
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts, frame.time_base = self._frames, self._tick
        self._frames += 1
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def close(self) -> None:
        """Ends the file."""
        for packet in self._stream.encode(None):
            self._container.mux(packet)
        if self._sound is not None:
            self._sound.write_all()
        self._container.close()

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _SoundTrack:
    """FLAC beside the pictures: lossless, so that an onset stays on its sample."""

    def __init__(self, container: Any, samples: NDArray[np.floating[Any]], rate_hz: int) -> None:
        self._container, self._rate = container, rate_hz
        self._samples = to_int16(samples)
        self._stream = container.add_stream("flac", rate=rate_hz, layout="mono")
        self._stream.codec_context.thread_count = 1
        self._stream.codec_context.flags |= 1 << 23

    def write_all(self) -> None:
        import av

        block = 4096
        for start in range(0, len(self._samples), block):
            frame = av.AudioFrame.from_ndarray(self._samples[None, start : start + block], format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = self._rate, start, Fraction(1, self._rate)
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        for packet in self._stream.encode(None):
            self._container.mux(packet)


def to_int16(samples: NDArray[np.floating[Any]]) -> NDArray[np.int16]:
    """Float sound (−1 to 1) as 16-bit numbers, rounded, clipped."""
    return np.clip(np.round(samples * 32767.0), -32768, 32767).astype(np.int16)


def write_wav(path: Path, samples: NDArray[np.floating[Any]], rate_hz: int) -> None:
    """Mono (N) or many channels (N×C) as 16-bit WAV."""
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(str(path), to_int16(samples), rate_hz, subtype="PCM_16", format="WAV")


def write_pcd(path: Path, columns: Mapping[str, NDArray[Any]]) -> None:
    """A binary PCD with the columns as fields, in order (float32, uint16, uint8 or uint32)."""
    names = list(columns)
    arrays = [np.asarray(columns[name]) for name in names]
    record = np.dtype([(name, array.dtype.newbyteorder("<")) for name, array in zip(names, arrays, strict=True)])
    rows = np.empty(len(arrays[0]), record)
    for name, array in zip(names, arrays, strict=True):
        rows[name] = array
    kinds = " ".join("F" if array.dtype.kind == "f" else "U" for array in arrays)
    sizes = " ".join(str(array.dtype.itemsize) for array in arrays)
    header = (
        "# .PCD v0.7 - Point Cloud Data file format\nVERSION 0.7\n"
        f"FIELDS {' '.join(names)}\nSIZE {sizes}\nTYPE {kinds}\nCOUNT {' '.join('1' for _ in names)}\n"
        f"WIDTH {len(rows)}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {len(rows)}\nDATA binary\n"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header.encode("ascii") + rows.tobytes())


def write_bin(path: Path, columns: Sequence[NDArray[Any]]) -> None:
    """Columns interleaved as little-endian float32, the way KITTI (4 columns) and nuScenes (5) store sweeps."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(np.stack([np.asarray(c, np.float32) for c in columns], axis=1).astype("<f4").tobytes())


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A comma-separated table, UTF-8, one header line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    table.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8", newline="\n")


def write_parquet(path: Path, columns: Mapping[str, NDArray[Any] | list[Any]]) -> None:
    """A Parquet table without compression surprises (snappy off: same bytes everywhere)."""
    import pyarrow as pa
    import pyarrow.parquet as parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table(dict(columns)), str(path), compression="none")


def write_json(path: Path, value: object) -> None:
    """JSON with sorted keys off (our order is meant), indented one blank for the outer levels only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_layout(value) + "\n", encoding="utf-8", newline="\n")


def write_text(path: Path, text: str) -> None:
    """UTF-8 text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def write_png(path: Path, image: Picture) -> None:
    """An RGB picture or a one-channel picture as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = image[..., ::-1] if image.ndim == 3 else image
    ok, data = cv2.imencode(".png", np.ascontiguousarray(pixels), [cv2.IMWRITE_PNG_COMPRESSION, 4])
    if not ok:
        raise UserError(f"{path} could not be encoded as PNG")
    path.write_bytes(data.tobytes())


def rounded(values: Floats, digits: int = 4) -> list[Any]:
    """An array as nested lists, rounded for JSON."""
    out: list[Any] = np.round(values, digits).tolist()
    return out


def _layout(value: object, depth: int = 0) -> str:
    """Outer levels on lines of their own, inner ones compact: readable, and a tenth of the size of full indenting."""
    pad = " " * (depth + 1)
    if depth < 3 and isinstance(value, dict) and value:
        inner = (
            f"{pad}{json.dumps(key, ensure_ascii=False)}: {_layout(item, depth + 1)}" for key, item in value.items()
        )
        return "{\n" + ",\n".join(inner) + "\n" + " " * depth + "}"
    if depth < 3 and isinstance(value, list) and value and isinstance(value[0], dict | list):
        return "[\n" + ",\n".join(pad + _layout(item, depth + 2) for item in value) + "\n" + " " * depth + "]"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
