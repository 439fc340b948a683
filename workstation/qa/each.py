"""What rules work out of each label or link alone, kept from one check to the next. Held by ``held.py``.

A rule that must see the whole sample asks a question of every record once; after an edit it is asked again only of what
may be answered otherwise now, and the rule goes on from the answers.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Each(Generic[T]):
    """Answers by the id of the record that was asked, in no order; without an answer (``None``) it is left out."""

    __slots__ = ("_due", "answers", "given")

    def __init__(self, ids: Iterable[str] = (), given: object = None) -> None:
        self.answers: dict[str, T] = {}
        self.given = given
        """What all answers stand on besides."""
        self._due = set(ids)

    def mark(self, ids: Iterable[str]) -> None:
        """These may be answered otherwise now, or be gone."""
        self._due.update(ids)

    def renew(self, records: Mapping[str, Any], make: Callable[[Any], T | None]) -> None:
        """Ask again; where that fails or is stopped, what was not answered stays due."""
        for record_id in tuple(self._due):
            record = records.get(record_id)
            self._set(record_id, None if record is None else make(record))
            self._due.discard(record_id)

    def _set(self, record_id: str, answer: T | None) -> None:
        if answer is None:
            self.answers.pop(record_id, None)
        else:
            self.answers[record_id] = answer


class Grouped(Each[Hashable]):
    """Answers that are groups: which records are in each, in the order of making."""

    __slots__ = ("groups",)

    def __init__(self, ids: Iterable[str] = (), given: object = None) -> None:
        super().__init__(ids, given)
        self.groups: dict[Hashable, list[str]] = {}

    def _set(self, record_id: str, answer: Hashable | None) -> None:
        before = self.answers.get(record_id)
        super()._set(record_id, answer)
        if before == answer:
            return
        if before is not None:
            members = self.groups[before]
            del members[bisect_left(members, record_id)]
            if not members:
                del self.groups[before]
        if answer is not None:
            insort(self.groups.setdefault(answer, []), record_id)
