"""``export``, ``import`` and ``schema``: projects out and in, and the description of every form."""

from __future__ import annotations

from pathlib import Path

import click

from workstation.cli.acting import project_argument, to_read
from workstation.cli.output import json_option, print_json, progress_printer

FORMATS = ("native", "times")


@click.command(name="export")
@project_argument
@click.option(
    "--format", "format_name", default="native", show_default=True, metavar="NAME", help="The form: native or times."
)
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="The file to write; it must be new."
)
@click.option("--times", is_flag=True, help="Add to the native form when every record is, in the units of the media.")
@click.option("--with-proposals", is_flag=True, help="Keep in the native form what nobody has confirmed yet.")
@json_option
def export(
    project: Path, format_name: str, output: Path, times: bool, with_proposals: bool, as_json: bool
) -> None:  # fmt: skip
    """Write PROJECT to a file. The native form holds everything, history and hashes too, and comes back identical.

    Proposals that nobody has confirmed leave with no export; to move a project as it stands, take --with-proposals.
    The form times says when every label is, in its stream's units and in session time, with the map between.
    """
    from workstation.app.transfer import export_history, find_format

    form = find_format(format_name)
    with to_read(project) as session:
        done = export_history(
            session, form, output, progress=progress_printer("writing"), times=times, proposals=with_proposals
        )
    left = done.left_out
    if as_json:
        counts = {"annotations": len(left.annotations), "links": len(left.links), "entities": len(left.entities)}
        print_json(
            {"file": str(output), "format": form.name, "bytes": done.size, "head": done.head, "left_out": counts}
        )
        return
    click.echo(f"Wrote {output}: {done.size:,} bytes, head {done.head}.")
    if left.words():
        click.echo(f"Left out, since nobody has confirmed them: {left.words()} (--with-proposals keeps them).")


@click.command(name="import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--format", "format_name", default="native", show_default=True, metavar="NAME", help="The form: native.")
@json_option
def import_(file: Path, project: Path, format_name: str, as_json: bool) -> None:
    """Make the new project PROJECT from FILE. All of it is verified on the way in; a bad file leaves nothing behind."""
    from workstation.app.transfer import find_format, import_history

    form = find_format(format_name)
    image = import_history(form, file, project, progress=progress_printer("reading"))
    if as_json:
        print_json(
            {"project": str(project), "name": image.name, "revisions": image.revisions, "head": image.head.hex()}
        )
    else:
        click.echo(f"Made {project} ({image.name}): {image.revisions} revisions, head {image.head.hex()}.")


@click.command()
@click.argument("what", type=click.Choice(("records", "commands", "ontology", "native")))
@click.option("--markdown", is_flag=True, help="For commands: the chapter of the manual instead of the schema.")
def schema(what: str, markdown: bool) -> None:
    """Print the JSON Schema of records, commands, ontology or native form."""
    from workstation.app.schemas import commands_manual, schema_of

    if not markdown:
        print_json(schema_of(what))
    elif what == "commands":
        click.echo(commands_manual(), nl=False)
    else:
        raise click.UsageError("--markdown is for commands")
