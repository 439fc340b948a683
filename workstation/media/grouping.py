"""Proposes how the files of a folder nobody knows make samples and streams. Called by ``workstation add``.

A data set plug-in that recognises the folder is asked first. Else every file is given to the reader that knows its
content; numbered pictures and sweeps become sequences, DICOM files series; and the streams are put together by
sub-folder, by what their names share, or by the times in their names. Nothing is opened for long and nothing written.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.media.base import HEAD_BYTES, ReaderSpec
from workstation.media.bundles import EPOCH_OR_DATE, Unit, bundle, epoch_in, slug
from workstation.media.can_log import can_log_reason
from workstation.media.probe import matches
from workstation.media.proposal import (
    DatasetSpec,
    Proposal,
    RigProposal,
    SampleProposal,
    Skipped,
    StreamProposal,
    aligned,
)
from workstation.media.rig_file import NAMES, read_rig

MOST_FILES = 200_000
_DEEPEST = 24
_SURE = 0.3
_SHORTEST_SEQUENCE = 3
_NO_TIMES = "no times were found: state a rate (--option rate_hz=10) or a list of times"
_MOST_PAIRED = 0.6
_NAMELESS = ("data", "files", "frames", "images", "media", "raw")
_ENDINGS = (".nii.gz", ".tar.gz")
_LIKE_VIDEO = (StreamKind.VIDEO, StreamKind.AUDIO)


def propose(folder: Path, readers: Sequence[ReaderSpec], datasets: Iterable[DatasetSpec] = ()) -> Proposal:
    """What the folder would become: by the data set layout that recognises it, else by its files."""
    if not folder.is_dir():
        raise DataError("is no folder; add single files to a sample instead", path=folder)
    best = max(datasets, key=lambda spec: spec.recognise(folder), default=None)
    if best is not None and best.recognise(folder) >= 0.5:
        return best.propose(folder)
    return propose_folder(folder, readers)


def propose_folder(folder: Path, readers: Sequence[ReaderSpec]) -> Proposal:
    """The proposal for a folder of no known layout."""
    skipped: list[Skipped] = []
    files = list(_walk(folder, skipped))
    units, notes = _units(folder, files, readers, skipped)
    bundles = bundle(units)
    samples = _with_rigs([_sample(key, members) for key, members in bundles.samples.items()], files, skipped)
    skipped += [Skipped(path, f"{why}; add it by hand") for unit, why in bundles.left for path in unit.files]
    if not samples:
        notes.append("no file of the folder can be shown")
    return Proposal(
        folder=folder,
        layout="folder",
        title="A folder of files",
        samples=tuple(samples),
        skipped=tuple(skipped),
        notes=tuple(notes),
    )


def _with_rigs(samples: list[SampleProposal], files: list[Path], skipped: list[Skipped]) -> list[SampleProposal]:
    """Each sample with the calibration that lies nearest above its files."""
    rigs: dict[Path, RigProposal] = {}
    for path in files:
        if path.name.lower() in NAMES:
            try:
                rigs[path.parent] = read_rig(path)
            except DataError as error:
                skipped[:] = [item for item in skipped if item.path != path]
                skipped.append(Skipped(path, error.reason))
    used: set[Path] = set()
    calibrated = []
    for sample in samples:
        places = [path.parent for stream in sample.streams for path in stream.files]
        above = Path(os.path.commonpath(places))
        nearest = next((place for place in (above, *above.parents) if place in rigs), None)
        calibrated.append(sample if nearest is None else replace(sample, rig=rigs[nearest]))
        used |= set() if nearest is None else {mount.source for mount in rigs[nearest].mounts}
    skipped[:] = [item for item in skipped if item.path not in used]
    return calibrated


def _walk(folder: Path, skipped: list[Skipped]) -> Iterator[Path]:
    """Plain files in order; links are named and not followed, hidden entries are passed over."""
    root = folder.resolve()
    count = 0
    stack = [(folder, 0)]
    while stack:
        here, depth = stack.pop()
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            skipped.append(Skipped(here, f"cannot be listed: {error.strerror or error}"))
            continue
        inner: list[tuple[Path, int]] = []
        for entry in entries:
            path = Path(entry.path)
            if entry.name.startswith(".") or entry.name in ("__MACOSX", "Thumbs.db", "desktop.ini"):
                continue
            if entry.is_symlink() and not _stays(path, root):
                skipped.append(Skipped(path, "is a link that leads out of the folder; it is not followed"))
            elif entry.is_dir(follow_symlinks=False):
                if depth >= _DEEPEST:
                    skipped.append(Skipped(path, f"lies more than {_DEEPEST} folders deep"))
                else:
                    inner.append((path, depth + 1))
            elif entry.is_symlink() and path.is_dir():
                skipped.append(Skipped(path, "is a link to a folder; it is not followed"))
            else:
                count += 1
                if count > MOST_FILES:
                    raise DataError(f"holds more than {MOST_FILES:,} files; add its parts one by one", path=folder)
                yield path
        stack.extend(reversed(inner))


def _stays(path: Path, root: Path) -> bool:
    try:
        return path.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):
        return False


def _units(
    folder: Path, files: list[Path], readers: Sequence[ReaderSpec], skipped: list[Skipped]
) -> tuple[list[Unit], list[str]]:
    known: dict[Path, ReaderSpec] = {}
    dicom: list[Path] = []
    for path in files:
        if _ABOUT.fullmatch(path.name):
            skipped.append(Skipped(path, "is about the folder and no part of a recording"))
            continue
        spec = _reader_of(path, readers)
        if isinstance(spec, str):
            skipped.append(Skipped(path, spec))
        elif spec is None or spec.name.startswith("dicom_"):
            dicom.append(path)
        else:
            known[path] = spec
    units, used = _sequences(folder, known, skipped)
    for path, spec in known.items():
        if path in used:
            continue
        paths = with_companion(path, spec)
        skipped[:] = [item for item in skipped if item.path not in paths]
        unit = Unit(path.parent.relative_to(folder), _stem(path), spec.kind, spec.name, paths)
        unit.with_sound = spec.name == "video" and has_sound(path)
        units.append(unit)
    units += _dicom_units(folder, dicom, skipped)
    notes = [f"{len(units)} streams were found in {len(files)} files"]
    return units, notes


def _reader_of(path: Path, readers: Sequence[ReaderSpec]) -> ReaderSpec | str | None:
    """The reader of the file, or why it has none; ``None`` for DICOM files, whose header says what they are for."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return "is no plain file"
        with path.open("rb") as file:
            raw = can_log_reason(file.read(HEAD_BYTES))
        if raw is not None:
            return raw
        found = matches(path, readers)
        if found and found[0].confidence >= _SURE:
            return found[0].spec
        with path.open("rb") as file:
            return None if file.read(132)[128:] == b"DICM" else "no reader knows this kind of file"
    except DataError as error:
        return error.reason
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"


def why_no_stream(path: Path) -> str | None:
    """What a file that is known for what it is holds instead of something to show; ``None`` for all others."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    raw = can_log_reason(head)
    if raw is not None or not (head[128:132] == b"DICM" or (head[:2] == b"\x08\x00" and path.suffix.lower() == ".dcm")):
        return raw
    from workstation.media.dicom_series import scan

    _, left_out = scan([path])
    return left_out[0].reason if left_out else None


def with_companion(path: Path, spec: ReaderSpec) -> tuple[Path, ...]:
    """The file, and the voxels beside the header of a NIfTI pair: one without the other is nothing."""
    lower = path.name.lower()
    if spec.name != "nifti" or ".hdr" not in lower:
        return (path,)
    at = lower.rindex(".hdr")
    ends = {lower[at:].replace(".hdr", ".img"), ".img", ".img.gz"}
    beside = [each for each in sorted(path.parent.iterdir()) if each.name[:at] == path.name[:at]]
    return (path, *[each for each in beside if each.name[at:].lower() in ends][:1])


def has_sound(path: Path) -> bool:
    """Whether the film has a sound track; a damaged film is the video reader's to report."""
    import av

    try:
        with av.open(str(path)) as container:
            return len(container.streams.audio) > 0
    except (av.FFmpegError, OSError, ValueError):
        return False


def _dicom_units(folder: Path, files: list[Path], skipped: list[Skipped]) -> list[Unit]:
    if not files:
        return []
    from workstation.media.dicom_series import scan

    readers = {StreamKind.VOLUME: "dicom_volume", StreamKind.VIDEO: "dicom_film", StreamKind.IMAGE: "dicom_picture"}
    streams, left_out = scan(files)
    skipped += [Skipped(item.path, item.reason) for item in left_out]
    units = []
    studies = {study: i for i, study in enumerate(dict.fromkeys(series.first.study for series in streams), start=1)}
    for series in streams:
        first = series.first
        place = Path(os.path.commonpath([path.parent for path in series.paths])).relative_to(folder)
        words = [first.modality, first.description, series.note]
        name = "_".join(word for word in words if word) or "series"
        study = f"study_{studies[first.study]}" if len(studies) > 1 else ""
        units.append(Unit(place, name, series.kind, readers[series.kind], series.paths, sample=study))
    return units


def _sequences(folder: Path, known: dict[Path, ReaderSpec], skipped: list[Skipped]) -> tuple[list[Unit], set[Path]]:
    """Three or more pictures, or two or more sweeps, of one folder whose names differ only in a number."""
    units: list[Unit] = []
    used: set[Path] = set()
    for (parent, shape, _, reader), paths in _numbered_groups(known).items():
        cloud = known[paths[0]].kind is StreamKind.CLOUD
        options, times = _times_beside(paths, folder, cloud=cloud)
        dated = EPOCH_OR_DATE.search(_stem(paths[0])) is not None
        if not times and not dated and _stills(paths, known):
            continue
        name = shape.replace("#", "").strip("_-. ") or _place_name(parent, folder)
        notes = () if times or dated else (_NO_TIMES,)
        kind = StreamKind.CLOUD if cloud else StreamKind.VIDEO
        name_of_reader = reader if cloud else "image_sequence"
        units.append(Unit(parent.relative_to(folder), name, kind, name_of_reader, tuple(paths), dict(options), notes))
        used.update(paths)
        fresh = [path for path in times if path not in used]
        skipped[:] = [item for item in skipped if item.path not in fresh]  # no reader knew it; now it has a use
        skipped += [Skipped(path, f"is the list of times of {name!r}") for path in fresh]
        used.update(fresh)
    return units, used


def _place_name(parent: Path, folder: Path) -> str:
    """What a sequence without a name of its own is called: its folder, or the one above ``data``."""
    while parent.name.lower() in _NAMELESS and parent != folder:
        parent = parent.parent
    return parent.name


def _numbered_groups(known: dict[Path, ReaderSpec]) -> dict[tuple[Path, str, str, str], list[Path]]:
    """Pictures and sweeps by folder and by their names without numbers, where these names count or date them."""
    groups: dict[tuple[Path, str, str, str], list[Path]] = {}
    for path, spec in known.items():
        if spec.kind is StreamKind.CLOUD or (spec.kind is StreamKind.IMAGE and spec.name == "image"):
            shape = _NUMBERS.sub("#", _stem(path))
            if "#" in shape:
                groups.setdefault((path.parent, shape, path.suffix.lower(), spec.name), []).append(path)
    least = {StreamKind.CLOUD: 2, StreamKind.IMAGE: _SHORTEST_SEQUENCE}
    return {
        key: paths for key, paths in groups.items() if len(paths) >= least[known[paths[0]].kind] and _counts_up(paths)
    }


def _stills(paths: Sequence[Path], known: dict[Path, ReaderSpec]) -> bool:
    """Whether the numbers count samples and not moments: most files have a text, a sound or the like of their name."""
    stems = {_stem(path) for path, spec in known.items() if spec.kind not in (StreamKind.IMAGE, StreamKind.CLOUD)}
    return sum(_stem(path) in stems for path in paths) >= _MOST_PAIRED * len(paths)


_NUMBERS = re.compile(r"\d+")
_ABOUT = re.compile(
    r"(?i)(read_?me|licen[cs]e|copying|notice|citation|attribution|changelog|changes|authors|contributing|manifest|"
    r"(md5|sha\d*)(sums?)?|checksums?|index)(\.(md|markdown|txt|rst|html?|pdf|cff|bib|tsv|md5|sha\d*))?"
)
"""Names of files that describe what they lie beside."""


def _counts_up(paths: Sequence[Path]) -> bool:
    """Whether one number in the names differs from file to file, as a counter or a time stamp does."""
    rows = [_NUMBERS.findall(_stem(path)) for path in paths]
    return any(len({row[i] for row in rows}) == len(rows) for i in range(len(rows[0])))


def _times_beside(paths: Sequence[Path], folder: Path, *, cloud: bool) -> tuple[dict[str, str], tuple[Path, ...]]:
    """A list of times next to the files or beside their folder, if it fits them."""
    from workstation.media.sweep_times import listed_times

    parent = paths[0].parent
    for place, prefix in ((parent, ""), (parent.parent, "../")):
        for path in _time_lists(place, parent.name):
            if not path.is_relative_to(folder) or path.is_symlink():
                continue
            try:
                listed_times(paths, path)
            except DataError:
                continue  # the list of something else; whoever states it as the list is told why it does not fit
            return {"times" if cloud else "times_file": prefix + path.name}, (path,)
    return {}, ()


def _time_lists(place: Path, name: str) -> Iterator[Path]:
    """Files of a folder that are called like a list of times, of everything there or of the sub-folder ``name``."""
    for stem in (f"{name}_timestamps", f"{name}_times", f"timestamps_{name}", "timestamps", "timestamp", "times"):
        for ending in (".txt", ".csv", ".tsv", ".json"):
            path = place / (stem + ending)
            if path.is_file():
                yield path


def _sample(key: str, members: list[Unit]) -> SampleProposal:
    streams: list[StreamProposal] = []
    taken: set[str] = set()
    for unit in members:
        name = _stream_key(unit, key, members)
        number = 2
        unique = name
        while unique in taken:
            unique = f"{name}_{number}"
            number += 1
        taken.add(unique)
        epoch_ns = epoch_in(unit.name) if unit.kind in _LIKE_VIDEO and len(unit.files) == 1 else None
        notes = unit.notes
        if epoch_ns is not None:
            notes = (*notes, "its start was read from its name, as UTC; check it against another stream")
        streams.append(
            StreamProposal(
                key=unique,
                kind=unit.kind,
                files=unit.files,
                reader=unit.reader,
                options=unit.options,
                clock="unknown" if epoch_ns is None else "file names",
                clock_source="file names" if epoch_ns is not None else "",
                epoch_ns=epoch_ns,
                notes=notes,
            )
        )
        if unit.with_sound:
            streams.append(replace(streams[-1], key=f"{unique}_sound", kind=StreamKind.AUDIO, reader="audio"))
            taken.add(f"{unique}_sound")
    note = "the streams' clocks are not known to agree" if len(streams) > 1 else ""
    sample = SampleProposal(key=slug(key), streams=tuple(streams), notes=(note,) if note else ())
    return replace(aligned(sample, {}), key=slug(key))


def _stream_key(unit: Unit, sample: str, members: list[Unit]) -> str:
    """What is special about the stream in its sample: its name without the sample's, else its folder, else its kind."""
    rest = EPOCH_OR_DATE.sub("", unit.name.replace(sample, "")).strip("_-. ")
    if not rest:
        rest = unit.folder.name if unit.folder.name not in ("", sample) else ""
    if not rest:
        rest = unit.kind.value
        if sum(other.kind is unit.kind for other in members) > 1:
            rest = f"{rest}_{unit.files[0].suffix.lstrip('.').lower()}"
    return slug(rest)


def _stem(path: Path) -> str:
    name = path.name
    ending = next((ending for ending in _ENDINGS if name.lower().endswith(ending)), path.suffix)
    return name[: len(name) - len(ending)] if ending else name
