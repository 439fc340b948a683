"""Habits that show only over many samples: somebody whose cuboids are smaller than everybody else's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np

from workstation.core.annotation import Annotation, SourceKind
from workstation.core.findings import Item
from workstation.core.geometry import Cuboid
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.rotation import Floats
from workstation.core.sample import Sample, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import SIZE_BIAS_M, SIZE_TOLERANCE, named_limit_ms
from workstation.qa.findings import Fault, rule
from workstation.qa.rules.items import class_of, judged_annotations

_FEWEST = 6
_SURE = 4.0
_AXES = ("short", "narrow", "low")
_OTHER = ("long", "wide", "high")


@rule(
    "corpus.bias",
    error_type=ErrorType.SEMANTIC_DRIFT,
    severity=Severity.WARNING,
    limit=SIZE_BIAS_M,
    unit="m",
    per_sample=False,
    per_project=True,
)
def bias(snapshot: Snapshot, _sample: Sample | None) -> Iterator[Fault]:
    """The cuboids of one person (or of one import or model) are smaller or larger than those that everybody else makes
    of the same classes, beyond what their variety explains.
    """
    limit = named_limit_ms(snapshot.project(), SIZE_TOLERANCE, SIZE_BIAS_M)
    sizes, first = _sizes(snapshot)
    for author in sorted({who for by_author in sizes.values() for who in by_author}):
        mine, theirs = _beside_others(sizes, author)
        if len(mine) < _FEWEST or len(theirs) < _FEWEST or 2 * len(mine) > len(theirs):
            continue  # beside somebody who makes most of them, those who are right would look off
        for axis, (less, more) in enumerate(zip(_AXES, _OTHER, strict=True)):
            off, error = _off(mine[:, axis], theirs[:, axis])
            if abs(off) <= limit or abs(off) <= _SURE * error:
                continue
            yield Fault(
                text=f"{author} makes cuboids {abs(off):.2f} m too {less if off < 0 else more}: {len(mine)} beside "
                f"{len(theirs)} of the same classes by others",
                items=(Item(RecordKind.ANNOTATION.value, first[author], f"by {author}"),),
                measured=round(abs(off), 3),
                limit=limit,
                suggestion="look at some of them with the person, and at what the guideline says of cuboids",
                aspect=f"{author} {axis}",
            )


def _beside_others(sizes: Mapping[str, Mapping[str, Floats]], author: str) -> tuple[Floats, Floats]:
    """Sizes (n, 3) of one and of the others, each less what is usual among the others for its class."""
    mine, theirs = [np.empty((0, 3))], [np.empty((0, 3))]
    for by_author in sizes.values():
        others = [each for other, each in by_author.items() if other != author]
        if author in by_author and others:
            joined = np.concatenate(others)
            usual = np.median(joined, axis=0)
            mine.append(by_author[author] - usual)
            theirs.append(joined - usual)
    return np.concatenate(mine), np.concatenate(theirs)


def _off(mine: Floats, theirs: Floats) -> tuple[float, float]:
    """How much the middle of one lies above that of the other, and the standard error of that."""
    spreads = [1.2533 * float(each.std(ddof=1)) / np.sqrt(len(each)) for each in (mine, theirs)]
    return float(np.median(mine) - np.median(theirs)), float(np.hypot(*spreads))


def _sizes(snapshot: Snapshot) -> tuple[dict[str, dict[str, Floats]], dict[str, str]]:
    """Sizes (n, 3) by class and author, one cuboid a track; and the first label of each author."""
    found: defaultdict[str, defaultdict[str, list[tuple[float, float, float]]]] = defaultdict(lambda: defaultdict(list))
    first: dict[str, str] = {}
    samples = list(snapshot.samples())
    for sample in samples if len(samples) > 1 else ():
        if all(each.kind is not StreamKind.CLOUD for each in snapshot.streams(sample.id)):
            continue
        for label in judged_annotations(snapshot, sample):
            class_id, author = class_of(snapshot, label), author_of(label)
            size = _size(snapshot, label)
            if class_id is not None and author and size is not None:
                found[class_id][author].append(size)
                first.setdefault(author, label.id)
    return {name: {who: np.array(rows) for who, rows in each.items()} for name, each in found.items()}, first


def _size(snapshot: Snapshot, label: Annotation) -> tuple[float, float, float] | None:
    if isinstance(label.shape, Cuboid):
        return label.shape.size
    for keyframe in snapshot.keyframes(label.id) if label.track is not None else ():
        if isinstance(keyframe.shape, Cuboid):
            return keyframe.shape.size
    return None


def author_of(label: Annotation) -> str:
    """Who drew it, as far as the label itself says: the person that an import names, a layer of somebody's own, a
    model; empty where it says nothing.
    """
    named = label.source.parameters.get("person")
    if isinstance(named, str) and named:
        return named
    if label.layer not in ("main", "consensus"):
        return label.layer
    return label.source.name if label.source.kind is SourceKind.MODEL else ""
