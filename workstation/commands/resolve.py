"""From what a person writes to the one record she means: ids, their beginnings, keys, ``drive-0007/front``, ``car 17``.

One resolver for commands, the command line and scripts. What fits nothing or two things is refused with the choices.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

from workstation.commands.reading import ontology_of
from workstation.commands.transaction import Reads
from workstation.core.annotation import Annotation, Entity, Link, TargetKind
from workstation.core.errors import UserError
from workstation.core.ids import SampleId, is_id
from workstation.core.records import RecordKind
from workstation.core.sample import Stream
from workstation.core.values import dataclass

_NUMBERED = re.compile(r"^(?:(?P<class>.+?) )?#?(?P<number>\d{1,9})$")
_MIN_PREFIX = 4
_SHOWN = 40


class Wanted(StrEnum):
    """What an argument names. The record kinds have their own names here."""

    SAMPLE = "sample"
    STREAM = "stream"
    RIG = "rig"
    ENTITY = "entity"
    ANNOTATION = "annotation"
    LINK = "link"
    KEYFRAME = "keyframe"
    WORD = "word"
    PERSON = "person"
    COMMENT = "comment"
    VERDICT = "verdict"
    QUEUE_ITEM = "queue_item"
    PARKED = "parked"
    TARGET = "target"
    CLASS = "class"
    LINK_TYPE = "link_type"


WANTED_IN_WORDS: dict[Wanted, str] = {
    Wanted.SAMPLE: "a sample: its key, its id or the beginning of the id",
    Wanted.STREAM: "a stream: its key in the sample, sample/key, its id or the beginning of the id",
    Wanted.ENTITY: "an entity: its class and number (car 17), its name, its id or the beginning of the id",
    Wanted.TARGET: "kind:what, as annotation:ID, entity:car 17, stream:front, modality:cloud, or just an id",
    Wanted.PERSON: "a person: the name, the id or the beginning of the id",
    Wanted.CLASS: "a class of the ontology: its id or its name",
    Wanted.LINK_TYPE: "a link type of the ontology: its id or its name",
}
_TARGET_KINDS = (RecordKind.ANNOTATION, RecordKind.ENTITY, RecordKind.LINK, RecordKind.STREAM, RecordKind.SAMPLE)


@dataclass(frozen=True, slots=True)
class Target:
    """What an end of a link, a verdict or a comment points at; ``id`` is the modality's name for a modality."""

    kind: TargetKind
    id: str


class Resolver:
    """Finds what arguments name. ``sample`` is the open one; it narrows as a command's own arguments are found."""

    def __init__(self, reads: Reads, sample: SampleId | None) -> None:
        self._reads = reads
        self.sample = sample

    def find(self, wanted: Wanted, text: str) -> Any:
        """The id (for a target the ``Target``, for a class its id) that ``text`` means."""
        special: dict[Wanted, Callable[[str], Any]] = {
            Wanted.SAMPLE: self._sample,
            Wanted.STREAM: self._stream,
            Wanted.ENTITY: self._entity,
            Wanted.PERSON: self._person,
            Wanted.TARGET: self._target,
            Wanted.CLASS: self._class,
            Wanted.LINK_TYPE: self._link_type,
        }
        if wanted in special:
            return special[wanted](text)
        return self._record(RecordKind(wanted.value), text)

    def _record(self, kind: RecordKind, text: str) -> str:
        found = self._by_id(kind, text)
        if found is None:
            raise UserError(f"there is no {_words(kind)} {_short(text)}")
        record = self._reads.get(kind, found)
        if isinstance(record, Annotation | Link):
            self.sample = record.sample
        return found

    def _by_id(self, kind: RecordKind, text: str) -> str | None:
        if is_id(text):
            return text if self._reads.get(kind, text) is not None else None
        if len(text) < _MIN_PREFIX:
            return None
        found = [record_id for each, record_id in self._reads.find_id(kind, text) if each is kind]
        if len(found) > 1:
            raise UserError(f"{_words(kind)} {_short(text)} could be {_choices(found)}: write more of the id")
        return found[0] if found else None

    def _sample(self, text: str) -> SampleId:
        keyed = self._reads.sample_by_key(text)
        found = keyed.id if keyed is not None else self._by_id(RecordKind.SAMPLE, text)
        if found is None:
            raise UserError(f"there is no sample {_short(text)}")
        self.sample = SampleId(found)
        return self.sample

    def _stream(self, text: str) -> str:
        found = self._stream_by_key(text) or self._by_id(RecordKind.STREAM, text)
        if found is None:
            raise UserError(f"there is no stream {_short(text)}{self._where()}{self._known_streams()}")
        stream = self._reads.get(RecordKind.STREAM, found)
        assert isinstance(stream, Stream)
        self.sample = stream.sample
        return found

    def _stream_by_key(self, text: str) -> str | None:
        if self.sample is not None:
            stream = self._reads.stream_by_key(self.sample, text)
            if stream is not None:
                return stream.id
        sample_key, slash, key = text.partition("/")
        while slash:
            sample = self._reads.sample_by_key(sample_key)
            stream = self._reads.stream_by_key(sample.id, key) if sample is not None else None
            if stream is not None:
                return stream.id
            head, slash, key = key.partition("/")
            sample_key = f"{sample_key}/{head}"
        return None

    def _known_streams(self) -> str:
        if self.sample is None:
            return ": write it as sample/stream, or name the sample too"
        keys = [stream.key for stream in self._reads.streams(self.sample)]
        return f": it has {_choices(keys)}" if keys else ": it has no streams yet"

    def _entity(self, text: str) -> str:
        found = self._by_id(RecordKind.ENTITY, text)
        if found is not None:
            return found
        if self.sample is None:
            raise UserError(f"there is no entity {_short(text)}; with a sample named, {text[:20]!r} could be a number")
        matches = [entity for entity in self._reads.entities(self.sample) if self._is_called(entity, text)]
        if len(matches) == 1:
            return matches[0].id
        if matches:
            named = _choices([self._entity_name(entity) for entity in matches])
            raise UserError(f"entity {_short(text)} could be {named}: write its number")
        raise UserError(f"there is no entity {_short(text)}{self._where()}")

    def _is_called(self, entity: Entity, text: str) -> bool:
        if entity.name and entity.name == text:
            return True
        numbered = _NUMBERED.match(text)
        if numbered is None or int(numbered["number"]) != entity.number:
            return False
        return numbered["class"] is None or numbered["class"].casefold() in self._class_names(entity.class_id)

    def _class_names(self, class_id: str) -> set[str]:
        ontology = ontology_of(self._reads)
        classes = () if ontology is None else ontology.ontology.classes
        names = [name for each in classes if each.id == class_id for name in each.names.values()]
        return {name.casefold() for name in (class_id, *names)}

    def _entity_name(self, entity: Entity) -> str:
        return f"{entity.class_id} {entity.number}"

    def _person(self, text: str) -> str:
        people = list(self._reads.people())
        named = [person.id for person in people if person.name == text]
        found = named[0] if len(named) == 1 else self._by_id(RecordKind.PERSON, text)
        if found is None:
            known = _choices([person.name for person in people])
            raise UserError(f"there is no person {_short(text)}; the project knows {known or 'nobody yet'}")
        return found

    def _target(self, text: str) -> Target:
        kind, colon, rest = text.partition(":")
        if colon and kind in TargetKind.__members__.values():
            if kind == TargetKind.MODALITY:
                return Target(TargetKind.MODALITY, rest.strip())
            return Target(TargetKind(kind), self.find(Wanted(kind), rest.strip()))
        found = [each for each in self._reads.find_id(None, text) if each[0] in _TARGET_KINDS]
        if len(found) == 1:
            return Target(TargetKind(found[0][0].value), found[0][1])
        if found:
            raise UserError(f"{_short(text)} could be {_choices([f'{k}:{i}' for k, i in found])}")
        raise UserError(f"nothing is called {_short(text)}; write {WANTED_IN_WORDS[Wanted.TARGET]}")

    def _class(self, text: str) -> str:
        ontology = ontology_of(self._reads)
        classes = () if ontology is None else ontology.ontology.classes
        return _id_or_name(text, {each.id: tuple(each.names.values()) for each in classes}, "class")

    def _link_type(self, text: str) -> str:
        ontology = ontology_of(self._reads)
        kinds = () if ontology is None else ontology.ontology.link_types
        return _id_or_name(text, {each.id: tuple(each.names.values()) for each in kinds}, "link type")

    def _where(self) -> str:
        if self.sample is None:
            return ""
        sample = self._reads.get(RecordKind.SAMPLE, self.sample)
        return f" in sample {getattr(sample, 'key', self.sample)}"


def _id_or_name(text: str, names: dict[str, tuple[str, ...]], what: str) -> str:
    """The id; a name is accepted where it is one thing's. Unknown ones go on to the gate, which words the refusal."""
    if text in names:
        return text
    matches = [each for each, known in names.items() if text.casefold() in (name.casefold() for name in known)]
    if len(matches) > 1:
        raise UserError(f"{what} {_short(text)} could be {_choices(matches)}: write the id")
    return matches[0] if matches else text


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def _choices(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:6]) + (f" and {len(listed) - 6} more" if len(listed) > 6 else "")


def _words(kind: RecordKind) -> str:
    return kind.value.replace("_", " ")
