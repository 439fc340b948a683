"""Records written here bit by bit as the WFDB manual describes them, by other means than the reader's."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from workstation.core.errors import DataError
from workstation.media.base import OpenContext, SeriesReader
from workstation.media.probe import built_in_readers, open_stream

LEADS = [[995, -1, 1300, -2048, 2047, 7], [1011, 0, -700, 1024, 5, -2000]]


def packed_212(values: list[int]) -> bytes:
    """Two samples of twelve bits in three bytes, written as strings of bits."""
    out = bytearray()
    for first, second in zip(values[::2], [*values[1::2], 0], strict=False):
        a, b = (format(each & 0xFFF, "012b") for each in (first, second))
        out += bytes(int(bits, 2) for bits in (a[4:], b[:4] + a[:4], b[4:]))
    return bytes(out)


def checksum(values: list[int]) -> int:
    total = sum(values) & 0xFFFF
    return total - 65536 if total > 32767 else total


def record(folder: Path, form: int = 212, *, gain: str = "200", data: bytes | None = None, head: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    flat = [value for frame in zip(*LEADS, strict=True) for value in frame]
    if data is None:
        data = packed_212(flat) if form == 212 else b"".join(v.to_bytes(form // 8, "little", signed=True) for v in flat)
    (folder / "r.dat").write_bytes(data)
    lines = [head or f"r 2 360 {len(LEADS[0])}"]
    for name, lead in zip(("MLII", "V5"), LEADS, strict=True):
        lines.append(f"r.dat {form} {gain} 11 1024 {lead[0]} {checksum(lead)} 0 {name}")
    (folder / "r.hea").write_text("# a comment\n" + "\n".join(lines) + "\n# 69 M\n", encoding="ascii")
    return folder


def opened(plugin: ModuleType, folder: Path) -> SeriesReader:
    (sample,) = plugin.propose(folder).samples
    (stream,) = sample.streams
    specs = [*built_in_readers(), *plugin.READERS]
    found = open_stream(list(stream.files), [each for each in specs if each.kind is stream.kind], reader=stream.reader,
                        options=stream.options, context=OpenContext())  # fmt: skip
    assert isinstance(found, SeriesReader)
    return found


@pytest.mark.parametrize("form", [212, 16, 24, 32])
def test_values_units_and_times(plugin: ModuleType, tmp_path: Path, form: int) -> None:
    folder = record(tmp_path / "db", form)
    assert plugin.recognise(folder) > 0.5
    reader = opened(plugin, folder)
    assert [(each.name, each.unit) for each in reader.channels] == [("MLII", "mV"), ("V5", "mV")]
    for name, lead in zip(("MLII", "V5"), LEADS, strict=True):
        values = reader.values(name).tolist()
        for got, stored in zip(values, lead, strict=True):
            missing = form == 212 and stored == -2048
            assert math.isnan(got) if missing else got == pytest.approx((stored - 1024) / 200)
    assert reader.times_ns.tolist() == [0, 2777778, 5555556, 8333333, 11111111, 13888889]
    assert reader.info.notes == ()


def test_a_gain_with_baseline_and_unit(plugin: ModuleType, tmp_path: Path) -> None:
    reader = opened(plugin, record(tmp_path / "db", 16, gain="50.5(10)/uV"))
    assert reader.channels[0].unit == "µV"
    assert reader.values("MLII")[0] == pytest.approx((995 - 10) / 50.5)


def test_a_cut_or_changed_record_says_so(plugin: ModuleType, tmp_path: Path) -> None:
    whole = (record(tmp_path / "one") / "r.dat").read_bytes()
    cut = opened(plugin, record(tmp_path / "cut", data=whole[:-6]))
    assert any("it was cut" in note for note in cut.info.notes)
    changed = opened(plugin, record(tmp_path / "changed", data=bytes([whole[0] ^ 1]) + whole[1:]))
    assert any("checksum" in note and "MLII" in note for note in changed.info.notes)
    assert not any("V5" in note for note in changed.info.notes)


@pytest.mark.parametrize(
    "head",
    ["r", "r 2 0 6", "r 2 nan 6", "r -1 360 6", "r 999999999 360", "r/3 2 360 6", "r 9 360 6", "r 2 360 -6"],
)  # fmt: skip
def test_headers_that_lie_are_left_out_with_a_reason(plugin: ModuleType, tmp_path: Path, head: str) -> None:
    folder = record(tmp_path / "db", head=head)
    assert plugin.recognise(folder) == 0.0
    reasons = {each.path.name: each.reason for each in plugin.propose(folder).skipped}
    assert reasons["r.hea"]


@pytest.mark.parametrize("name", ["../r.dat", "/etc/passwd", "-", "no.dat", ".."])
def test_a_header_that_names_another_place_is_not_followed(plugin: ModuleType, tmp_path: Path, name: str) -> None:
    folder = record(tmp_path / "db")
    header = folder / "r.hea"
    header.write_text(header.read_text(encoding="ascii").replace("r.dat 212", f"{name} 212"), encoding="ascii")
    assert plugin.recognise(folder) == 0.0
    assert plugin.propose(folder).samples == ()


@pytest.mark.parametrize("data", [b"", b"\xff", bytes(range(256)) * 40])
def test_hostile_bytes_are_read_or_refused_in_words(plugin: ModuleType, tmp_path: Path, data: bytes) -> None:
    folder = record(tmp_path / "db", data=data)
    with suppress(DataError):
        reader = opened(plugin, folder)
        assert np.isfinite(reader.values("MLII")).sum() <= len(LEADS[0])
    (folder / "r.hea").write_bytes(bytes(range(256)) * 10)
    assert plugin.propose(folder).samples == ()
