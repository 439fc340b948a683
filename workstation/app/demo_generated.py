"""Generated scenes as demo projects: their media as streams, all on the one clock they were made on.

Called by ``demo.py``. The generators' own labels use classes of their own and are left out; the media are exact and
free of rights, and an empty sample is what a first label needs.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from workstation.app.reading import Formats
from workstation.app.session import Session
from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.media.base import OpenContext, ReaderSpec
from workstation.media.probe import matches, open_stream
from workstation.store.media_files import record_file
from workstation.synth.truth import Truth

Generate = Callable[[Path], Truth]
_SURE = 0.3


def build(session: Session, generate: Generate) -> None:
    """Generate a scene and put its media into a new project."""
    readers = Formats().readers
    with tempfile.TemporaryDirectory(prefix="workstation-") as scratch:
        made = generate(Path(scratch))
        media = session.project.media_folder / str(made.sample["key"])
        kept: list[tuple[Mapping[str, Any], list[Path], ReaderSpec]] = []
        notes = ["Generated; the labels of the generator are not brought in."]
        for stream in made.sample["streams"]:
            paths = _copied(made.folder / str(stream["path"]), media)
            try:
                kept.append((stream, paths, _reader_for(paths, StreamKind(stream["kind"]), readers)))
            except DataError as error:
                notes.append(f"{stream['key']} is left out: {error.reason}")
    key = str(made.sample["key"])
    with session.together(f"Build the demo {key}") as run:
        run("sample.add", key=key, notes="\n".join(notes))
        for stream, paths, reader in kept:
            files = tuple(record_file(session.project.path, path) for path in paths)
            run(
                "stream.add", sample=key, key=stream["key"], kind=reader.kind, role=stream.get("role", ""),
                files=msgspec.to_builtins(files), reader=reader.name, clock="generator",
                recording=stream.get("recording", ""), language=stream.get("language", ""), licence=stream["licence"],
            )  # fmt: skip
        reason = "generated: all streams were made on one clock, so their offsets are zero by construction"
        run("gate.set", sample=key, gate="sync", state="verified", reason=reason)


def _copied(source: Path, media: Path) -> list[Path]:
    """The files of one stream, in order, brought into the project."""
    media.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        target = media / source.name
        shutil.copytree(source, target)
        return sorted(path for path in target.rglob("*") if path.is_file())
    target = media / source.name
    shutil.copyfile(source, target)
    return [target]


def _reader_for(paths: Sequence[Path], kind: StreamKind, readers: Sequence[ReaderSpec]) -> ReaderSpec:
    """The reader of that kind which is surest of the files, after it has opened them."""
    fitting = [each for each in matches(paths[0], readers) if each.confidence >= _SURE and each.spec.kind is kind]
    if not fitting:
        raise DataError(f"no reader takes {paths[0].name} for a {kind.value}", path=paths[0])
    spec = fitting[0].spec
    open_stream(paths, [spec], reader=spec.name, options={}, context=OpenContext()).close()
    return spec
