"""Relations that say nothing without a sentence: how a sound comes from its source, or why it has none in sight.

The window asks for it where the link is made, submitting a sample refuses without it, and the check ``sounds.source``
names it afterwards. The sentence is the link's rationale.
"""

from __future__ import annotations

from workstation.core.annotation import Annotation, Link, State
from workstation.core.geometry import ShapeKind
from workstation.core.sample import Stream, StreamKind

SOUND_SOURCE = "sound_source"
DESCRIBED = frozenset({SOUND_SOURCE})
_OPEN = frozenset({State.PROPOSED, State.REJECTED})


def lacks_sentence(link: Link) -> bool:
    """Whether somebody stands for the link and nobody says in words what it means."""
    return link.type_id in DESCRIBED and link.state not in _OPEN and not link.rationale.strip()


def is_sound(label: Annotation, stream: Stream | None) -> bool:
    """Whether a label is a stretch of a sound, with a beginning and an end."""
    return (
        stream is not None
        and stream.kind is StreamKind.AUDIO
        and label.kind is ShapeKind.SPAN
        and label.track is None
        and label.start_ns is not None
        and label.end_ns is not None
        and label.end_ns > label.start_ns
    )
