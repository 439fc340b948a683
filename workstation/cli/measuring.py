"""``sync clap|sound|imu|events|…``: how far a clock is off, from what streams show; added to ``sync``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workstation.cli.acting import acting, project_argument, to_read, to_write
from workstation.cli.correcting import dry_run_option
from workstation.cli.output import json_option, print_json

if TYPE_CHECKING:
    from workstation.app.synchronising import Bench, Measured

sample_option = click.option("--sample", metavar="KEY", help="Only this sample.")
most_option = click.option(
    "--most", type=click.FloatRange(0.01, 600), default=1.0, show_default=True, metavar="S",
    help="How far off it may be, in seconds.",
)  # fmt: skip
accept_option = click.option(
    "--accept", is_flag=True, help="Correct the stream by it: one step, which undo takes back. Files stay as they are."
)  # fmt: skip
note_option = click.option(
    "--note", "keep", is_flag=True, help="Keep what was measured, correct nothing: above 10 ms the sample is flagged."
)


def _measuring(command: Callable[..., None]) -> Callable[..., None]:
    """What every way of measuring asks besides its own arguments."""
    for each in (
        json_option,
        acting,
        dry_run_option,
        note_option,
        accept_option,
        most_option,
        sample_option,
        project_argument,
    ):
        command = each(command)
    return command


@click.command()
@_measuring
@click.option("--sound", metavar="STREAM", help="The sound; left out, the only one.")
@click.option("--picture", metavar="STREAM", help="The camera; left out, the only one.")
def clap(sound: str | None, picture: str | None, **asked: Any) -> None:
    """How late the sound is against the picture, by claps, or by flashes with a beep.

    Names what it took for the same moment, so that a person can look. Nothing is changed without --accept.
    """
    from workstation.app.synchronising import by_clap

    _measure(lambda b: by_clap(b, sound=sound, picture=picture), **asked)


@click.command()
@_measuring
@click.argument("reference", metavar="REFERENCE")
@click.argument("moved", metavar="STREAM")
def sound(reference: str, moved: str, **asked: Any) -> None:
    """How late the sound of STREAM is against that of REFERENCE, and how it drifts, by what both heard."""
    from workstation.app.synchronising import by_sound

    _measure(lambda b: by_sound(b, reference=reference, moved=moved), **asked)


@click.command()
@_measuring
@click.argument("reference", metavar="REFERENCE")
@click.argument("moved", metavar="STREAM")
@click.option("--channel", default="", metavar="NAME", help="The turning rate of STREAM, if it is not plain.")
@click.option("--reference-channel", default="", metavar="NAME", help="The same of REFERENCE.")
def imu(reference: str, moved: str, channel: str, reference_channel: str, **asked: Any) -> None:
    """How late STREAM is against REFERENCE, by how both turn: a gyro, poses, a camera that pans, turning sweeps."""
    from workstation.app.synchronising import by_motion

    _measure(
        lambda b: by_motion(b, reference=reference, moved=moved, channel=channel, reference_channel=reference_channel),
        **asked,
    )


@click.command()
@_measuring
@click.argument("reference", metavar="REFERENCE")
@click.argument("moved", metavar="STREAM")
@click.option("--channel", default="", metavar="NAME", help="What switches in STREAM, if it is not plain.")
@click.option("--reference-channel", default="", metavar="NAME", help="The same of REFERENCE.")
@click.option("--falling", is_flag=True, help="By where the channels switch off, not on.")
def events(reference: str, moved: str, channel: str, reference_channel: str, falling: bool, **asked: Any) -> None:
    """How late STREAM is against REFERENCE, and how it drifts, by events both marked: trigger pulses (TTL), switches on
    the CAN bus, sounds that begin, flashes.

    Either list may have events that the other misses. Nothing is changed without --accept.
    """
    from workstation.app.synchronising import by_events

    _measure(
        lambda b: by_events(
            b, reference=reference, moved=moved, channel=channel, reference_channel=reference_channel, falling=falling
        ),
        **asked,
    )


@click.command()
@_measuring
@click.option("--sound", metavar="STREAM", help="The sound; left out, the only one.")
@click.option("--picture", metavar="STREAM", help="The camera; left out, the only one.")
def voice(sound: str | None, picture: str | None, **asked: Any) -> None:
    """How late a voice is against what moves in the picture, as the mouth of who speaks."""
    from workstation.app.synchronising import by_voice

    _measure(lambda b: by_voice(b, sound=sound, picture=picture), **asked)


@click.command("object")
@_measuring
@click.argument("entity")
@click.option("--picture", metavar="STREAM", help="The camera; left out, the first that has boxes of it.")
def moving(entity: str, picture: str | None, **asked: Any) -> None:
    """How late the sweeps are against a camera, by one fast thing (ENTITY: "car 17") that is labelled in both."""
    from workstation.app.synchronising import by_object

    _measure(lambda b: by_object(b, entity=entity, picture=picture), **asked)


@click.command()
@click.option("--ms", type=float, required=True, help="The offset in milliseconds.")
@click.option("--kmh", type=float, required=True, help="How fast the thing is.")
@click.option("--lane", type=float, default=3.5, show_default=True, metavar="M", help="How wide a lane is.")
@json_option
def metres(ms: float, kmh: float, lane: float, as_json: bool) -> None:
    """What an offset means in space: metres at a speed, and as a share of a lane's width."""
    from workstation.app.synchronising import metres_of

    away_m, share = metres_of(round(ms * 1e6), kmh, lane_m=lane)
    if as_json:
        print_json({"ms": ms, "kmh": kmh, "metres": round(away_m, 4), "lane_share": round(share, 4)})
        return
    click.echo(f"{ms:g} ms at {kmh:g} km/h are {away_m:.2f} m, {share:.0%} of a {lane:g} m lane.")


@click.command("limit")
@click.option("--metres", "within", type=click.FloatRange(min=0), required=True, help="How exact a place must be.")
@click.option("--kmh", type=click.FloatRange(min=0), required=True, help="How fast the thing is.")
@json_option
def limit_of(within: float, kmh: float, as_json: bool) -> None:
    """How far off in time something of a speed may be while its place stays exact to so many metres."""
    from workstation.core.tolerances import allowed_ms

    found = allowed_ms(within, kmh / 3.6)
    if as_json:
        print_json({"metres": within, "kmh": kmh, "ms": None if found is None else round(found, 3)})
        return
    said = "any time: it stands still" if found is None else f"{found:.0f} ms"
    click.echo(f"{within:g} m at {kmh:g} km/h allow {said}.")


def align_by_motion(
    project: Path, sample: str | None, reference: str | None, stream: str | None, stamps: tuple[str, ...], *,
    person: str | None, role: str | None, as_json: bool,
) -> None:  # fmt: skip
    """``sync align --method imu``: measured by turning, and corrected."""
    from workstation.app.synchronising import by_motion

    if reference is None or stream is None or stamps:
        raise click.UsageError("--method imu needs --reference and --stream, and no --stamps")
    _measure(
        lambda b: by_motion(b, reference=reference, moved=stream), project=project, sample=sample, most=1.0,
        accept=True, keep=False, dry_run=False, person=person, role=role, as_json=as_json,
    )  # fmt: skip


def _measure(
    estimate: Callable[[Bench], Measured], *, project: Path, sample: str | None, most: float, accept: bool, keep: bool,
    dry_run: bool,
    person: str | None, role: str | None, as_json: bool,
) -> None:  # fmt: skip
    from workstation.app.reading import Formats
    from workstation.app.streams import OpenStreams
    from workstation.app.sync_forecast import with_map
    from workstation.app.synchronising import Bench, note
    from workstation.app.synchronising import accept as correct
    from workstation.cli.correcting import forecast_of
    from workstation.cli.moments import sample_named

    if accept + keep + dry_run > 1:
        raise click.UsageError("--accept corrects, --note leaves it as it is, --dry-run writes nothing; choose one")
    opened = to_write(project, person, role, tool="sync") if accept or keep else to_read(project)
    with opened as session, OpenStreams(session.project.path, readers=Formats().readers) as readers:
        chosen = sample_named(session, sample)
        found = estimate(Bench(session=session, sample=chosen, readers=readers, most_s=most))
        seen = forecast_of(session, chosen, [with_map(found.moved, found.time_map)]) if accept or dry_run else None
        if accept:
            correct(session, chosen, found)
        elif keep:
            note(session, chosen, found)
    if as_json:
        looked_ahead = {} if seen is None else {"dry_run": dry_run, "forecast": seen.plain()}
        picks = [list(each) for each in found.picks]
        print_json({"sample": chosen.key, **found.row(), "picks_ns": picks, **looked_ahead})
        return
    _tell(chosen.key, found)
    for line in () if seen is None else seen.lines():
        click.echo(f"  {line}")
    if accept:
        click.echo("The stream is corrected; undo takes it back.")
    elif keep:
        click.echo("Kept with the stream, which stands as it was; undo takes it back.")
    else:
        click.echo("Nothing is changed; --accept corrects the stream, --note keeps what was measured.")


def _tell(sample: str, found: Measured) -> None:
    from workstation.app.synchronising import band_of

    click.echo(f"{sample}: {found.words()}")
    for seen_ns, heard_ns in found.picks[:10]:
        click.echo(f"  {seen_ns / 1e9:.4f} s in {found.reference.key}, {heard_ns / 1e9:.4f} s in {found.moved.key}")
    if {found.reference.kind.value, found.moved.kind.value} == {"audio", "video"}:
        click.echo(f"  {band_of(found.late_ns).value}: under 40 ms nobody notices, above 100 ms it is wrong")
    for name, unit in (("metres", "m at the thing's own speed"), ("residual_px", "px left between the paths")):
        if name in found.evidence:
            click.echo(f"  {found.evidence[name]} {unit}")
    if found.doubt:
        click.echo(f"  Look first: {found.doubt}.")


COMMANDS = (clap, sound, imu, events, voice, moving, metres, limit_of)
"""What ``cli/sync.py`` adds to its group."""
