"""``bench``: how well this machine does what the program needs."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workstation.cli.output import json_option, print_json

if TYPE_CHECKING:
    from workstation.app.playback_bench import Pass, PlaybackReport
    from workstation.cli.windows import Windows


@click.group()
def bench() -> None:
    """Measure what this machine makes of the program."""


@bench.command()
@click.option(
    "--beeps", type=click.IntRange(2, 100), default=8, show_default=True, help="How many, half a second apart."
)
@click.option("--tolerance", type=click.FloatRange(0.1, 1000), help="In milliseconds; 10 unless a project says it.")
@click.option(
    "--project", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Take its tightest tolerance."
)
@click.option("--device", help="The sound device of this name instead of the usual one.")
@click.option("--apply", is_flag=True, help="Keep the measured compensation for the device.")
@click.option("--compensation", type=click.FloatRange(-2000, 2000), help="Keep this one, in milliseconds, unmeasured.")
@json_option
@click.pass_obj
def playback(
    windows: Windows | None,
    beeps: int,
    tolerance: float | None,
    project: Path | None,
    device: str | None,
    apply: bool,
    compensation: float | None,
    as_json: bool,
) -> int:
    """Measure how far picture and sound are apart, with a generated flash and beep.

    The beeps are played through the path that plays everything: first into a device that records, at three speeds,
    then on the sound card. Without a sound card or a window it says what it could not measure.
    A compensation is how much later than the device says its sound is heard, against the picture.
    Ends with 1 when something is further off than the tolerance.
    """
    from workstation.app.playback_bench import bench_card

    probe = None if windows is None else windows.picture_probe()
    limit_ms, whose = _limit(tolerance, project)
    report = bench_card(device, probe=probe, beeps=beeps)
    kept_ns = _keep(report, apply, compensation)
    faults = report.faults(round(limit_ms * 1_000_000))
    if as_json:
        print_json(_as_json(report, faults, kept_ns) | {"tolerance_ms": limit_ms, "tolerance_of": whose})
    else:
        _print(report, faults, kept_ns)
        click.echo(f"Tolerance     {limit_ms:g} ms, {whose}")
    return 1 if faults else 0


@bench.command()
@click.option("--items", type=click.IntRange(1, 5_000_000), default=20_000, show_default=True, help="How many samples.")
@click.option(
    "--within", type=click.FloatRange(min=0.001), default=1.0, show_default=True, help="The seconds that are stated."
)
@click.option(
    "--folder", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Where the project is made."
)
@json_option
def index(items: int, within: float, folder: Path | None, as_json: bool) -> int:
    """Measure a large collection: a project of samples without media, opened as a list, filtered and checked.

    The same rows are read from a file for comparison. Ends with 1 when opening the list and filtering it by a flag take
    longer than the stated time.
    """
    from workstation.app.index_bench import bench_index

    report = bench_index(items, folder)
    late = report.listed_s > within
    if as_json:
        print_json({**dataclasses.asdict(report), "listed_s": report.listed_s, "ratio": report.ratio, "within": within})
        return int(late)
    click.echo(f"{items:,} samples, made in {report.build_s:.1f} s ({items / report.build_s:,.0f} a second)")
    for name, seconds in (
        ("open", report.open_s), ("first page", report.first_page_s), ("filter by flag", report.filter_s),
        ("count by state", report.count_s), ("find by key", report.find_s), ("check one", report.check_s),
    ):  # fmt: skip
        click.echo(f"  {name:<14} {seconds * 1000:8.1f} ms")
    click.echo(
        f"Open, list and filter: {report.listed_s * 1000:.1f} ms, stated {within * 1000:g} ms" + (", MISSED" * late)
    )
    click.echo(f"The same rows read whole from a file: {report.file_s * 1000:.0f} ms, {report.ratio:.1f} times as long")
    return int(late)


def _limit(tolerance: float | None, project: Path | None) -> tuple[float, str]:
    """What picture and sound may be apart, and who says so."""
    if tolerance is not None:
        return tolerance, "as asked for"
    if project is None:
        return 10.0, "the usual one"
    from workstation.app.opening import open_project
    from workstation.app.sound_skew import tightest_of

    with open_project(project, read_only=True) as session:
        return tightest_of(session)


def _keep(report: PlaybackReport, apply: bool, compensation: float | None) -> int | None:
    """Write the compensation down if that was asked; answers it."""
    from workstation.app.playing import keep_offset
    from workstation.core.errors import UserError

    residual_ns = None
    if compensation is not None:
        offset_ns = round(compensation * 1_000_000)
    elif apply and report.compensation_ns is not None:
        offset_ns, residual_ns = report.passes[-1].offset_ns, report.passes[-1].mean_skew_ns
    elif apply:
        raise UserError(f"there is no measured compensation to keep ({'; '.join(report.not_measured)})")
    else:
        return None
    if not report.device.device:
        raise UserError(f"there is no sound device to keep a compensation for ({report.device.reason})")
    keep_offset(report.device.device, offset_ns, residual_ns)
    return offset_ns


def _print(report: PlaybackReport, faults: tuple[str, ...], kept_ns: int | None) -> None:
    click.echo(f"Sound device  {_device(report)}")
    for each in report.passes:
        click.echo(f"  {each.through}, {float(each.speed):g}×: {_pass(each)}")
    for lacking in report.not_measured:
        click.echo(f"Not measured  {lacking}")
    if report.compensation_ns is not None:
        last = report.passes[-1]
        click.echo(
            f"Compensation  {last.offset_ns / 1e6:+.1f} ms takes the skew from {report.compensation_ns / 1e6:+.1f} "
            f"to {(last.mean_skew_ns or 0) / 1e6:+.1f} ms; --apply keeps it"
        )
    if kept_ns is not None:
        click.echo(f"Kept          {kept_ns / 1e6:+.1f} ms for {report.device.device}")
    for fault in faults:
        click.echo(f"Too far off   {fault}")


def _device(report: PlaybackReport) -> str:
    status = report.device
    if status.reason:
        return f"{status.state.value}: {status.reason}"
    return f"{status.device}, {status.rate_hz} Hz, latency {status.latency_ns / 1e6:.1f} ms"


def _pass(each: Pass) -> str:
    said = [f"{each.found} of {each.beeps} beeps"]
    if each.sample_error is not None:
        said.append(f"at most {each.sample_error} samples from their place")
    if each.clock_error_ns is not None:
        said.append(f"clock at most {each.clock_error_ns / 1e6:.3f} ms from what is heard")
    if each.mean_skew_ns is not None:
        said.append(f"sound {each.mean_skew_ns / 1e6:+.1f} ms after the picture")
    return ", ".join(said)


def _as_json(report: PlaybackReport, faults: tuple[str, ...], kept_ns: int | None) -> dict[str, object]:
    device = report.device
    return {
        "device": {
            "state": device.state.value, "name": device.device, "reason": device.reason, "rate_hz": device.rate_hz,
            "latency_ns": device.latency_ns, "underruns": device.underruns,
        },
        "passes": [
            {
                "through": each.through, "speed": float(each.speed), "offset_ns": each.offset_ns, "beeps": each.beeps,
                "found": each.found, "sample_error": each.sample_error, "clock_error_ns": each.clock_error_ns,
                "skew_ns": list(each.skew_ns),
            }
            for each in report.passes
        ],
        "not_measured": list(report.not_measured), "compensation_ns": report.compensation_ns, "kept_ns": kept_ns,
        "faults": list(faults),
    }  # fmt: skip
