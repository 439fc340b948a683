"""``link``: proposing links by rule from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workstation.cli.acting import acting, project_argument, to_read, to_write
from workstation.cli.output import json_option, print_json, print_rows
from workstation.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workstation.app.sample_view import SampleView
    from workstation.app.session import Session
    from workstation.app.streams import OpenStreams
    from workstation.core.suggestion import Suggestion

RULES = ("time", "projection", "identity", "wording", "voice", "source", "spoken")
_COLUMNS = ("sample", "rule", "link", "ends", "confidence", "evidence")


@click.group()
def link() -> None:
    """Propose links between labels by rule."""


@link.command()
@project_argument
@click.option("--rule", "rules", type=click.Choice(RULES), multiple=True, help="Only this rule; may be given again.")
@click.option("--sample", metavar="KEY", help="Only this sample.")
@click.option("--dry-run", is_flag=True, help="Say what would be proposed and store nothing.")
@acting
@json_option
def suggest(
    project: Path, rules: tuple[str, ...], sample: str | None, dry_run: bool, person: str | None, role: str | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Propose links in PROJECT: time, projection, identity across cameras, wording, voices, sources of sounds, speech.

    They stay proposed until a person accepts or rejects them; exports of labels leave them out. What is linked
    already, or was rejected, is not proposed again. Ends with 1 when a sample was left out, and says why.
    """
    session = to_read(project) if dry_run else to_write(project, person, role, kind="script", tool="link suggest")
    total, left_out = 0, 0
    with session:
        for view, readers in _views(session, sample):
            reason = None if dry_run else session.why_locked(view.id)
            if reason is not None:
                left_out += 1
                click.echo(f"{view.sample.key} is left out: {reason}", err=True)
                continue
            rows, known = _suggested(session, view, readers, rules or RULES, store=not dry_run)
            total += len(rows)
            print_rows(rows, columns=_COLUMNS, as_json=as_json, whole=True)
            if not as_json and known:
                click.echo(f"{view.sample.key}: {known} more are linked already or were rejected.")
    if as_json:
        print_json({"t": "total", "proposed": total, "stored": not dry_run, "left_out": left_out})
    else:
        verb = "would be proposed" if dry_run else "proposed"
        click.echo(f"{total} link{'' if total == 1 else 's'} {verb}.")
    return 1 if left_out else 0


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


def _suggested(
    session: Session, view: SampleView, readers: OpenStreams, rules: tuple[str, ...], *, store: bool
) -> tuple[list[dict[str, Any]], int]:
    from workstation.app.placed_cuboids import PlacedCuboids
    from workstation.app.sightings import Sightings
    from workstation.app.suggesting import propose, suggestions

    found = suggestions(Sightings(view, PlacedCuboids(view, readers), readers), rules)
    ids: list[str] = []
    if store and found.new:
        with session.together(f"Propose {len(found.new)} links by rule") as run:
            ids = propose(run, view, found.new)
    rows = [_row(view, each) for each in found.new]
    for row, made in zip(rows, ids, strict=False):
        row["id"] = made
    return rows, found.known


def _row(view: SampleView, each: Suggestion) -> dict[str, Any]:
    from workstation.app.link_rows import link_type_name

    return {
        "sample": view.sample.key,
        "rule": each.rule,
        "link": link_type_name(view, each.type_id),
        "type_id": each.type_id,
        "ends": " – ".join(view.name_of(end.target) for end in each.ends),
        "targets": [{"role": end.role, "kind": end.kind.value, "target": end.target} for end in each.ends],
        "confidence": each.confidence,
        "evidence": each.evidence,
    }
