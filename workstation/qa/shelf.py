"""Records of one kind in the order of making, kept true as single ones come, change and go. Used by ``held.py``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any


class Shelf:
    """All records that are wanted, by id; lists of them are made once after each change."""

    def __init__(self, records: Iterable[Any], wanted: Callable[[Any], bool] | None = None) -> None:
        self._wanted = wanted
        self.by_id: dict[str, Any] = {each.id: each for each in records if wanted is None or wanted(each)}
        self._list: tuple[Any, ...] | None = None

    def put(self, record_id: str, record: Any | None) -> None:
        """What a record is now; ``None`` if it is gone."""
        before = self.by_id.get(record_id)
        if record is None or (self._wanted is not None and not self._wanted(record)):
            if before is None:
                return
            del self.by_id[record_id]
        else:
            late = before is None and bool(self.by_id) and record_id < next(reversed(self.by_id))
            self.by_id[record_id] = record
            if late:  # what comes back stands where it stood: in the order of making
                self.by_id = {each: self.by_id[each] for each in sorted(self.by_id)}
        self._list = None

    def list(self) -> Sequence[Any]:
        """All of them."""
        if self._list is None:
            self._list = tuple(self.by_id.values())
        return self._list

    def some(self, ids: Collection[str]) -> tuple[Any, ...]:
        """Those among these, in the order of making."""
        return tuple(self.by_id[each] for each in sorted(each for each in ids if each in self.by_id))

    def __len__(self) -> int:
        return len(self.by_id)

    def __contains__(self, record_id: object) -> bool:
        return record_id in self.by_id
