"""``workstation doctor``."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import click


@click.command()
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="Where projects will be kept; your documents folder, or the current one, when not given.",
)
@click.option("--json", "as_json", is_flag=True, help="Print for programs.")
def doctor(folder: Path | None, as_json: bool) -> int:
    """Say what this machine has and lacks, and how to mend it.

    Ends with 0 when nothing needed is missing, with 1 otherwise.
    """
    from workstation import __version__
    from workstation.app.doctor import State, examine, nothing_needed_is_missing

    checks = examine(folder)
    fine = nothing_needed_is_missing(checks)
    if as_json:
        report = {"version": __version__, "ok": fine, "checks": [dataclasses.asdict(check) for check in checks]}
        click.echo(json.dumps(report, indent=2, ensure_ascii=False, default=str))
        return 0 if fine else 1
    width = max(len(check.name) for check in checks)
    for check in checks:
        click.echo(f"{check.state:<5} {check.name:<{width}}  {check.summary}")
        if check.mend:
            click.echo(f"{'':<5} {'':<{width}}  → {check.mend}")
    lacks = sum(check.state is State.LACK for check in checks)
    click.echo("Nothing needed is missing." if fine else f"{lacks} needed thing(s) missing: see the lines with 'lack'.")
    return 0 if fine else 1
