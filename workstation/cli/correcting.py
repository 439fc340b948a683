"""``sync shift`` and ``sync calibrate``: correct by a number or a file, and say beforehand what that changes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workstation.cli.acting import acting, project_argument, to_read, to_write
from workstation.cli.output import json_option, print_json
from workstation.core.errors import UserError

if TYPE_CHECKING:
    from workstation.app.correcting import NewCalibration
    from workstation.app.session import Session
    from workstation.app.sync_forecast import Forecast
    from workstation.core.sample import Rig, Sample, Stream

dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Only say which verdicts of the checks it would change; nothing is written."
)


@click.command()
@project_argument
@click.argument("stream", metavar="SAMPLE/STREAM")
@click.argument("milliseconds", type=float)
@click.option("--reason", default="", help="Why, kept with the map.")
@dry_run_option
@acting
@json_option
def shift(
    project: Path, stream: str, milliseconds: float, reason: str, dry_run: bool, person: str | None,
    role: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Move a stream by so many MILLISECONDS: later, or with a number below zero (after --) earlier. One step.

    Labels keep their own times and frames; which checks then judge otherwise is said. Nobody measured anything, so the
    sample is unverified afterwards.
    """
    from workstation.app.correcting import shift as move
    from workstation.app.correcting import shifted
    from workstation.app.sync_forecast import with_map
    from workstation.cli.moments import sample_named

    with to_read(project) if dry_run else to_write(project, person, role, tool="sync shift") as session:
        key, _, own = stream.partition("/")
        sample = sample_named(session, key)
        found = next((each for each in session.store.streams(sample.id) if each.key == own), None)
        if found is None:
            raise UserError(f"{stream!r} names no stream; say SAMPLE/STREAM, as in drive-1/lidar_top")
        changed = with_map(found, shifted(found, milliseconds, reason=reason))
        seen = forecast_of(session, sample, [changed])
        if not dry_run:
            move(session, sample, found, milliseconds, reason=reason)
    tell(seen, dry_run=dry_run, as_json=as_json)


@click.command()
@project_argument
@click.option("--sample", metavar="KEY", help="The sample; left out, the only one.")
@click.option(
    "--file", "path", type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="JSON of frames and cameras, as calibration.json beside media.",
)  # fmt: skip
@click.option("--turn", metavar="CAMERA=DEGREES", help="Turn one camera of the newest calibration to the left.")
@dry_run_option
@acting
@json_option
def calibrate(
    project: Path, sample: str | None, path: Path | None, turn: str | None, dry_run: bool, person: str | None,
    role: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Give a sample another calibration: a new version, one step. Everything is projected anew.

    Says which checks judge otherwise with it; with --dry-run only that. Undo takes it back.
    """
    from workstation.app.correcting import calibrate as make_newest
    from workstation.cli.moments import sample_named

    with to_read(project) if dry_run else to_write(project, person, role, tool="sync calibrate") as session:
        chosen = sample_named(session, sample)
        new = _wanted(session, chosen, path, turn)
        seen = forecast_of(session, chosen, [new.rig(session.store, chosen)])
        if not dry_run:
            make_newest(session, chosen, new)
    tell(seen, dry_run=dry_run, as_json=as_json)


def _wanted(session: Session, sample: Sample, path: Path | None, turn: str | None) -> NewCalibration:
    from workstation.app.correcting import calibration_from, turned_camera

    if (path is None) == (turn is None):
        raise click.UsageError("say either --file or --turn")
    if path is not None:
        return calibration_from(path)
    camera, _, degrees = (turn or "").partition("=")
    try:
        return turned_camera(session.store, sample, camera, float(degrees))
    except ValueError as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{turn!r} is no turn; say CAMERA=DEGREES, as in camera_front=-0.3") from error


def forecast_of(session: Session, sample: Sample, changed: Sequence[Stream | Rig]) -> Forecast:
    """What a change would do to the verdicts of the checks."""
    from workstation.app.sync_forecast import forecast, media_of

    return forecast(session.store, sample, changed, evidence=media_of(session.project))


def tell(seen: Forecast, *, dry_run: bool, as_json: bool) -> None:
    """Print it."""
    if as_json:
        print_json({"dry_run": dry_run, **seen.plain()})
        return
    for line in seen.lines():
        click.echo(line)
    click.echo("Nothing is changed." if dry_run else "Done as one step; undo takes it back.")


@click.command()
@project_argument
@click.option("--sample", metavar="KEY", help="The sample; left out, the only one.")
@click.option(
    "--accept", is_flag=True, help="Move the labels to where they are spoken: one step, which undo takes back."
)
@acting
@json_option
def transcript(
    project: Path, sample: str | None, accept: bool, person: str | None, role: str | None, as_json: bool
) -> int:
    """Whether transcripts stand where they are spoken, as a whole and turn by turn, by where it is loud.

    Nothing is changed without --accept, which moves turns, their words and what stands on their text. Ends with 1 when
    one is late or early.
    """
    from workstation.app.evidence import media_evidence
    from workstation.app.transcript_time import realign, transcript_times
    from workstation.cli.moments import sample_named

    off = 0
    with to_write(project, person, role, tool="sync transcript") if accept else to_read(project) as session:
        chosen = sample_named(session, sample)
        with media_evidence(session.store, session.project)(chosen) as evidence:
            every = list(transcript_times(session.store, chosen, evidence))
        for found in every:
            late = found.lag is not None and found.lag.clear
            off += late
            moved = realign(session, chosen, found) if accept and late else 0
            if as_json:
                print_json({"sample": chosen.key, **found.plain(), "moved": moved})
                continue
            click.echo(f"{chosen.key}: {found.words()}.")
            for turn, late_ns in zip(found.turns, found.turns_late_ns, strict=True):
                if (
                    late_ns is not None
                    and abs(late_ns - (found.lag.late_ns if late and found.lag else 0)) > 100_000_000
                ):
                    click.echo(f"  by itself {late_ns / 1e6:+.0f} ms late: {(turn.text or '')[:60]}")
            if moved:
                click.echo(f"  {moved} labels are moved; undo takes it back.")
    if not every and not as_json:
        click.echo(f"{chosen.key}: nothing is transcribed on a sound.")
    return 1 if off and not accept else 0
