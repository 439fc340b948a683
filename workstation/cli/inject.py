"""``inject``: a copy of a project with known errors in it, to measure checks and people by."""

from __future__ import annotations

from pathlib import Path

import click

from workstation.cli.output import json_option, print_json, print_rows


@click.command()
@click.argument("project", type=click.Path(path_type=Path, exists=True), required=False)
@click.argument("copy", type=click.Path(path_type=Path), required=False)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The same seed plants the same.")
@click.option("--share", type=float, default=0.34, show_default=True, help="In which part of the samples.")
@click.option(
    "--silent",
    type=float,
    default=0.25,
    show_default=True,
    help="Which part of the errors that have a size is planted below its limit, where checks must be silent.",
)
@click.option("--kind", "kinds", multiple=True, metavar="KIND|TYPE", help="Only these kinds; may be repeated.")
@click.option("--sample", "samples", multiple=True, metavar="KEY", help="Only in these samples; may be repeated.")
@click.option("--kinds", "list_kinds", is_flag=True, help="List the kinds of errors and plant nothing.")
@json_option  # fmt: skip
def inject(
    project: Path | None,
    copy: Path | None,
    seed: int,
    share: float,
    silent: float,
    kinds: tuple[str, ...],
    samples: tuple[str, ...],
    list_kinds: bool,
    as_json: bool,
) -> int:
    """Plant known errors into COPY, a new copy of PROJECT, at most one a sample.

    What was planted is written to planted.json in COPY. Look at it with: workstation validate COPY --score
    """
    from workstation.app.injecting import PLAN_FILE, Wish, counted, kind_rows
    from workstation.app.injecting import inject as plant

    if list_kinds:
        print_rows(kind_rows(), columns=("kind", "error_type", "sizes", "help"), as_json=as_json)
        return 0
    if project is None or copy is None:
        raise click.UsageError("name the project and the folder of the copy, or list the kinds with --kinds")
    wish = Wish(seed=seed, share=share, silent=silent, kinds=kinds, samples=samples)
    plan = plant(project, copy, wish)
    rows = counted(plan)
    if as_json:
        for row in rows:
            print_json(row)
        print_json({"copy": str(copy), "plan": str(copy / PLAN_FILE), "planted": len(plan.planted), "seed": seed})
        return 0
    print_rows(rows, columns=("error_type", "kind", "planted", "below"), as_json=False)
    errors, held = (
        f"{count} {word}{'' if count == 1 else 's'}"
        for count, word in ((len(plan.planted), "error"), (plan.samples, "sample"))
    )
    click.echo(f"{errors} in {held} of {copy}; the plan is {copy / PLAN_FILE}.")
    return 0
