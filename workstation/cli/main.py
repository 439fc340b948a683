"""The command line: the table of verbs, the exit codes, and the border at which errors become sentences.

Called by ``workstation.__main__``. A verb is a click command in a module of this folder and one row of ``VERBS``;
the row carries the line that ``--help`` shows, so that listing the verbs imports none of them.
"""

from __future__ import annotations

import importlib
import logging
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from workstation import __version__
from workstation.cli.windows import Windows
from workstation.core.errors import UserError

FINE, FOUND_SOMETHING, COULD_NOT = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Verb:
    """Where the command is: ``module`` under ``workstation.cli``, ``attribute`` in it; and what it does, in a line."""

    module: str
    attribute: str
    summary: str


VERBS: dict[str, Verb] = {
    "demo": Verb("demo", "demo", "Make a demo project in FOLDER, and show a moment of it."),
    "new": Verb("projects", "new", "Make a project in the folder PROJECT, which you then lead."),
    "add": Verb("projects", "add", "Add FILES to PROJECT as streams of a sample, or a whole folder as what it holds."),
    "open": Verb("projects", "open_", "Open PROJECT in the window."),
    "info": Verb("projects", "info", "Say what PROJECT holds."),
    "relink": Verb("projects", "relink", "Find media of PROJECT again under FOLDER, by content."),
    "ontology": Verb("ontology", "ontology", "Show, check, compare, draft, review and lock the ontology."),
    "annotate": Verb("edits", "annotate", "Run the edits in FILE, one JSON object a line; - is standard input."),
    "undo": Verb("edits", "undo", "Take back your last step in PROJECT, as a new revision."),
    "redo": Verb("edits", "redo", "Do again in PROJECT what you took back last."),
    "list": Verb("listing", "list_", "List what is in PROJECT: one row each."),
    "find": Verb("find", "find", "Find moments of PROJECT by a SENTENCE about what is labelled and how it is related."),
    "history": Verb("history", "history", "What happened in a project."),
    "audit": Verb("history", "audit", "Whether the history of a project is whole and unchanged."),
    "provenance": Verb("history", "provenance", "Print where a record of PROJECT comes from."),
    "export": Verb("exchange", "export", "Write PROJECT to a file."),
    "import": Verb("exchange", "import_", "Make the new project PROJECT from FILE."),
    "schema": Verb("exchange", "schema", "Print the JSON Schema of records, commands, ontology or native form."),
    "backup": Verb("safety", "backup", "The snapshots of a project: list them, make one, make a project from one."),
    "salvage": Verb("safety", "salvage", "Make the new project DESTINATION from what can be read of SOURCE."),
    "predictions": Verb(
        "predictions", "predictions", "Bring in predictions made elsewhere, and compare them with the labels."
    ),
    "link": Verb("linking", "link", "Propose links between labels by rule."),
    "sync": Verb("sync", "sync", "Show the clocks of samples, check and measure them, and align streams."),
    "validate": Verb("validate", "validate", "Check PROJECT, and print what is wrong with its labels and links."),
    "report": Verb(
        "validate",
        "report",
        "Reports on a project: how good its checks are, guideline read, offsets of sound, calibration of cameras.",
    ),
    "models": Verb("models", "models", "List, install, add, try and remove models, and say what they run on."),
    "prelabel": Verb("prelabel", "prelabel", "Let models propose labels in PROJECT."),
    "inject": Verb("inject", "inject", "Plant known errors into COPY, a new copy of PROJECT, at most one a sample."),
    "copy": Verb("copying", "copy", "Copy the project SOURCE to the new folder DESTINATION."),
    "screenshot": Verb("screenshot", "screenshot", "Draw the window on PROJECT into a PNG file, without a display."),
    "selftest": Verb("selftest", "selftest", "Answer the four questions of consistency by doing."),
    "bench": Verb("bench", "bench", "Measure what this machine makes of the program."),
    "completion": Verb("completion", "completion", "Print the completion script of a shell."),
    "doctor": Verb("doctor", "doctor", "Say what this machine has and lacks, and how to mend it."),
}


class VerbGroup(click.Group):
    """Imports a verb's module when the verb is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs, as people look for them."""
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself; imports its module."""
        verb = VERBS.get(cmd_name)
        if verb is None:
            return None
        command = getattr(importlib.import_module(f"workstation.cli.{verb.module}"), verb.attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"workstation.cli.{verb.module}.{verb.attribute} is not a click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of verbs, from the table alone."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, VERBS[name].summary) for name in self.list_commands(ctx)])


@click.group(cls=VerbGroup, context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.version_option(__version__, prog_name="workstation")
@click.pass_context
def cli(context: click.Context) -> int | None:
    """Label video, sound, point clouds, text and medical series of one moment, and the links between them.

    Every verb has its own --help and prints for programs with --json.
    Ends with 0 (fine), 1 (found something) or 2 (could not).
    With no verb, or with the folder of a project in its place, it opens the window.
    """
    if context.invoked_subcommand is not None:
        return None
    windows = context.obj
    if not isinstance(windows, Windows) or not windows.available():
        click.echo(context.get_help())
        return COULD_NOT
    return windows.show(None)


def main(arguments: Sequence[str], *, windows: Windows | None = None) -> int:
    """Run one command line and return its exit code. Never raises. ``windows`` opens windows, where there are any."""
    if len(arguments) == 1 and arguments[0] not in VERBS and Path(arguments[0]).is_dir():
        arguments = ["open", arguments[0]]
    if arguments and not any(word in VERBS for word in arguments):
        return _run(arguments, windows)
    from workstation.app.log import crash_file, program_log

    with program_log(), crash_file():
        return _run(arguments, windows)


def _run(arguments: Sequence[str], windows: Windows | None) -> int:
    try:
        result = cli.main(list(arguments), prog_name="workstation", standalone_mode=False, obj=windows)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.Abort:
        click.echo("Interrupted.", err=True)
        return COULD_NOT
    except click.ClickException as problem:
        problem.show()
        return COULD_NOT
    except UserError as problem:
        click.echo(f"Error: {problem}", err=True)
        return COULD_NOT
    except BrokenPipeError:
        # The reader of our output has left (`| head`); Python would complain once more while closing it.
        sys.stdout = None
        return COULD_NOT
    except Exception:
        logging.getLogger(__name__).exception("the command line ended with a bug")
        traceback.print_exc()
        click.echo("This is a fault of the program, not yours. Please report it with the lines above.", err=True)
        return COULD_NOT
    return result if isinstance(result, int) else FINE
