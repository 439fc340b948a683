"""``annotate``, ``undo`` and ``redo``: changes from the command line."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from workstation.cli.acting import KINDS, acting, project_argument, to_write
from workstation.cli.output import json_option, print_json

if TYPE_CHECKING:
    from workstation.app.scripted import Outcome


@click.command()
@project_argument
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--atomic", is_flag=True, help="All lines as one step, or none of them.")
@click.option(
    "--by",
    "kind",
    type=click.Choice(KINDS),
    default="person",
    show_default=True,
    help="On whose word: a model may only propose, and only a person confirms links.",
)
@click.option("--label", default="Scripted edits", show_default=True, help="The name of the step, with --atomic.")
@acting
@json_option
def annotate(
    project: Path, file: Path, atomic: bool, kind: str, label: str, person: str | None, role: str | None, as_json: bool
) -> int:
    """Run the edits in FILE, one JSON object a line; - is standard input.

    They go through the very commands that the window uses:

    {"do": "annotation.add", "sample": "drive-1", "stream": "front", "class_id": "car", "shape": {…}, "as": "car"}

    Each line is acknowledged once it is durable. "as" names the id that a line makes; later lines say "$car".
    Refused lines are reported and the others kept; ends with 1 if any was refused.
    The commands and their arguments: workstation schema commands.
    """
    from workstation.app.scripted import run_script, run_script_together

    refused = 0
    with ExitStack() as stack:
        session = stack.enter_context(to_write(project, person, role, kind=kind, tool="annotate"))
        source = _opened(stack, file)
        outcomes = run_script_together(session, source, label) if atomic else run_script(session, source)
        for outcome in outcomes:
            refused += outcome.error is not None
            _acknowledge(outcome, as_json)
        if atomic and refused:
            click.echo("Nothing was stored: --atomic keeps all lines or none.", err=True)
    return 1 if refused else 0


def _opened(stack: ExitStack, file: Path) -> BinaryIO:
    if str(file) == "-":
        return sys.stdin.buffer
    try:
        return stack.enter_context(file.open("rb"))
    except OSError as error:
        from workstation.core.errors import DataError

        raise DataError(f"cannot be read: {error.strerror}", path=file) from error


def _acknowledge(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        row: dict[str, Any] = {"line": outcome.line, "ok": outcome.error is None, "do": outcome.do}
        print_json(row | ({"result": outcome.result} if outcome.error is None else {"error": outcome.error}))
    elif outcome.error is None:
        made = outcome.result
        shown = " ".join(map(str, made)) if isinstance(made, tuple | list) else "" if made is None else str(made)
        click.echo(f"{outcome.line}: {outcome.do} {shown}".rstrip())
    else:
        click.echo(f"line {outcome.line}: {outcome.error}", err=True)
    sys.stdout.flush()  # whoever waits for the acknowledgement waits behind a pipe


def _step(
    project: Path,
    person: str | None,
    role: str | None,
    group: str | None,
    rev: int | None,
    sample: str | None,
    as_json: bool,
    *,
    forward: bool,
) -> int:
    verb = "redo" if forward else "undo"
    with to_write(project, person, role, tool=verb) as session:
        if sample is not None:
            session.open_sample(sample)
        result = (session.redo if forward else session.undo)(group=group, rev=rev)
    if as_json:
        print_json(
            None
            if result is None
            else {"rev": result.changes.rev, "label": result.label, "revisions": result.revisions}
        )
    elif result is None:
        click.echo(f"There is nothing to {verb}.")
    else:
        done = "Did again" if forward else "Took back"
        click.echo(
            f"{done} “{result.label}” (revision {', '.join(map(str, result.revisions))}),"
            f" as revision {result.changes.rev}."
        )
    return 1 if result is None else 0


@click.command()
@project_argument
@click.option("--group", metavar="ID", help="Take back a job, an import or a script by its group.")
@click.option("--rev", type=int, metavar="REV", help="Take back one revision, also somebody else's.")
@click.option("--sample", metavar="KEY", help="Only steps on this sample.")
@acting
@json_option
def undo(
    project: Path,
    group: str | None,
    rev: int | None,
    sample: str | None,
    person: str | None,
    role: str | None,
    as_json: bool,
) -> int:
    """Take back your last step in PROJECT, as a new revision. Ends with 1 when there is none."""
    return _step(project, person, role, group, rev, sample, as_json, forward=False)


@click.command()
@project_argument
@click.option("--group", metavar="ID", help="Do a job, an import or a script again by its group.")
@click.option("--rev", type=int, metavar="REV", help="Do one revision again.")
@click.option("--sample", metavar="KEY", help="Only steps on this sample.")
@acting
@json_option
def redo(
    project: Path,
    group: str | None,
    rev: int | None,
    sample: str | None,
    person: str | None,
    role: str | None,
    as_json: bool,
) -> int:
    """Do again in PROJECT what you took back last. Ends with 1 when there is nothing."""
    return _step(project, person, role, group, rev, sample, as_json, forward=True)
