"""The guideline as sections that rules, classes and flags point into, and who has read it.

One Markdown text for all modalities. A heading ends in the id or code that it explains: ``## Two-wheelers {#G-12}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from workstation.core.ontology import Ontology
from workstation.core.ontology_place import Problem
from workstation.core.sample import Acknowledgement, Guideline, Person

_HEADING = re.compile(r"(#{1,6})[ \t]+(.*?)[ \t]*(?:\{#([^{}\s]+)\})?[ \t]*#*")
_FENCE = re.compile(r"[ ]{0,3}(`{3,}|~{3,})")


class Section(NamedTuple):
    """A heading with what stands below it, up to the next heading. ``key`` is what it explains, or its title."""

    key: str
    title: str
    text: str
    keyed: bool


class SectionChange(NamedTuple):
    """A section that is new, gone or different; ``old`` and ``new`` are empty where it was or is not there."""

    key: str
    title: str
    old: str
    new: str


def sections_of(text: str) -> list[Section]:
    """The sections in their order; what stands before the first heading has an empty key. Code blocks are skipped."""
    found: list[tuple[str, str, bool, list[str]]] = [("", "", False, [])]
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark.group(1)
        elif mark and fence and mark.group(1).startswith(fence):
            fence = ""
        heading = None if fence or mark else _HEADING.fullmatch(line)
        if heading:
            title, key = heading.group(2), heading.group(3)
            found.append((key or title, title, key is not None, []))
        else:
            found[-1][3].append(line)
    sections = [Section(key, title, "\n".join(lines).strip(), keyed) for key, title, keyed, lines in found]
    return sections if sections[0].text else sections[1:]


def section_for(text: str, key: str) -> Section | None:
    """The section that explains a class, rule or edge case."""
    return next((section for section in sections_of(text) if section.keyed and section.key == key), None)


def guideline_problems(text: str, ontology: Ontology) -> Iterator[Problem]:
    """Sections that explain something unknown, or explain it a second time."""
    known = {
        *(item.id for item in ontology.classes),
        *(item.id for item in ontology.attributes),
        *(item.id for item in ontology.link_types),
        *(item.id for item in ontology.rules),
        *(item.id for item in ontology.edge_cases),
    }
    seen: set[str] = set()
    for section in sections_of(text):
        if not section.keyed:
            continue
        if section.key not in known:
            yield Problem(f"#{section.key}", "explains nothing that the ontology knows; correct the id or the code")
        if section.key in seen:
            yield Problem(f"#{section.key}", "is explained twice; join the two sections")
        seen.add(section.key)


def changed_sections(old: str, new: str) -> list[SectionChange]:
    """What somebody who has read ``old`` must read again, in the order of ``new``; what is gone comes last."""
    before, after = _by_key(old), _by_key(new)
    changes = [
        SectionChange(key, section.title, before[key].text if key in before else "", section.text)
        for key, section in after.items()
        if key not in before or (before[key].text, before[key].title) != (section.text, section.title)
    ]
    changes += [
        SectionChange(key, section.title, section.text, "") for key, section in before.items() if key not in after
    ]
    return changes


def _by_key(text: str) -> dict[str, Section]:
    found: dict[str, Section] = {}
    for section in sections_of(text):
        key, count = section.key, 2
        while key in found:
            key, count = f"{section.key} ({count})", count + 1
        found[key] = section
    return found


def newest(guidelines: Iterable[Guideline]) -> Guideline | None:
    """The guideline in force."""
    return max(guidelines, key=lambda item: item.number, default=None)


def last_read(person: Person, acknowledgements: Iterable[Acknowledgement]) -> int:
    """The newest guideline version the person has acknowledged; 0 for none."""
    return max((item.guideline_number for item in acknowledgements if item.person == person.id), default=0)


def people_behind(
    people: Iterable[Person], guidelines: Iterable[Guideline], acknowledgements: Iterable[Acknowledgement]
) -> list[tuple[Person, int]]:
    """Everybody active who has not acknowledged the newest guideline, with the version she last read."""
    current = newest(guidelines)
    if current is None:
        return []
    read = list(acknowledgements)
    found = [(person, last_read(person, read)) for person in people if person.active]
    return [(person, number) for person, number in found if number < current.number]


def unread_sections(
    person: Person, guidelines: Iterable[Guideline], acknowledgements: Iterable[Acknowledgement]
) -> list[SectionChange]:
    """What the person must read before the next work: the changes since the version she read, or everything."""
    versions = list(guidelines)
    current = newest(versions)
    if current is None:
        return []
    number = last_read(person, acknowledgements)
    known = next((version.text for version in versions if version.number == number), "")
    return changed_sections(known, current.text) if number < current.number else []
