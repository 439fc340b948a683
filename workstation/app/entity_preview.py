"""What merging or splitting things would change, before it is stored: labels, overlaps, classes, attributes, links.

Shown by ``ui/dialogs/entities.py``. Values without Qt; what is said follows the commands in ``commands/entities.py``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from workstation.app.link_rows import end_name, link_type_name
from workstation.app.sample_view import SampleView
from workstation.core.annotation import Annotation, Link
from workstation.core.suggestion import SAME_OBJECT


@dataclass(frozen=True, slots=True)
class Line:
    """One change. ``warns`` where two things contradict each other."""

    text: str
    warns: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """Changes of one kind."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """Everything that would change. ``why_not``: why nothing can be done."""

    parts: tuple[Part, ...] = ()
    why_not: str = ""

    @property
    def conflicts(self) -> int:
        """How many lines warn."""
        return sum(line.warns for part in self.parts for line in part.lines)


def merged(view: SampleView, keeper: str, goes: str, class_id: str | None = None) -> Preview:
    """The second thing becomes the first. ``class_id``: the class all labels get; ``None`` leaves their own to them."""
    if keeper not in view.entities or goes not in view.entities:
        return Preview(why_not="choose two things")
    if keeper == goes:
        return Preview(why_not="a thing cannot be merged with itself")
    stays, name = view.entities[keeper], view.name_of(keeper)
    here, there = list(view.annotations_of_entity(keeper)), list(view.annotations_of_entity(goes))
    found = [
        _part("Labels", (Line(f"{described(view, each)} → {name}") for each in there)),
        _part("Shown twice", _overlaps(view, here, there)),
        _part("Class", _merged_classes(view, keeper, goes, class_id)),
        _part("Attributes", _attributes(view, keeper, goes)),
        _part("Links", _merged_links(view, keeper, goes)),
    ]
    gone = f"{view.name_of(goes)} goes; the number {view.entities[goes].number} is never used again"
    named = not stays.name and view.entities[goes].name
    kept = [Line(f"{name} takes over the name {view.entities[goes].name}")] if named else []
    return Preview((*filter(lambda each: each.lines, found), Part("Thing", (*kept, Line(gone)))))


def split(view: SampleView, going: Collection[str], class_id: str | None = None) -> Preview:
    """These labels of one thing get a thing of their own, of that class (``None``: the old one's)."""
    chosen = [view.annotations[each] for each in going if each in view.annotations]
    things = {each.entity for each in chosen}
    if len(things) != 1 or None in things:
        return Preview(why_not="choose labels that all show one thing")
    (entity,) = (each for each in things if each is not None)
    every = list(view.annotations_of_entity(entity))
    staying = [each for each in every if each.id not in going]
    if not staying:
        return Preview(why_not="these are all its labels; nothing would be left of it")
    name = view.name_of(entity)
    new = f"the new {view.class_name(class_id or view.entities[entity].class_id)}"
    found = [
        _part("Labels that go", (Line(f"{described(view, each)} → {new}") for each in chosen)),
        _part("Labels that stay", (Line(f"{described(view, each)} stays {name}") for each in staying)),
        _part("Class", _split_classes(view, entity, chosen, class_id)),
        _part("Links", _split_links(view, entity, chosen, staying)),
    ]
    taken = ", ".join(view.entities[entity].attributes)
    lines = [Line(f"{new} gets the next number" + (f", and {taken} of {name}" if taken else ""))]
    return Preview((*filter(lambda each: each.lines, found), Part("Thing", tuple(lines))))


def described(view: SampleView, label: Annotation) -> str:
    """A label by kind, stream, time and keyframes."""
    stream = view.streams.get(label.stream or "")
    where = "the whole sample" if stream is None else stream.key
    kind = label.kind.value.replace("_", " ")
    there = view.session_range(label)
    when = "" if there is None else f", {there.start_ns / 1e9:.2f}–{there.end_ns / 1e9:.2f} s"
    if label.track is None:
        return f"{kind} on {where}{when}"
    count = len(view.keyframes(label.id))
    return f"{kind} track on {where}{when}, {count} keyframe{'' if count == 1 else 's'}"


def _part(title: str, lines: Iterator[Line]) -> Part:
    return Part(title, tuple(lines))


def _overlaps(view: SampleView, here: Sequence[Annotation], there: Sequence[Annotation]) -> Iterator[Line]:
    """Two labels of one kind on one stream at one time: then the thing would be in two places."""
    for second in there:
        for first in here:
            if (first.stream, first.kind, first.item, first.layer) == (
                second.stream, second.kind, second.item, second.layer
            ) and (text := _overlap(view, first, second)):  # fmt: skip
                stream = view.streams.get(first.stream or "")
                where = "the sample" if stream is None else stream.key
                yield Line(f"two {_several(first)} on {where}{text}", warns=True)


def _several(label: Annotation) -> str:
    kind = label.kind.value.replace("_", " ")
    return kind + ("es" if kind.endswith("x") else "" if kind.endswith("s") else "s")


def _overlap(view: SampleView, first: Annotation, second: Annotation) -> str:
    one, other = view.session_range(first), view.session_range(second)
    if one is None or other is None:
        return ", both always there"
    start, end = max(one.start_ns, other.start_ns), min(one.end_ns, other.end_ns)
    if start >= end:
        return ""
    keys = 0
    if first.track is not None and second.track is not None:
        time_map = view.time_map(second)
        times = (each.time_ns if time_map is None else time_map.to_session(each.time_ns)
                 for each in view.keyframes(second.id))  # fmt: skip
        keys = sum(start <= each < end for each in times)
    said = f": {keys} keyframe{'' if keys == 1 else 's'} inside the other's" if keys else ""
    return f" from {start / 1e9:.2f} to {end / 1e9:.2f} s{said}"


def _merged_classes(view: SampleView, keeper: str, goes: str, class_id: str | None) -> Iterator[Line]:
    stays, gone = view.entities[keeper], view.entities[goes]
    if class_id is not None:
        yield Line(f"all labels become {view.class_name(class_id)}")
        return
    if stays.class_id != gone.class_id:
        old, new = view.class_name(gone.class_id), view.class_name(stays.class_id)
        yield Line(f"{view.name_of(goes)} is a {old}, {view.name_of(keeper)} a {new}: its labels keep {old}, "
                   "which will be a finding", warns=True)  # fmt: skip
    for each in (*view.annotations_of_entity(keeper), *view.annotations_of_entity(goes)):
        if each.class_id is not None and each.class_id != stays.class_id:
            yield Line(f"{described(view, each)} says {view.class_name(each.class_id)} itself", warns=True)


def _split_classes(
    view: SampleView, entity: str, chosen: Sequence[Annotation], class_id: str | None
) -> Iterator[Line]:  # fmt: skip
    new = class_id or view.entities[entity].class_id
    if new != view.entities[entity].class_id:
        yield Line(f"what goes becomes {view.class_name(new)}")
    for each in chosen:
        if each.class_id is not None and each.class_id != new:
            yield Line(f"{described(view, each)} says {view.class_name(each.class_id)} itself", warns=True)


def _attributes(view: SampleView, keeper: str, goes: str) -> Iterator[Line]:
    stays, gone = view.entities[keeper].attributes, view.entities[goes].attributes
    name = view.name_of(keeper)
    for key, value in gone.items():
        if key not in stays:
            yield Line(f"{name} takes over {key}: {_said(value)}")
        elif stays[key] != value:
            yield Line(
                f"{key} stays {_said(stays[key])}; {_said(value)} of {view.name_of(goes)} is given up", warns=True
            )


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _merged_links(view: SampleView, keeper: str, goes: str) -> Iterator[Line]:
    for link in view.links_of(goes):
        if {end.target for end in link.ends} <= {keeper, goes}:
            yield Line(f"{_named(view, link)} is removed: the two are one")
        else:
            yield Line(f"{_named(view, link)} will end at {view.name_of(keeper)}")
    labels = [each.id for thing in (keeper, goes) for each in view.annotations_of_entity(thing)]
    for link in {link.id: link for each in labels for link in view.links_of(each)}.values():
        ends = {end.target for end in link.ends}
        if link.type_id == SAME_OBJECT and not link.holds and len(ends & set(labels)) > 1:
            yield Line(f"{_named(view, link)} says that they are not the same", warns=True)


def _split_links(
    view: SampleView, entity: str, chosen: Sequence[Annotation], staying: Sequence[Annotation]
) -> Iterator[Line]:  # fmt: skip
    for link in view.links_of(entity):
        yield Line(f"{_named(view, link)} stays with {view.name_of(entity)}")
    going, kept = {each.id for each in chosen}, {each.id for each in staying}
    links = {link.id: link for each in going for link in view.links_of(each)}
    for link in links.values():
        ends = {end.target for end in link.ends}
        both = bool(ends & kept)
        apart = both and link.type_id == SAME_OBJECT and link.holds
        what = "would then join two things" if apart else "then joins both things" if both else "goes along"
        yield Line(f"{_named(view, link)} {what}", warns=apart)


def _named(view: SampleView, link: Link) -> str:
    ends = " – ".join(end_name(view, end) for end in link.ends)
    return f"{'' if link.holds else 'not '}{link_type_name(view, link.type_id)}: {ends}"
