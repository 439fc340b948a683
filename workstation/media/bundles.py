"""Which streams of a folder belong to one sample: by sub-folder, by what their names share, or by the times in them.

Called by ``grouping.py`` with the streams it found. Every rule looks for what most streams do and leaves out, with the
reason, what fits nowhere: one odd file must not turn a folder of a thousand samples into something else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from workstation.core.sample import StreamKind
from workstation.core.timebase import SECOND_NS

_MOST = 0.6
"""Share of the streams, or groups, that must follow a rule for it to count."""
_FEW = 0.2
"""Share of the streams that may fit nowhere."""
_DEEPEST_LEVELS = 3
_ONE_RECORDING = 32
"""More streams of one kind than this are no single recording."""
_BEGINNING = (StreamKind.VIDEO, StreamKind.AUDIO, StreamKind.SERIES, StreamKind.TEXT, StreamKind.TRAJECTORY)
_NUMBERS = re.compile(r"\d+")
EPOCH_OR_DATE = re.compile(
    r"(?<!\d)(?:(?P<ns>1\d{18})|(?P<us>1\d{15})|(?P<ms>1\d{12})|"
    r"(?P<year>20\d\d)[-_]?(?P<month>\d\d)[-_]?(?P<day>\d\d)[-_T ]?(?P<hour>\d\d)[-_:]?(?P<minute>\d\d)[-_:]?"
    r"(?P<second>\d\d)(?:[._-]?(?P<part>\d{1,9}))?)(?!\d)"
)
_PARTS = {
    "left", "right", "front", "rear", "back", "top", "bottom", "side", "center", "centre", "wide", "tele", "cam",
    "camera", "cameras", "image", "images", "img", "rgb", "depth", "colour", "color", "gray", "grey", "ir",
    "infrared", "thermal", "stereo", "video", "videos", "film", "films", "audio", "sound", "sounds", "mic", "mics",
    "microphone", "lidar", "lidars", "velodyne", "radar", "cloud", "clouds", "pcd", "points", "imu", "gps", "can",
    "text", "texts", "caption", "captions", "transcript", "transcripts", "subtitles", "notes", "labels", "report",
    "reports", "scan", "scans", "series", "pose", "poses", "train", "test", "val", "valid", "validation", "dev",
    "data", "media", "files", "raw",
}  # fmt: skip
"""Words for a part of a recording, or of a data set: a folder called so is no sample."""


@dataclass(slots=True)
class Unit:
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


@dataclass(slots=True)
class Bundles:
    """Streams by sample key, and those that fit in no sample, with why."""

    samples: dict[str, list[Unit]]
    left: list[tuple[Unit, str]] = field(default_factory=list)


def bundle(units: Sequence[Unit]) -> Bundles:
    """The samples that the streams make."""
    if any(unit.sample for unit in units):
        groups: dict[str, list[Unit]] = {}
        for unit in units:
            groups.setdefault(unit.sample or "sample", []).append(unit)
        return Bundles(groups)
    if len(units) <= 1:
        return Bundles({slug(unit.name): [unit] for unit in units})
    timed = _by_time(units)
    if timed is not None:
        return timed
    by_folder, by_name = _by_folder(units), _by_name(units)
    if by_folder is not None and by_name is not None:
        return by_folder if _folders_count(by_folder.samples, by_name.samples) else by_name
    return by_folder or by_name or _alone_or_together(units)


def _folders_count(by_folder: Iterable[str], by_name: Iterable[str]) -> bool:
    """Where both rules fit: folders are samples unless they are called after parts, or only the names are counted."""
    if _called_after_parts(by_folder) != _called_after_parts(by_name):
        return _called_after_parts(by_name)
    return _numbered(by_folder) >= _numbered(by_name)


def _called_after_parts(keys: Iterable[str]) -> bool:
    known = [any(word in _PARTS for word in re.findall(r"[a-z]+", key.lower())) for key in keys]
    return sum(known) / max(1, len(known)) >= _MOST


def _numbered(keys: Iterable[str]) -> float:
    """How many of the keys hold a number: samples are counted or dated, roles have names."""
    found = [any(letter.isdecimal() for letter in key) for key in keys]
    return sum(found) / max(1, len(found))


def _by_folder(units: Sequence[Unit]) -> Bundles | None:
    """Sub-folders that hold the same kinds of things, a sample each: the deepest such level (day, then run)."""
    start = _common_depth(units)
    found: Bundles | None = None
    for depth in range(start + 1, start + 1 + _DEEPEST_LEVELS):
        inside = [unit for unit in units if len(unit.folder.parts) >= depth]
        if len(inside) < (1 - _FEW) * len(units):
            break
        groups: dict[str, list[Unit]] = {}
        for unit in inside:
            groups.setdefault("_".join(unit.folder.parts[start:depth]), []).append(unit)
        if found is not None and _called_after_parts(members[0].folder.parts[depth - 1] for members in groups.values()):
            break
        typical = _typical([_roles(members, depth) for members in groups.values()])
        if typical is None:
            continue
        found = Bundles({}, [(unit, "lies beside the folders of the samples") for unit in units if unit not in inside])
        for key, members in groups.items():
            if _roles(members, depth).keys() & typical:
                found.samples[key] = members
            else:
                found.left += [(unit, "lies in a folder that is like none of the samples' folders") for unit in members]
    return found


def _common_depth(units: Sequence[Unit]) -> int:
    """How many folders nearly all streams lie in together."""
    depth, here = 0, list(units)
    while True:
        following = Counter(unit.folder.parts[depth] for unit in here if len(unit.folder.parts) > depth)
        if not following:
            return depth
        name, count = following.most_common(1)[0]
        if count < (1 - _FEW / 2) * len(units):
            return depth
        here = [unit for unit in here if len(unit.folder.parts) > depth and unit.folder.parts[depth] == name]
        depth += 1


Roles = Counter[tuple[str, ...]]


def _roles(members: Sequence[Unit], depth: int) -> Roles:
    """What parts the streams of a folder play: their kinds and names, without numbers and the folder's own name."""
    own = members[0].folder.parts[depth - 1]
    return Counter(
        (unit.kind.value, "/".join(unit.folder.parts[depth:]), _NUMBERS.sub("#", unit.name.replace(own, "*")))
        for unit in members
    )


def _typical(groups: Sequence[Roles]) -> set[tuple[str, ...]] | None:
    """The parts that most folders have; ``None`` unless most of the folders are alike and hold several parts, once."""
    if len(groups) < 2 or sum(roles.total() > 1 for roles in groups) < _MOST * len(groups):
        return None
    spread = Counter(role for roles in groups for role in roles)
    typical = {role for role, count in spread.items() if count >= _MOST * len(groups)}
    alike = [len(roles.keys() & typical) * 2 >= len(roles.keys() | typical) for roles in groups]
    once = [max(roles.values()) <= _ONE_RECORDING and len(roles) * 2 > roles.total() for roles in groups]
    if not typical or sum(alike) < _MOST * len(groups) or sum(once) < _MOST * len(groups):
        return None
    return typical


def _by_name(units: Sequence[Unit]) -> Bundles | None:
    """Streams whose names share a beginning or an end, however their folders are called.

    Of all cuts the one counts that leaves the fewest streams over and the fewest samples without one of the parts.
    """
    words = [re.split(r"[_\-. ]+", unit.name) for unit in units]
    longest = max(map(len, words))
    best: Bundles | None = None
    best_score = _MOST * (1 - _FEW)
    for take in [None, *range(longest - 1, 0, -1), *range(-longest + 1, 0)]:
        groups: dict[str, dict[tuple[str, ...], Unit]] = {}
        twice = 0
        for unit, parts in zip(units, words, strict=True):
            cut = parts if take is None else parts[:take] if take > 0 else parts[take:]
            rest = [] if take is None else parts[take:] if take > 0 else parts[:take]
            role = (str(unit.folder), unit.kind.value, unit.files[0].suffix.lower(), "_".join(rest))
            members = groups.setdefault("_".join(cut), {})
            twice += role in members
            members.setdefault(role, unit)
        roles = {role for members in groups.values() if len(members) > 1 for role in members}
        fitting = {key: members for key, members in groups.items() if members.keys() & roles}
        held = sum(map(len, fitting.values()))
        if twice or len(fitting) < 2 or held < _MOST * len(units):
            continue
        played = {role[1:] for role in roles}
        score = held / len(units) * min(1.0, held / (len(fitting) * len(played)))
        if score > best_score:
            best_score = score
            kept = {key: list(members.values()) for key, members in fitting.items()}
            lone = [unit for key, members in groups.items() if key not in fitting for unit in members.values()]
            best = Bundles(
                kept, [(unit, "shares its name with no other file, as the samples' files do") for unit in lone]
            )
    return best


def _by_time(units: Sequence[Unit]) -> Bundles | None:
    """Recordings with their start in the name: a new sample begins where a part would come twice, or much later."""
    stamped: list[tuple[int, tuple[str, str], Unit]] = []
    left: list[tuple[Unit, str]] = []
    for unit in units:
        found = EPOCH_OR_DATE.search(unit.name)
        epoch_ns = epoch_in(unit.name)
        if found is None or epoch_ns is None or unit.kind not in _BEGINNING or len(unit.files) > 1:
            left.append((unit, "does not say in its name when it began, as the others do"))
        else:
            stamped.append((epoch_ns, (str(unit.folder), unit.name[: found.start()] + unit.name[found.end() :]), unit))
    sounding = any(unit.kind in (StreamKind.VIDEO, StreamKind.AUDIO) for _, _, unit in stamped)
    if not sounding or len(left) > _FEW * len(units):
        return None
    stamped.sort(key=lambda item: item[0])
    apart_ns = _period_ns([(epoch_ns, role) for epoch_ns, role, _ in stamped]) / 2
    groups: dict[str, list[Unit]] = {}
    seen: set[tuple[str, str]] = set()
    key, began_ns = "", 0
    for epoch_ns, role, unit in stamped:
        if not key or role in seen or epoch_ns - began_ns > apart_ns:
            key = _dated(epoch_ns, groups)
            seen, began_ns = set(), epoch_ns
        seen.add(role)
        groups.setdefault(key, []).append(unit)
    return Bundles(groups, left)


def _period_ns(stamped: Sequence[tuple[int, tuple[str, str]]]) -> float:
    """How long after a part usually the same part comes again; endless if none does."""
    last: dict[tuple[str, str], int] = {}
    steps: list[int] = []
    for epoch_ns, role in stamped:
        if role in last:
            steps.append(epoch_ns - last[role])
        last[role] = epoch_ns
    return float(np.median(steps)) if steps else float("inf")


def _dated(epoch_ns: int, taken: Iterable[str]) -> str:
    key = f"{datetime.fromtimestamp(epoch_ns // SECOND_NS, UTC):%Y%m%d_%H%M%S}"
    while key in taken:
        key += "_b"
    return key


def epoch_in(name: str) -> int | None:
    """Unix time in nanoseconds that a file's name states; dates without a zone are taken as UTC."""
    found = EPOCH_OR_DATE.search(name)
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


def _alone_or_together(units: Sequence[Unit]) -> Bundles:
    """Different kinds in one folder are one recording; many files of one kind are samples of their own."""
    kinds = Counter(unit.kind for unit in units)
    kind, most = kinds.most_common(1)[0]
    many = most > _ONE_RECORDING or (len(units) > 5 and most >= (1 - _FEW) * len(units))
    if len(kinds) > 1 and not many:
        return Bundles({"sample": list(units)})
    found = Bundles({})
    for unit in units:
        if unit.kind is not kind:
            found.left.append((unit, f"is the odd one among {most} samples of the kind {kind.value}"))
            continue
        key = slug("_".join((*unit.folder.parts, unit.name)))
        while key in found.samples:
            key += "_b"
        found.samples[key] = [unit]
    return found


def slug(text: str) -> str:
    """A key for a person and for files: letters and digits of any script, and low lines between them."""
    key = re.sub(r"\W+", "_", text).strip("_").lower()
    return key[:80] or "sample"
