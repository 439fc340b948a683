"""NIfTI against headers written byte by byte: values, sides and places computed here."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workstation.core.errors import DataError
from workstation.media.base import Limits, OpenContext, OptionValue, VolumeReader
from workstation.media.cache import DiskCache, MemoryCache
from workstation.media.grouping import propose_folder
from workstation.media.nifti import open_nifti, parse_header, probe
from workstation.media.probe import built_in_readers
from workstation.media.volume import StackVolume, edge_letters, patient_at

ROWS = ((-2.0, 0.0, 0.0, 90.0), (0.0, 3.0, 0.0, -126.0), (0.0, 0.0, 4.0, -72.0))
CODES = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "i1": 256, "u2": 512, "u4": 768, "i8": 1024, "u8": 1280}


def header_1(
    order: str = "<",
    dims: tuple[int, ...] = (3, 4, 5, 6),
    code: int = 4,
    *,
    qform: int = 0,
    sform: int = 1,
    rows: tuple[tuple[float, ...], ...] = ROWS,
    quatern: tuple[float, ...] = (0, 0, 0, 0, 0, 0),
    pixdim: tuple[float, ...] = (1, 2, 3, 4),
    slope: float = 0,
    inter: float = 0,
    magic: bytes = b"n+1\0",
    offset: float = 352,
    units: int = 2,
) -> bytearray:
    """The 348 bytes of version 1, field by field at the offsets of the standard."""
    data = bytearray(348)
    struct.pack_into(order + "i", data, 0, 348)
    struct.pack_into(order + "8h", data, 40, *dims, *[1] * (8 - len(dims)))
    struct.pack_into(order + "h", data, 70, code)
    struct.pack_into(order + "8f", data, 76, *pixdim, *[0] * (8 - len(pixdim)))
    struct.pack_into(order + "f", data, 108, offset)
    struct.pack_into(order + "2f", data, 112, slope, inter)
    data[123] = units
    struct.pack_into(order + "2h", data, 252, qform, sform)
    struct.pack_into(order + "6f", data, 256, *quatern)
    struct.pack_into(order + "12f", data, 280, *[number for row in rows for number in row])
    data[344:348] = magic
    return data


def header_2(order: str, dims: tuple[int, ...], code: int) -> bytearray:
    data = bytearray(540)
    struct.pack_into(order + "i", data, 0, 540)
    data[4:12] = b"n+2\0\r\n\x1a\n"
    struct.pack_into(order + "h", data, 12, code)
    struct.pack_into(order + "8q", data, 16, *dims, *[1] * (8 - len(dims)))
    struct.pack_into(order + "8d", data, 104, 1, 2, 3, 4, 0, 0, 0, 0)
    struct.pack_into(order + "q", data, 168, 544)
    struct.pack_into(order + "2i", data, 344, 0, 2)
    struct.pack_into(order + "12d", data, 400, *[number for row in ROWS for number in row])
    struct.pack_into(order + "i", data, 500, 2)
    return data


def array(dtype: str, shape: tuple[int, ...] = (6, 5, 4)) -> np.ndarray:
    """(slice, row, column): the file's axes backwards, as they lie in memory."""
    return (np.arange(np.prod(shape)) % 120).reshape(shape).astype(dtype)


def nifti(tmp_path: Path, data: bytes, name: str = "a.nii", **options: OptionValue) -> StackVolume:
    path = tmp_path / name
    path.write_bytes(data)
    return open_nifti([path], options, OpenContext())


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", CODES)
@pytest.mark.parametrize("version", [1, 2])
def test_values_of_every_type_version_and_byte_order(tmp_path: Path, order: str, dtype: str, version: int) -> None:
    make = header_1 if version == 1 else header_2
    values = array(dtype)
    file = bytes(make(order, (3, 4, 5, 6), CODES[dtype])) + bytes(4) + values.astype(order + dtype).tobytes()
    volume = nifti(tmp_path, file)
    assert isinstance(volume, VolumeReader)
    assert volume.shape == (6, 5, 4)
    for axis in range(3):
        assert np.array_equal(volume.slab(axis, 3), values.take(3, axis).astype(np.float32))
    assert volume.value_at(5, 4, 3) == values[5, 4, 3]
    # sform, RAS: x = 90 − 2 i, y = 3 j − 126, z = 4 k − 72; LPS turns the first two round.
    place = patient_at(volume.patient_from_voxel, np.array([5, 4, 3]))
    assert np.allclose(place, (-(90 - 2 * 3), -(3 * 4 - 126), 4 * 5 - 72))
    assert volume.info.notes == ()
    volume.close()


def test_radiological_files_have_the_right_side_on_the_left(tmp_path: Path) -> None:
    volume = nifti(tmp_path, bytes(header_1()) + bytes(4) + array("i2").tobytes())
    # Columns run from +x (right in RAS … towards left): x falls with i, so i grows towards the patient's left.
    assert edge_letters(volume.patient_from_voxel, 0) == ("R", "L", "P", "A")


def test_the_quaternion_is_used_without_sform_and_compared_with_it(tmp_path: Path) -> None:
    half = float(np.sqrt(0.5))  # a quarter turn about z: i runs along +y, j along −x
    only_q = header_1(qform=1, sform=0, quatern=(0, 0, half, 10, 20, 30))
    volume = nifti(tmp_path, bytes(only_q) + bytes(4) + array("i2").tobytes())
    place = patient_at(volume.patient_from_voxel, np.array([1, 1, 1]))
    assert np.allclose(place, (-(10 - 3), -(20 + 2), 30 + 4), atol=1e-5)
    assert volume.info.details["placed_by"] == "qform"
    mirrored = header_1(qform=1, sform=0, quatern=(0, 0, 0, 0, 0, 0), pixdim=(-1, 2, 3, 4))
    volume = nifti(tmp_path, bytes(mirrored) + bytes(4) + array("i2").tobytes())
    assert np.allclose(patient_at(volume.patient_from_voxel, np.array([1, 0, 0])), (0, 0, -4))
    both = nifti(tmp_path, bytes(header_1(qform=1)) + bytes(4) + array("i2").tobytes())
    assert any("sform and qform place the last voxel" in note for note in both.info.notes)


def test_a_file_without_sides_says_so(tmp_path: Path) -> None:
    volume = nifti(tmp_path, bytes(header_1(sform=0, units=0)) + bytes(4) + array("i2").tobytes())
    assert "does not say where the patient's sides are" in volume.info.notes[0]
    assert "millimetres are assumed" in volume.info.notes[1]


@pytest.mark.parametrize(("units", "factor"), [(1, 1000.0), (2, 1.0), (3, 0.001)])
def test_units_become_millimetres(tmp_path: Path, units: int, factor: float) -> None:
    volume = nifti(tmp_path, bytes(header_1(units=units)) + bytes(4) + array("i2").tobytes())
    step = patient_at(volume.patient_from_voxel, np.array([[0, 0, 0], [1, 0, 0]]))
    assert np.allclose(step[1] - step[0], (0, 0, 4 * factor))


def test_slope_and_intercept(tmp_path: Path) -> None:
    volume = nifti(tmp_path, bytes(header_1(slope=0.5, inter=-10)) + bytes(4) + array("i2").tobytes())
    assert np.array_equal(volume.slab(0, 2), array("i2")[2] * 0.5 - 10)
    broken = nifti(tmp_path, bytes(header_1(slope=float("nan"))) + bytes(4) + array("i2").tobytes())
    assert "stored values are shown" in broken.info.notes[0]


def test_one_volume_of_several(tmp_path: Path) -> None:
    values = array("i2", (3, 6, 5, 4))
    file = bytes(header_1(dims=(4, 4, 5, 6, 3))) + bytes(4) + values.tobytes()
    assert np.array_equal(nifti(tmp_path, file, volume=2).slab(0, 1), values[2, 1])
    assert "it holds 3 volumes; the first one is shown" in nifti(tmp_path, file).info.notes
    assert not any("volumes" in note for note in nifti(tmp_path, file, volume=0).info.notes)
    with pytest.raises(DataError, match="has 3 volumes, counted from 0; there is no 3"):
        nifti(tmp_path, file, volume=3)


def test_a_pair_of_files(tmp_path: Path) -> None:
    (tmp_path / "a.hdr").write_bytes(bytes(header_1(magic=b"ni1\0", offset=0)))
    (tmp_path / "a.img").write_bytes(array("i2").tobytes())
    for paths in ([tmp_path / "a.hdr"], [tmp_path / "a.img"], [tmp_path / "a.img", tmp_path / "a.hdr"]):
        volume = open_nifti(paths, {}, OpenContext())
        assert np.array_equal(volume.slab(0, 5), array("i2")[5])
        assert len(volume.paths) == 2
        volume.close()
    proposal = propose_folder(tmp_path, built_in_readers())
    (stream,) = (stream for sample in proposal.samples for stream in sample.streams)
    assert ([path.name for path in stream.files], proposal.skipped) == (["a.hdr", "a.img"], ())


@pytest.mark.parametrize("cached", [False, True])
def test_a_packed_file_is_unpacked_once(tmp_path: Path, cached: bool) -> None:
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(bytes(header_1()) + bytes(4) + array("i2").tobytes()))
    context = OpenContext(disk=DiskCache(tmp_path / "cache") if cached else None)
    for _ in range(2):
        volume = open_nifti([path], {}, context)
        assert np.array_equal(volume.slab(0, 4), array("i2")[4])
        volume.close()
    assert probe(path, path.read_bytes()[:4096]) > 0.9


def test_a_packed_file_too_large_to_hold_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(bytes(header_1()) + bytes(4) + array("i2").tobytes()))
    with pytest.raises(DataError, match="unpack the file first"):
        open_nifti([path], {}, OpenContext(memory=MemoryCache(limit_bytes=10)))


WHOLE = bytes(header_1()) + bytes(4) + array("i2").tobytes()
HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "no NIfTI volume"),
    "zeros": (bytes(1000), "no NIfTI volume"),
    "cut header": (WHOLE[:200], "no NIfTI volume"),
    "cut voxels": (WHOLE[:-1], "is cut off: 591 bytes of 592"),
    "huge sizes": (bytes(header_1(dims=(3, 32767, 32767, 32767))) + bytes(8), "more than the limit"),
    "negative size": (bytes(header_1(dims=(3, -4, 5, 6))) + bytes(1000), "claims the sizes"),
    "no dimensions": (bytes(header_1(dims=(0, 4, 5, 6))) + bytes(1000), "claims the sizes"),
    "nine dimensions": (bytes(header_1(dims=(9, 4, 5, 6))) + bytes(1000), "claims the sizes"),
    "colours": (bytes(header_1(code=128)) + bytes(1000), "holds RGB colours"),
    "strange type": (bytes(header_1(code=77)) + bytes(1000), "unknown type"),
    "offset before": (bytes(header_1(offset=-5)) + bytes(1000), "begin before the file"),
    "offset NaN": (bytes(header_1(offset=float("nan"))) + bytes(1000), "begin before the file"),
    "offset beyond": (bytes(header_1(offset=1e9)) + bytes(1000), "is cut off"),
    "NaN place": (bytes(header_1(rows=((float("nan"),) * 4,) * 3)) + bytes(1000), "no usable number"),
    "flat": (bytes(header_1(rows=((1.0, 0, 0, 0), (1.0, 0, 0, 0), (0, 0, 1.0, 0)))) + bytes(1000), "fall together"),
    "no rotation": (bytes(header_1(sform=0, qform=1, quatern=(3, 3, 3, 0, 0, 0))) + bytes(1000), "no rotation"),
    "broken packing": (gzip.compress(WHOLE)[:-60], "damaged or cut off"),
    "bad packing": (b"\x1f\x8b" + bytes(100), "damaged or cut off"),
}


@pytest.mark.parametrize("case", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_files_are_one_sentence(tmp_path: Path, case: tuple[bytes, str]) -> None:
    data, sentence = case
    with pytest.raises(DataError, match=sentence) as caught:
        nifti(tmp_path, data)
    assert "a.nii" in str(caught.value)


def test_a_bomb_is_unpacked_no_further_than_its_header_claims(tmp_path: Path) -> None:
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = pack.compress(WHOLE) + b"".join(pack.compress(bytes(1 << 20)) for _ in range(64)) + pack.flush()
    volume = nifti(tmp_path, bomb, "a.nii.gz")
    assert np.array_equal(volume.slab(0, 0), array("i2")[0])
    with pytest.raises(DataError, match="more than the limit"):
        open_nifti([tmp_path / "a.nii.gz"], {}, OpenContext(limits=Limits(max_bytes=100)))


@settings(max_examples=300)
@given(st.integers(0, 347), st.binary(min_size=1, max_size=8))
def test_any_damaged_header_is_read_or_refused(at: int, patch: bytes) -> None:
    data = bytearray(header_1())
    data[at : at + len(patch)] = patch
    try:
        header = parse_header(bytes(data[:348]), path="a.nii")
    except DataError:
        return
    assert min(header.dims) > 0
    assert np.isfinite(header.patient_from_voxel).all()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.binary(max_size=600))
def test_any_bytes_are_probed(tmp_path: Path, data: bytes) -> None:
    assert 0 <= probe(tmp_path / "a.nii.gz", data) <= 1
    assert 0 <= probe(tmp_path / "a.nii.gz", b"\x1f\x8b\x08" + data) <= 1
