"""The guideline by sections: what a flag opens, what must be read again, and by whom."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from random_ontologies import driving

from workstation.core.guideline import (
    changed_sections,
    guideline_problems,
    people_behind,
    section_for,
    sections_of,
    unread_sections,
)
from workstation.core.ids import RecordId
from workstation.core.sample import Acknowledgement, Guideline, Person

TEXT = """Read this first.

# Driving

## Car {#car}
Up to nine seats.

```python
# no heading {#bus}
```

## Two-wheelers with their rider {#G-12} ##
Together with the rider.

## Contact
Ask Lea.
"""


def test_sections_carry_the_id_they_explain() -> None:
    found = [(section.key, section.title, section.keyed) for section in sections_of(TEXT)]
    assert found == [
        ("", "", False),
        ("Driving", "Driving", False),
        ("car", "Car", True),
        ("G-12", "Two-wheelers with their rider", True),
        ("Contact", "Contact", False),
    ]
    section = section_for(TEXT, "G-12")
    assert section is not None
    assert section.text == "Together with the rider."
    assert section_for(TEXT, "Contact") is None


def test_code_is_no_heading() -> None:
    section = section_for(TEXT, "car")
    assert section is not None
    assert "# no heading {#bus}" in section.text


def test_what_must_be_read_again() -> None:
    new = TEXT.replace("nine seats", "eight seats").replace("## Contact\nAsk Lea.\n", "## Van {#van}\nClosed.\n")
    assert [(change.key, bool(change.old), bool(change.new)) for change in changed_sections(TEXT, new)] == [
        ("car", True, True),
        ("van", False, True),
        ("Contact", True, False),
    ]


def test_sections_that_explain_nothing_or_explain_twice() -> None:
    assert list(guideline_problems(TEXT, driving())) == []
    wrong = TEXT + "## Cars {#car}\n## Ships {#ship}\n"
    assert [str(problem).split(":")[0] for problem in guideline_problems(wrong, driving())] == ["#car", "#ship"]


@given(st.text(st.sampled_from("#{}a \n`~-"), max_size=60))
def test_any_text_has_sections_and_no_difference_from_itself(text: str) -> None:
    assert changed_sections(text, text) == []
    kept = sum(line.strip() != "" for section in sections_of(text) for line in section.text.splitlines())
    assert kept <= len(text.splitlines())


def test_who_has_not_read_the_newest_version() -> None:
    ann, ben, cleo = (Person(id=RecordId(name), name=name) for name in ("ann", "ben", "cleo"))
    guidelines = [Guideline(id=RecordId(str(n)), number=n, text="", sha256="", ontology_number=n) for n in (2, 3, 1)]
    read = [(ann, 3), (ben, 1), (ben, 2)]
    acknowledgements = [
        Acknowledgement(id=RecordId(f"{person.id}{n}"), person=person.id, guideline_number=n) for person, n in read
    ]
    behind = people_behind([ann, ben, cleo], guidelines, acknowledgements)
    assert [(person.name, number) for person, number in behind] == [("ben", 2), ("cleo", 0)]
    assert people_behind([ann], [], []) == []


def test_a_person_reads_the_changes_since_her_last_version_or_everything() -> None:
    ann, ben = (Person(id=RecordId(name), name=name) for name in ("ann", "ben"))
    texts = [TEXT, TEXT.replace("nine", "eight"), TEXT.replace("nine", "seven")]
    guidelines = [
        Guideline(id=RecordId(str(n)), number=n, text=text, sha256="", ontology_number=1)
        for n, text in enumerate(texts, 1)
    ]
    read = [Acknowledgement(id=RecordId("x"), person=ann.id, guideline_number=2)]
    assert [change.key for change in unread_sections(ann, guidelines, read)] == ["car"]
    assert "eight" in unread_sections(ann, guidelines, read)[0].old
    assert len(unread_sections(ben, guidelines, read)) == len(sections_of(TEXT))
    read.append(Acknowledgement(id=RecordId("y"), person=ann.id, guideline_number=3))
    assert unread_sections(ann, guidelines, read) == []
