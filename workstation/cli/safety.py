"""``backup`` and ``salvage``: copies of a project that can be trusted, and what can be saved of a damaged one."""

from __future__ import annotations

from pathlib import Path

import click

from workstation.cli.acting import project_argument
from workstation.cli.output import json_option, print_json, print_rows

COLUMNS = ("file", "made", "reason", "rev", "size", "head_hash", "trouble")


@click.group()
def backup() -> None:
    """The snapshots of a project: list them, make one, make a project from one."""


@backup.command(name="list")
@project_argument
@click.option("--check", is_flag=True, help="Read each one and compare it with its hash.")
@json_option
def list_backups(project: Path, check: bool, as_json: bool) -> int:
    """List the snapshots of PROJECT, newest first. With --check, ends with 1 when one is damaged."""
    from workstation.app.snapshots import snapshot_rows

    rows = list(snapshot_rows(project, check=check))
    if not print_rows(rows, columns=COLUMNS, as_json=as_json) and not as_json:
        click.echo("No backups yet.")
    return 1 if any(row["trouble"] for row in rows) else 0


@backup.command()
@project_argument
@json_option
def make(project: Path, as_json: bool) -> None:
    """Make a verified snapshot of PROJECT now, also while somebody works on it."""
    from workstation.app.snapshots import snapshot_now

    row = snapshot_now(project)
    if as_json:
        print_json(row)
    else:
        click.echo(f"Made {row['file']}: revision {row['rev']}, {row['size']:,} bytes.")


@backup.command()
@project_argument
@click.argument("file")
@click.argument("destination", type=click.Path(path_type=Path))
@json_option
def restore(project: Path, file: str, destination: Path, as_json: bool) -> None:
    """Make the new project DESTINATION from the snapshot FILE of PROJECT; nothing is written over."""
    from workstation.app.snapshots import restore_from

    made = restore_from(project, file, destination)
    if as_json:
        print_json({"project": str(made)})
    else:
        click.echo(f"Made {made}. Media that are not found there are found again with workstation relink.")


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.argument("destination", type=click.Path(path_type=Path))
@json_option
def salvage(source: Path, destination: Path, as_json: bool) -> int:
    """Make the new project DESTINATION from what can be read of SOURCE.

    For a damaged project; says what is lost.
    Ends with 1 when something is lost, parked, or came back in an older state.
    """
    from workstation.app.snapshots import salvage_into

    sentences, whole = salvage_into(source, destination)
    if as_json:
        print_json({"destination": str(destination), "whole": whole, "report": sentences})
    else:
        for sentence in sentences:
            click.echo(sentence)
    return 0 if whole else 1
