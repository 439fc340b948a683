"""``bench playback`` finds a skew that was put in, takes it out, and says what it could not measure."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from workstation.app.playback_bench import bench_playback
from workstation.app.settings import read_settings
from workstation.cli import bench as bench_verb
from workstation.core.clock import Clock
from workstation.core.timebase import SECOND_NS
from workstation.media import playback_device
from workstation.media.playback import Player, SilentOutput
from workstation.media.playback_recorded import RecordedOutput

MS = 1_000_000


class LateWindow:
    """Paints each frame so much after the clock has reached it; time is the recording device's."""

    def __init__(self, output: RecordedOutput, late_ns: int) -> None:
        self._output, self._late_ns = output, late_ns
        self.film_flashes: list[int] = []

    def watch(self, film: Path, clock: Clock, player: Player) -> list[int]:
        self.film_flashes = white_times(film)
        painted: list[int] = []
        while clock.playing:
            self._output.pass_time(player, MS)
            if len(painted) < len(self.film_flashes) and clock.time_ns >= self.film_flashes[len(painted)]:
                painted.append(self._output.now_ns() + self._late_ns)
        return painted


def white_times(film: Path) -> list[int]:
    """First white frames, from the film itself."""
    times, before = [], False
    with av.open(str(film)) as container:
        for frame in container.decode(video=0):
            white = bool(frame.to_ndarray(format="gray").mean() > 128)
            if white and not before:
                times.append(round(float(frame.time or 0) * SECOND_NS))
            before = white
    return times


@pytest.mark.parametrize("late_ms", [0, 35, 120])
def test_a_late_picture_is_measured_and_taken_out(late_ms: int) -> None:
    output = RecordedOutput(block=48)
    window = LateWindow(output, late_ms * MS)
    report = bench_playback(output, probe=window, beeps=3)
    before, after = report.passes[-2:]
    assert len(before.skew_ns) == before.found == 3
    assert window.film_flashes == pytest.approx([500 * MS, 1000 * MS, 1500 * MS], abs=1000)
    assert before.mean_skew_ns == pytest.approx(-late_ms * MS, abs=1.1 * MS)  # the window looks once a millisecond
    assert report.compensation_ns == before.mean_skew_ns
    assert after.offset_ns == before.mean_skew_ns
    assert after.mean_skew_ns is not None
    assert abs(after.mean_skew_ns) < 1.1 * MS
    assert report.faults(5 * MS) == ()


def test_a_compensation_that_is_wrong_is_found_and_replaced() -> None:
    output = RecordedOutput(block=48)
    report = bench_playback(output, probe=LateWindow(output, 0), offsets={"recording": 80 * MS}, beeps=2)
    before, after = report.passes[-2:]
    assert before.mean_skew_ns == pytest.approx(-80 * MS, abs=1.1 * MS)
    assert after.offset_ns == pytest.approx(0, abs=1.1 * MS)


def test_without_device_and_window_it_says_what_is_missing() -> None:
    report = bench_playback(SilentOutput(reason="nobody plugged one in"), beeps=3)
    assert [(str(each.speed), each.found) for each in report.passes] == [("1", 3), ("1/2", 3), ("2", 3)]
    assert report.passes[0].sample_error == 0
    assert report.passes[0].clock_error_ns is not None
    assert report.passes[0].clock_error_ns < 21_000  # one sample
    assert report.compensation_ns is None
    assert ["nobody plugged one in" in each for each in report.not_measured] == [True, False]
    assert "no window" in report.not_measured[1]
    assert report.faults(10 * MS) == ()
    assert report.faults(1 * MS)  # at other speeds the steps of 20 ms are seen


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))


@pytest.fixture
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise OSError("PortAudio library not found")

    monkeypatch.setattr(playback_device.SoundCardOutput.__init__, "__kwdefaults__", {"library": missing})


def test_the_verb_tells_and_refuses(no_card: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from workstation.core.errors import UserError

    runner = CliRunner()
    result = runner.invoke(bench_verb.playback, ["--beeps", "2"], standalone_mode=False)
    assert result.return_value == 0
    assert "no library: the sound library PortAudio cannot be used (PortAudio library not found)" in result.output
    assert result.output.count("Not measured") == 2
    result = runner.invoke(bench_verb.playback, ["--beeps", "2", "--apply"], standalone_mode=False)
    assert isinstance(result.exception, UserError)
    assert "no measured compensation" in str(result.exception)
    result = runner.invoke(bench_verb.playback, ["--beeps", "2", "--compensation", "40"], standalone_mode=False)
    assert "no sound device to keep" in str(result.exception)
    result = runner.invoke(bench_verb.playback, ["--beeps", "2", "--tolerance", "0.1", "--json"], standalone_mode=False)
    assert result.return_value == 1
    assert '"state": "no library"' in result.output


def test_a_compensation_is_kept_for_its_device() -> None:
    from workstation.app.playing import keep_offset

    keep_offset("Speakers", 40 * MS)
    keep_offset("Headset", 180 * MS)
    assert read_settings().sound_offsets_ns == {"Speakers": 40 * MS, "Headset": 180 * MS}
    keep_offset("Speakers", 0)
    assert read_settings().sound_offsets_ns == {"Headset": 180 * MS}


def test_what_is_kept_is_what_the_next_player_takes_out_and_what_is_left_is_judged() -> None:
    from workstation.app.playing import keep_offset
    from workstation.app.sound_skew import skew_in_words, skew_warning

    output = RecordedOutput(block=48)
    report = bench_playback(output, probe=LateWindow(output, 90 * MS), beeps=3)
    assert "not measured on this device, no compensation" in skew_in_words(output.status, read_settings())
    last = report.passes[-1]
    keep_offset(report.device.device, last.offset_ns, last.mean_skew_ns)
    kept = read_settings()
    again = bench_playback(output, probe=LateWindow(output, 90 * MS), offsets=kept.sound_offsets_ns, beeps=3)
    first = next(each for each in again.passes if each.skew_ns)
    assert first.offset_ns == pytest.approx(-90 * MS, abs=1.1 * MS)
    assert first.mean_skew_ns == pytest.approx(0, abs=1.1 * MS)  # measured with what is kept, before anything new
    assert skew_warning(output.status, kept, (5.0, "profile drone")) == ""
    assert "compensation -90" in skew_in_words(output.status, kept)
    keep_offset(report.device.device, last.offset_ns, 7 * MS)
    said = skew_warning(output.status, read_settings(), (5.0, "profile drone"))
    assert said.startswith("Picture and sound are 7.0 ms apart on recording, compensation included: more than the 5 ms")
    assert skew_warning(output.status, read_settings(), (8.0, "profile drone")) == ""
    silent = SilentOutput(reason="none").status
    assert skew_warning(silent, read_settings(), (5.0, "x")) == skew_in_words(silent, read_settings()) == ""


def test_the_verb_takes_the_tightest_tolerance_of_a_project(no_card: None, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from workstation.app.opening import new_project, open_project

    new_project(tmp_path / "p", name="p", person="somebody", in_force=True)
    with open_project(tmp_path / "p", kind="person", role="lead") as session:
        session.run("sample.add", key="flight", profile="drone")
    arguments = ["--beeps", "2", "--project", str(tmp_path / "p")]
    result = CliRunner().invoke(bench_verb.playback, arguments, standalone_mode=False)
    assert "Tolerance     5 ms, profile drone" in result.output
    result = CliRunner().invoke(bench_verb.playback, ["--beeps", "2"], standalone_mode=False)
    assert "Tolerance     10 ms, the usual one" in result.output
