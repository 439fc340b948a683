"""What a sample answers to a sentence (``statement.py``): which things, when. A pure function of a read-only snapshot.

A thing is an entity with all its labels, or a label without one. It is there while one of its labels is. Proposed and
rejected labels and links count for nothing. Distances are between middles; without another thing they are measured
from the vehicle: the frame that a trajectory moves, else the root of the frame tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field

import numpy as np

from workstation.core.annotation import Annotation, Entity, Link, Presence, State, TargetKind, effective_class
from workstation.core.cuboid_views import PlacedTracks
from workstation.core.rigs import newest_calibration
from workstation.core.rotation import Floats
from workstation.core.sample import Sample, Stream
from workstation.core.snapshot import Snapshot
from workstation.core.space import FrameTree, NoTransform
from workstation.core.statement import Clause, Mode, Named, Predicate, Relation, Statement
from workstation.core.statement_others import Bools, InSpace, Int64s, InTime
from workstation.core.timerange import TimeRange, intersections, union
from workstation.core.values import dataclass

_UNSAID = frozenset({State.PROPOSED, State.REJECTED})
_STEP_NS = 50_000_000
_MOST_STEPS = 20_000
_EVER = TimeRange(-(2**61), 2**61)


@dataclass(frozen=True, slots=True)
class Thing:
    """One real thing, or one label that shows none."""

    key: str
    class_id: str
    labels: tuple[Annotation, ...]
    entity: Entity | None
    times: tuple[TimeRange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Where the sentence holds (or, for one that says how it must be, where it does not): the things, and when."""

    things: tuple[Thing, ...]
    when: TimeRange | None
    """Session time; ``None`` for things without a time."""

    @property
    def instant_ns(self) -> int | None:
        """When it begins."""
        return None if self.when is None else self.when.start_ns


def matches(
    snapshot: Snapshot, sample: Sample, statement: Statement, look: Callable[[], None] = lambda: None
) -> Iterator[Match]:
    """Everything in a sample that the sentence finds; of a rule (every, no), everything that breaks it.

    ``look`` is called for every thing, and may end it all by raising. Raises ``Unmeasured`` where places are asked for
    and the media cannot tell them.
    """
    world = _World(snapshot, sample, look)
    head, others = statement.head, statement.clauses[1:]
    if not world.named(head.thing):
        return
    holding = [world.hits(clause) for clause in others]
    room = _all_hold(holding)
    for thing in world.named(head.thing) if room else ():
        look()
        if statement.mode is Mode.EVERY:
            there = _within(thing.times or (_EVER,), room)
            if there and not any(_within(hit.times, there) for hit in world.hits_of(thing, head, there)):
                yield Match(things=(thing, *_beside(holding)), when=_shown(there))
            continue
        for hit in world.hits_of(thing, head, room):
            there = _within(hit.times, room)
            if there:
                yield Match(things=(thing, *hit.others, *_beside(holding)), when=_shown(there))
                break


@dataclass(frozen=True, slots=True)
class _Hit:
    """A clause holds for a thing at these times, together with others."""

    times: tuple[TimeRange, ...]
    others: tuple[Thing, ...] = ()


def _all_hold(hits: Sequence[Sequence[_Hit]]) -> tuple[TimeRange, ...]:
    """When every one of the other clauses holds for something."""
    room: tuple[TimeRange, ...] = (_EVER,)
    for each in hits:
        room = intersections(room, union(time for hit in each for time in hit.times))
    return room


def _beside(hits: Sequence[Sequence[_Hit]]) -> tuple[Thing, ...]:
    return tuple(thing for each in hits for hit in each[:1] for thing in hit.others)


def _within(times: Iterable[TimeRange], room: tuple[TimeRange, ...]) -> tuple[TimeRange, ...]:
    return intersections(union(times), room)


def _shown(times: tuple[TimeRange, ...]) -> TimeRange | None:
    return None if times[0].start_ns <= _EVER.start_ns else times[0]


@dataclass(slots=True)
class _World:
    """The things of one sample, read once."""

    snapshot: Snapshot
    sample: Sample
    look: Callable[[], None]
    things: list[Thing] = field(default_factory=list)
    streams: dict[str, Stream] = field(default_factory=dict)
    _thing_of: dict[str, str] = field(default_factory=dict)
    _tracks: PlacedTracks | None = None
    _kept: dict[Clause, list[_Hit]] = field(default_factory=dict)
    _links_at: dict[str, list[Link]] = field(default_factory=dict)
    _named: dict[Named, tuple[Thing, ...]] = field(default_factory=dict)
    _by_key: dict[Named, dict[str, Thing]] = field(default_factory=dict)
    _in_times: dict[Named, InTime] = field(default_factory=dict)
    _in_places: dict[Named, tuple[list[tuple[Thing, Annotation]], InSpace]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.streams = {each.id: each for each in self.snapshot.streams(self.sample.id)}
        for link in self.snapshot.links(self.sample.id):
            if link.holds and link.state not in _UNSAID:
                for target in dict.fromkeys(_joined(link)):
                    self._links_at.setdefault(target, []).append(link)
        entities = {str(each.id): each for each in self.snapshot.entities(self.sample.id)}
        grouped: dict[str, list[Annotation]] = {each: [] for each in entities}
        for label in self.snapshot.annotations(self.sample.id):
            if label.state not in _UNSAID:
                key = str(label.entity) if label.entity in entities else str(label.id)
                grouped.setdefault(key, []).append(label)
                self._thing_of[str(label.id)] = key
        for key, labels in grouped.items():
            entity = entities.get(key)
            self._thing_of[key] = key
            class_id = entity.class_id if entity is not None else effective_class(labels[0], None)
            times = union(time for label in labels for time in self._times(label))
            self.things.append(Thing(key, class_id or "", tuple(labels), entity, times))

    def _times(self, label: Annotation) -> list[TimeRange]:
        """When a label is there, in session time."""
        stream = self.streams.get(label.stream or "")
        to_session: Callable[[int], int] = (lambda ns: ns) if stream is None else stream.time_map.to_session
        if label.track is None:
            if label.start_ns is None:
                return []
            end_ns = label.start_ns if label.end_ns is None else label.end_ns
            return [TimeRange(to_session(label.start_ns), to_session(end_ns))]
        found, since = [], None
        keyframes = sorted(self.snapshot.keyframes(label.id), key=lambda each: each.time_ns)
        for each in keyframes:
            if each.presence is Presence.ABSENT:
                if since is not None:
                    found.append(TimeRange(to_session(since), to_session(each.time_ns)))
                since = None
            elif since is None:
                since = each.time_ns
        if since is not None:
            found.append(TimeRange(to_session(since), to_session(keyframes[-1].time_ns)))
        return found

    def named(self, wanted: Named) -> tuple[Thing, ...]:
        """The things that are meant, with only the labels that lie where they are to lie."""
        if wanted not in self._named:
            self._named[wanted] = tuple(self._all_named(wanted))
            self._by_key[wanted] = {each.key: each for each in self._named[wanted]}
        return self._named[wanted]

    def _all_named(self, wanted: Named) -> Iterator[Thing]:
        for thing in self.things:
            self.look()
            if wanted.classes is not None and thing.class_id not in wanted.classes:
                labels = tuple(each for each in thing.labels if each.class_id in wanted.classes)
            else:
                labels = thing.labels
            if wanted.stream:
                labels = tuple(each for each in labels if self._lies_on(each, wanted.stream))
            if not labels and (wanted.stream or thing.labels):
                continue
            if not labels and wanted.classes is not None and thing.class_id not in wanted.classes:
                continue
            if all(self._has(thing, labels, name, value) for name, value in wanted.attributes):
                if labels == thing.labels:
                    yield thing
                else:
                    times = union(time for label in labels for time in self._times(label))
                    yield Thing(thing.key, thing.class_id, labels, thing.entity, times)

    def _lies_on(self, label: Annotation, name: str) -> bool:
        stream = self.streams.get(label.stream or "")
        return stream is not None and name.casefold() in (stream.key.casefold(), stream.kind.value)

    def _has(self, thing: Thing, labels: Sequence[Annotation], name: str, value: str) -> bool:
        said = [each.attributes.get(name) for each in labels]
        said += [] if thing.entity is None else [thing.entity.attributes.get(name)]
        for label in labels:
            if label.track is not None:
                said += [each.attributes.get(name) for each in self.snapshot.keyframes(label.id)]
        return any(each is not None and _same(each, value) for each in said)

    # --- what is said of a thing --------------------------------------------------------------------------------

    def hits(self, clause: Clause) -> list[_Hit]:
        """The things for which a clause holds, each with all times at which it does and the first that it holds with,
        itself before that."""
        if clause not in self._kept:
            self._kept[clause] = list(self._all_hits(clause))
        return self._kept[clause]

    def _all_hits(self, clause: Clause) -> Iterator[_Hit]:
        for thing in self.named(clause.thing):
            self.look()
            found = list(self.hits_of(thing, clause))
            if found:
                yield _Hit(union(time for hit in found for time in hit.times), (thing, *found[0].others))

    def hits_of(self, thing: Thing, clause: Clause, room: tuple[TimeRange, ...] | None = None) -> Iterator[_Hit]:
        """When a clause holds for one thing, and with what. Who names the ``room`` that it has to hold in is told of
        one other thing with which it does; else all times are told.
        """
        found = self._positive(thing, clause, None if clause.negated else room)
        if not clause.negated:
            yield from found
        elif not any(True for _ in found):
            yield _Hit(thing.times or (_EVER,))

    def _positive(self, thing: Thing, clause: Clause, room: tuple[TimeRange, ...] | None) -> Iterator[_Hit]:
        relation = clause.relation
        there = thing.times or (_EVER,)
        if relation is Relation.EXISTS:
            yield _Hit(there)
        elif relation is Relation.LINKS:
            yield from self._linked(thing, clause, there)
        elif relation in (Relation.LONGER, Relation.SHORTER):
            longer = relation is Relation.LONGER
            times = tuple(t for t in thing.times if (t.duration_ns > clause.amount * 1e9) is longer)
            if times:
                yield _Hit(times)
        elif relation in (Relation.FASTER, Relation.SLOWER):
            times = self._at_speed(thing, clause)
            if times:
                yield _Hit(times)
        elif relation is Relation.NEAR_IN_SPACE:
            yield from self._near(thing, clause)
        elif clause.other is not None:
            yield from self._in_time(thing, clause, clause.other, room)

    def _in_time(
        self, thing: Thing, clause: Clause, wanted: Named, room: tuple[TimeRange, ...] | None
    ) -> Iterator[_Hit]:
        others = self.named(wanted)
        if wanted not in self._in_times:
            self._in_times[wanted] = InTime(each.times for each in others)
        first: list[tuple[TimeRange, Int64s]] = []
        for time in thing.times:
            if room is None or intersections((time,), room):
                standing = self._in_times[wanted].standing(clause.relation, time, clause.amount)
                if len(standing) and others[standing[0]].key == thing.key:
                    standing = standing[standing != standing[0]]
                first += [(time, standing)] if len(standing) else []
        if not first:
            return
        one = min(int(standing[0]) for _, standing in first)
        if room is None:
            yield _Hit(tuple(time for time, _ in first), (others[one],))
        else:
            yield _Hit(tuple(time for time, standing in first if standing[0] == one), (others[one],))

    def _linked(self, thing: Thing, clause: Clause, there: tuple[TimeRange, ...]) -> Iterator[_Hit]:
        wanted = clause.other
        if wanted is not None:
            self.named(wanted)
        mine = dict.fromkeys((thing.key, *(str(each.id) for each in thing.labels)))
        links = {link.id: link for key in mine for link in self._links_at.get(key, ())}
        for link in (links[each] for each in sorted(links)):
            if clause.link_type and link.type_id != clause.link_type:
                continue
            said = next((each for each in clause.predicates if _says(link, each)), None)
            if clause.predicates and said is None:
                continue
            if said is not None and all(end.target not in mine for end in link.ends if end.role == said.role):
                continue
            if wanted is None:
                yield _Hit(there)
                continue
            others = {self._thing_of.get(each, each) for each in _joined(link)} - {thing.key}
            for key in sorted(others & self._by_key[wanted].keys()):
                yield _Hit(there, (self._by_key[wanted][key],))

    # --- where things are ---------------------------------------------------------------------------------------

    def _placed(self) -> PlacedTracks:
        if self._tracks is None:
            tree: FrameTree = self.snapshot.evidence(self.sample.id).frames()
            labels = [label for thing in self.things for label in thing.labels]
            self._tracks = PlacedTracks(
                labels,
                lambda each: sorted(self.snapshot.keyframes(each.id), key=lambda frame: frame.time_ns),
                self.streams,
                tree,
                newest_calibration(self.snapshot, self.sample.id),
            )
        return self._tracks

    def _way_of(self, thing: Thing) -> Iterator[tuple[str, Annotation]]:
        placed = self._placed()
        for label in thing.labels:
            if label.id in placed.rows:
                yield placed.rows[label.id].root, label

    def _near(self, thing: Thing, clause: Clause) -> Iterator[_Hit]:
        for root, label in self._way_of(thing):
            times_ns = self._steps(label)
            middles = self._placed().place(label.id, times_ns).centers
            if clause.other is None:
                times = _true_for(times_ns, _distance(middles, self._vehicle(root, times_ns)) <= clause.amount)
                if times:
                    yield _Hit(times)
                continue
            others, in_space = self._ways_of(clause.other)
            for number in in_space.near(root, times_ns, middles, clause.amount).tolist():
                other, other_label = others[number]
                if other.key != thing.key:
                    self.look()
                    theirs = self._placed().place(other_label.id, times_ns).centers
                    times = _true_for(times_ns, _distance(middles, theirs) <= clause.amount)
                    if times:
                        yield _Hit(times, (other,))

    def _ways_of(self, wanted: Named) -> tuple[list[tuple[Thing, Annotation]], InSpace]:
        if wanted not in self._in_places:
            ways = [(thing, label) for thing in self.named(wanted) for _, label in self._way_of(thing)]
            self._in_places[wanted] = ways, InSpace([self._placed().rows[label.id] for _, label in ways])
        return self._in_places[wanted]

    def _at_speed(self, thing: Thing, clause: Clause) -> tuple[TimeRange, ...]:
        found: list[TimeRange] = []
        for _, label in self._way_of(thing):
            times_ns = self._steps(label)
            if len(times_ns) > 1:
                middles = self._placed().place(label.id, times_ns).centers
                speed = np.linalg.norm(np.gradient(middles, times_ns / 1e9, axis=0), axis=1)
                with np.errstate(invalid="ignore"):
                    fast = speed > clause.amount if clause.relation is Relation.FASTER else speed < clause.amount
                found += _true_for(times_ns, fast)
        return union(found)

    def _steps(self, label: Annotation) -> Int64s:
        """The times at which a way is looked at: its keyframes, and often enough between them."""
        own = self._placed().rows[label.id].times_ns
        times = self._times(label)
        if not times:
            return np.unique(np.maximum(own, -(2**61)))
        first, last = times[0].start_ns, times[-1].end_ns
        step = max(_STEP_NS, (last - first) // _MOST_STEPS + 1)
        between = np.arange(first, last + 1, step, dtype=np.int64)
        return np.unique(np.concatenate([own[(own >= first) & (own <= last)], between, [last]]))

    def _vehicle(self, root: str, times_ns: Int64s) -> Floats:
        placed = self._placed()
        moving = [each.name for each in placed.calibration.frames if each.trajectory is not None]
        if not moving:
            return np.zeros((len(times_ns), 3))
        found = np.full((len(times_ns), 3), np.nan)
        for row, time_ns in enumerate(times_ns.tolist()):
            way = placed.tree.transform(root, moving[0], time_ns)
            if not isinstance(way, NoTransform):
                found[row] = way.translation
        return found


def _says(link: Link, predicate: Predicate) -> bool:
    value = link.attributes.get(predicate.attribute)
    chosen = value if isinstance(value, tuple) else (value,)
    return link.type_id == predicate.link_type and predicate.option in chosen


def _joined(link: Link) -> list[str]:
    """The labels and things at a link's ends."""
    return [str(end.target) for end in link.ends if end.kind in (TargetKind.ANNOTATION, TargetKind.ENTITY)]


def _same(value: object, wanted: str) -> bool:
    if isinstance(value, tuple):
        return any(_same(each, wanted) for each in value)
    if isinstance(value, bool):
        return wanted.casefold() in (("true", "yes") if value else ("false", "no"))
    if isinstance(value, int | float):
        try:
            return float(value) == float(wanted)
        except ValueError:
            return False
    return str(value).casefold() == wanted.casefold()


def _distance(first: Floats, second: Floats) -> Floats:
    found: Floats = np.linalg.norm(first - second, axis=1)
    return np.where(np.isfinite(found), found, np.inf)


def _true_for(times_ns: Int64s, true: Bools) -> tuple[TimeRange, ...]:
    """Runs of true; one that holds at a single time is an instant."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], true, [False]]).astype(np.int8)))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return tuple(TimeRange(int(times_ns[start]), int(times_ns[stop - 1])) for start, stop in runs)
