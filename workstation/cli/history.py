"""``history``, ``audit`` and ``provenance``: what happened, whether it is whole, and where a record comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from workstation.cli.acting import acting, project_argument, to_read, to_write
from workstation.cli.default_group import DefaultGroup
from workstation.cli.listing import WHAT
from workstation.cli.output import json_option, print_json, print_rows, progress_printer


@click.group(cls=DefaultGroup, default="list")
def history() -> None:
    """What happened in a project. `workstation history PROJECT` lists it, newest first."""


@history.command(name="list")
@project_argument
@click.option("--sample", metavar="KEY", help="Only what touched this sample.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most this many.")
@click.option("--before", type=int, metavar="REV", help="Only revisions before this one, to page back.")
@json_option
def list_revisions(project: Path, sample: str | None, limit: int, before: int | None, as_json: bool) -> None:
    """List the revisions of PROJECT, newest first."""
    from workstation.app.timeline import REVISION_COLUMNS, revision_rows

    with to_read(project) as session:
        found = None if sample is None else session.open_sample(sample)
        rows = revision_rows(session.store, sample=found, limit=limit, before=before)
        print_rows(rows, columns=REVISION_COLUMNS, as_json=as_json)


@history.command()
@project_argument
@click.argument("rev", type=int)
@json_option
def show(project: Path, rev: int, as_json: bool) -> None:
    """Show what revision REV of PROJECT changed."""
    from workstation.app.timeline import CHANGE_COLUMNS, change_rows

    with to_read(project) as session:
        print_rows(change_rows(session.store, rev), columns=CHANGE_COLUMNS, as_json=as_json)


@history.command()
@project_argument
@click.argument("a", type=int)
@click.argument("b", type=int)
@json_option
def diff(project: Path, a: int, b: int, as_json: bool) -> int:
    """List what is not the same in revisions A and B of PROJECT. Ends with 1 when something differs."""
    from workstation.app.timeline import DIFFERENCE_COLUMNS, difference_rows

    with to_read(project) as session:
        count = print_rows(difference_rows(session.store, a, b), columns=DIFFERENCE_COLUMNS, as_json=as_json)
    if not count and not as_json:
        click.echo(f"Revisions {a} and {b} hold the same.")
    return 1 if count else 0


@history.command()
@project_argument
@click.argument("rev", type=int)
@click.argument("what", type=click.Choice(WHAT), default="annotations")
@click.option("--sample", metavar="KEY", help="Only of this sample.")
@click.option("--filter", "filters", multiple=True, metavar="NAME=VALUE", help="As in `workstation list`.")
@json_option
def view(project: Path, rev: int, what: str, sample: str | None, filters: tuple[str, ...], as_json: bool) -> None:
    """List what was in PROJECT at revision REV, as `workstation list` would have then."""
    from workstation.app.listing import listing, rows_of

    with to_read(project) as session, session.store.view(rev) as then:
        found = None
        if sample is not None:
            kept = then.sample_by_key(sample)
            found = None if kept is None else kept.id
            if found is None:
                raise click.BadParameter(f"revision {rev} has no sample {sample!r}", param_hint="--sample")
        rows = rows_of(then, what, sample=found, filters=filters)
        print_rows(rows, columns=listing(what).columns, as_json=as_json)


@history.command()
@project_argument
@click.argument("rev", type=int)
@click.option("--sample", metavar="KEY", help="Bring back only this sample.")
@acting
@json_option
def restore(project: Path, rev: int, sample: str | None, person: str | None, role: str | None, as_json: bool) -> None:
    """Make PROJECT what it was at revision REV, as a new revision; the later ones stay in the history."""
    with to_write(project, person, role, tool="restore") as session:
        found = None if sample is None else session.open_sample(sample)
        changes = session.store.restore(rev, sample=found)
    if as_json:
        print_json(None if changes is None else {"rev": changes.rev, "records": len(changes)})
    elif changes is None:
        click.echo(f"The project already is what it was at revision {rev}.")
    else:
        click.echo(f"Restored revision {rev} as revision {changes.rev}: {len(changes)} records.")


@click.group()
def audit() -> None:
    """Whether the history of a project is whole and unchanged."""


@audit.command()
@project_argument
@click.option("--against", metavar="HASH", help="A head hash written down earlier: the history must contain it.")
@json_option
def verify(project: Path, against: str | None, as_json: bool) -> int:
    """Check every entry of the history of PROJECT and everything computed from it. Ends with 1 at a bad entry."""
    with to_read(project) as session:
        report = session.store.verify(against=against, progress=progress_printer("checking"))
        head = session.store.head_hash()
    if as_json:
        problems = [str(entry) for entry in report.entries]
        print_json({"intact": report.intact, "head": head, "revisions": report.revisions, "problems": problems})
    elif report.intact:
        click.echo(f"Intact: {report.revisions} revisions, head {head}.")
    else:
        for entry in report.entries:
            click.echo(str(entry))
    return 0 if report.intact else 1


@audit.command()
@project_argument
@json_option
def head(project: Path, as_json: bool) -> None:
    """Print the hash of the newest revision of PROJECT: written down, it proves later that nothing was changed."""
    with to_read(project) as session:
        found, rev = session.store.head_hash(), session.store.head()
    if as_json:
        print_json({"rev": rev, "head": found})
    else:
        click.echo(found)


@audit.command()
@project_argument
@json_option
def refusals(project: Path, as_json: bool) -> None:
    """List what was refused in PROJECT for want of a right."""
    from workstation.app.timeline import REFUSAL_COLUMNS, refusal_rows

    with to_read(project) as session:
        print_rows(refusal_rows(session.store), columns=REFUSAL_COLUMNS, as_json=as_json)


@click.command()
@project_argument
@click.argument("record_id", metavar="ID")
@json_option
def provenance(project: Path, record_id: str, as_json: bool) -> None:
    """Print where a record of PROJECT comes from.

    Who or what made, edited and judged it, when, in which role, with which tool or model, under which ontology.

    ID is an id or the beginning of one; deleted records are found by their whole id.
    """
    from workstation.app.provenance import provenance_rows

    with to_read(project) as session:
        for row in provenance_rows(session.store, record_id):
            if as_json:
                print_json(row)
            else:
                _tell(row)


def _tell(row: dict[str, Any]) -> None:
    """One step in a line, and below it what more is known."""
    said = ("rev", "when", "event", "who", "as", "role", "label", "id")
    if "rev" in row:
        who = ", ".join(str(row[name]) for name in ("as", "role") if name in row)
        click.echo(f"{row['rev']:>6}  {row['when']}  {row['event']} by {row['who']} ({who}): {row['label']}")
    else:
        click.echo(f"   now  {row['kind']} {row['id']}")
    for name, value in row.items():
        if name not in said:
            text = ", ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else value
            text = ", ".join(map(str, value)) if isinstance(value, list) else text
            click.echo(f"        {name}: {text}")
