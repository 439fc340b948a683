"""Offsets and drifts are found from signals whose offsets the test made itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import fft, ndimage

from workstation.core.errors import DataError
from workstation.sync.curves import Curve, curve_drift, curve_offset
from workstation.sync.delay import delay_between
from workstation.sync.drift import DriftModel, OffsetAt, fit_drift
from workstation.sync.marks import Moment, marks_drift, match_moments
from workstation.sync.moving_object import object_offset
from workstation.sync.signals import ArraySignal, resampled
from workstation.sync.sounds import sound_drift, sound_offset
from workstation.sync.transients import flashes, sound_onsets, turning_points

Floats = NDArray[np.float64]
RATE_HZ = 16_000.0
MS = 1_000_000


def voice(rng: np.random.Generator, count: int) -> Floats:
    """Noise of the band of a voice that swells and dies away."""
    bins = fft.rfft(rng.normal(size=count))
    hz = np.arange(len(bins)) * RATE_HZ / count
    sound = fft.irfft(bins * np.exp(-((np.log(np.maximum(hz, 1) / 900)) ** 2)), count)
    swell = np.interp(np.arange(count), np.arange(0, count, 3200), rng.uniform(0, 1, -(-count // 3200)))
    found: Floats = sound * swell / np.std(sound * swell)
    return found


def late(signal: Floats, by: float) -> Floats:
    """The same, so many samples later; what is pushed out at the end comes in at the beginning."""
    turns = 2 * np.pi * np.arange(len(signal) // 2 + 1) / len(signal)
    found: Floats = fft.irfft(fft.rfft(signal) * np.exp(-1j * turns * by), len(signal))
    return found


def noisy(rng: np.random.Generator, signal: Floats, db: float) -> Floats:
    found: Floats = signal + rng.normal(0, signal.std() * 10 ** (-db / 20), len(signal))
    return found


# --- sound ---------------------------------------------------------------------------------------------------------


def test_two_sound_tracks_at_ten_decibels_agree_within_a_sample_and_the_interval_holds_the_truth() -> None:
    held = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        sound = voice(rng, 5 * 16_000)
        by = float(rng.uniform(-4000, 4000))
        found = delay_between(noisy(rng, sound, 10), noisy(rng, late(sound, by), 10), RATE_HZ, most_s=0.5)
        error = found.delay_s * RATE_HZ - by
        assert abs(error) < 0.05
        held += abs(error) <= found.half_width_s * RATE_HZ
    assert held >= 18


def test_sounds_with_nothing_in_common_are_not_laid_over_each_other() -> None:
    rng = np.random.default_rng(3)
    one, other = ArraySignal(voice(rng, 64_000), RATE_HZ), ArraySignal(voice(rng, 64_000), RATE_HZ)
    assert sound_offset(one, other) is None
    with pytest.raises(DataError, match="no sound in common"):
        sound_drift(one, other)
    silence = ArraySignal(np.zeros(64_000), RATE_HZ)
    assert sound_offset(one, silence) is None


def test_the_offset_is_what_must_be_added_to_the_other_clock_and_starts_count() -> None:
    rng = np.random.default_rng(4)
    sound = voice(rng, 160_000)
    reference = ArraySignal(sound, RATE_HZ, start_ns=2_000 * MS)
    other = ArraySignal(sound[16_000:], RATE_HZ, start_ns=5_000 * MS)  # it says 5 s where the reference says 3 s
    found = sound_offset(reference, other)
    assert found is not None
    assert abs(found.offset_ns - -2_000 * MS) < 10_000


@pytest.mark.slow
def test_a_drift_between_two_recorders_is_found_within_a_millionth() -> None:
    rng = np.random.default_rng(5)
    count = 300 * 16_000
    sound = voice(rng, count)
    ppm, offset_s = 83.0, 0.7
    at = np.arange(count) * (1 + ppm * 1e-6) + offset_s * RATE_HZ
    other = ndimage.map_coordinates(sound, [at], order=5, mode="constant")
    fit, points = sound_drift(
        ArraySignal(noisy(rng, sound, 10), RATE_HZ), ArraySignal(noisy(rng, other, 10), RATE_HZ), most_s=3.0
    )
    assert fit.model is DriftModel.LINEAR
    assert abs(fit.rate_ppm - ppm) < 0.1
    assert len(points) > 40
    for own_s in (0, 150, 299):
        truth = own_s * (1 + ppm * 1e-6) + offset_s
        assert abs(fit.time_map.to_session(own_s * 1_000_000_000) - truth * 1e9) < 20_000


def test_reading_between_samples_follows_the_curve() -> None:
    wave = np.sin(np.arange(4000) * 0.05)
    found = resampled(ArraySignal(wave, 1000.0, start_ns=10 * MS), 110.3 * MS, 500.0, 1000)
    truth = np.sin((100.3 + np.arange(1000) * 2) * 0.05)
    assert np.abs(found - truth).max() < 1e-5
    assert not resampled(ArraySignal(wave, 1000.0), -9e9, 1000.0, 50).any()


@pytest.mark.parametrize("bad", [np.array([1.0, np.nan] * 8), np.ones(3), np.ones((8, 2))])
def test_signals_that_cannot_be_compared_are_refused(bad: Floats) -> None:
    with pytest.raises(DataError):
        delay_between(np.arange(16.0), bad, 100.0, most_s=0.1)


# --- curves --------------------------------------------------------------------------------------------------------


def turning(rng: np.random.Generator, seconds: float) -> tuple[Floats, Floats]:
    """How fast a car turns, at a thousand points a second."""
    count = int(seconds * 1000)
    bins = fft.rfft(rng.normal(size=count))
    hz = np.arange(len(bins)) * 1000 / count
    found = fft.irfft(bins * np.exp(-((hz / 1.2) ** 2)), count)
    return np.arange(count) / 1000.0, found / found.std()


def test_motion_of_ten_and_of_a_hundred_hertz_agrees_within_ten_milliseconds_and_says_how_surely() -> None:
    held = 0
    for seed in range(20):
        rng = np.random.default_rng([seed, 1])
        time_s, speed = turning(rng, 60)
        by_s = float(rng.uniform(-0.4, 0.4))
        imu_s = np.sort(np.arange(1, 59, 0.01) + rng.uniform(-0.001, 0.001, 5800))
        lidar_s = np.arange(1, 59, 0.1)
        imu = Curve(
            times_ns=np.round((imu_s - by_s) * 1e9).astype(np.int64),
            values=np.interp(imu_s, time_s, speed) + rng.normal(0, 0.3, len(imu_s)),
        )
        lidar = Curve(
            times_ns=np.round(lidar_s * 1e9).astype(np.int64),
            values=np.interp(lidar_s, time_s, speed) + rng.normal(0, 0.1, len(lidar_s)),
        )
        found = curve_offset(lidar, imu)
        assert found is not None
        error_ns = found.offset_ns - by_s * 1e9
        assert abs(error_ns) < 10 * MS
        held += abs(error_ns) <= found.half_width_ns
    assert held >= 18


def test_gaps_are_not_compared_and_strangers_not_laid_over() -> None:
    rng = np.random.default_rng(11)
    time_s, speed = turning(rng, 60)
    times = np.round(time_s[::10] * 1e9).astype(np.int64)
    values = speed[::10].copy()
    values[2000:2600] = np.nan
    wild = values.copy()
    found = curve_offset(
        Curve(times_ns=times, values=np.where(np.isnan(wild), np.nan, wild)),
        Curve(times_ns=times + 80 * MS, values=values),
    )
    assert found is not None
    assert abs(found.offset_ns - -80 * MS) < MS
    _, other = turning(np.random.default_rng(12), 60)
    assert curve_offset(Curve(times_ns=times, values=values), Curve(times_ns=times, values=other[::10])) is None
    with pytest.raises(DataError, match="too few"):
        curve_offset(Curve(times_ns=times[:4], values=values[:4]), Curve(times_ns=times, values=values))
    with pytest.raises(DataError, match="backwards"):
        curve_offset(Curve(times_ns=times[::-1], values=values), Curve(times_ns=times, values=values))


def test_a_clock_that_drifts_against_another_shows_in_its_motion() -> None:
    rng = np.random.default_rng(13)
    time_s, speed = turning(rng, 620)
    own_s = np.arange(5, 600, 0.01)
    values = np.interp(own_s * (1 + 83e-6) + 0.05, time_s, speed) + rng.normal(0, 0.1, len(own_s))
    fit, points = curve_drift(
        Curve(times_ns=np.round(time_s[::10] * 1e9).astype(np.int64), values=speed[::10]),
        Curve(times_ns=np.round(own_s * 1e9).astype(np.int64), values=values),
    )
    assert fit.model is DriftModel.LINEAR
    assert abs(fit.rate_ppm - 83) < 20
    assert len(points) > 10


# --- moments -------------------------------------------------------------------------------------------------------


def test_claps_between_frames_are_pinned_down_to_far_less_than_a_frame() -> None:
    held = 0
    for seed in range(20):
        rng = np.random.default_rng([seed, 2])
        claps_s = np.sort(rng.uniform(1, 120, 16))
        late_s = float(rng.uniform(-0.3, 0.3))
        frame_s = 1 / 60
        shown = [int(np.ceil(each / frame_s)) for each in claps_s]
        seen = [Moment(from_ns=round((n - 1) * frame_s * 1e9), to_ns=round(n * frame_s * 1e9)) for n in shown]
        heard = [
            Moment(from_ns=round((each - late_s) * 1e9) - 100_000, to_ns=round((each - late_s) * 1e9) + 100_000)
            for each in claps_s
        ]
        found = match_moments(seen, heard, most_ns=1000 * MS)
        assert found is not None
        error_ns = found.offset.offset_ns - late_s * 1e9
        assert abs(error_ns) < 2 * MS
        held += abs(error_ns) <= found.offset.half_width_ns
    assert held >= 18


def test_pulses_that_one_side_missed_do_no_harm() -> None:
    rng = np.random.default_rng(7)
    times = np.sort(rng.uniform(0, 600, 80))
    sent = [Moment(from_ns=round(each * 1e9), to_ns=round(each * 1e9)) for each in times]
    got = times[rng.random(80) > 0.2] * (1 - 50e-6) - 0.123
    got = np.sort(np.concatenate((got, rng.uniform(0, 600, 10))))
    received = [Moment(from_ns=round(each * 1e9) - MS, to_ns=round(each * 1e9) + MS) for each in got]
    wide = [Moment(from_ns=each.from_ns - 40 * MS, to_ns=each.to_ns + 40 * MS) for each in received]
    found = match_moments(sent, wide, most_ns=2000 * MS)
    assert found is not None
    assert not found.ambiguous
    assert len(found.pairs) >= 55
    assert abs(marks_drift(found).rate_ppm - 50) < 20


def test_an_even_beat_says_that_it_is_ambiguous() -> None:
    beats = [Moment(from_ns=n * 500 * MS, to_ns=n * 500 * MS + MS) for n in range(30)]
    found = match_moments(beats, beats, most_ns=3000 * MS)
    assert found is not None
    assert found.ambiguous
    assert match_moments([], beats, most_ns=MS) is None
    assert match_moments(beats[:1], beats[-1:], most_ns=MS) is None


def test_the_attack_of_a_clap_is_picked_in_noise() -> None:
    rng = np.random.default_rng(8)
    samples = rng.normal(0, 0.01, 48_000 * 4)
    for at in (48_000, 100_007, 150_123):
        tail = np.arange(4000)
        samples[at : at + 4000] += rng.normal(0, 0.7, 4000) * np.exp(-tail / 500)
    found = sound_onsets(samples, 48_000.0, start_ns=5_000 * MS)
    assert [abs(each.middle_ns - 5_000 * MS - at / 48_000 * 1e9) < 300_000 for each, at in
            zip(found, (48_000, 100_007, 150_123), strict=True)] == [True] * 3  # fmt: skip
    assert sound_onsets(np.zeros(10_000), 48_000.0) == []
    assert sound_onsets(np.zeros(2), 48_000.0) == []


def test_a_flash_is_bounded_by_its_frames_and_by_the_exposure_where_that_is_known() -> None:
    times = np.arange(100, dtype=np.int64) * 33_333_333
    light = np.full(100, 20.0) + np.random.default_rng(9).normal(0, 0.5, 100)
    light[40:44] = 220
    (found,) = flashes(times, light)
    assert (found.from_ns, found.to_ns) == (times[39], times[40])
    exposure_ns = 20 * MS
    light[70], light[71:74] = 20 + 200 * 0.25, 220  # it begins when three quarters of the exposure are over
    early, partly = flashes(times, light, exposure_ns=exposure_ns)
    assert early.from_ns == times[39] + exposure_ns
    assert partly.from_ns <= times[70] + 15 * MS <= partly.to_ns
    assert partly.to_ns - partly.from_ns < 3 * MS
    assert flashes(times, np.full(100, 7.0)) == []


def test_hands_that_meet_and_part_are_found_within_a_frame() -> None:
    rng = np.random.default_rng(10)
    frames = np.empty((120, 24, 64), np.uint8)
    texture = rng.integers(60, 255, (24, 14))
    for number in range(120):
        gap = min(abs(number - 66.3), 10) * 1.5 if 50 < number < 82 else 15.0
        picture = rng.normal(30, 1.5, (24, 64))
        left = round(18 - gap)
        picture[:, left : left + 14] = texture
        picture[:, 64 - left - 14 : 64 - left] = texture[:, ::-1]
        frames[number] = np.clip(picture, 0, 255)
    times = np.arange(120, dtype=np.int64) * 40 * MS
    found = turning_points(times, frames)
    assert any(abs(each.middle_ns - 66.3 * 40 * MS) <= 40 * MS for each in found)
    assert turning_points(times, np.zeros((120, 4), np.uint8)) == []


# --- a thing that both followed --------------------------------------------------------------------------------------


def passing(time_s: Floats) -> Floats:
    """Where it stands in the picture, in px: 60 km/h, twelve metres away."""
    found: Floats = np.arctan2(-30 + 16.67 * time_s, 12.0) * 900
    return found


def test_a_passing_car_gives_the_offset_of_the_sweeps_within_ten_milliseconds() -> None:
    held = 0
    for seed in range(20):
        rng = np.random.default_rng([seed, 3])
        camera_s, sweep_s = np.arange(0.2, 3.4, 1 / 30), np.arange(0.0, 3.6, 0.1)
        camera = Curve(
            times_ns=np.round(camera_s * 1e9).astype(np.int64),
            values=passing(camera_s) + rng.normal(0, 1.5, len(camera_s)),
        )
        sweeps = Curve(
            times_ns=np.round((sweep_s + 0.05) * 1e9).astype(np.int64),
            values=passing(sweep_s) + rng.normal(0, 2.0, len(sweep_s)) + 3.0,
        )
        found = object_offset(camera, sweeps)
        error_ns = found.offset.offset_ns - -50 * MS
        assert abs(error_ns) < 10 * MS
        assert found.constant_known
        held += abs(error_ns) <= found.offset.half_width_ns
    assert held >= 18


def test_a_thing_that_stands_still_tells_nothing() -> None:
    times = np.arange(40, dtype=np.int64) * 100 * MS
    still = Curve(times_ns=times, values=np.full(40, 5.0))
    with pytest.raises(DataError, match="hardly moves"):
        object_offset(still, still)


# --- drift ---------------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(
    offset_ns=st.integers(-(10**12), 10**12), ppm=st.floats(-500, 500), noise_ns=st.integers(0, 200_000),
    seed=st.integers(0, 1000),
)  # fmt: skip
def test_the_map_goes_through_its_points(offset_ns: int, ppm: float, noise_ns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    at = np.arange(0, 600, 30) * 10**9
    truth = offset_ns + np.round(at * ppm * 1e-6).astype(np.int64)
    points = [
        OffsetAt(at_ns=int(a), offset_ns=int(o), half_width_ns=2 * noise_ns + 1000)
        for a, o in zip(at, truth + np.round(rng.normal(0, noise_ns, len(at))).astype(np.int64), strict=True)
    ]
    fit = fit_drift(points)
    found = fit.time_map.to_session_array(at) - at
    assert np.abs(found - truth).max() <= 5 * noise_ns + 50_000
    assert fit.model is not DriftModel.PIECEWISE


def test_a_bend_is_found_and_a_wild_point_bends_nothing() -> None:
    at = np.arange(0, 600, 20) * 10**9
    truth = np.where(at < 300 * 10**9, at * 50e-6, 15e6 - (at - 300 * 10**9) * 20e-6)
    points = [OffsetAt(at_ns=int(a), offset_ns=int(o), half_width_ns=50_000) for a, o in zip(at, truth, strict=True)]
    points[7] = OffsetAt(at_ns=points[7].at_ns, offset_ns=points[7].offset_ns + 80 * MS, half_width_ns=50_000)
    fit = fit_drift(points)
    assert fit.model is DriftModel.PIECEWISE
    left = np.abs(fit.time_map.to_session_array(at) - at - truth)
    assert np.delete(left, 7).max() < MS


def test_one_point_gives_an_offset_and_none_is_refused() -> None:
    fit = fit_drift([OffsetAt(at_ns=9, offset_ns=70 * MS, half_width_ns=1000)])
    assert (fit.model, fit.time_map.to_session(0)) == (DriftModel.OFFSET, 70 * MS)
    with pytest.raises(DataError):
        fit_drift([])


def test_a_car_that_comes_straight_on_says_how_little_it_tells() -> None:
    held = 0
    for seed in range(20):
        rng = np.random.default_rng([seed, 4])
        camera_s, sweep_s = np.arange(0.3, 3.0, 1 / 30), np.arange(0.0, 3.2, 0.1)
        found = object_offset(
            Curve(
                times_ns=np.round(camera_s * 1e9).astype(np.int64),
                values=900 / (65 - 16.67 * camera_s) + rng.normal(0, 1.0, len(camera_s)),
            ),
            Curve(
                times_ns=np.round((sweep_s + 0.05) * 1e9).astype(np.int64),
                values=900 / (65 - 16.67 * sweep_s) + rng.normal(0, 2.0, len(sweep_s)),
            ),
        )
        held += abs(found.offset.offset_ns - -50 * MS) <= found.offset.half_width_ns
    assert held >= 17


def test_claps_are_paired_although_the_clock_runs_away_by_more_than_a_frame() -> None:
    rng = np.random.default_rng(21)
    struck = np.cumsum(rng.uniform(3, 15, 60))
    frame_ns = 33_333_333
    seen = [Moment(from_ns=int(n) * frame_ns, to_ns=(int(n) + 1) * frame_ns) for n in struck * 1e9 // frame_ns]
    heard = [
        Moment(from_ns=round(each * (1 - 120e-6) * 1e9), to_ns=round(each * (1 - 120e-6) * 1e9)) for each in struck
    ]
    found = match_moments(seen, heard, most_ns=1000 * MS, most_ppm=200)
    assert found is not None
    assert len(found.pairs) == 60
    fit = marks_drift(found)
    assert abs(fit.rate_ppm - 120) < 25
    at = round(float(struck[30]) * (1 - 120e-6) * 1e9)
    assert abs(fit.time_map.to_session(at) - struck[30] * 1e9) < 10 * MS


def test_the_band_about_the_line_holds_the_truth_and_widens_towards_the_ends() -> None:
    held = 0
    for seed in range(20):
        rng = np.random.default_rng([seed, 5])
        at = np.arange(0, 600, 20) * 10**9
        truth = at * 40e-6
        noise = rng.normal(0, MS, len(at))
        fit = fit_drift(
            [OffsetAt(at_ns=int(a), offset_ns=round(t + n), half_width_ns=2 * MS) for a, t, n in
             zip(at, truth, noise, strict=True)]
        )  # fmt: skip
        held += abs(fit.time_map.to_session(int(at[-1])) - at[-1] - truth[-1]) <= fit.sure_ns[-1]
        assert fit.sure_ns[-1] > fit.sure_ns[15]
    assert held >= 17
