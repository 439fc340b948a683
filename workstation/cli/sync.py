"""``sync``: the clocks of samples, whether they agree, and bringing streams onto one timeline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from workstation.cli import correcting, measuring
from workstation.cli.acting import acting, project_argument, to_read, to_write
from workstation.cli.output import json_option, print_json, print_rows
from workstation.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workstation.app.session import Session
    from workstation.core.sample import Sample

_CLOCK_COLUMNS = ("stream", "kind", "recording", "clock", "lock", "reported offset", "latency", "map")
_PAIR_COLUMNS = (
    "thing",
    "link",
    "flat",
    "solid",
    "residual",
    "distance",
    "offset",
    "range",
    "overlap",
    "session time",
    "flag",
)
sample_option = click.option("--sample", metavar="KEY", help="Only this sample.")


@click.group()
def sync() -> None:
    """Show the clocks of samples, check and measure them, and align streams."""


for each_command in (*measuring.COMMANDS, correcting.shift, correcting.calibrate, correcting.transcript):
    sync.add_command(each_command)


@sync.command()
@project_argument
@sample_option
@json_option
def status(project: Path, sample: str | None, as_json: bool) -> None:
    """The clock table of PROJECT: each stream's clock, whether it was locked, the offset it reported, its time map."""
    from workstation.app.clocks import clock_rows

    with to_read(project) as session:
        for each in _samples(session, sample):
            rows = list(clock_rows(session, each))
            if as_json:
                for row in rows:
                    print_json(row)
            elif rows:
                reason = each.gates["sync"].reason if "sync" in each.gates else ""
                click.echo(f"{each.key}: {rows[0]['sync']}" + (f" ({reason})" if reason else ""))
                shown = [
                    {
                        **row,
                        "reported offset": _milliseconds(row["offset_ns"]),
                        "latency": _milliseconds(row["latency_ns"]),
                    }
                    for row in rows
                ]
                print_rows(shown, columns=_CLOCK_COLUMNS, as_json=False)


@sync.command()
@project_argument
@sample_option
@json_option
def check(project: Path, sample: str | None, as_json: bool) -> int:
    """Whether the streams of each sample share one clock reference; names the odd one and its constant offset.

    Ends with 1 when a stream is off. Offsets of milliseconds take what the streams show; this looks at whole spans.
    """
    from workstation.app.clocks import check_clocks, clock_names
    from workstation.app.reading import Formats
    from workstation.app.streams import OpenStreams

    wrong = 0
    with to_read(project) as session, OpenStreams(session.project.path, readers=Formats().readers) as readers:
        for each in _samples(session, sample):
            streams = session.store.streams(each.id)
            report, notes = check_clocks(each, streams, readers)
            wrong += len(report.odd)
            if as_json:
                odd = [
                    {"stream": o.key, "offset_ns": o.offset_ns, "nominal_ns": o.nominal_ns, "meaning": o.meaning}
                    for o in report.odd
                ]
                print_json({"sample": each.key, "odd": odd, "clocks": clock_names(streams), "notes": notes})
                continue
            for name, keys in clock_names(streams).items():
                click.echo(f"{each.key}: {name}: {', '.join(keys)}")
            for o in report.odd:
                said = f" ({o.meaning})" if o.meaning else ""
                click.echo(f"{each.key}: {o.key} is off by {o.offset_ns / 1e9:+.3f} s{said}")
            if not report.odd and not report.not_judged:
                click.echo(f"{each.key}: no stream is off as a whole.")
            for note in notes:
                click.echo(note)
    return 1 if wrong else 0


@sync.command()
@project_argument
@sample_option
@json_option
def pairs(project: Path, sample: str | None, as_json: bool) -> None:
    """What is left between fused labels, a box in a picture and a cuboid in a sweep: in ms, pixels and metres.

    Residual and distance: how far apart the captures are, and how far the thing moves meanwhile. Offset: of the drawn
    box from the projected cuboid in the same picture, in metres at the thing's range. Of tracks the residual is that
    of the picture farthest from its sweep, and the offset a median. Flagged are links whose box reaches beyond the
    projected cuboid by 5 px or more, whatever the cause; validate says what is to blame.
    """
    from workstation.app.pair_rows import pair_rows
    from workstation.app.reading import Formats
    from workstation.app.streams import OpenStreams

    with to_read(project) as session, OpenStreams(session.project.path, readers=Formats().readers) as readers:
        for each in _samples(session, sample):
            print_rows(pair_rows(session, each, readers), columns=_PAIR_COLUMNS, as_json=as_json)


@sync.command()
@project_argument
@sample_option
@click.option(
    "--method",
    type=click.Choice(("interpolate", "imu")),
    required=True,
    help="By time stamps (interpolate), or by how two streams turn (imu).",
)
@click.option("--reference", metavar="STREAM", help="With imu: the stream that is taken to be right.")
@click.option("--stream", metavar="STREAM", help="With imu: the stream to correct.")
@click.option(
    "--stamps", multiple=True, metavar="STREAM=FILE", help="The list of time stamps of a stream, one for each item."
)
@acting
@json_option
def align(
    project: Path, sample: str | None, method: str, reference: str | None, stream: str | None,
    stamps: tuple[str, ...], person: str | None, role: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Bring streams that no hardware locked onto the timeline by their time stamps. One step, which undo takes back.

    Method and residual are kept with each time map, and the sync gate of the sample is unverified afterwards.
    Stamps are found beside a stream's file (front.mp4, front.times.csv), or named with --stamps.
    By imu, STREAM is measured as sync imu does, and corrected; that verifies the sample.
    """
    if method == "imu":
        measuring.align_by_motion(
            project, sample, reference, stream, stamps, person=person, role=role, as_json=as_json
        )  # fmt: skip
        return
    from workstation.app.clocks import align_by_stamps
    from workstation.app.moment import map_in_words
    from workstation.app.reading import Formats
    from workstation.app.streams import OpenStreams

    given = dict(_pair(each) for each in stamps)
    with (
        to_write(project, person, role, tool=f"sync align {method}") as session,
        OpenStreams(session.project.path, readers=Formats().readers) as readers,
    ):
        chosen = _one(session, sample)
        found = align_by_stamps(session, chosen, readers, stamps=given)
    rows = [
        {
            "stream": each.stream.key,
            "map": None if each.time_map is None else map_in_words(each.time_map),
            "residual_ns": None if each.time_map is None else each.time_map.residual_ns,
            "left": each.reason,
        }
        for each in found
    ]
    print_rows(rows, columns=("stream", "map", "left"), as_json=as_json)


@sync.command()
@project_argument
@click.argument("stream", metavar="SAMPLE/STREAM")
@click.argument("milliseconds", type=float)
@click.option("--granularity", type=float, metavar="MS", help="How finely its times are told.")
@acting
def latency(
    project: Path, stream: str, milliseconds: float, granularity: float | None, person: str | None, role: str | None
) -> None:
    """Declare that a stream's times are late by so many MILLISECONDS; its labels move, its files do not.

    0 takes the declaration back; it takes the place of an earlier one.
    """
    arguments = {"latency_ns": _nanoseconds(milliseconds)}
    if granularity is not None:
        arguments["granularity_ns"] = _nanoseconds(granularity)
    with to_write(project, person, role, tool="sync latency") as session:
        session.run("stream.set_latency", stream=stream, **arguments)
    click.echo(f"{stream}: {milliseconds:g} ms are taken off its times.")


def _nanoseconds(milliseconds: float) -> int:
    if not abs(milliseconds) <= 1e9:
        raise UserError(f"{milliseconds} ms is no latency")
    return round(milliseconds * 1e6)


def _samples(session: Session, key: str | None) -> Iterable[Sample]:
    return session.store.samples() if key is None else [_one(session, key)]


def _one(session: Session, key: str | None) -> Sample:
    from workstation.cli.moments import sample_named

    return sample_named(session, key)


def _pair(text: str) -> tuple[str, Path]:
    key, equals, path = text.partition("=")
    if not equals or not key or not Path(path).is_file():
        raise UserError(f"{text[:80]!r} does not name a stream and a file, as in front=front.times.csv")
    return key, Path(path)


def _milliseconds(value: object) -> str:
    return f"{value / 1e6:+g} ms" if isinstance(value, int) else ""
