"""What was recorded, reduced to pixels: nothing lost, nothing invented across a gap, strips of pictures stay put."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from workstation.app.background import Background
from workstation.app.film_strip import places
from workstation.app.lane_layout import LaneChoice, LaneLayout, keep_layout, ordered, read_layout
from workstation.app.lane_media import Curve, Moments, curve_columns, curves_of, few_readings, tick_columns
from workstation.app.lane_sound import SoundLane
from workstation.app.lanes import Lane, LaneKind
from workstation.app.viewport import Viewport
from workstation.core.errors import UserError
from workstation.core.ids import IdSource, SampleId, StreamId
from workstation.core.sample import Stream, StreamKind
from workstation.core.timebase import SECOND_NS, TimeMap, frame_table, offset_map
from workstation.media.audio import open_audio
from workstation.media.base import CancelToken, OpenContext
from workstation.media.series import SeriesFile

READINGS = st.lists(
    st.tuples(st.integers(0, 5_000), st.one_of(st.just(float("nan")), st.floats(-100, 100))), min_size=1, max_size=80
)
VIEWS = st.builds(Viewport, st.integers(-500, 4_000), st.integers(20_000, 40_000), st.integers(5, 200))


@given(READINGS, VIEWS)
def test_every_reading_counts_in_its_column_and_no_other(readings: list[tuple[int, float]], view: Viewport) -> None:
    ordered_readings = sorted(readings, key=lambda each: each[0])
    times = np.array([time for time, _ in ordered_readings], np.int64)
    values = np.array([value for _, value in ordered_readings])
    columns = curve_columns(Curve("a", "", times, values, -100, 100, 1 << 62), view)
    edges = [view.start_ns + x * view.duration_ns // view.width_px for x in range(view.width_px + 1)]
    for x in range(view.width_px):
        inside = values[(times >= edges[x]) & (times < edges[x + 1])]
        known = inside[np.isfinite(inside)]
        if len(known):
            assert (columns.low[x], columns.high[x]) == (known.min(), known.max())
        else:
            assert np.isnan(columns.low[x])
    assert tick_columns(times, view).sum() == np.count_nonzero((times >= view.start_ns) & (times < view.end_ns))


def test_a_long_series_is_reduced_from_blocks_to_the_same_extremes() -> None:
    from workstation.app.lane_media import _curve

    rng = np.random.default_rng(5)
    times = np.arange(300_000, dtype=np.int64) * 1000
    values = rng.normal(0, 1, 300_000)
    values[123_456] = 50.0
    curve = _curve("a", "", times, values)
    assert curve.blocks is not None
    columns = curve_columns(curve, Viewport(0, 300_000_000, 100))
    assert np.nanmax(columns.high) == 50.0
    assert int(np.nanargmax(columns.high)) == 41
    assert few_readings(curve, Viewport(0, 300_000_000, 100), 50) is None


def moments(count: int = 100, gap_at: int = 50) -> Moments:
    times = np.arange(count, dtype=np.int64) * 100_000_000
    times[gap_at:] += SECOND_NS
    keys = np.arange(count) % 10 == 0
    table = frame_table(times, unit_num=1, unit_den=SECOND_NS, key=keys, hold_ns=100_000_000)
    return Moments(table, times, ())


def test_a_strip_stays_where_it_is_when_it_is_moved_and_prefers_key_frames() -> None:
    held = moments()
    view = Viewport(0, 12 * SECOND_NS, 800)
    strip = places(held, view, 80)
    assert 5 <= len(strip) <= 11
    for place in strip:
        here = np.flatnonzero((held.sessions >= place.start_ns) & (held.sessions < place.end_ns))
        keys = [i for i in here.tolist() if i % 10 == 0]
        assert place.frame == (keys[0] if keys else here[0])
    moved = places(held, Viewport(SECOND_NS // 3, 12 * SECOND_NS, 800), 80)
    assert {place.frame for place in strip[1:]} <= {place.frame for place in moved}


def test_near_enough_every_frame_stands_at_its_own_time_and_none_in_a_gap() -> None:
    held = moments()
    strip = places(held, Viewport(4_800_000_000, SECOND_NS, 1000), 80)
    assert [place.frame for place in strip] == [48, 49]
    assert (strip[1].start_ns, strip[1].end_ns) == (4_900_000_000, 5_000_000_000)
    assert (
        places(Moments(frame_table([], unit_num=1, unit_den=1), np.zeros(0, np.int64), ()), Viewport(0, 10, 5), 80)
        == []
    )


def lane(folder: Path, *, offset_ns: int = 0) -> SoundLane:
    rate = 8000
    samples = np.zeros(rate * 4, np.int16)
    samples[rate : 2 * rate] = (8000 * np.sin(np.arange(rate) * 2 * np.pi * 1000 / rate)).astype(np.int16)
    path = folder / "a.wav"
    soundfile.write(path, samples, rate, "PCM_16")
    ids = IdSource()
    stream = Stream(
        id=StreamId(ids.new()), sample=SampleId(ids.new()), key="mic", kind=StreamKind.AUDIO,
        time_map=offset_map(offset_ns) if offset_ns else TimeMap(),
    )  # fmt: skip
    return SoundLane(stream, open_audio(path), OpenContext())


def test_a_sound_stands_where_its_map_says_at_every_zoom(tmp_path: Path) -> None:
    sound = lane(tmp_path, offset_ns=10 * SECOND_NS)
    sound.build(CancelToken())
    assert sound.complete
    assert [round(int(onset) / 1e8) for onset in sound.onsets] == [110]  # one second in, on a stream that starts at ten
    for view in (Viewport(10 * SECOND_NS, 4 * SECOND_NS, 400), Viewport(10_900_000_000, SECOND_NS // 5, 400)):
        columns = sound.columns(view)
        loud = np.flatnonzero(columns.high > 4000)
        assert abs(view.ns_at(int(loud[0])) - 11 * SECOND_NS) <= 2 * view.ns_per_px + SECOND_NS // 1000
    outside = sound.columns(Viewport(0, 8 * SECOND_NS, 100))
    assert not outside.known.any()
    sound.close()
    sound._sound.close()


def test_a_spectrogram_shows_the_tone_at_its_height(tmp_path: Path) -> None:
    sound = lane(tmp_path)
    view = Viewport(0, 4 * SECOND_NS, 200)
    assert not sound.cut_out(view, 40, {}).any()
    tiles = {key: sound.tile(key, CancelToken()) for key in sound.tiles_in(view)}
    picture = sound.cut_out(view, 40, tiles)
    inside = picture[:, 60:90].mean(axis=1)
    assert int(np.argmax(inside)) in (29, 30)  # 1000 Hz of 4000, counted from the top
    assert picture[:, 150:].max() < picture[:, 60:90].max() / 2
    sound.close()
    sound._sound.close()


def test_what_is_wanted_no_longer_is_not_made() -> None:
    made: list[int] = []
    begun, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def make(key: int, cancel: CancelToken) -> int:
        begun.set()
        assert go_on.wait(10)
        cancel.check()
        if key == 3:
            raise UserError("no such picture")
        return key * 10

    def deliver(key: int, value: int | UserError) -> None:
        made.append(key if isinstance(value, UserError) else value)
        if key == 3:
            done.set()

    worker = Background("test", make, deliver)
    worker.want([1, 2])
    assert begun.wait(10)
    worker.want([3])
    go_on.set()
    assert done.wait(10)
    worker.close()
    worker.close()
    worker.want([4])
    assert made == [10, 3]


def test_the_order_of_lanes_is_kept_and_new_ones_take_their_usual_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))
    lanes = [Lane(key, LaneKind.SWEEPS, key) for key in ("a", "b", "c", "d")]
    keys = [each.key for each in lanes]
    layout = LaneLayout().moved(keys, "c", -2).with_choice("b", LaneChoice(folded=True, height=40))
    assert [each.key for each in ordered(lanes, layout)] == ["c", "a", "b", "d"]
    new = [*lanes[:2], Lane("a2", LaneKind.SPANS, "a2"), *lanes[2:]]
    assert [each.key for each in ordered(new, layout)] == ["c", "a", "b", "a2", "d"]
    keep_layout(tmp_path / "p", layout)
    keep_layout(tmp_path / "q", LaneLayout())
    assert read_layout(tmp_path / "p") == layout
    assert read_layout(tmp_path / "elsewhere") == LaneLayout()


@pytest.mark.parametrize("kept", [b'{"lanes": {"P": 5}}', b'{"lanes": {"P": {"order": 7}}}', b'{"lanes": {"P": {}}}'])
def test_a_layout_that_makes_no_sense_is_the_usual_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bytes
) -> None:
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path))
    project = tmp_path / "p"
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "settings.json").write_bytes(kept.replace(b"P", str(project).encode()))
    assert read_layout(project) == LaneLayout()


def test_a_signal_of_a_bus_log_is_drawn_from_its_own_readings(tmp_path: Path) -> None:
    rows = ["time_s,signal,value,unit"]
    for i in range(40):
        rows.append(f"{i / 10:.3f},speed,{i},m/s")
        rows.append(f"{i / 10 + 0.03:.3f},brake,{i % 2},bar")
    path = tmp_path / "bus.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    reader, ids = SeriesFile(path, {}, OpenContext()), IdSource()
    stream = Stream(
        id=StreamId(ids.new()), sample=SampleId(ids.new()), key="can", kind=StreamKind.SERIES, time_map=offset_map(0)
    )
    speed = next(each for each in curves_of(stream, reader) if each.name == "speed")
    assert speed.values.tolist() == [float(i) for i in range(40)]
    assert (np.diff(speed.sessions) <= speed.longest_step_ns).all()
    reader.close()
