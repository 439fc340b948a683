"""A plain model of a project for the state machine: dictionaries, lists, and the rules as the manual tells them.

It knows nothing of the store. A record is a tuple of facts; a step is what it changed, before and after.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Key(NamedTuple):
    """A record's kind and id."""

    kind: str
    id: str


class Box(NamedTuple):
    """An annotation: a box that does not move, or a track (``x`` is None) whose boxes are keyframes."""

    owner_class: str | None
    entity: str | None
    x: float | None
    start_ns: int
    end_ns: int
    state: str
    version: int


class Thing(NamedTuple):
    """An entity."""

    class_id: str
    number: int
    version: int


class Moment(NamedTuple):
    """A keyframe."""

    annotation: str
    time_ns: int
    x: float


class Seen(NamedTuple):
    """An end of a link: what it points at, and what was seen there in the revision that confirmed it."""

    target: str
    revision: int
    class_id: str | None
    x: float | None


class Relation(NamedTuple):
    """A link of two boxes that show one thing."""

    ends: tuple[Seen, ...]
    state: str
    holds: bool
    version: int


class Version(NamedTuple):
    """An ontology version."""

    number: int
    state: str


Facts = Box | Thing | Moment | Relation | Version
World = dict[Key, Facts]
Delta = dict[Key, tuple[Facts | None, Facts | None]]


def delta_of(before: World, after: World) -> Delta:
    """What changed, record by record."""
    return {key: (before.get(key), after.get(key)) for key in {*before, *after} if before.get(key) != after.get(key)}


def applied(world: World, delta: Delta, *, forward: bool) -> World:
    """The world with a step done, or taken back."""
    result = dict(world)
    for key, (before, after) in delta.items():
        wanted = after if forward else before
        if wanted is None:
            result.pop(key, None)
        else:
            result[key] = wanted
    return result


def dangling(world: World) -> bool:
    """Whether something points at what is not there."""
    there = {key.id for key in world}
    for facts in world.values():
        if isinstance(facts, Box) and facts.entity is not None and facts.entity not in there:
            return True
        if isinstance(facts, Moment) and facts.annotation not in there:
            return True
        if isinstance(facts, Relation) and any(end.target not in there for end in facts.ends):
            return True
    return False


@dataclass
class Step:
    """One step on a person's stack. ``moved`` is the revision at which it was last done or taken back."""

    owner: str
    delta: Delta
    moved: int


@dataclass
class PlainModel:
    """The whole project as the manual describes it."""

    world: World = field(default_factory=dict)
    snapshots: list[World] = field(default_factory=list)
    done: list[Step] = field(default_factory=list)
    undone: list[Step] = field(default_factory=list)
    walls: list[tuple[int, str]] = field(default_factory=list)
    """Revisions that changed the ontology in force, and whose they are."""

    @property
    def head(self) -> int:
        """The newest revision."""
        return len(self.snapshots) - 1

    def edit(self, owner: str, after: World) -> Delta:
        """A person changed the project; nothing changed is no revision."""
        delta = delta_of(self.world, after)
        if delta:
            self._advance(owner, after)
            self.undone = [step for step in self.undone if step.owner != owner]
            self.done.append(Step(owner, delta, self.head))
        return delta

    def next_step(self, owner: str, *, forward: bool) -> Step | None:
        """What the person's undo or redo would move."""
        stack = [step for step in (self.undone if forward else self.done) if step.owner == owner]
        return max(stack, key=lambda step: step.moved, default=None)

    def may_move(self, step: Step, *, forward: bool) -> bool:
        """Whether nothing later depends on the step and nobody else changed the ontology since."""
        if any(rev > step.moved and owner != step.owner for rev, owner in self.walls):
            return False
        at = 0 if forward else 1
        if any(self.world.get(key) != sides[at] for key, sides in step.delta.items()):
            return False
        return not dangling(applied(self.world, step.delta, forward=forward))

    def move(self, step: Step, *, forward: bool) -> Delta:
        """Undo or redo."""
        before = self.world
        self._advance(step.owner, applied(self.world, step.delta, forward=forward))
        source, target = (self.undone, self.done) if forward else (self.done, self.undone)
        source.remove(step)
        step.moved = self.head
        target.append(step)
        return delta_of(before, self.world)

    def _advance(self, owner: str, after: World) -> None:
        if self._in_force(self.world) != self._in_force(after):
            self.walls.append((len(self.snapshots), owner))
        self.world = after
        self.snapshots.append(dict(after))

    @staticmethod
    def _in_force(world: World) -> int:
        versions = [facts for facts in world.values() if isinstance(facts, Version)]
        return max((version.number for version in versions if version.state == "locked"), default=0)

    def version(self) -> int:
        """The number of the ontology in force."""
        return self._in_force(self.world)
