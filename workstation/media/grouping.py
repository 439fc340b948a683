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
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from workstation.core.errors import DataError
from workstation.core.sample import StreamKind
from workstation.core.timebase import SECOND_NS
from workstation.media.base import HEAD_BYTES, ReaderSpec
from workstation.media.can_log import can_log_reason
from workstation.media.probe import matches
from workstation.media.proposal import DatasetSpec, Proposal, SampleProposal, Skipped, StreamProposal, aligned

MOST_FILES = 200_000
_DEEPEST = 24
_SURE = 0.3
_SHORTEST_SEQUENCE = 3
_ENOUGH = 0.6
_TIME_LISTS = ("timestamps.txt", "times.txt", "timestamps.csv", "times.csv", "timestamp.txt")
_ENDINGS = (".nii.gz", ".tar.gz")
_LIKE_VIDEO = (StreamKind.VIDEO, StreamKind.AUDIO)


@dataclass(slots=True)
class _Unit:
    """What will be one stream."""

    folder: Path
    """Relative to the folder that is added."""
    name: str
    """The stem of its file, or what the names of a sequence share."""
    kind: StreamKind
    reader: str
    files: tuple[Path, ...]
    options: dict[str, str | bool | int | float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    with_sound: bool = False
    """A film whose sound becomes a stream beside it, on the same clock."""
    sample: str = ""
    """Given where the files themselves say to what they belong (the study of a DICOM series)."""


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
    samples = [_sample(key, members) for key, members in _samples(units).items()]
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
) -> tuple[list[_Unit], list[str]]:
    known: dict[Path, ReaderSpec] = {}
    dicom: list[Path] = []
    for path in files:
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
        unit = _Unit(path.parent.relative_to(folder), _stem(path), spec.kind, spec.name, (path,))
        unit.with_sound = spec.name == "video" and _has_sound(path)
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


def _has_sound(path: Path) -> bool:
    """Whether the film has a sound track; a damaged film is the video reader's to report."""
    import av

    try:
        with av.open(str(path)) as container:
            return len(container.streams.audio) > 0
    except (av.FFmpegError, OSError, ValueError):
        return False


def _dicom_units(folder: Path, files: list[Path], skipped: list[Skipped]) -> list[_Unit]:
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
        units.append(_Unit(place, name, series.kind, readers[series.kind], series.paths, sample=study))
    return units


def _sequences(folder: Path, known: dict[Path, ReaderSpec], skipped: list[Skipped]) -> tuple[list[_Unit], set[Path]]:
    """Three or more pictures, or two or more sweeps, of one folder whose names differ only in a number."""
    groups: dict[tuple[Path, str, str, str], list[Path]] = {}
    for path, spec in known.items():
        if spec.kind in (StreamKind.IMAGE, StreamKind.CLOUD) and (
            spec.kind is StreamKind.CLOUD or spec.name == "image"
        ):
            shape = _NUMBERS.sub("#", _stem(path))
            if "#" in shape:
                groups.setdefault((path.parent, shape, path.suffix.lower(), spec.name), []).append(path)
    units: list[_Unit] = []
    used: set[Path] = set()
    for (parent, shape, _, reader), paths in groups.items():
        cloud = known[paths[0]].kind is StreamKind.CLOUD
        if len(paths) < (2 if cloud else _SHORTEST_SEQUENCE) or not _counts_up(paths):
            continue
        options, times = _times_beside(parent, folder, cloud=cloud)
        name = shape.replace("#", "").strip("_-. ") or parent.name
        notes = (
            () if times or _EPOCH_OR_DATE.search(_stem(paths[0])) else ("no times were found: state a rate or a list",)
        )
        kind = StreamKind.CLOUD if cloud else StreamKind.VIDEO
        name_of_reader = reader if cloud else "image_sequence"
        units.append(_Unit(parent.relative_to(folder), name, kind, name_of_reader, tuple(paths), dict(options), notes))
        used.update(paths)
        skipped += [Skipped(path, f"is the list of times of {name!r}") for path in times if path not in used]
        used.update(times)
    return units, used


_NUMBERS = re.compile(r"\d+")
_EPOCH_OR_DATE = re.compile(
    r"(?<!\d)(?:(?P<ns>1\d{18})|(?P<us>1\d{15})|(?P<ms>1\d{12})|"
    r"(?P<year>20\d\d)[-_]?(?P<month>\d\d)[-_]?(?P<day>\d\d)[-_T ]?(?P<hour>\d\d)[-_:]?(?P<minute>\d\d)[-_:]?"
    r"(?P<second>\d\d)(?:[._-]?(?P<part>\d{1,9}))?)(?!\d)"
)


def _counts_up(paths: Sequence[Path]) -> bool:
    """Whether one number in the names differs from file to file, as a counter or a time stamp does."""
    rows = [_NUMBERS.findall(_stem(path)) for path in paths]
    return any(len({row[i] for row in rows}) == len(rows) for i in range(len(rows[0])))


def _times_beside(parent: Path, folder: Path, *, cloud: bool) -> tuple[dict[str, str], tuple[Path, ...]]:
    """A list of times next to the files or beside their folder."""
    for place, prefix in ((parent, ""), (parent.parent, "../")):
        for name in _TIME_LISTS:
            path = place / name
            if path.is_relative_to(folder) and path.is_file() and not path.is_symlink():
                return {"times" if cloud else "times_file": prefix + name}, (path,)
    return {}, ()


def _samples(units: list[_Unit]) -> dict[str, list[_Unit]]:
    """Streams by sample key."""
    if any(unit.sample for unit in units):
        groups: dict[str, list[_Unit]] = {}
        for unit in units:
            groups.setdefault(unit.sample or "sample", []).append(unit)
        return groups
    if len(units) <= 1:
        return {_slug(unit.name): [unit] for unit in units}
    timed = _by_time(units)
    if timed is not None:
        return timed
    by_folder, by_name = _by_folder(units), _by_name(units)
    if by_folder and by_name:
        return by_folder if _numbered(by_folder) >= _numbered(by_name) else by_name
    return by_folder or by_name or _alone_or_together(units)


def _numbered(groups: dict[str, list[_Unit]]) -> float:
    """How many of the keys hold a number: samples are counted or dated, roles have names."""
    return sum(any(letter.isdecimal() for letter in key) for key in groups) / max(1, len(groups))


def _by_folder(units: list[_Unit]) -> dict[str, list[_Unit]] | None:
    """Sub-folders that hold the same kinds of things, one sample each."""
    depth = 0
    while len({unit.folder.parts[: depth + 1] for unit in units}) == 1 and len(units[0].folder.parts) > depth:
        depth += 1
    groups: dict[str, list[_Unit]] = {}
    for unit in units:
        if len(unit.folder.parts) <= depth:
            return None  # something lies beside the sub-folders, so they are not all of it
        groups.setdefault(unit.folder.parts[depth], []).append(unit)
    if len(groups) < 2:
        return None
    contents = [frozenset((unit.kind, _NUMBERS.sub("#", unit.name)) for unit in members) for members in groups.values()]
    common = max(contents.count(content) for content in contents)
    several = sum(len(members) > 1 for members in groups.values())
    alike = common / len(contents) >= _ENOUGH and several / len(groups) >= _ENOUGH
    return groups if alike else None


def _by_name(units: list[_Unit]) -> dict[str, list[_Unit]] | None:
    """Streams whose names share a beginning or an end, however their folders are called."""
    words = [re.split(r"[_\-. ]+", unit.name) for unit in units]
    longest = max(map(len, words))
    best: dict[str, list[_Unit]] | None = None
    best_share = _ENOUGH
    for take in [None, *range(longest - 1, 0, -1), *range(-longest + 1, 0)]:
        groups: dict[str, list[_Unit]] = {}
        for unit, parts in zip(units, words, strict=True):
            cut = parts if take is None else parts[:take] if take > 0 else parts[take:]
            groups.setdefault("_".join(cut), []).append(unit)
        paired = [members for members in groups.values() if _different(members)]
        share = sum(len(members) for members in paired) / len(units)
        if share > best_share and (len(groups) > 1 or take is None):
            best, best_share = groups, share
    return best


def _different(members: list[_Unit]) -> bool:
    """At least two streams, no two of which play the same part."""
    parts = {(unit.folder, unit.kind, unit.files[0].suffix.lower(), unit.name) for unit in members}
    kinds = {(unit.kind, unit.folder, unit.name) for unit in members}
    return len(members) > 1 and len(parts) == len(members) and len(kinds) > 1


def _by_time(units: list[_Unit]) -> dict[str, list[_Unit]] | None:
    """Recordings with their start in the name: a new sample begins where a part would come twice."""
    stamped = []
    for unit in units:
        found = _EPOCH_OR_DATE.search(unit.name)
        if found is None or unit.kind not in _LIKE_VIDEO or len(unit.files) > 1:
            return None
        role = (unit.folder, unit.name[: found.start()] + unit.name[found.end() :])
        stamped.append((epoch_in(unit.name) or 0, role, unit))
    stamped.sort(key=lambda item: item[0])
    groups: dict[str, list[_Unit]] = {}
    seen: set[tuple[Path, str]] = set()
    key = ""
    for epoch_ns, role, unit in stamped:
        if not key or role in seen:
            moment = datetime.fromtimestamp(epoch_ns // SECOND_NS, UTC)
            key = f"{moment:%Y%m%d_%H%M%S}"
            while key in groups:
                key += "_b"
            seen = set()
        seen.add(role)
        groups.setdefault(key, []).append(unit)
    return groups


def epoch_in(name: str) -> int | None:
    """Unix time in nanoseconds that a file's name states; dates without a zone are taken as UTC."""
    found = _EPOCH_OR_DATE.search(name)
    if found is None:
        return None
    for unit, factor in (("ns", 1), ("us", 1000), ("ms", 1_000_000)):
        if found[unit]:
            return int(found[unit]) * factor
    try:
        fields = [int(found[word]) for word in ("year", "month", "day", "hour", "minute", "second")]
        moment = datetime(*fields, tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError:
        return None
    return int(moment.timestamp()) * SECOND_NS + int((found["part"] or "0").ljust(9, "0"))


def _alone_or_together(units: list[_Unit]) -> dict[str, list[_Unit]]:
    """Files of one kind are samples of their own; different kinds in one folder are one recording."""
    if len({unit.kind for unit in units}) > 1:
        return {"sample": units}
    groups: dict[str, list[_Unit]] = {}
    for unit in units:
        key = _slug("_".join((*unit.folder.parts, unit.name)))
        while key in groups:
            key += "_b"
        groups[key] = [unit]
    return groups


def _sample(key: str, members: list[_Unit]) -> SampleProposal:
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
    sample = SampleProposal(key=_slug(key), streams=tuple(streams), notes=(note,) if note else ())
    return replace(aligned(sample, {}), key=_slug(key))


def _stream_key(unit: _Unit, sample: str, members: list[_Unit]) -> str:
    """What is special about the stream in its sample: its name without the sample's, else its folder, else its kind."""
    rest = _EPOCH_OR_DATE.sub("", unit.name.replace(sample, "")).strip("_-. ")
    if not rest:
        rest = unit.folder.name if unit.folder.name not in ("", sample) else ""
    if not rest:
        rest = unit.kind.value
        if sum(other.kind is unit.kind for other in members) > 1:
            rest = f"{rest}_{unit.files[0].suffix.lstrip('.').lower()}"
    return _slug(rest)


def _stem(path: Path) -> str:
    name = path.name
    ending = next((ending for ending in _ENDINGS if name.lower().endswith(ending)), path.suffix)
    return name[: len(name) - len(ending)] if ending else name


def _slug(text: str) -> str:
    """A key for a person and for files: letters and digits of any script, and low lines between them."""
    slug = re.sub(r"\W+", "_", text).strip("_").lower()
    return slug[:80] or "sample"
