"""Chains of links: what is joined by way of others, and the shortest way between two things. Asked by the checks."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

Edge = TypeVar("Edge")


class Chains(Generic[Edge]):
    """A graph of things (by id) that edges join; an edge may join more than two."""

    def __init__(self, edges: Iterable[tuple[Edge, Sequence[str]]]) -> None:
        self._ends: list[tuple[Edge, tuple[str, ...]]] = []
        self._at: defaultdict[str, list[int]] = defaultdict(list)
        for edge, ends in edges:
            for end in dict.fromkeys(ends):
                self._at[end].append(len(self._ends))
            self._ends.append((edge, tuple(ends)))

    def way(self, start: str, goal: str) -> list[Edge] | None:
        """The fewest edges that lead from one thing to another; ``None`` if none do."""
        came: dict[str, tuple[str, int] | None] = {start: None}
        waiting = deque([start])
        while waiting:
            here = waiting.popleft()
            if here == goal:
                return self._back(came, goal)
            for number in self._at.get(here, ()):
                for there in self._ends[number][1]:
                    if there not in came:
                        came[there] = (here, number)
                        waiting.append(there)
        return None

    def _back(self, came: Mapping[str, tuple[str, int] | None], goal: str) -> list[Edge]:
        found = []
        step = came[goal]
        while step is not None:
            found.append(self._ends[step[1]][0])
            step = came[step[0]]
        return found[::-1]

    def groups(self) -> Iterator[tuple[list[str], list[Edge]]]:
        """Everything that hangs together, with the edges that hold it."""
        seen: set[str] = set()
        for start in self._at:
            if start in seen:
                continue
            members, waiting, numbers = [start], deque([start]), dict[int, None]()
            seen.add(start)
            while waiting:
                for number in self._at[waiting.popleft()]:
                    numbers[number] = None
                    for there in self._ends[number][1]:
                        if there not in seen:
                            seen.add(there)
                            members.append(there)
                            waiting.append(there)
            yield members, [self._ends[number][0] for number in sorted(numbers)]
