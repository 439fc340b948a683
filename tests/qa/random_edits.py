"""Edits of any kind on whatever a sample holds, as people, imports and models make them; what the gate refuses is left.

Used to hold checks while editing against full runs on real media.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from msgspec.structs import replace

from workstation.app.session import Session
from workstation.core.annotation import Annotation, Link, State
from workstation.core.errors import UserError
from workstation.core.ids import SampleId
from workstation.core.records import RecordKind
from workstation.store.transaction import Transaction

SHIFTS_MS = (-800, -150, -60, 60, 150, 800)


class RandomEdits:
    """Seeded; ``one`` makes an edit and says which, "" if the gate refused it."""

    def __init__(self, session: Session, sample: SampleId, seed: int) -> None:
        self._session, self._sample, self._chance = session, sample, Random(seed)
        self._labels: tuple[Callable[[Transaction, Annotation], None], ...] = (
            self._relabel, self._move, self._judge, self._attach, self._reshape, self._say, self._delete,
        )  # fmt: skip
        self._links: tuple[Callable[[Transaction, Link], None], ...] = (
            self._unlink, self._judge_link, self._deny, self._retype, self._retarget,
        )  # fmt: skip

    def one(self) -> str:
        store, pick = self._session.store, self._chance.choice
        labels, links = list(store.annotations(self._sample)), list(store.links(self._sample))
        parts = [each for label in labels for each in (*store.keyframes(label.id), *store.words(label.id))]
        entities = list(store.entities(self._sample))
        kinds = ["label"] * 4 + ["link"] * 3 * bool(links) + ["part"] * bool(parts) + ["entity"] * bool(entities)
        kind = pick(kinds)
        try:
            with store.transaction("Edit") as tx:
                if kind == "label":
                    pick(self._labels)(tx, pick(labels))
                elif kind == "link":
                    pick(self._links)(tx, pick(links))
                elif kind == "part":
                    self._part(tx, pick(parts))
                else:
                    tx.put(replace(pick(entities), class_id=self._class()))
        except UserError:
            return ""
        return kind

    def _class(self) -> str:
        ontology = self._session.store.ontology()
        assert ontology is not None
        return self._chance.choice(list(ontology.classes))

    def _others(self, label: Annotation) -> list[Annotation]:
        return [each for each in self._session.store.annotations(self._sample) if each.kind is label.kind]

    def _relabel(self, tx: Transaction, label: Annotation) -> None:
        tx.put(replace(label, class_id=self._class()))

    def _move(self, tx: Transaction, label: Annotation) -> None:
        if label.start_ns is not None and label.end_ns is not None:
            by = self._chance.choice(SHIFTS_MS) * 1_000_000
            tx.put(replace(label, start_ns=max(0, label.start_ns + by), end_ns=max(0, label.end_ns + by)))

    def _judge(self, tx: Transaction, label: Annotation) -> None:
        tx.put(replace(label, state=self._chance.choice(list(State))))

    def _attach(self, tx: Transaction, label: Annotation) -> None:
        entities = [None, *(each.id for each in self._session.store.entities(self._sample))]
        tx.put(replace(label, entity=self._chance.choice(entities)))

    def _reshape(self, tx: Transaction, label: Annotation) -> None:
        if label.shape is not None:
            tx.put(replace(label, shape=self._chance.choice(self._others(label)).shape))

    def _say(self, tx: Transaction, label: Annotation) -> None:
        other = self._chance.choice(self._others(label))
        tx.put(replace(label, text=other.text, attributes=other.attributes))

    def _delete(self, tx: Transaction, label: Annotation) -> None:
        store = self._session.store
        for link in list(store.links_of(label.id)):
            tx.delete(RecordKind.LINK, link.id)
        for frame in list(store.keyframes(label.id)):
            tx.delete(RecordKind.KEYFRAME, frame.id)
        for word in list(store.words(label.id)):
            tx.delete(RecordKind.WORD, word.id)
        tx.delete(RecordKind.ANNOTATION, label.id)

    def _unlink(self, tx: Transaction, link: Link) -> None:
        tx.delete(RecordKind.LINK, link.id)

    def _judge_link(self, tx: Transaction, link: Link) -> None:
        tx.put(replace(link, state=self._chance.choice(list(State))))

    def _deny(self, tx: Transaction, link: Link) -> None:
        tx.put(replace(link, holds=not link.holds))

    def _retype(self, tx: Transaction, link: Link) -> None:
        tx.put(replace(link, type_id=self._chance.choice(list(self._session.store.links(self._sample))).type_id))

    def _retarget(self, tx: Transaction, link: Link) -> None:
        alike = [each for each in self._session.store.links(self._sample) if each.type_id == link.type_id]
        ends = [end for each in alike for end in each.ends if end.role == link.ends[0].role]
        tx.put(replace(link, ends=(self._chance.choice(ends), *link.ends[1:])))

    def _part(self, tx: Transaction, part: Any) -> None:
        kind = RecordKind.KEYFRAME if hasattr(part, "shape") else RecordKind.WORD
        if kind is RecordKind.WORD and self._chance.random() < 0.5:
            tx.put(replace(part, text=part.text + part.text))
        else:
            tx.delete(kind, part.id)
