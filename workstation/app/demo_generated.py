"""Generated scenes as demo projects: their media as streams on the one clock they were made on, and their own truth as
labels in the words of a starter ontology.

Called by ``demo.py``; each scene's translation is a small module beside this one (``demo_talk.py`` and so on).
Labels are an import's: done, but for links, which only a person can confirm. Nothing is said that the truth does not.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from workstation.app.session import Run, Session
from workstation.core.annotation import Source, SourceKind
from workstation.core.errors import DataError
from workstation.core.files import write_whole
from workstation.core.sample import StreamKind
from workstation.media.base import OpenContext, ReaderSpec
from workstation.media.probe import built_in_readers, matches, open_stream, spec_for
from workstation.store.media_files import record_file
from workstation.synth.truth import GENERATOR, Truth

Json = Mapping[str, Any]
LICENCE = "CC0-1.0 (generated)"
_SURE = 0.3
_ONE_CLOCK = "generated: all streams were made on one clock, so their offsets are zero by construction"


@dataclass(slots=True)
class Labels:
    """What is being said about one generated sample: ids of the generator become records, in order."""

    run: Run
    sample: str
    source: Json
    ids: dict[str, str] = field(default_factory=dict)
    """By the generator's id: ``annotation:…`` or ``entity:…``, as ends of links name them."""

    def entity(self, key: str, class_id: str, *, name: str = "", attributes: Json | None = None) -> str:
        """One real thing."""
        made: str = self.run(
            "entity.add", sample=self.sample, class_id=class_id, name=name, attributes=dict(attributes or {})
        )
        self.ids[f"entity/{key}"] = f"entity:{made}"
        return made

    def of(self, key: str | None) -> str | None:
        """The record of an entity that was made before."""
        return None if key is None else self.ids[f"entity/{key}"].partition(":")[2]

    def mark(self, key: str, stream: str, **said: Any) -> str:
        """An annotation; ``said`` are arguments of ``annotation.add``."""
        return self._kept(key, "annotation.add", stream, said)

    def turn(self, key: str, stream: str, **said: Any) -> str:
        """What somebody says, with its words."""
        return self._kept(key, "turn.add", stream, said)

    def track(self, key: str, stream: str, keyframes: Sequence[Json], **said: Any) -> str:
        """A shape over time; a keyframe without a shape means that nothing is there."""
        said["keyframes"] = [
            {"time_ns": each["time_ns"], "shape": each["shape"]}
            if each.get("visible", True)
            else {"time_ns": each["time_ns"], "presence": "absent"}
            for each in keyframes
        ]
        return self._kept(key, "track.add", stream, said)

    def link(self, type_id: str, ends: Mapping[str, str | Sequence[str]], **said: Any) -> None:
        """A relation, by the generator's ids; left as a draft, for a person to confirm."""
        found = {role: self._ends(keys) for role, keys in ends.items()}
        self.run("link.add", sample=self.sample, type_id=type_id, ends=found, state="draft", source=self.source, **said)

    def _ends(self, keys: str | Sequence[str]) -> str | list[str]:
        if isinstance(keys, str):
            return keys if keys.startswith("stream:") else self.ids[keys]
        return [self.ids[key] for key in keys]

    def _kept(self, key: str, command: str, stream: str, said: dict[str, Any]) -> str:
        made: str = self.run(command, sample=self.sample, stream=stream, state="done", source=self.source, **said)
        self.ids[key] = f"annotation:{made}"
        return made


Label = Callable[[Labels, Truth], None]


def add_generated(session: Session, made: Truth, label: Label, *, texts: Mapping[str, str] | None = None) -> None:
    """Put a generated scene that is one sample into a new project. ``texts`` are streams written here, by key."""
    key = str(made.sample["key"])
    media = session.project.media_folder / key
    streams = [(each, copied(made.folder / str(each["path"]), media)) for each in made.sample["streams"]]
    for name, text in (texts or {}).items():
        streams.append(({"key": name, "kind": "text", "language": "en"}, [written(media / f"{name}.txt", text)]))
    with session.together(f"Build the demo {key}") as run:
        notes = add_sample(session, run, key, streams, built_in_readers())
        if notes:
            run("sample.set", sample=key, notes="\n".join(notes))
        label(Labels(run, key, source_of(made)), made)


def add_sample(
    session: Session,
    run: Run,
    key: str,
    streams: Sequence[tuple[Json, list[Path]]],
    readers: Sequence[ReaderSpec],
    *,
    notes: str = "Generated, with exact truth.",
    in_sync: str = _ONE_CLOCK,
    sync: str = "verified",
) -> list[str]:
    """A sample with its streams, and how sure it is that they are in sync; answers which streams no reader takes."""
    run("sample.add", key=key, notes=notes)
    left_out = []
    for stream, paths in streams:
        try:
            options, named = stream.get("options", {}), stream.get("reader", "")
            reader = reader_for(paths, StreamKind(stream["kind"]), readers, options, named=named)
        except DataError as error:
            left_out.append(f"{stream['key']} is left out: {error.reason}")
            continue
        files = tuple(record_file(session.project.path, path) for path in paths)
        run(
            "stream.add", sample=key, key=stream["key"], kind=reader.kind, role=stream.get("role", ""),
            files=msgspec.to_builtins(files), reader=reader.name, options=stream.get("options", {}),
            clock="generator" if in_sync == _ONE_CLOCK else "recording",
            time_map=stream.get("time_map"), frame=stream.get("frame", ""), recording=stream.get("recording", ""),
            language=stream.get("language", ""), licence=stream.get("licence", LICENCE),
            transformations=tuple(stream.get("transformations", ())),
        )  # fmt: skip
    run("gate.set", sample=key, gate="sync", state=sync, reason=in_sync)
    return left_out


def source_of(made: Truth) -> Json:
    """Where the labels of a generated scene come from."""
    name = str(made.sample["fixture"])
    found: Json = msgspec.to_builtins(Source(kind=SourceKind.IMPORT, name=name, version=f"generator {GENERATOR}"))
    return found


def copied(source: Path, media: Path) -> list[Path]:
    """The files of one stream, in order, brought into the project."""
    media.mkdir(parents=True, exist_ok=True)
    target = media / source.name
    if source.is_dir():
        shutil.copytree(source, target)
        return sorted(path for path in target.rglob("*") if path.is_file())
    if not target.exists():
        shutil.copyfile(source, target)
    return [target]


def written(path: Path, text: str) -> Path:
    """A text that the generator knows and has no file for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text)
    return path


def text_part(text: str, quote: str, *, of: str | None = None, after: int = 0) -> dict[str, Any]:
    """The first place of a quote in a text, as a shape."""
    start = text.find(quote, after)
    if start < 0:
        raise DataError(f"the quote {quote!r} is not in its text")
    shape: dict[str, Any] = {"kind": "text_span", "parts": [[start, start + len(quote)]], "quote": quote}
    return shape if of is None else {**shape, "of": of}


def box_keyframes(rows: Sequence[Sequence[Any]], frames: int, rate_hz: int, *, every: int) -> list[dict[str, Any]]:
    """Keyframes of (frame, x, y, width, height) seen in a film of ``frames`` pictures, every so many pictures.

    Where the thing comes and goes there is a keyframe on that very picture, and nothing in between.
    """
    seen = {int(row[0]): row[1:] for row in rows if row[3] > 0 and row[4] > 0}
    wanted = set()
    for frame in seen:
        edge = frame - 1 not in seen or frame + 1 not in seen
        if edge or frame % every == 0:
            wanted.add(frame)
        if frame + 1 not in seen and frame + 1 < frames:
            wanted.add(frame + 1)
    keyframes: list[dict[str, Any]] = []
    for frame in sorted(wanted):
        time_ns = frame * 1_000_000_000 // rate_hz
        if frame in seen:
            x, y, width, height = seen[frame]
            keyframes.append(
                {"time_ns": time_ns, "shape": {"kind": "box", "x": x, "y": y, "width": width, "height": height}}
            )
        else:
            keyframes.append({"time_ns": time_ns, "visible": False})
    return keyframes


def reader_for(
    paths: Sequence[Path],
    kind: StreamKind,
    readers: Sequence[ReaderSpec],
    options: Json | None = None,
    *,
    named: str = "",
) -> ReaderSpec:
    """The reader named, or of that kind the one which is surest of the files, after it has opened them."""
    if named:
        spec = spec_for(paths, readers, named)
    else:
        fitting = [each for each in matches(paths[0], readers) if each.confidence >= _SURE and each.spec.kind is kind]
        if not fitting:
            raise DataError(f"no reader takes {paths[0].name} for a {kind.value}", path=paths[0])
        spec = fitting[0].spec
    open_stream(paths, [spec], reader=spec.name, options=dict(options or {}), context=OpenContext()).close()
    return spec
