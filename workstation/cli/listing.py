"""``list``: everything in a project, as rows."""

from __future__ import annotations

from pathlib import Path

import click

from workstation.cli.acting import to_read
from workstation.cli.output import json_option, print_rows

WHAT = (
    "samples", "streams", "annotations", "entities", "links", "keyframes", "words", "stale", "queue", "parked",
    "people", "comments", "verdicts", "decisions",
)  # fmt: skip


@click.command(name="list")
@click.argument("project")
@click.argument("what", metavar="[" + "|".join(WHAT) + "]")
@click.option("--sample", metavar="KEY", help="Only of this sample.")
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="NAME=VALUE",
    help="Only rows that fit: name=value, name!=value or name~part; may be repeated.",
)
@click.option("--limit", type=click.IntRange(min=0), help="At most this many.")
@json_option
def list_(
    project: str, what: str, sample: str | None, filters: tuple[str, ...], limit: int | None, as_json: bool
) -> None:
    """List what is in PROJECT: one row each. With --json, one object a line with every field.

    The two arguments may come in either order: `list links my-drive` as well.
    """
    from workstation.app.listing import listing, rows_of

    if project in WHAT and what not in WHAT:
        project, what = what, project
    listed = listing(what)
    path = Path(project)
    if not path.exists():
        raise click.BadParameter(f"there is no project {project!r}", param_hint="PROJECT")
    with to_read(path) as session:
        found = None if sample is None else session.open_sample(sample)
        rows = rows_of(session.store, what, sample=found, filters=filters, limit=limit)
        count = print_rows(rows, columns=listed.columns, as_json=as_json)
    if not count and not as_json:
        click.echo(f"No {what} here.")
