"""``predictions``: what a model elsewhere predicted, brought in as proposals, and compared with the labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from workstation.cli.acting import acting, project_argument, to_read, to_write
from workstation.cli.output import json_option, print_json, print_rows, progress_printer
from workstation.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from workstation.app.importing_predictions import Report
    from workstation.app.sample_view import SampleView
    from workstation.app.session import Session
    from workstation.app.streams import OpenStreams

_MOST_SHOWN = 20
FORMATS = ("jsonl", "coco")
_file = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def predictions() -> None:
    """Bring in predictions made elsewhere, and compare them with the labels."""


@predictions.command(name="add")
@project_argument
@click.argument("file", type=_file)
@click.option("--format", "form", type=click.Choice(FORMATS), help="As the name ends when left out: .json is COCO.")
@click.option("--images", type=_file, help="The COCO file that says which pictures and categories the numbers mean.")
@click.option("--model", metavar="NAME", help="Who made them; needed for COCO results.")
@click.option("--model-version", metavar="TEXT", default="", help="Its version.")
@click.option("--weights-sha256", metavar="HEX", default="", help="The hash of its weights.")
@click.option(
    "--class", "classes", metavar="NAME=CLASS", multiple=True, help="What a class of the file is called here."
)
@click.option("--sample", metavar="KEY", help="Only this sample.")
@click.option("--dry-run", is_flag=True, help="Say what would come in and store nothing.")
@acting
@json_option
def add(
    project: Path, file: Path, form: str | None, images: Path | None, model: str | None, model_version: str,
    weights_sha256: str, classes: tuple[str, ...], sample: str | None, dry_run: bool, person: str | None,
    role: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Bring the predictions of FILE into PROJECT as proposals.

    They stay proposed until a person accepts or rejects them. Classes that the ontology does not know are listed and
    left out. Ends with 1 when something was left out, and says why.
    """
    from workstation.app.bringing_predictions import Wish, bring, looked_at, new_group
    from workstation.app.importing_predictions import Model

    named = None if model is None else Model(name=model, version=model_version, weights_sha256=weights_sha256)
    wish = Wish(file=file, form=form, images=images, model=named, classes=_mapped(classes), sample=sample)
    session = to_read(project) if dry_run else to_write(project, person, role, kind="script", tool="predictions add")
    with session:
        looked, group = looked_at(session, wish), new_group()
        if not dry_run:
            for each in looked.fresh:
                bring(session, each, file, group)
    for reason in looked.barred:
        click.echo(f"left out: {reason}", err=True)
    code = _told(looked.report, looked.count, dry_run=dry_run, as_json=as_json)
    return int(bool(code or looked.barred))


def _told(report: Report, stored: int, *, dry_run: bool, as_json: bool) -> int:
    from workstation.app.importing_predictions import unmapped_rows

    partial = bool(report.left_out or report.unmapped)
    if as_json:
        print_json({
            "t": "total", "read": report.read, "proposed": stored, "stored": not dry_run, "known": report.known,
            "left_out": report.left_out, "reasons": report.reasons, "unmapped": dict(report.unmapped),
        })  # fmt: skip
        return int(partial)
    for reason in report.reasons[:_MOST_SHOWN]:
        click.echo(f"left out: {reason}", err=True)
    if report.left_out > _MOST_SHOWN:
        click.echo(f"left out: {report.left_out - _MOST_SHOWN} more", err=True)
    for row in unmapped_rows(report):
        click.echo(row, err=True)
    known = f"; {report.known} are there already, or were rejected" if report.known else ""
    click.echo(f"{stored} {'would be proposed' if dry_run else 'proposed'} of {report.read} read{known}.")
    return int(partial)


def _mapped(classes: tuple[str, ...]) -> Mapping[str, str]:
    pairs = [each.partition("=") for each in classes]
    wrong = next((name for name, sign, class_id in pairs if not (name and sign and class_id)), None)
    if wrong is not None:
        raise UserError(f"--class {wrong}: write it as NAME=CLASS")
    return {name: class_id for name, _, class_id in pairs}


@predictions.command()
@project_argument
@click.option("--model", metavar="NAME", help="Only the proposals of this model.")
@click.option("--layer", metavar="NAME", default="main", show_default=True, help="The labels to compare with.")
@click.option("--sample", metavar="KEY", help="Only this sample.")
@click.option("--most", type=click.IntRange(min=1), default=50, show_default=True, help="So many rows.")
@json_option
def compare(project: Path, model: str | None, layer: str, sample: str | None, most: int, as_json: bool) -> int:
    """List where open proposals and labels of PROJECT disagree, the largest difference first.

    Ends with 1 when there is such a place.
    """
    from workstation.app.disagreements import COLUMNS, queue

    with to_read(project) as session:
        rows = [
            row for view, readers in _views(session, sample) for row in queue(view, readers, model=model, layer=layer)
        ]
    rows.sort(key=lambda each: -each["amount"])
    print_rows(rows[:most], columns=COLUMNS, as_json=as_json)
    if not as_json:
        more = f", {most} of them shown" if len(rows) > most else ""
        click.echo(f"{len(rows)} places to look at{more}.")
    return int(bool(rows))


@predictions.command()
@project_argument
@click.option("--model", metavar="NAME", help="Only the proposals of this model.")
@click.option("--layer", metavar="NAME", default="main", show_default=True, help="The layer taken as truth.")
@click.option("--sample", metavar="KEY", help="Only this sample.")
@click.option("--iou", type=click.FloatRange(min=0, max=1, min_open=True), default=0.5, show_default=True,
              help="Overlap from which a proposal is right.")  # fmt: skip
@json_option
def score(project: Path, model: str | None, layer: str, sample: str | None, iou: float, as_json: bool) -> int:
    """Score the open proposals of PROJECT against a layer taken as truth: precision, recall, overlap, identity."""
    from workstation.app.prelabel_eval import COLUMNS, evaluated

    with to_read(project) as session:
        rows = [
            row
            for view, readers in _views(session, sample)
            for row in evaluated(view, readers, model=model, layer=layer, level=iou)
        ]
    print_rows(rows, columns=COLUMNS, as_json=as_json)
    if not rows and not as_json:
        click.echo("No open proposals to score.")
    return 0


@predictions.command()
@project_argument
@click.option("--stream", "streams", metavar="KEY", multiple=True, help="Only this LiDAR; may be given again.")
@click.option("--class", "classes", metavar="CLASS", multiple=True, help="Only this class; may be given again.")
@click.option("--sample", metavar="KEY", help="Only this sample.")
@click.option("--dry-run", is_flag=True, help="Say what would be proposed and store nothing.")
@acting
@json_option
def lidar(
    project: Path, streams: tuple[str, ...], classes: tuple[str, ...], sample: str | None, dry_run: bool,
    person: str | None, role: str | None, as_json: bool,
) -> int:  # fmt: skip
    """Propose cuboid tracks in the LiDAR sweeps of PROJECT: ground, clusters, boxes by size of class, tracks.

    No trained model and no graphics card take part. What a label shows already, or showed before it was rejected, is
    not proposed. Ends with 1 when a sample was left out, and says why.
    """
    session = to_read(project) if dry_run else to_write(project, person, role, kind="script", tool="predictions lidar")
    total, left_out = 0, 0
    with session:
        for view, readers in _views(session, sample):
            reason = None if dry_run else session.why_locked(view.id)
            if reason is not None:
                left_out += 1
                click.echo(f"{view.sample.key} is left out: {reason}", err=True)
                continue
            rows = list(_lidar_rows(session, view, readers, streams, classes, store=not dry_run))
            total += len(rows)
            print_rows(rows, columns=("sample", "stream", "class", "score", "from_s", "to_s", "still"), as_json=as_json)
    if as_json:
        print_json({"t": "total", "proposed": total, "stored": not dry_run, "left_out": left_out})
    else:
        click.echo(f"{total} track{'' if total == 1 else 's'} {'would be proposed' if dry_run else 'proposed'}.")
    return int(bool(left_out))


def _lidar_rows(
    session: Session, view: SampleView, readers: OpenStreams, streams: tuple[str, ...], classes: tuple[str, ...], *,
    store: bool,
) -> Iterator[dict[str, object]]:  # fmt: skip
    from workstation.app.lidar_prelabelling import found_tracks, new_tracks, propose_tracks
    from workstation.app.placed_cuboids import PlacedCuboids
    from workstation.core.sample import StreamKind

    tell = progress_printer("sweeps")
    for stream in [each for each in view.streams.values() if each.kind is StreamKind.CLOUD]:
        if streams and stream.key not in streams:
            continue

        def go_on(done: int, whole: int) -> bool:
            tell(done, whole)
            return True

        found = found_tracks(view, readers, stream, classes=classes, progress=go_on)
        for reason in found.skipped:
            click.echo(f"left out: {reason}", err=True)
        new = new_tracks(view, PlacedCuboids(view, readers), found)
        if store and new:
            propose_tracks(session, view, found, new)
        for each in new:
            yield {
                "sample": view.sample.key, "stream": stream.key, "class": view.class_name(each.label),
                "score": round(each.score, 3), "still": each.static,
                "from_s": round(stream.time_map.to_session(each.times_ns[0]) / 1e9, 3),
                "to_s": round(stream.time_map.to_session(each.times_ns[-1]) / 1e9, 3),
            }  # fmt: skip


def _views(session: Session, key: str | None) -> Iterator[tuple[SampleView, OpenStreams]]:
    from workstation.app.reading import Formats
    from workstation.app.sample_view import SampleView
    from workstation.app.streams import OpenStreams

    samples = [each for each in session.store.samples() if key in (None, each.key)]
    if not samples:
        raise UserError(f"there is no sample {key!r}" if key else "the project has no sample")
    for each in samples:
        with OpenStreams(session.project.path, readers=Formats().readers) as readers:
            yield SampleView(session.store, each.id), readers
