"""Which links of the open sample are stale now: asked once, then kept true by what each commit touches.

One for the window (``Workbench.stale``), asked by every list and picture of links: comparing the ends of hundreds of
links with their tracks takes long enough to be felt at each edit.
"""

from __future__ import annotations

from collections.abc import Iterable

from workstation.app.sample_view import SampleView
from workstation.core.annotation import Keyframe, Word
from workstation.core.records import RecordKind
from workstation.store.changes import ChangeSet
from workstation.store.ends import StaleEnd
from workstation.store.queries import Reads

_ROWS = (RecordKind.KEYFRAME, RecordKind.WORD)


class StaleNow:
    """Nothing is compared before it is asked for. ``apply`` after the view has taken a commit in."""

    def __init__(self, store: Reads, view: SampleView) -> None:
        self._store = store
        self._view = view
        self._ends: dict[str, tuple[StaleEnd, ...]] | None = None
        self._later: set[str] = set()
        """Records whose links are to be compared again when somebody asks."""

    def ends(self) -> list[StaleEnd]:
        """Every stale end, as ``Reads.stale_links`` of the sample gives them."""
        if self._ends is None:
            self._ends = {}
            self._later.clear()
            self._keep(self._store.stale_links(self._view.id))
        elif self._later:
            targets = self._later & self._targets()
            for target in targets:
                for link in self._view.links_of(target):
                    self._ends.pop(link.id, None)
            self._keep(self._store.stale_links(self._view.id, targets=targets))
            self._later.clear()
        return [end for link, ends in self._ends.items() if link in self._view.links for end in ends]

    def links(self) -> frozenset[str]:
        """The ids of the stale links."""
        return frozenset(end.link.id for end in self.ends())

    def apply(self, changes: ChangeSet) -> None:
        """What was touched is compared again; all of it where limits or rules may have changed."""
        if changes.touched(RecordKind.PROJECT) or changes.touched(RecordKind.ONTOLOGY):
            self._ends = None
        if self._ends is None:
            return
        for link_id in changes.touched(RecordKind.LINK):
            self._ends.pop(link_id, None)
            link = self._view.links.get(link_id)
            self._later |= {end.target for end in link.ends} if link is not None else set()
            self._later.add(link_id)  # links may end at links
        for thing in changes.touched(RecordKind.ENTITY):
            self._later |= {thing, *(each.id for each in self._view.annotations_of_entity(thing))}
        self._later |= changes.touched(RecordKind.ANNOTATION)
        for kind in _ROWS:
            for row_id in changes.touched(kind):
                row = self._store.get(kind, row_id)
                if not isinstance(row, Keyframe | Word):
                    self._ends = None  # it is gone, and nobody knows any more whose it was
                    return
                self._later.add(row.annotation)

    def _targets(self) -> set[str]:
        return {end.target for link in self._view.links.values() for end in link.ends}

    def _keep(self, found: Iterable[StaleEnd]) -> None:
        assert self._ends is not None
        fresh: dict[str, tuple[StaleEnd, ...]] = {}
        for end in found:
            fresh[end.link.id] = (*fresh.get(end.link.id, ()), end)
        self._ends.update(fresh)
