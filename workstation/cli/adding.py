"""How ``add`` shows what a folder would become, asks, and writes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workstation.cli.acting import to_write
from workstation.cli.output import print_json, print_rows, progress_printer

if TYPE_CHECKING:
    from workstation.app.proposing import Proposal
    from workstation.media.base import Options, OptionValue


def options_of(stated: tuple[str, ...]) -> Options:
    """``NAME=VALUE`` as readers take them: whole numbers, numbers and yes or no as such, the rest as text."""
    found: dict[str, OptionValue] = {}
    for each in stated:
        name, equals, value = each.partition("=")
        if not equals or not name.strip():
            raise click.UsageError(f"--option is NAME=VALUE, not {each!r}")
        found[name.strip()] = _value(value.strip())
    return found


def _value(text: str) -> OptionValue:
    if text.lower() in ("true", "yes", "false", "no"):
        return text.lower() in ("true", "yes")
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def add_folder(
    project: Path, folder: Path, *, yes: bool, invert: tuple[str, ...], encoding: str, options: Options,
    person: str | None, role: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Propose; write if agreed."""
    from workstation.app.proposing import proposed, write_proposal
    from workstation.app.reading import Formats

    formats = Formats()
    proposal = proposed(folder, formats, invert=invert, encoding=encoding, options=options)
    if not as_json:
        _show(proposal)
        for problem in formats.problems:
            click.echo(f"plug-in not used: {problem.reason}", err=True)
    agreed = yes or (not as_json and sys.stdin.isatty() and click.confirm("Add this?", default=False))
    written = 0
    if agreed:
        with to_write(project, person, role, tool="add") as session:
            written = len(write_proposal(session, proposal, progress=progress_printer("reading")))
    if as_json:
        print_json(_as_json(proposal, written=agreed))
    else:
        click.echo(f"Added {written} streams." if agreed else "Nothing was written; agree with --yes.")


def _show(proposal: Proposal) -> None:
    click.echo(f"{proposal.folder}: {proposal.title}")
    print_rows(_stream_rows(proposal), columns=("sample", "stream", "kind", "files", "clock", "reader"), as_json=False)
    for sample in proposal.samples:
        if sample.rig is not None:
            for mount in sample.rig.mounts:
                click.echo(f"{sample.key}: {mount.frame.name} on {mount.frame.parent} ({mount.stated})")
    for doubt in proposal.doubts:
        click.echo(f"look at this: {doubt}")
    for note in (
        *proposal.notes,
        *(f"{s.key}/{t.key}: {n}" for s in proposal.samples for t in s.streams for n in t.notes),
    ):
        click.echo(f"note: {note}")
    for line in _skipped_lines(proposal):
        click.echo(f"skipped: {line}")


def _skipped_lines(proposal: Proposal) -> Iterator[str]:
    """Neighbours skipped for one reason on one line; --json names every file."""
    for (_, reason), items in groupby(proposal.skipped, key=lambda item: (item.path.parent, item.reason)):
        names = [_relative(item.path, proposal.folder) for item in items]
        files = names[0] if len(names) == 1 else f"{names[0]} … {names[-1]} ({len(names)} files)"
        yield f"{files}: {reason}"


def _stream_rows(proposal: Proposal) -> Iterator[dict[str, Any]]:
    for sample in proposal.samples:
        for stream in sample.streams:
            names = [_relative(path, proposal.folder) for path in stream.files]
            files = names[0] if len(names) == 1 else f"{names[0]} … {names[-1]} ({len(names)})"
            yield {
                "sample": sample.key, "stream": stream.key, "kind": stream.kind.value, "files": files,
                "clock": stream.clock_source or stream.clock, "reader": stream.reader,
            }  # fmt: skip


def _as_json(proposal: Proposal, *, written: bool) -> dict[str, Any]:
    return {
        "folder": str(proposal.folder),
        "layout": proposal.layout,
        "written": written,
        "files": [{"file": _relative(path, proposal.folder), "goes": goes} for path, goes in proposal.destinations()],
        "doubts": list(proposal.doubts),
        "notes": list(proposal.notes),
    }


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
