"""Which reader a file is for. Asked by whatever adds media to a project; knows no format itself.

Every module of this package, or of a plug-in, that has a ``READERS`` tuple takes part.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.abc import InspectLoader
from importlib.machinery import PathFinder
from pathlib import Path

import workstation.media
from workstation.core.errors import DataError
from workstation.media.base import HEAD_BYTES, OpenContext, Options, Reader, ReaderSpec, check_options


@dataclass(frozen=True, slots=True)
class Match:
    """A reader that may fit a file, and how sure its probe is (0 to 1)."""

    spec: ReaderSpec
    confidence: float


def built_in_readers() -> tuple[ReaderSpec, ...]:
    """The formats of this package. Only modules whose text names ``READERS`` are imported: others are heavy."""
    found: list[ReaderSpec] = []
    for module in pkgutil.iter_modules(workstation.media.__path__):
        name = f"{workstation.media.__name__}.{module.name}"
        spec = PathFinder.find_spec(name, workstation.media.__path__)
        if spec is None or not isinstance(spec.loader, InspectLoader):
            continue
        if "\nREADERS" in (spec.loader.get_source(name) or ""):
            found.extend(importlib.import_module(name).READERS)
    return tuple(found)


def matches(path: Path, readers: Iterable[ReaderSpec]) -> tuple[Match, ...]:
    """Readers that may fit the file, the surest first. The bytes count; the suffix only decides between equals."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror or error})", path=path) from error
    if not head:
        raise DataError("the file is empty", path=path)
    found = [Match(spec, spec.probe(path, head)) for spec in readers]
    suffix = path.suffix.lower()
    likely = [match for match in found if match.confidence > 0]
    return tuple(sorted(likely, key=lambda match: (-match.confidence, suffix not in match.spec.suffixes)))


def choose(path: Path, readers: Iterable[ReaderSpec]) -> ReaderSpec:
    """The reader for the file; ``DataError`` if no format knows it."""
    found = matches(path, readers)
    if not found:
        raise DataError("no reader knows this kind of file", path=path)
    return found[0].spec


def open_stream(
    paths: Sequence[Path], readers: Sequence[ReaderSpec], *, reader: str = "", options: Options, context: OpenContext
) -> Reader:
    """Open a stream with the reader named, or with the one its first file asks for."""
    if not paths:
        raise DataError("a stream needs at least one file")
    if reader:
        spec = next((spec for spec in readers if spec.name == reader), None)
        if spec is None:
            raise DataError(f"there is no reader '{reader}'; is a plug-in missing?", path=paths[0])
    else:
        spec = choose(paths[0], readers)
    check_options(spec, options)
    return spec.open(paths, options, context)
