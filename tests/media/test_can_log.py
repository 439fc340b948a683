"""A raw CAN log is named for what it is; the decoded table beside it is a series."""

from __future__ import annotations

from pathlib import Path

import pytest

from workstation.core.sample import StreamKind
from workstation.media.can_log import can_log_reason
from workstation.media.grouping import propose_folder
from workstation.media.probe import built_in_readers

CANDUMP = b"(1436509052.249713) can0 1A0#E803000000000000\n(1436509052.269713) can0 0C4#0000\n"


@pytest.mark.parametrize(
    ("head", "form"),
    [
        (CANDUMP, "candump"),
        (b"(0000000001.5) vcan0 12345678##0AABB\n", "candump"),
        (b"  can0  123   [8]  11 22 33 44 55 66 77 88\n  can0  124   [2]  11 22\n", "candump"),
        (b"date Mon Jul 1 10:00:00 am 2024\nbase hex  timestamps absolute\n   0.0 1 1A0 Rx d 8 00\n", "Vector ASC"),
        (b"LOGG\x90\x00\x00\x00" + bytes(100), "Vector BLF"),
        (b";$FILEVERSION=1.1\n;$STARTTIME=43474.5\n", "PEAK TRC"),
    ],
)
def test_raw_logs_are_recognised_by_their_bytes(head: bytes, form: str) -> None:
    reason = can_log_reason(head)
    assert reason is not None
    assert f"raw CAN log ({form})" in reason
    assert "without their DBC" in reason


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\x00" * 50,
        b"time_ns,speed_kph\n0,12.5\n",
        b"(1.5) can",
        b"\xff\xfe(1.0) can0 1A0#00",
        b"Log of the day\n",
    ],
)
def test_other_files_are_left_to_the_readers(head: bytes) -> None:
    assert can_log_reason(head) is None


def test_a_folder_with_both_gets_the_series_and_says_why_the_log_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "can.log").write_bytes(CANDUMP)
    (tmp_path / "car.dbc").write_text('BU_: ECU\n\nBO_ 416 SPEED: 8 ECU\n SG_ v : 0|16@1+ (0.01,0) [0|1] "" X\n')
    rows = "\n".join(f"{i * 20_000_000},{i * 0.5},{i % 2}" for i in range(100))
    (tmp_path / "can.csv").write_text(f"time_ns,speed_kph,brake_switch\n{rows}\n")
    proposal = propose_folder(tmp_path, built_in_readers())
    (stream,) = [stream for sample in proposal.samples for stream in sample.streams]
    assert stream.kind is StreamKind.SERIES
    assert [path.name for path in stream.files] == ["can.csv"]
    reasons = {each.path.name: each.reason for each in proposal.skipped}
    assert set(reasons) == {"can.log", "car.dbc"}
    assert "decode it to a table" in reasons["can.log"]
    assert "DBC" in reasons["car.dbc"]
