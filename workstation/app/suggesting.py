"""Links proposed by rule: what the rules find, without what is said or refused already, stored as proposals.

Called by ``workstation link suggest`` and the action in the window. A proposal names its rule as its source and its
evidence as rationale; nobody has confirmed its ends. Only a person makes more of it (``link.accept``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from workstation.app.linking import links_off
from workstation.app.sample_view import SampleView
from workstation.app.session import Run
from workstation.app.sightings import Sightings
from workstation.app.suggest_identity import NAME as IDENTITY
from workstation.app.suggest_identity import by_identity
from workstation.app.suggest_source import NAME as SOURCE
from workstation.app.suggest_source import by_source
from workstation.app.suggest_space import NAME as PROJECTION
from workstation.app.suggest_space import by_projection
from workstation.app.suggest_spoken import NAME as SPOKEN
from workstation.app.suggest_spoken import by_spoken
from workstation.app.suggest_time import NAME as TIME
from workstation.app.suggest_time import by_time
from workstation.app.suggest_voice import NAME as VOICE
from workstation.app.suggest_voice import by_voice
from workstation.app.suggest_words import NAME as WORDING
from workstation.app.suggest_words import by_wording
from workstation.core.annotation import Link, Source, SourceKind, State, TargetKind
from workstation.core.suggestion import Suggestion

VERSION = "1"
RULES: Mapping[str, Callable[[Sightings], Iterable[Suggestion]]] = {
    TIME: lambda seen: by_time(seen.view),
    PROJECTION: by_projection,
    IDENTITY: by_identity,
    WORDING: lambda seen: by_wording(seen.view),
    VOICE: by_voice,
    SOURCE: by_source,
    SPOKEN: lambda seen: by_spoken(seen.view),
}
RULE_HELP: Mapping[str, str] = {
    TIME: "events on two kinds of streams that begin within the tolerance of a link type",
    PROJECTION: "cuboids that project onto a label in a camera",
    IDENTITY: "labels of two cameras whose rays meet where the thing is",
    WORDING: "marked phrases with a word of the lexicon for a single thing",
    VOICE: "turns and the face whose mouth moves while they are heard",
    SOURCE: "sounds and the nearest thing to be seen that can make them",
    SPOKEN: "marked phrases with a word for what happens at that time",
}


@dataclass(frozen=True, slots=True)
class Found:
    """What the rules propose anew, and how much they found that is linked or was refused already."""

    new: tuple[Suggestion, ...]
    known: int


def suggestions(seen: Sightings, rules: Sequence[str] = tuple(RULES)) -> Found:
    """What the rules would propose for a sample that is neither there nor refused, in the order of the rules."""
    off = links_off(seen.view)
    found = [each for name in rules for each in RULES[name](seen) if each.type_id not in off]
    new: list[Suggestion] = []
    taken: set[tuple[str, frozenset[str]]] = set()
    for each in found:
        key = (each.type_id, each.targets)
        if key not in taken and not is_known(seen.view, each):
            new.append(each)
        taken.add(key)
    return Found(tuple(new), len(found) - len(new))


def is_known(view: SampleView, suggestion: Suggestion) -> bool:
    """Whether a link says it already, says that it is not so, or was refused. What two events have to do with each
    other is known once any link joins them."""
    first = suggestion.ends[0]
    near = {first.target, *_same_thing(view, first.target)}
    links = {link.id: link for target in near for link in view.links_of(target)}
    return any(_covers(view, link, suggestion) for link in links.values())


def _covers(view: SampleView, link: Link, suggestion: Suggestion) -> bool:
    if link.type_id != suggestion.type_id and (suggestion.rule != TIME or link.state is State.REJECTED):
        return False
    targets = {end.target for end in link.ends}
    things = {thing for target in targets for thing in (target, *_same_thing(view, target))}
    return all(end.target in (things if end.kind is TargetKind.ENTITY else targets) for end in suggestion.ends)


def _same_thing(view: SampleView, target: str) -> Iterator[str]:
    """The thing that a label shows; of a thing, the labels that show it."""
    annotation = view.annotations.get(target)
    if annotation is not None and annotation.entity is not None:
        yield annotation.entity
    elif target in view.entities:
        yield from (each.id for each in view.annotations_of_entity(target))


def propose(run: Run, view: SampleView, found: Iterable[Suggestion]) -> list[str]:
    """Store them as proposed links, inside a step of the caller's; answers their ids."""
    return [
        run(
            "link.add",
            sample=view.id,
            type_id=each.type_id,
            ends=_ends(each),
            state=State.PROPOSED,
            rationale=each.evidence,
            confidence=each.confidence,
            source=Source(kind=SourceKind.RULE, name=each.rule, version=VERSION),
        )
        for each in found
    ]


def _ends(suggestion: Suggestion) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for end in suggestion.ends:
        found.setdefault(end.role, []).append(f"{end.kind.value}:{end.target}")
    return found
