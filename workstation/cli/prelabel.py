"""``prelabel``: models over a project from the command line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workstation.cli.acting import acting, project_argument, to_write
from workstation.cli.output import json_option, print_json, print_rows, progress_printer
from workstation.core.errors import UserError

if TYPE_CHECKING:
    from workstation.app.prelabelling import Progress
    from workstation.app.session import Session

_COLUMNS = ("sample", "stream", "model", "runs on", "looked at", "proposed", "known", "left out", "note")
_SCORES = (
    "sample", "stream", "model", "what", "class", "iou", "ap", "recall", "precision", "mean_iou", "truths", "found",
    "switches", "mota", "idf1", "wer", "der",
)  # fmt: skip


@click.command()
@project_argument
@click.option("--models", "models", required=True, metavar="NAME[,NAME…]", help="Which models; models list names them.")
@click.option("--samples", metavar="KEY[,KEY…]", help="Only these samples.")
@click.option("--streams", metavar="KEY[,KEY…]", help="Only these streams.")
@click.option("--every", type=click.IntRange(min=1), default=1, show_default=True, help="Look at every so many frames.")
@click.option(
    "--tracker",
    type=click.Choice(("none", "bytetrack", "deepsort")),
    default="none",
    show_default=True,
    help="Join the boxes of a film into tracks.",
)
@click.option("--speakers", type=click.IntRange(min=1), help="How many speak, where a model tells voices apart.")
@click.option("--frames", type=click.IntRange(1, 1000), default=10, show_default=True,
              help="Over how many next pictures a mask is carried, by optical-flow.")  # fmt: skip
@click.option("--trust", metavar="NAME[,NAME…]", help="Models that may run code of their own, as spaCy folders do.")
@click.option("--layer", default="main", show_default=True, help="The layer that proposals go to.")
@click.option("--device", "devices", multiple=True, metavar="DEVICE", help="Only this device, as cpu or cuda.")
@click.option("--map", "maps", multiple=True, metavar="[MODEL:]LABEL=CLASS",
              help="What a model's label means here; kept.")  # fmt: skip
@click.option("--eval", "truth", metavar="LAYER", help="Then score what is proposed against LAYER, taken as truth.")
@click.option("--again", is_flag=True, help="Look at everything again, also where it is finished.")
@acting
@json_option
def prelabel(
    project: Path,
    models: str,
    samples: str | None,
    streams: str | None,
    every: int,
    tracker: str,
    speakers: int | None,
    frames: int,
    trust: str | None,
    layer: str,
    devices: tuple[str, ...],
    maps: tuple[str, ...],
    truth: str | None,
    again: bool,
    person: str | None,
    role: str | None,
    as_json: bool,
) -> int:
    """Let models propose labels in PROJECT. They stay proposed until a person judges them.

    Stored as they come: stopped at any time, the same line goes on where it was. Ends with 1 when a part failed.
    """
    from workstation.app.models import models_shelf
    from workstation.app.prelabelling import Wish, plan, run

    wish = Wish(
        models=_list(models), samples=_list(samples), streams=_list(streams), every=every, tracker=tracker, layer=layer,
        threads=os.cpu_count() or 0, pinned=devices, again=again, speakers=speakers or 0,
        trusted=_list(trust), frames=frames,
    )  # fmt: skip
    with to_write(project, person, role, kind="script", tool="prelabel") as session:
        if maps:
            _keep(session, wish.models, maps)
        planned = plan(session, models_shelf(), wish)
        if not planned.work and not planned.left_out:
            raise UserError("no stream here is of a kind that these models look at")
        for reason in planned.left_out:
            click.echo(f"left out: {reason}", err=True)
        tell = progress_printer("looking")
        faults = run(session, planned, tell=lambda each: tell(each.mark.done, each.mark.total))
        rows = [_row(each) for each in planned.work]
        scores = [] if truth is None else list(_scores(session, planned.work, truth))
    print_rows(rows, columns=_COLUMNS, as_json=as_json, whole=True)
    for fault in faults:
        click.echo(f"Error: {fault}", err=True)
    total = sum(each.proposed for each in planned.work)
    if as_json:
        print_json({"t": "total", "proposed": total, "faults": faults, "left_out": list(planned.left_out)})
    else:
        unmapped = sorted({label for each in planned.work for label in each.left_out})
        if unmapped:
            click.echo(f"No class stands for: {', '.join(unmapped)}. Say it once with --map LABEL=CLASS.")
        click.echo(f"{total} label{'' if total == 1 else 's'} proposed.")
    if truth is not None:
        print_rows(scores, columns=_SCORES, as_json=as_json, whole=True)
        if not scores and not as_json:
            click.echo("No open proposals to score.")
    return 1 if faults or planned.left_out else 0


def _scores(session: Session, work: Sequence[Progress], truth: str) -> Iterator[dict[str, Any]]:
    """Of each sample and model of the job, against a layer."""
    from workstation.app.judged_frames import is_settled
    from workstation.app.prelabel_eval import evaluated
    from workstation.app.reading import Formats
    from workstation.app.sample_view import SampleView
    from workstation.app.streams import OpenStreams

    readers = Formats().readers
    for sample in dict.fromkeys(each.sample for each in work):
        view = SampleView(session.store, sample)
        if not any(is_settled(each, truth) for each in view.annotations.values()):
            click.echo(f"left out: {view.sample.key}: nothing is labelled in the layer {truth[:80]!r}", err=True)
            continue
        names = dict.fromkeys(each.source.name for each in work if each.sample == sample)
        with OpenStreams(session.project.path, readers=readers) as opened:
            for name in names:
                for row in evaluated(view, opened, model=name, layer=truth):
                    yield {"t": "score", "model": name, **row}


def _keep(session: Session, names: tuple[str, ...], maps: tuple[str, ...]) -> None:
    from workstation.app.class_maps import keep_said
    from workstation.app.known_models import model_called
    from workstation.app.models import models_shelf

    ontology = session.store.ontology()
    if ontology is None:
        raise UserError("no version of the ontology is in force, so there is nothing to map to: lock one first")
    shelf = models_shelf()
    keep_said([model_called(shelf, name).manifest for name in names], ontology, maps)


def _row(progress: Progress) -> dict[str, Any]:
    mark = progress.mark
    return {
        "sample": progress.sample_key,
        "stream": progress.assignment.stream.key,
        "model": progress.source.name,
        "runs on": progress.device,
        "looked at": f"{mark.done} of {mark.total}" if mark.total else "",
        "proposed": progress.proposed,
        "known": progress.known or "",
        "left out": dict(progress.left_out),
        "note": "; ".join(progress.notes) or mark.fault,
    }


def _list(text: str | None) -> tuple[str, ...]:
    return () if not text else tuple(part.strip() for part in text.split(",") if part.strip())
