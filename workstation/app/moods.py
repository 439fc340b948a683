"""Which stretches of a sound are said with a feeling: the sentiment set on turns and spans, for the waveform's colour.

Asked by the timeline and the sound pane for every sound, and again when labels change. An ontology says so with the
attribute ``sentiment``; neutral, and what is not set, colours nothing.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from workstation.app.sample_view import SampleView
from workstation.core.timebase import TimeRange

ATTRIBUTE = "sentiment"


class Mood(StrEnum):
    """The values that have a colour."""

    NEGATIVE = "negative"
    POSITIVE = "positive"
    MIXED = "mixed"


class Felt(NamedTuple):
    """A stretch of session time."""

    shown: TimeRange
    mood: Mood


def moods_of(view: SampleView, stream: str) -> tuple[Felt, ...]:
    """The coloured stretches of a stream, those that begin first first."""
    found = []
    for annotation in view.annotations_of(stream):
        value = annotation.attributes.get(ATTRIBUTE)
        shown = view.session_range(annotation) if value in set(Mood) else None
        if shown is not None:
            found.append(Felt(shown, Mood(str(value))))
    return tuple(sorted(found))
