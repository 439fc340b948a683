"""How every verb prints: for people by default, for programs with ``--json``; and the progress of long work."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print for programs: JSON.")
_PROGRESS_EVERY_S = 0.25
_WIDEST = 60


def print_json(value: object) -> None:
    """One JSON document, or one line of a stream of them."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


def print_rows(
    rows: Iterable[Mapping[str, object]], *, columns: Sequence[str], as_json: bool, whole: bool = False
) -> int:
    """Rows as a table for people (columns that are wholly empty left out), as JSON Lines for programs. Counts them.

    Long cells are cut, unless the ``whole`` of them is asked for.
    """
    if as_json:
        count = 0
        for row in rows:
            print_json(row)
            count += 1
        return count
    table = [[_cell(row.get(name)) for name in columns] for row in rows]
    shown = [i for i, _ in enumerate(columns) if any(line[i] for line in table)]
    widths = {
        i: min(10_000 if whole else _WIDEST, max(len(columns[i]), *(len(line[i]) for line in table))) for i in shown
    }
    for line in [list(columns), *table] if table else []:
        click.echo("  ".join(_cut(line[i], widths[i]).ljust(widths[i]) for i in shown).rstrip())
    return len(table)


def print_facts(facts: Mapping[str, object]) -> None:
    """Names and values, one a line."""
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        text = _cell(value)
        if text:
            click.echo(f"{name.replace('_', ' '):<{width}}  {text}")


def progress_printer(what: str) -> Callable[[int, int], None]:
    """Tells how far long work has come, on standard error, and only to a person who looks."""
    if not sys.stderr.isatty():
        return _silent
    last = 0.0

    def tell(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < _PROGRESS_EVERY_S and done < total:
            return
        last = now
        share = f"{100 * done // total} %" if total else f"{done:,}"
        click.echo(f"\r{what}: {share}", nl=done >= total > 0, err=True)

    return tell


def _silent(_done: int, _total: int) -> None:
    return


def _cell(value: object) -> str:
    if value is None or value == () or value == {} or value == []:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={_cell(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_cell(each) for each in value)
    text = value if isinstance(value, str) else f"{value}"
    return "".join(char if char.isprintable() else " " for char in text)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
