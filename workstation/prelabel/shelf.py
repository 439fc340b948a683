"""The models folder: one folder a model, each with its ``model.yaml``; listed, added to, checked and taken from.

Called by ``app/models.py``, which hands in where the folder is and the strict loader and writer of YAML. A damaged
model never hides the others; a file whose content is not what its manifest says is never run.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workstation.core.errors import DataError, UserError
from workstation.core.files import read_bounded, sync_folder, write_whole
from workstation.core.untrusted import inside
from workstation.prelabel.manifest import MANIFEST, Manifest, as_values, parse_manifest

LoadYaml = Callable[[bytes, Path], object]
DumpYaml = Callable[[Any], str]
_MOST_MANIFEST = 4 << 20
_CHUNK = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ShelvedModel:
    """A model that is there."""

    folder: Path
    manifest: Manifest

    def file(self, role: str = "model") -> Path:
        """The path of one of its files."""
        found = self.manifest.files.get(role)
        if found is None:
            has = ", ".join(self.manifest.files)
            raise DataError(f"names no file {role!r}; it has {has}", path=self.folder / MANIFEST, place="files")
        return inside(self.folder, found.path, source=self.folder / MANIFEST)


@dataclass(frozen=True, slots=True)
class Damaged:
    """A folder that is no usable model, and why."""

    folder: Path
    reason: str


Prove = Callable[[ShelvedModel], None]


class Shelf:
    """The models of one folder."""

    def __init__(self, folder: Path, load: LoadYaml, dump: DumpYaml) -> None:
        self.folder = folder
        self._load = load
        self._dump = dump

    def models(self) -> tuple[list[ShelvedModel], list[Damaged]]:
        """All that are there by id, and the folders that are none."""
        good: dict[str, ShelvedModel] = {}
        bad: list[Damaged] = []
        for folder in self._folders():
            try:
                found = self.read(folder)
                if found.manifest.id in good:
                    raise DataError(f"is the model {found.manifest.id!r} once more; take one away", path=folder)
                good[found.manifest.id] = found
            except DataError as problem:
                bad.append(Damaged(folder, str(problem)))
        return [good[key] for key in sorted(good)], bad

    def find(self, model_id: str) -> ShelvedModel:
        """The model of that id."""
        good, bad = self.models()
        for each in good:
            if each.manifest.id == model_id:
                return each
        for broken in bad:
            if broken.folder.name == model_id:
                raise UserError(f"the model {model_id!r} cannot be used: {broken.reason}")
        known = ", ".join(each.manifest.id for each in good) or "none"
        raise UserError(
            f"there is no model {model_id[:80]!r}; there are: {known}. "
            "`workstation models install NAME` or `workstation models add PATH` brings one"
        )

    def read(self, folder: Path) -> ShelvedModel:
        """The model in one folder, here or elsewhere; its files must be there."""
        path = folder / MANIFEST
        manifest = parse_manifest(self._load(read_bounded(path, _MOST_MANIFEST), path), path)
        found = ShelvedModel(folder=folder, manifest=manifest)
        for role in manifest.files:
            if not found.file(role).is_file():
                raise DataError(f"there is no {manifest.files[role].path} beside it", path=path, place=f"files.{role}")
        return found

    def check(self, model: ShelvedModel) -> None:
        """Raise ``DataError`` unless every file's content is what the manifest says. Reads all of them."""
        for role, file in model.manifest.files.items():
            digest = sha256_of(model.file(role))
            if digest != file.sha256:
                raise DataError(
                    f"holds other content than its manifest says (SHA-256 {digest[:12]}… instead of"
                    f" {file.sha256[:12]}…); it is not run. Bring the right file, or add it as a new model",
                    path=model.file(role),
                )

    def put(
        self, manifest: Manifest, files: Mapping[str, Path], *, texts: Mapping[str, str] = {},
        prove: Prove | None = None,
    ) -> ShelvedModel:  # fmt: skip
        """Copy files in and write their manifest; all of it or nothing. One of that id is replaced. ``prove`` is shown
        it before, and raises if it is not to be."""
        self.folder.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=".new-", dir=self.folder))
        try:
            for role, source in files.items():
                target = inside(building, manifest.files[role].path, source=building)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
            for name, text in texts.items():
                write_whole(building / name, text)
            write_whole(building / MANIFEST, self._dump(as_values(manifest)))
            made = self.read(building)
            self.check(made)
            if prove is not None:
                prove(made)
            return self._into_place(building, manifest)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise

    def rewrite(self, model: ShelvedModel, manifest: Manifest) -> ShelvedModel:
        """Another manifest for the files that are there."""
        write_whole(model.folder / MANIFEST, self._dump(as_values(manifest)))
        return self.read(model.folder)

    def remove(self, model_id: str) -> Path:
        """Take a model away, damaged ones by their folder's name; answers the folder that is gone."""
        good, bad = self.models()
        folders = [each.folder for each in good if each.manifest.id == model_id]
        folders += [each.folder for each in bad if each.folder.name == model_id]
        if not folders:
            self.find(model_id)
        doomed = Path(tempfile.mkdtemp(prefix=".gone-", dir=self.folder))
        folders[0].replace(doomed / "model")
        shutil.rmtree(doomed)
        return folders[0]

    def _into_place(self, building: Path, manifest: Manifest) -> ShelvedModel:
        target = self.folder / manifest.id
        old = Path(tempfile.mkdtemp(prefix=".gone-", dir=self.folder))
        if target.exists():
            target.replace(old / "model")
        try:
            building.replace(target)
        except OSError:
            if (old / "model").exists():
                (old / "model").replace(target)
            raise
        finally:
            shutil.rmtree(old, ignore_errors=True)
        target.chmod(0o755)
        sync_folder(self.folder)
        return self.read(target)

    def _folders(self) -> Iterator[Path]:
        if not self.folder.is_dir():
            return
        for entry in sorted(os.scandir(self.folder), key=lambda each: each.name):
            if entry.is_dir() and not entry.name.startswith("."):
                yield Path(entry.path)


def sha256_of(path: Path) -> str:
    """The hash of a file's content."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", path=path) from error
    return digest.hexdigest()
