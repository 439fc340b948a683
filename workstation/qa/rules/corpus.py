"""Habits that show only over many samples: whose cuboids are smaller than everybody else's, what nobody ever links."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

import numpy as np

from workstation.core.annotation import Annotation, SourceKind, TargetKind
from workstation.core.findings import Item
from workstation.core.geometry import Cuboid
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.rotation import Floats
from workstation.core.sample import Sample, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import SIZE_BIAS_M, SIZE_TOLERANCE, named_limit_ms
from workstation.qa.findings import Fault, rule
from workstation.qa.rules.items import JUDGED, class_of, judged_annotations, streams_by_id

_FEWEST = 6
_SURE = 4.0
_FEWEST_SAMPLES, _MOST_SHARE, _USUAL_SHARE = 5, 2.0, 50.0
"""In so many samples, and in no more of them linked, in per cent, where so many of the others are."""
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


@rule(
    "corpus.isolated",
    error_type=ErrorType.MISSING_REFERENCE,
    severity=Severity.WARNING,
    limit=_MOST_SHARE,
    unit="% of the samples",
    per_sample=False,
    per_project=True,
)
def isolated(snapshot: Snapshot, _sample: Sample | None) -> Iterator[Fault]:
    """One modality is labelled in isolation: in five samples or more it is labelled beside others and linked to none of
    them, by no link and no common thing, while in most samples without it labels of different modalities are.
    """
    beside: Counter[StreamKind] = Counter()
    joined: Counter[StreamKind] = Counter()
    several, related = Counter[frozenset[StreamKind]](), Counter[frozenset[StreamKind]]()
    shown: defaultdict[StreamKind, list[Item]] = defaultdict(list)
    samples = list(snapshot.samples())
    for sample in samples if len(samples) > _FEWEST_SAMPLES else ():
        labelled, linked = _modalities(snapshot, sample)
        if len(labelled) < 2:
            continue
        several[frozenset(labelled)] += 1
        related[frozenset(labelled)] += bool(linked)
        for kind, label in labelled.items():
            beside[kind] += 1
            joined[kind] += kind in linked
            if kind not in linked:
                shown[kind].append(Item(RecordKind.ANNOTATION.value, label.id, f"{kind.value} of {sample.key}"))
    for kind, count in beside.items():
        share = 100 * joined[kind] / count
        others = sum(many for kinds, many in several.items() if kind not in kinds)
        usual = sum(many for kinds, many in related.items() if kind not in kinds)
        if count < _FEWEST_SAMPLES or share > _MOST_SHARE or 100 * usual < _USUAL_SHARE * others or not usual:
            continue
        yield Fault(
            text=f"{kind.value} labels are linked to nothing in {count - joined[kind]} of {count} samples that hold "
            f"them beside other labels, while {usual} of {others} other samples link theirs",
            items=tuple(shown[kind][:6]),
            measured=round(share, 1),
            suggestion=f"link what the {kind.value} shows to the labels beside it, or say in the guideline that it "
            "stands for itself",
            aspect=kind.value,
        )


def _modalities(snapshot: Snapshot, sample: Sample) -> tuple[dict[StreamKind, Annotation], set[StreamKind]]:
    """The first label on each kind of stream, and the kinds whose labels go with some of another kind."""
    streams = streams_by_id(snapshot, sample)
    labels = {each.id: each for each in judged_annotations(snapshot, sample) if each.stream in streams}
    kinds: dict[str, StreamKind] = {key: streams[each.stream or ""].kind for key, each in labels.items()}
    first: dict[StreamKind, Annotation] = {}
    groups: defaultdict[str, set[StreamKind]] = defaultdict(set)
    for key, each in labels.items():
        first.setdefault(kinds[key], each)
        if each.entity is not None:
            groups[each.entity].add(kinds[key])
    for link in snapshot.links(sample.id) if len(first) > 1 else ():
        if link.holds and link.state in JUDGED:
            for end in link.ends:
                if end.kind is TargetKind.ANNOTATION and end.target in kinds:
                    groups[link.id].add(kinds[end.target])
                elif end.kind is TargetKind.ENTITY:
                    groups[link.id] |= groups.get(end.target, set())
                elif end.kind is TargetKind.STREAM and end.target in streams:
                    groups[link.id].add(streams[end.target].kind)
    return first, {kind for those in groups.values() if len(those) > 1 for kind in those}
