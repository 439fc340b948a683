"""What a project says, without what is only proposed or was refused: the view that exports of labels are written from.

A proposal is nobody's word yet. A link with an end at something left out is left out with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from workstation.core.annotation import Annotation, Keyframe, Link, State, TargetKind, Word
from workstation.core.ids import AnnotationId, SampleId
from workstation.core.records import RecordKind
from workstation.core.snapshot import Snapshot

_OPEN = frozenset({State.PROPOSED, State.REJECTED})
_DEEPEST = 8
"""Links on links on links; a ring among them ends here."""


class Settled:
    """Annotations, their rows and links of a snapshot that somebody stands for."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def annotations(self, sample: SampleId) -> Iterator[Annotation]:
        """Those that are no proposals, and not refused."""
        return (each for each in self._snapshot.annotations(sample) if each.state not in _OPEN)

    def keyframes(self, annotation: AnnotationId) -> Iterable[Keyframe]:
        """Of an annotation that is kept; none of any other."""
        return self._snapshot.keyframes(annotation) if self._kept(annotation) else ()

    def words(self, annotation: AnnotationId) -> Iterable[Word]:
        """Of a turn that is kept; none of any other."""
        return self._snapshot.words(annotation) if self._kept(annotation) else ()

    def links(self, sample: SampleId) -> Iterator[Link]:
        """Those that are no proposals, not refused, and join nothing that is."""
        return (each for each in self._snapshot.links(sample) if self._stands(each))

    def _stands(self, link: Link, depth: int = 0) -> bool:
        if link.state in _OPEN:
            return False
        for end in link.ends:
            if end.kind is TargetKind.ANNOTATION and not self._kept(end.target):
                return False
            other = self._snapshot.get(RecordKind.LINK, end.target) if end.kind is TargetKind.LINK else None
            if isinstance(other, Link) and depth < _DEEPEST and not self._stands(other, depth + 1):
                return False
        return True

    def _kept(self, record_id: str) -> bool:
        found = self._snapshot.get(RecordKind.ANNOTATION, record_id)
        return not isinstance(found, Annotation) or found.state not in _OPEN
