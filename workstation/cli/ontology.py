"""``ontology``: the versions of a project's ontology, from draft to lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from workstation.cli.acting import acting, project_argument, to_read, to_write
from workstation.cli.output import json_option, print_facts, print_json, print_rows

_VERSION = click.option("--number", type=int, metavar="N", help="The version; the one in force when left out.")
_PROBLEMS = ("place", "problem")


@click.group()
def ontology() -> None:
    """Show, check, compare, draft, review and lock the ontology."""


@ontology.command()
@project_argument
@_VERSION
@click.option("--classes", is_flag=True, help="The class tree.")
@click.option("--text", is_flag=True, help="The YAML as it was written.")
@json_option
def show(project: Path, number: int | None, classes: bool, text: bool, as_json: bool) -> None:
    """Show a version of the ontology of PROJECT."""
    from workstation.app.ontologies import class_rows, describe_version, find_version

    with to_read(project) as session:
        version = find_version(session, number)
    if text:
        click.echo(version.text, nl=False)
    elif classes:
        print_rows(class_rows(version), columns=("class", "name", "key", "retired"), as_json=as_json)
    elif as_json:
        print_json(describe_version(version))
    else:
        print_facts(describe_version(version))


@ontology.command()
@click.argument("target", metavar="PROJECT|FILE", type=click.Path(path_type=Path, exists=True))
@_VERSION
@json_option
def check(target: Path, number: int | None, as_json: bool) -> int:
    """Check an ontology file, or a version in a project. Ends with 1 when something is wrong."""
    from workstation.app.ontologies import check_file, check_version

    if target.is_dir():
        with to_read(target) as session:
            problems = check_version(session, number)
    else:
        problems = check_file(target)
    print_rows(problems, columns=_PROBLEMS, as_json=as_json)
    if not problems and not as_json:
        click.echo("Nothing is wrong with it.")
    return 1 if problems else 0


@ontology.command(name="history")
@project_argument
@json_option
def versions(project: Path, as_json: bool) -> None:
    """List the versions of the ontology of PROJECT."""
    from workstation.app.ontologies import version_rows

    columns = ("number", "state", "author", "reviewer", "locked", "parent", "note")
    with to_read(project) as session:
        if not print_rows(version_rows(session), columns=columns, as_json=as_json) and not as_json:
            click.echo("This project has no ontology yet; bring one in with workstation ontology draft.")


@ontology.command()
@project_argument
@click.argument("a", type=int)
@click.argument("b", type=int)
@json_option
def diff(project: Path, a: int, b: int, as_json: bool) -> int:
    """Say in words what changed from version A to version B. Ends with 1 when something did."""
    from workstation.app.ontologies import difference_rows

    with to_read(project) as session:
        found = difference_rows(session, a, b)
    _say(found, as_json, nothing=f"Versions {a} and {b} say the same.")
    return 1 if found else 0


@ontology.command()
@project_argument
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--note", default="", help="What changed and why.")
@click.option("--number", type=int, metavar="N", help="Change this draft instead of making a new one.")
@acting
@json_option
def draft(
    project: Path, file: Path, note: str, number: int | None, person: str | None, role: str | None, as_json: bool
) -> None:
    """Bring FILE into PROJECT as a draft of the next version."""
    from workstation.app.opening import read_ontology_text

    with to_write(project, person, role, tool="ontology draft") as session:
        made = session.run("ontology.draft", text=read_ontology_text(file), note=note, number=number)
    _done(as_json, f"Version {made} is a draft.", number=made, state="draft")


@ontology.command()
@project_argument
@click.argument("number", type=int)
@click.option("--accept/--send-back", default=True, show_default=True, help="Accept it, or give it back to its author.")
@click.option(
    "--reason", "reasons", multiple=True, metavar="CLASS/MODALITY=WHY", help="Why a class has no place there."
)
@click.option("--note", default="", help="What the reviewer says.")
@acting
@json_option
def review(
    project: Path, number: int, accept: bool, reasons: tuple[str, ...], note: str,
    person: str | None, role: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Review version NUMBER; a draft is submitted for review first, if you may."""
    from workstation.app.ontologies import submit_if_draft

    given = dict(_pair(reason) for reason in reasons)
    with to_write(project, person, role, tool="ontology review") as session, session.together("Review") as run:
        submit_if_draft(session, run, number)
        run("ontology.review", number=number, accept=accept, reasons=given, note=note)
    _done(as_json, f"Version {number} is {'accepted' if accept else 'a draft again'}.", number=number, accepted=accept)


@ontology.command()
@project_argument
@click.argument("number", type=int)
@click.option("--dry-run", is_flag=True, help="Only say what it would do to the labels.")
@acting
@json_option
def lock(project: Path, number: int, dry_run: bool, person: str | None, role: str | None, as_json: bool) -> None:
    """Put the accepted version NUMBER in force, for every modality at once, and carry out its migration."""
    from workstation.app.ontologies import forecast_lines

    if dry_run:
        with to_read(project) as session:
            lines = forecast_lines(session, number)
    else:
        with to_write(project, person, role, tool="ontology lock") as session:
            lines = list(session.run("ontology.lock", number=number).lines)
    state = "would be locked" if dry_run else "is locked"
    _done(as_json, f"Version {number} {state}.", number=number, locked=not dry_run, labels=lines)


@ontology.command()
@project_argument
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--note", default="", help="What changed and why.")
@click.option(
    "--reason", "reasons", multiple=True, metavar="CLASS/MODALITY=WHY", help="Why a class has no place there."
)
@click.option("--yes", is_flag=True, help="Do it; otherwise only what it would do is said.")
@acting
@json_option
def apply(
    project: Path, file: Path, note: str, reasons: tuple[str, ...], yes: bool,
    person: str | None, role: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Draft, review and lock FILE in one step, for a lead who answers for it. Says first what it would do."""
    from workstation.app.ontologies import apply_file

    given = dict(_pair(reason) for reason in reasons)
    with to_write(project, person, role, tool="ontology apply") as session:
        number, lines = apply_file(session, file, note=note, reasons=given, really=yes)
    said = f"Version {number} is locked." if yes else f"It would become version {number}; say --yes to do it."
    _done(as_json, said, number=number, locked=yes, labels=lines)


@ontology.command()
@project_argument
@click.argument("number", type=int)
@click.option("--reason", default="", help="Why it is given up.")
@acting
@json_option
def withdraw(project: Path, number: int, reason: str, person: str | None, role: str | None, as_json: bool) -> None:
    """Give up version NUMBER, which is not locked."""
    with to_write(project, person, role, tool="ontology withdraw") as session:
        session.run("ontology.withdraw", number=number, reason=reason)
    _done(as_json, f"Version {number} is withdrawn.", number=number, state="withdrawn")


@ontology.command()
@project_argument
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="The file to write; must be new.")
@_VERSION
@json_option
def export(project: Path, output: Path, number: int | None, as_json: bool) -> None:
    """Write a version of the ontology of PROJECT to a file, word for word."""
    from workstation.app.ontologies import export_version

    with to_read(project) as session:
        version = export_version(session, number, output)
    _done(as_json, f"Wrote version {version} to {output}.", number=version, file=str(output))


def _pair(text: str) -> tuple[str, str]:
    name, sign, why = text.partition("=")
    if not sign:
        raise click.BadParameter(f"write CLASS/MODALITY=WHY, not {text!r}", param_hint="--reason")
    return name, why


def _say(rows: Iterable[Mapping[str, object]], as_json: bool, *, nothing: str) -> None:
    listed = list(rows)
    if as_json:
        print_rows(listed, columns=(), as_json=True)
        return
    for row in listed:
        click.echo(str(row["text"]))
    if not listed:
        click.echo(nothing)


def _done(as_json: bool, sentence: str, **facts: object) -> None:
    if as_json:
        print_json(facts)
        return
    click.echo(sentence)
    labels = facts.get("labels")
    for line in labels if isinstance(labels, list) else []:
        click.echo(f"  {line}")
