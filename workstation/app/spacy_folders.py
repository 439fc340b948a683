"""A spaCy folder taken onto the shelf: its files with their hashes, and what its ``meta.json`` says of itself.

Nothing of it is opened by spaCy here; that happens in a job, and only when a person trusts it (``label_texts.py``).
Called by ``models.add``.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from workstation.core.errors import DataError, UserError
from workstation.core.files import read_bounded
from workstation.prelabel.api import Task
from workstation.prelabel.manifest import Manifest, ModelFile
from workstation.prelabel.shelf import sha256_of

SPACY = "spacy"
_MOST_FILES, _MOST_META = 500, 4 << 20
_WEIGHTS = "ner/model"


class _Meta(msgspec.Struct, frozen=True):
    name: str = ""
    lang: str = ""
    version: str = ""
    license: str = ""
    labels: dict[str, list[str]] = {}


def is_spacy_folder(folder: Path) -> bool:
    """Whether it looks like one."""
    return (folder / "config.cfg").is_file() and (folder / "meta.json").is_file()


def spacy_manifest(folder: Path, model_id: str) -> tuple[Manifest, dict[str, Path]]:
    """What its manifest is to be, and its files by role. The file that finds names stands for its weights."""
    meta = _meta(folder / "meta.json")
    files = _files(folder)
    if _WEIGHTS not in files:
        raise UserError(f"{folder} has no part that finds names (ner), which is what a spaCy folder is used for")
    roles = {("model" if name == _WEIGHTS else name): path for name, path in files.items()}
    manifest = Manifest(
        id=model_id, name=f"{meta.lang} {meta.name}".strip()[:200], version=meta.version[:80], task=Task.NER,
        family=SPACY, labels=tuple(each[:200] for each in meta.labels.get("ner", []) if each),
        files={role: ModelFile(path.relative_to(folder).as_posix(), sha256_of(path)) for role, path in roles.items()},
        license=meta.license[:200], origin=f"spaCy folder {folder.name}"[:200],
        license_note="a spaCy folder may run code of its own when it is opened: only with --trust",
        options={"languages": [meta.lang]} if meta.lang else {},
    )  # fmt: skip
    return manifest, roles


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.json.Decoder(_Meta)


def _meta(path: Path) -> _Meta:
    try:
        return _READ.decode(read_bounded(path, _MOST_META))
    except (msgspec.MsgspecError, UnicodeDecodeError) as problem:
        raise DataError(f"cannot be read as what a spaCy folder says of itself: {problem}", path=path) from problem


def _files(folder: Path) -> dict[str, Path]:
    """Every plain file by its path in the folder; links are left out, they lead elsewhere."""
    found: dict[str, Path] = {}
    for parent, _, names in os.walk(folder):
        for name in sorted(names):
            path = Path(parent) / name
            if path.is_file() and not path.is_symlink() and path.suffix not in (".py", ".pyc"):
                found[path.relative_to(folder).as_posix()] = path
            if len(found) > _MOST_FILES:
                raise UserError(f"{folder} holds more than {_MOST_FILES} files; it is no spaCy folder alone")
    return found
