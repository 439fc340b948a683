"""``find``: samples and moments by a sentence about relations."""

from __future__ import annotations

from pathlib import Path

import click

from workstation.cli.acting import acting, project_argument, to_read, to_write
from workstation.cli.output import json_option, print_json


@click.command()
@project_argument
@click.argument("sentence", required=False)
@click.option("--sample", metavar="KEY", help="Only in this sample.")
@click.option("--saved", metavar="NAME", help="A search that was saved, instead of a sentence.")
@click.option("--samples", "only_samples", is_flag=True, help="Print the keys of the samples only: to draw samples by.")
@click.option("--save", metavar="NAME", help="Keep the search in the project under this name.")
@click.option(
    "--as",
    "use",
    type=click.Choice(("view", "sampling", "alert")),
    default="view",
    show_default=True,
    help="What it is kept for.",
)
@acting
@json_option  # fmt: skip
def find(
    project: Path,
    sentence: str | None,
    sample: str | None,
    saved: str | None,
    only_samples: bool,
    save: str | None,
    use: str,
    person: str | None,
    role: str | None,
    as_json: bool,
) -> int:
    """Find moments of PROJECT by a SENTENCE about what is labelled and how it is related.

    Such as: "horn within 0.5 s of braking while a pedestrian is within 15 m". Classes are named as in the ontology or
    its lexicon. Ends with 0 when something was found, with 1 when nothing was or a sample could not answer.
    """
    from workstation.app.evidence import media_evidence
    from workstation.app.relation_search import Unanswered, hit_row, read_sentence, saved_search
    from workstation.app.relation_search import find as search
    from workstation.core.errors import UserError

    if (sentence is None) == (saved is None):
        raise click.UsageError("give a sentence, or the name of a saved one with --saved")
    if save is not None:
        with to_write(project, person, role, tool="find") as session:
            session.run("search.save", name=save, says=str(sentence), use=use)
    found, unanswered, keys = 0, 0, set()
    with to_read(project) as session:
        store = session.store
        chosen = None if sample is None else store.sample_by_key(sample)
        if sample is not None and chosen is None:
            raise UserError(f"there is no sample {sample[:80]!r}")
        within = None if chosen is None else [chosen]
        says = saved_search(store, saved).says if saved is not None else str(sentence)
        statement = read_sentence(store, says)
        for each in search(store, statement, media_evidence(store, session.project), within):
            if isinstance(each, Unanswered):
                unanswered += 1
                click.echo(f"{each.sample.key}: not searched, {each.reason}", err=True)
                continue
            found += 1
            if only_samples:
                if each.sample.key not in keys:
                    print_json({"sample": each.sample.key}) if as_json else click.echo(each.sample.key)
                keys.add(each.sample.key)
            elif as_json:
                print_json(hit_row(each))
            else:
                click.echo(_line(hit_row(each)))
    return 0 if found and not unanswered else 1


def _line(row: dict[str, object]) -> str:
    things = row["things"]
    assert isinstance(things, list)
    names = ", ".join(each["name"] for each in things)
    when = "" if row["at_s"] is None else f"  {row['at_s']:.3f} s"
    return f"{row['sample']}{when}  {names}"
