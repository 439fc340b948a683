"""Cloud files that lie, end early or are something else."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from clouds import las_bytes, literal_lzf, pcd_header, street, write_bin, write_pcd, write_ply
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workstation.core.errors import DataError
from workstation.media.base import Limits, OpenContext
from workstation.media.cloud import open_clouds

SMALL = OpenContext(limits=Limits(max_bytes=1 << 20, max_items=10_000))
XYZ = {name: street(20)[name] for name in "xyz"}


def _npy(shape: str, kind: str = "<f4", body: bytes = b"") -> bytes:
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


def _npz(name: str, content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return target.getvalue()


def _pcd(old: bytes = b"", new: bytes = b"", data: str = "binary", body: bytes = bytes(240)) -> bytes:
    return pcd_header(XYZ, data).replace(old, new) + body


_PLY = (
    b"ply\nformat binary_little_endian 1.0\nelement vertex 20\n"
    b"property float x\nproperty float y\nproperty float z\nend_header\n"
)
HOPELESS: dict[str, bytes] = {
    "empty.pcd": b"",
    "zeros.pcd": bytes(3000),
    "zeros.las": bytes(3000),
    "text.ply": b"ply\nthis is no header\nend_header\n",
    "short.pcd": _pcd(body=bytes(239)),
    "huge-count.pcd": _pcd(b"POINTS 20", b"POINTS 99999999999999999999"),
    "negative.pcd": _pcd(b"POINTS 20", b"POINTS -5"),
    "no-data.pcd": _pcd(b"DATA binary\n", b"", body=b""),
    "bad-size.pcd": _pcd(b"SIZE 4 4 4", b"SIZE 4 4 3"),
    "lengths.pcd": _pcd(b"SIZE 4 4 4", b"SIZE 4 4"),
    "huge-field.pcd": _pcd(b"COUNT 1 1 1", b"COUNT 1 1 2000000000"),
    "no-z.pcd": _pcd(b"FIELDS x y z", b"FIELDS x y w"),
    "binary.pcd": _pcd(b"DATA binary", b"DATA zstd"),
    "lzf-size.pcd": _pcd(data="binary_compressed", body=struct.pack("<II", 0xFFFFFFFF, 240)),
    "lzf-bomb.pcd": _pcd(data="binary_compressed", body=struct.pack("<II", 9, 0xFFFFFFFF) + bytes(9)),
    "lzf-damaged.pcd": _pcd(data="binary_compressed", body=struct.pack("<II", 50, 240) + b"\xff" * 50),
    "lzf-short.pcd": _pcd(data="binary_compressed", body=struct.pack("<II", 102, 240) + literal_lzf(bytes(99))),
    "words.pcd": _pcd(data="ascii", body=b"one two three\n" * 20),
    "few.pcd": _pcd(data="ascii", body=b"1.00000 2.00000 3.0000\n" * 19),
    "huge-count.ply": _PLY.replace(b"20", b"123456789012345678") + bytes(240),
    "negative.ply": _PLY.replace(b"vertex 20", b"vertex -1") + bytes(240),
    "short.ply": _PLY + bytes(239),
    "endless.ply": b"ply\n" + b"comment x\n" * 10_000,
    "list.ply": _PLY.replace(b"property float z", b"property list uchar float z") + bytes(240),
    "kind.ply": _PLY.replace(b"float z", b"complex z") + bytes(240),
    "orphan.ply": b"ply\nformat ascii 1.0\nproperty float x\nend_header\n",
    "short.las": las_bytes([(1, 2, 3)] * 9, scale=0.01, offset=(0, 0, 0))[:-1],
    "claims.las": las_bytes([(1, 2, 3)] * 9, scale=0.01, offset=(0, 0, 0), claimed=9999),
    "claims-more.las": las_bytes([(1, 2, 3)] * 9, scale=0.01, offset=(0, 0, 0), claimed=0xFFFFFFFF),
    "no-scale.las": las_bytes([(1, 2, 3)] * 9, scale=0.0, offset=(0, 0, 0)),
    "nowhere.las": las_bytes([(1, 2, 3)] * 9, scale=float("nan"), offset=(0, 0, 0)),
    "header.las": las_bytes([], scale=0.01, offset=(0, 0, 0))[:100],
    "odd.bin": bytes(23),
    "nan.bin": struct.pack("<f", float("nan")) * 100,
    "pickle.npy": _npy("(3,)", "|O", b"cos\nsystem\n(S'true'\ntR."),
    "short.npy": _npy("(100, 3)", body=bytes(1199)),
    "huge.npy": _npy("(99999999999, 99999999999)"),
    "negative.npy": _npy("(-1, 3)"),
    "flat.npy": _npy("(12,)", body=bytes(48)),
    "eval.npy": b"\x93NUMPY\x01\x00" + struct.pack("<H", 40) + b"__import__('os').system('true')".ljust(40),
    "open.npy": _npy("(3,").replace(b"}", b"("),
    "quote.npy": _npy("(3,)").replace(b"'descr'", b"'''descr"),
    "bomb.npz": _npz("points.npy", _npy("(2000000, 3)", body=bytes(24_000_000))),
    "lies.npz": _npz("points.npy", _npy("(20, 3)", body=bytes(100))),
    "other.npz": _npz("readme.txt", b"nothing"),
    "damaged.npz": b"PK\x03\x04" + bytes(300),
}  # fmt: skip


@pytest.mark.parametrize("name", HOPELESS)
def test_a_hopeless_file_is_named_in_one_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(HOPELESS[name])
    with pytest.raises(DataError) as refused:
        open_clouds([path], context=SMALL).cloud(0)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_file_and_an_unknown_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        open_clouds([tmp_path / "gone.pcd"])
    (tmp_path / "a.xyz").write_bytes(b"no cloud at all")
    with pytest.raises(DataError, match="no point cloud"):
        open_clouds([tmp_path / "a.xyz"])


def test_a_wrong_suffix_does_not_matter(tmp_path: Path) -> None:
    write_pcd(tmp_path / "a.las", street(9))
    write_ply(tmp_path / "b.bin", street(9))
    assert len(open_clouds([tmp_path / "a.las"]).cloud(0).points) == 9
    assert len(open_clouds([tmp_path / "b.bin"]).cloud(0).points) == 9


def test_points_without_a_place_are_kept_and_come_last(tmp_path: Path) -> None:
    columns = street(2000)
    columns["x"][::10] = np.nan
    columns["y"][5::10] = np.inf
    write_pcd(tmp_path / "a.pcd", columns)
    reader = open_clouds([tmp_path / "a.pcd"])
    assert np.isnan(reader.cloud(0).points[::10, 0]).all()
    assert np.isfinite(reader.cloud(0, max_points=1600).points).all()


def test_an_empty_sweep_is_a_sweep(tmp_path: Path) -> None:
    write_pcd(tmp_path / "a.pcd", street(0))
    assert open_clouds([tmp_path / "a.pcd"]).cloud(0).points.shape == (0, 3)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    kind=st.sampled_from(["ascii", "binary", "binary_compressed", "ply", "plya", "las", "npy", "bin"]), data=st.data()
)
def test_flipped_and_missing_bytes_never_do_worse_than_a_sentence(
    tmp_path: Path, kind: str, data: st.DataObject
) -> None:
    source = tmp_path / f"good-{kind}"
    if not source.exists():
        if kind.startswith("ply"):
            write_ply(source, street(30), "" if kind == "plya" else "<")
        elif kind == "las":
            source.write_bytes(las_bytes([(i, i, i) for i in range(30)], scale=0.01, offset=(0, 0, 0)))
        elif kind == "npy":
            source.write_bytes(_npy("(30, 3)", body=bytes(360)))
        elif kind == "bin":
            write_bin(source, list(street(30).values())[:4])
        else:
            write_pcd(source, street(30), kind)
    raw = bytearray(source.read_bytes())
    for _ in range(data.draw(st.integers(0, 5))):
        raw[data.draw(st.integers(0, min(len(raw) - 1, 400)))] = data.draw(st.integers(0, 255))
    bad = tmp_path / (f"bad-{kind}" + (".bin" if kind == "bin" else ""))
    bad.write_bytes(bytes(raw[: data.draw(st.integers(1, len(raw)))]))
    complaint = str(bad)
    try:
        cloud = open_clouds([bad], context=SMALL).cloud(0, max_points=10)
        assert cloud.points.shape[1] == 3
    except DataError as error:
        complaint = str(error)
    assert str(bad) in complaint
