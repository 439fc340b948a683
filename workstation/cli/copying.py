"""``copy``: a project in another folder, with an identity of its own."""

from __future__ import annotations

from pathlib import Path

import click

from workstation.cli.output import json_option, print_json


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.argument("destination", type=click.Path(path_type=Path))
@json_option
def copy(source: Path, destination: Path, as_json: bool) -> None:
    """Copy the project SOURCE to the new folder DESTINATION.

    It works also while somebody has the project open. History and copied-in media come along; caches and backups do
    not. The copy gets a replica id of its own, so that work in both can be told apart.
    """
    from workstation.app.copying import copy_folder

    made = copy_folder(source, destination)
    if as_json:
        print_json(made)
    else:
        click.echo(f"Made {made['project']}: revision {made['revision']}, replica {made['replica']}.")
