"""A project without its proposals, for exports: what nobody has confirmed is no label yet and leaves with no export.

The history is a chain of hashes, so nothing can simply be skipped. A copy of the database is made instead, in which
the proposals are deleted and their content is taken out of the history, as where somebody withdraws consent: two
revisions more, which follow the chain of the project and say what they did. Whoever imports the file can verify all of
it, and finds the project's own head in it. Called by ``transfer.py``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from workstation.core.annotation import Annotation, Link, State, TargetKind
from workstation.core.geometry import TextSpan
from workstation.core.ids import AnnotationId, SampleId
from workstation.core.records import RecordKind
from workstation.core.rights import Actor, ActorKind
from workstation.core.sample import Role
from workstation.store.db import DATABASE_NAME
from workstation.store.queries import Reads
from workstation.store.store import Store

LABEL = "Leave proposals out of an export"
_REASON = "proposals that nobody has confirmed leave with no export"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Which records stay behind: labels and links that are proposed, and what stands on nothing else."""

    annotations: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()

    def words(self) -> str:
        """ "12 labels, 3 links and 2 things"; empty if nothing is left out."""
        counts = ((self.annotations, "label"), (self.links, "link"), (self.entities, "thing"))
        said = [f"{len(ids):,} {name}{'' if len(ids) == 1 else 's'}" for ids, name in counts if ids]
        return " and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)


def proposals_of(reads: Reads) -> LeftOut:
    """What an export leaves out: proposed labels, marks in their texts, links that are proposed or end at any of
    these, and things that only they show.
    """
    labels: list[str] = []
    links: list[str] = []
    things: list[str] = []
    for sample in reads.samples():
        gone = _labels(reads, sample.id)
        left = _links(reads, sample.id, gone)
        labels += gone
        links += left
        if gone:
            things += _things(reads, sample.id, gone, set(left))
    return LeftOut(annotations=tuple(labels), links=tuple(links), entities=tuple(things))


def _labels(reads: Reads, sample: SampleId) -> dict[str, None]:
    every: list[Annotation] = list(reads.annotations(sample))
    gone: dict[str, None] = dict.fromkeys(each.id for each in every if each.state is State.PROPOSED)
    quoting = [(each.id, each.shape.of) for each in every if isinstance(each.shape, TextSpan) and each.shape.of]
    while more := [mark for mark, of in quoting if mark not in gone and of in gone]:  # marks in marks
        gone.update(dict.fromkeys(more))
    return gone


def _links(reads: Reads, sample: SampleId, labels: dict[str, None]) -> list[str]:
    every: list[Link] = list(reads.links(sample))
    gone: dict[str, None] = dict.fromkeys(each.id for each in every if each.state is State.PROPOSED)
    size = -1
    while size != len(gone):  # links on links
        size = len(gone)
        for each in every:
            if any(end.target in labels or end.target in gone for end in each.ends):
                gone[each.id] = None
    return list(gone)


def _things(reads: Reads, sample: SampleId, labels: dict[str, None], links: set[str]) -> list[str]:
    shown: dict[str, bool] = {}
    for each in reads.annotations(sample):
        if each.entity is not None:
            shown[each.entity] = shown.get(each.entity, False) or each.id not in labels
    for link in reads.links(sample):
        if link.id not in links:
            shown.update({end.target: True for end in link.ends if end.kind is TargetKind.ENTITY})
    return [entity for entity, stays in shown.items() if not stays]


@contextmanager
def as_it_leaves(store: Store, *, proposals: bool = False) -> Iterator[tuple[Store, LeftOut]]:
    """The project as it may leave: itself where nothing is proposed or ``proposals`` go with it, else a copy without
    them for the length of the block.
    """
    if proposals or not _any(store):
        yield store, LeftOut()
        return
    (newest,) = store.revisions(limit=1)
    actor = Actor(name="export", kind=ActorKind.SYSTEM, role=Role.LEAD, tool="export")
    with tempfile.TemporaryDirectory(prefix="workstation-export-") as folder:
        database = Path(folder) / DATABASE_NAME
        store.copy_to(database)
        # The same project exports to the same bytes, so the copy's revisions take the time of the last one.
        with Store.open(database, actor=actor, now_ms=lambda: newest.header.made_ms) as copy:
            gone = proposals_of(copy)
            _take_out(copy, gone)
            yield copy, gone


def _any(reads: Reads) -> bool:
    for sample in reads.samples():
        if any(each.state is State.PROPOSED for each in reads.links(sample.id)):
            return True
        if any(each.state is State.PROPOSED for each in reads.annotations(sample.id)):
            return True
    return False


def _take_out(copy: Store, gone: LeftOut) -> None:
    rows: dict[RecordKind, list[str]] = {
        RecordKind.LINK: list(gone.links),
        RecordKind.KEYFRAME: [each.id for label in gone.annotations for each in copy.keyframes(AnnotationId(label))],
        RecordKind.WORD: [each.id for label in gone.annotations for each in copy.words(AnnotationId(label))],
        RecordKind.ANNOTATION: list(gone.annotations),
        RecordKind.ENTITY: list(gone.entities),
    }
    with copy.transaction(LABEL, reason=_REASON) as tx:
        for kind, ids in rows.items():
            tx.delete_many(kind, ids)
    every = [(kind, each) for kind, ids in rows.items() for each in ids]
    copy.remove_contents(every, label=LABEL, reason=_REASON)
