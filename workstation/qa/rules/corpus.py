"""Habits that show only over many samples: somebody whose cuboids are smaller than everybody else's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

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

_FEWEST = 8
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
    of the same class, beyond what their variety explains.
    """
    limit = named_limit_ms(snapshot.project(), SIZE_TOLERANCE, SIZE_BIAS_M)
    sizes, first = _sizes(snapshot)
    for class_id, by_author in sizes.items():
        for author, mine in by_author.items():
            others = [each for other, each in by_author.items() if other != author]
            if len(mine) < _FEWEST or sum(map(len, others)) < _FEWEST:
                continue
            theirs = np.concatenate(others)
            for axis, (less, more) in enumerate(zip(_AXES, _OTHER, strict=True)):
                off, error = _off(mine[:, axis], theirs[:, axis])
                # Beside somebody who is off, those who are not look off the other way.
                if abs(off) <= limit or abs(off) <= _SURE * error or 2 * len(mine) > len(theirs):
                    continue
                yield Fault(
                    text=f"{author} makes {class_id} {abs(off):.2f} m too {less if off < 0 else more}: "
                    f"{len(mine)} cuboids beside {len(theirs)} of others",
                    items=(Item(RecordKind.ANNOTATION.value, first[class_id, author], f"{class_id} by {author}"),),
                    measured=round(abs(off), 3),
                    limit=limit,
                    suggestion="look at some of them with the person, and at what the guideline says of cuboids",
                    aspect=f"{class_id} {author} {axis}",
                )


def _off(mine: Floats, theirs: Floats) -> tuple[float, float]:
    """How much the middle of one lies above that of the other, and the standard error of that."""
    spreads = [1.2533 * float(each.std(ddof=1)) / np.sqrt(len(each)) for each in (mine, theirs)]
    return float(np.median(mine) - np.median(theirs)), float(np.hypot(*spreads))


def _sizes(snapshot: Snapshot) -> tuple[dict[str, dict[str, Floats]], dict[tuple[str, str], str]]:
    """Sizes (n, 3) by class and author, one cuboid a track; and the first label of each."""
    found: defaultdict[str, defaultdict[str, list[tuple[float, float, float]]]] = defaultdict(lambda: defaultdict(list))
    first: dict[tuple[str, str], str] = {}
    for sample in snapshot.samples():
        if all(each.kind is not StreamKind.CLOUD for each in snapshot.streams(sample.id)):
            continue
        for label in judged_annotations(snapshot, sample):
            class_id, author = class_of(snapshot, label), author_of(label)
            size = _size(snapshot, label)
            if class_id is not None and author and size is not None:
                found[class_id][author].append(size)
                first.setdefault((class_id, author), label.id)
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
