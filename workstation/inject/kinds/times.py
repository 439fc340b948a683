"""Labels at a wrong time: a sound beside what is seen, one moment told twice, a scan that is not the one meant."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from workstation.core.annotation import Annotation
from workstation.core.sample import Sample, StreamKind
from workstation.core.snapshot import Snapshot
from workstation.inject.joined import (
    PICTURES,
    is_span,
    joined,
    lies_on,
    side,
    stream_of,
    streams_of,
    target_of,
    tolerance_of,
)
from workstation.inject.kind import Edit, Place, Plant, Sizes, kind
from workstation.inject.plan import Target

MS = 1_000_000


@kind("late_sound", error_type="temporal", sizes=Sizes(4.0, 40.0, 600.0, "ms", (0.7, 1.3)))
def late_sound(snapshot: Snapshot, sample: Sample) -> Iterator[Place]:
    """A sound is moved away from what is seen at its moment; people notice 40 ms."""
    streams = streams_of(snapshot, sample)
    for link, labels in joined(snapshot, sample):
        if tolerance_of(snapshot, link, "time_ms") is None or not all(map(is_span, labels)) or len(labels) != 2:
            continue
        heard = [each for each in labels if lies_on(each, streams, StreamKind.AUDIO)]
        seen = [each for each in labels if lies_on(each, streams, *PICTURES)]
        if len(heard) == len(seen) == 1:
            # The moved one starts where the other does, so that the distance is the size and nothing else.
            yield partial(
                _set_apart,
                heard[0],
                _apart_ns(snapshot, sample, heard[0], seen[0]),
                (target_of(link), target_of(seen[0])),
            )


@kind("torn_moment", error_type="temporal", sizes=Sizes(3.0, 20.0, 300.0, "ms", (0.4, 1.6)))
def torn_moment(snapshot: Snapshot, sample: Sample) -> Iterator[Place]:
    """Two stretches that are one moment, neither of them heard, are moved apart."""
    streams = streams_of(snapshot, sample)
    for link, labels in joined(snapshot, sample):
        if tolerance_of(snapshot, link, "time_ms") is None or len(labels) != 2 or not all(map(is_span, labels)):
            continue
        if any(lies_on(each, streams, StreamKind.AUDIO, StreamKind.TEXT) for each in labels):
            continue
        first, second = labels
        yield partial(
            _set_apart, second, _apart_ns(snapshot, sample, second, first), (target_of(link), target_of(first))
        )


def _apart_ns(snapshot: Snapshot, sample: Sample, moved: Annotation, still: Annotation) -> int:
    streams = streams_of(snapshot, sample)
    begins = []
    for each in (moved, still):
        stream = stream_of(each, streams)
        begins.append(each.start_ns or 0 if stream is None else stream.time_map.to_session(each.start_ns or 0))
    return begins[0] - begins[1]


def _set_apart(
    moved: Annotation, apart_ns: int, others: tuple[Target, ...], rng: np.random.Generator, size: float
) -> Plant:
    by_ns = round(side(rng) * size * MS) - apart_ns
    assert moved.start_ns is not None
    assert moved.end_ns is not None
    times = {"start_ns": moved.start_ns + by_ns, "end_ns": moved.end_ns + by_ns}
    return Plant(
        edits=(Edit("annotation.set_interval", {"annotation": moved.id, **times}),),
        items=(target_of(moved), *others),
        note=f"moved by {by_ns / MS:+.1f} ms",
    )
