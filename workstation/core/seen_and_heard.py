"""Links that say that a sound and something seen are one moment: how far apart the two begin, in session time.

Judged by the check ``clocks.sound_and_picture`` (SYNC-12), and spread over a whole project by ``report offsets``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workstation.core.annotation import Annotation, Link, TargetKind
from workstation.core.records import RecordKind
from workstation.core.sample import Stream, StreamKind
from workstation.core.snapshot import Snapshot

_SEEN = frozenset({StreamKind.VIDEO, StreamKind.IMAGE})


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenAndHeard:
    """The two labels, and when each begins in session time."""

    heard: Annotation
    seen: Annotation
    heard_ns: int
    seen_ns: int

    @property
    def late_ns(self) -> int:
        """How much later the sound begins."""
        return self.heard_ns - self.seen_ns


def seen_and_heard(snapshot: Snapshot, link: Link, streams: Mapping[str, Stream]) -> SeenAndHeard | None:
    """The sound and the picture that a link with two such ends joins; ``None`` for every other link."""
    heard, seen = None, None
    for end in link.ends:
        found = snapshot.get(RecordKind.ANNOTATION, end.target) if end.kind is TargetKind.ANNOTATION else None
        if not isinstance(found, Annotation) or found.stream is None or found.start_ns is None or found.track:
            continue
        stream = streams.get(found.stream)
        if stream is None:
            continue
        begin_ns = stream.time_map.to_session(found.start_ns)
        if stream.kind is StreamKind.AUDIO and heard is None:
            heard = (found, begin_ns)
        elif stream.kind in _SEEN and seen is None:
            seen = (found, begin_ns)
    if heard is None or seen is None:
        return None
    return SeenAndHeard(heard=heard[0], seen=seen[0], heard_ns=heard[1], seen_ns=seen[1])
