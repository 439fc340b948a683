"""``selftest``: the four questions, answered by doing."""

from __future__ import annotations

from pathlib import Path

import click

from workstation.cli.output import json_option, print_json


@click.command()
@click.option("--keep", type=click.Path(path_type=Path), help="Keep the scratch project in this new folder.")
@json_option
def selftest(keep: Path | None, as_json: bool) -> int:
    """Answer the four questions of consistency by doing.

    On a scratch project: links are made, checked and flagged, and the ontology holds for every kind of label.
    Ends with 1 when one of the four answers fails.
    """
    from workstation.app.selftest import run_selftest

    answers = run_selftest(keep)
    for answer in answers:
        if as_json:
            print_json(
                {
                    "question": answer.question,
                    "passed": answer.passed,
                    "evidence": answer.evidence,
                    "reason": answer.reason,
                }
            )
            continue
        evidence = ", ".join(f"{name} {value}" for name, value in answer.evidence.items())
        click.echo(f"{'pass' if answer.passed else 'FAIL'}  {answer.question}  [{evidence}]")
        if answer.reason:
            click.echo(f"      {answer.reason}")
    return 0 if all(answer.passed for answer in answers) else 1
