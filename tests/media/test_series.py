"""Series keep their values, units, times and gaps, whatever the table looks like."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from workstation.core.errors import DataError
from workstation.media.base import SeriesReader
from workstation.media.probe import built_in_readers, choose
from workstation.media.series import SeriesFile, open_series


def _csv(tmp_path: Path, text: str, name: str = "a.csv", **options: str) -> SeriesFile:
    (tmp_path / name).write_text(text, encoding="utf-8")
    series = open_series(tmp_path / name, options=options)
    assert isinstance(series, SeriesReader)
    return series


def test_units_come_from_the_header(tmp_path: Path) -> None:
    series = _csv(tmp_path, "time_s,speed [m/s],force (N),accel_x_mps2,gear\n0,1,2,3,4\n0.5,5,6,7,8\n")
    assert [(channel.name, channel.unit) for channel in series.channels] == [
        ("speed", "m/s"), ("force", "N"), ("accel_x_mps2", "m/s²"), ("gear", ""),
    ]  # fmt: skip
    assert series.times_ns.tolist() == [0, 500_000_000]
    assert series.values("speed").tolist() == [1, 5]
    assert series.values("gear").tolist() == [4, 8]
    assert series.info.rate_hz == 2


def test_a_loggers_degrees_in_an_older_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("time;Temp [°C]\n0;1,5\n1;2,5\n".encode("cp1252"))
    with pytest.raises(DataError, match=r"byte 11: it is not UTF-8 text; .*--encoding"):
        open_series(tmp_path / "a.csv")
    series = open_series(tmp_path / "a.csv", options={"encoding": "windows-1252"})
    assert [(channel.name, channel.unit) for channel in series.channels] == [("Temp", "°C")]
    assert series.values("Temp").tolist() == [1.5, 2.5]


def test_excels_own_first_line_is_no_heading(tmp_path: Path) -> None:
    series = _csv(tmp_path, "sep=;\ntime;a,b\n0;1\n1;2\n")
    assert [channel.name for channel in series.channels] == ["a,b"]
    assert series.values("a,b").tolist() == [1, 2]


def test_arrays_that_are_no_points_are_a_series(tmp_path: Path) -> None:
    np.savez(tmp_path / "imu.npz", t=np.arange(4) / 10, gyro=np.ones((4, 3)))
    np.savez(tmp_path / "sweep.npz", points=np.ones((4, 3)), label=np.ones(4))
    readers = built_in_readers()
    assert [choose(tmp_path / name, readers).name for name in ("imu.npz", "sweep.npz")] == ["series", "cloud"]


@pytest.mark.parametrize(
    ("header", "cells", "times_ns", "epoch_ns"),
    [
        ("time_ns", ["0", "10000000"], [0, 10_000_000], None),
        ("t", ["0.0", "0.3"], [0, 300_000_000], None),
        ("t", ["0.1", "0.30000000000000004"], [100_000_000, 300_000_000], None),
        ("timestamp", ["1557539956.400135", "1557539956.500135123"], [0, 100_000_123], 1_557_539_956_400_135_000),
        ("timestamp", ["1557539956400135001", "1557539956400135002"], [0, 1], 1_557_539_956_400_135_001),
        ("timestamp", ["1557539956400", "1557539956401"], [0, 1_000_000], 1_557_539_956_400_000_000),
        ("Time [ms]", ["5", "7.5"], [5_000_000, 7_500_000], None),
        ("ts_us", ["-5", "7"], [-5000, 7000], None),
        ("date", ["2011-09-26 13:02:25.594360375", "2011-09-26 13:02:26"], [0, 405_639_625], 1_317_042_145_594_360_375),
        ("date", ["2011-09-26T13:02:25Z", "2011-09-26T15:02:26+02:00"], [0, 1_000_000_000], 1_317_042_145_000_000_000),
    ],
)
def test_times_are_exact_to_the_nanosecond(
    tmp_path: Path, header: str, cells: list[str], times_ns: list[int], epoch_ns: int | None
) -> None:
    series = _csv(tmp_path, f"{header},v\n" + "".join(f"{cell},1\n" for cell in cells))
    assert series.times_ns.tolist() == times_ns
    assert series.info.epoch_ns == epoch_ns
    assert header in series.info.clock_source


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(-(10**15), 2 * 10**18), min_size=1, max_size=30, unique=True))
def test_every_nanosecond_survives_text_and_parquet(tmp_path_factory: pytest.TempPathFactory, times: list[int]) -> None:
    folder = tmp_path_factory.mktemp("t")
    times.sort()
    seconds = [f"{'-' if t < 0 else ''}{abs(t) // 10**9}.{abs(t) % 10**9:09d}" for t in times]
    whole = _csv(folder, "time_ns,v\n" + "".join(f"{t},0\n" for t in times), "ns.csv")
    decimal = _csv(folder, "time_s,v\n" + "".join(f"{t},0\n" for t in seconds), "s.csv")
    parquet.write_table(pa.table({"time_ns": times, "v": [0.0] * len(times)}), folder / "a.parquet")
    for series in (whole, decimal, open_series(folder / "a.parquet")):
        assert (series.times_ns + (series.info.epoch_ns or 0)).tolist() == times


def test_gaps_stay_gaps(tmp_path: Path) -> None:
    rows = [f"{i / 10},{i},{'' if i == 3 else i}" for i in range(40) if not 20 <= i < 25]
    rows[7] = "0.7,NaN,-9999"
    rows[8] = "0.8,inf,-9999"
    series = _csv(tmp_path, "t_s,a,b\n" + "\n".join(rows) + "\n")
    a, b = series.values("a"), series.values("b")
    assert np.flatnonzero(np.isnan(a)).tolist() == [7, 8]
    assert np.flatnonzero(np.isnan(b)).tolist() == [3, 7, 8]
    assert a[20] == 25
    assert [(gap.start_ns, gap.end_ns) for gap in series.info.gaps] == [(1_900_000_000, 2_500_000_000)]
    notes = " ".join(series.info.notes)
    assert "channel b: 2 values of -9999 are gaps" in notes
    assert "channel a: 1 infinite values are gaps" in notes


def test_a_usual_sentinel_among_values_like_it_is_a_value(tmp_path: Path) -> None:
    series = _csv(tmp_path, "t_s,rpm\n0,900\n1,999\n2,9999\n3,12000\n4,-999\n")
    assert series.values("rpm").tolist() == [900, 999, 9999, 12000, -999]


def test_sentinels_can_be_named_or_refused(tmp_path: Path) -> None:
    text = "t_s,range\n0,3\n1,-1\n2,255\n3,-9999\n4,4\n"
    assert np.isnan(_csv(tmp_path, text, sentinels="-1,255").values("range")).tolist() == [
        False,
        True,
        True,
        False,
        False,
    ]
    assert _csv(tmp_path, text, sentinels="none").values("range").tolist() == [3, -1, 255, -9999, 4]
    with pytest.raises(DataError, match="sentinels"):
        _csv(tmp_path, text, sentinels="minus one")


def test_rows_out_of_order_and_repeated_are_put_right_and_told(tmp_path: Path) -> None:
    series = _csv(tmp_path, "t_s,v\n0,1\n2,3\n1,2\n2,4\n,9\n3,5\n")
    assert series.times_ns.tolist() == [0, 10**9, 2 * 10**9, 2 * 10**9, 3 * 10**9]
    assert series.values("v").tolist() == [1, 2, 3, 4, 5]
    notes = " ".join(series.info.notes)
    assert "goes back 1 times, by up to 1 s" in notes
    assert "1 rows repeat" in notes
    assert "1 rows without a time" in notes


@pytest.mark.parametrize(
    "text",
    [
        "\ufefft_s;v\n0;1,5\n1;2,5\n",
        "# made by a logger\n# second line\nt_s\tv\n0\t1.5\n1\t2.5\n",
        "#t_s,v\n0,1.5\n1,2.5\n",
        't_s,"v"\n0,"1.5"\n1,2.5\n',
        "t_s,v\r\n0,1.5\r\n1,2.5",
    ],
)
def test_tables_of_many_hands(tmp_path: Path, text: str) -> None:
    series = _csv(tmp_path, text)
    assert series.times_ns.tolist() == [0, 10**9]
    assert series.values("v").tolist() == [1.5, 2.5]


def test_words_are_states(tmp_path: Path) -> None:
    series = _csv(tmp_path, "t_s,gear,doubtful\n0,P,1\n1,D,2\n2,,bad\n3,D,4\n")
    (gear, doubtful) = series.channels
    codes = series.values("gear")
    assert [gear.labels[int(code)] if code == code else None for code in codes] == ["P", "D", None, "D"]
    assert not doubtful.labels
    assert np.isnan(series.values("doubtful")).tolist() == [False, False, True, False]


def test_a_can_log_gives_every_signal_its_own_times(tmp_path: Path) -> None:
    rows = "".join(
        f"{i * 10_000_000},Drive,speed,{i},km/h\n"
        + (f"{i * 10_000_000 + 1},Brake,pedal,{i * 2},%\n" if i % 5 == 0 else "")
        for i in range(20)
    )
    series = _csv(tmp_path, "time_ns,message,signal,value,unit\n" + rows)
    assert {(channel.name, channel.unit) for channel in series.channels} == {
        ("Drive.speed", "km/h"),
        ("Brake.pedal", "%"),
    }
    times, values = series.samples("Brake.pedal")
    assert times.tolist() == [1, 50_000_001, 100_000_001, 150_000_001]
    assert values.tolist() == [0, 10, 20, 30]
    assert len(series.times_ns) == 24
    assert np.isfinite(series.values("Drive.speed")).sum() == 20
    assert np.isnan(series.values("Drive.speed")).sum() == 4


def test_parquet_by_columns_with_units_lists_and_dates(tmp_path: Path) -> None:
    speed = pa.field("speed", pa.float32(), metadata={"unit": "m/s"})
    stamp = pa.field("stamp", pa.timestamp("us"))
    state = pa.field("state", pa.list_(pa.float32(), 2))
    data = [[1_700_000_000_000_001, 1_700_000_000_100_001], [1.5, None], [[1, 2], [3, 4]]]
    parquet.write_table(pa.table(data, schema=pa.schema([stamp, speed, state])), tmp_path / "a.parquet")
    series = open_series(tmp_path / "a.parquet")
    assert [(channel.name, channel.unit) for channel in series.channels] == [
        ("speed", "m/s"),
        ("state[0]", ""),
        ("state[1]", ""),
    ]
    assert series.times_ns.tolist() == [0, 100_000_000]
    assert series.info.epoch_ns == 1_700_000_000_000_001_000
    assert np.isnan(series.values("speed")).tolist() == [False, True]
    assert series.values("state[1]").tolist() == [2, 4]


def test_npz(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", time_ns=np.arange(5) * 1000, force=np.arange(10).reshape(5, 2), other=np.zeros(3))
    series = open_series(tmp_path / "a.npz")
    assert [channel.name for channel in series.channels] == ["force[0]", "force[1]"]
    assert series.values("force[1]").tolist() == [1, 3, 5, 7, 9]
    assert "other" in " ".join(series.info.notes)


def test_a_big_table_is_read_by_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workstation.media.table_columns._AT_ONCE_BYTES", 100)
    series = _csv(
        tmp_path, "t_s,a,mode,b\n" + "".join(f"{i},{i * 2},{'on' if i % 2 else 'off'},{i * 3}\n" for i in range(500))
    )
    assert series.values("b").tolist() == [i * 3 for i in range(500)]
    assert {channel.name: dict(channel.labels) for channel in series.channels}["mode"] == {0: "off", 1: "on"}
    assert series.values("mode")[:3].tolist() == [0, 1, 0]


def test_the_time_is_found_by_its_growth_or_asked_for(tmp_path: Path) -> None:
    assert _csv(tmp_path, "frame,clock,v\n0,5,1\n1,6,0\n2,8,4\n3,9,4\n").info.clock_source.startswith("column clock")
    with pytest.raises(DataError, match="time_column"):
        _csv(tmp_path, "a,b\n0,5\n1,6\n2,8\n")
    assert _csv(tmp_path, "a,b\n0,5\n1,6\n2,8\n", time_column="b").times_ns.tolist() == [
        5 * 10**9,
        6 * 10**9,
        8 * 10**9,
    ]
    assert _csv(tmp_path, "a,b\n0,5\n1,6\n", time_column="b", time_unit="ms").times_ns[0] == 5_000_000


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("zeros.csv", bytes(500)),
        ("latin.csv", "t_s,naïve\n0,1\n".encode("latin-1")),
        ("ragged.csv", b"t_s,v\n0,1\n1,2,3\n"),
        ("header.csv", b"t_s,v\n"),
        ("only-comments.csv", b"# nothing\n# here\n"),
        ("text.csv", b"t_s,v\nyesterday,1\ntoday,2\n"),
        ("huge.csv", b"t_s,v\n1e30,1\n"),
        ("huge-ns.csv", b"time_ns,v\n99999999999999999999999,1\n"),
        ("no-times.csv", b"t_s,v\n,1\nnan,2\n"),
        ("no-values.csv", b"t_s\n1\n2\n"),
        ("wide.csv", b"t_s" + b",v" * 20_000 + b"\n"),
        ("short.parquet", b"PAR1" + bytes(100)),
        ("lies.parquet", b"PAR1" + b"\xff" * 60 + b"\xff\xff\xff\x7fPAR1"),
        ("damaged.npz", b"PK\x03\x04" + bytes(100)),
    ],
)
def test_a_hopeless_table_is_named_in_one_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError) as refused:
        open_series(path)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


@settings(deadline=None, max_examples=120)
@given(st.text(alphabet='0123456789.,;-+eE\n\t "#tsnaNZ:[]/µ\r', max_size=200))
def test_any_text_is_a_table_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    path.write_text("t_s,v" + text, encoding="utf-8")
    complaint = str(path)
    try:
        series = open_series(path)
        assert (np.diff(series.times_ns) >= 0).all()
        for channel in series.channels:
            assert len(series.values(channel.name)) == len(series.times_ns)
    except DataError as error:
        complaint = str(error)
    assert str(path) in complaint
