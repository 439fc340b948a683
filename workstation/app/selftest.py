"""The four questions that decide whether a tool keeps modalities consistent, answered by doing it on a scratch project.

Can people make explicit links? Are links checked? Is one ontology enforced for every kind of label, whatever made it?
Is a label flagged when something it depends on changes? Every answer names the ids that prove it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workstation.app.opening import new_project, open_project
from workstation.app.session import Session
from workstation.app.validation import Validation
from workstation.core.annotation import Annotation, Link
from workstation.core.errors import UserError
from workstation.core.records import RecordKind
from workstation.core.rights import ActorKind
from workstation.core.sample import Role

LEAD, WORKER, SAMPLE = "Ana", "Ben", "drive-1"
_MS = 1_000_000
_SAID = "the only thing near that can hoot"
Evidence = dict[str, str]


class NotShown(Exception):
    """What should have been seen was not."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One question with what came of it."""

    question: str
    passed: bool
    evidence: Evidence = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Bench:
    """The scratch project; every act opens it as the person who would do it."""

    folder: Path

    def as_annotator(self) -> Session:
        """Ben, by hand."""
        return open_project(self.folder, person=WORKER, role=Role.ANNOTATOR, kind=ActorKind.PERSON, tool="selftest")

    def as_import(self) -> Session:
        """A file that Ben brings in as ML engineer."""
        return open_project(self.folder, person=WORKER, role=Role.ML_ENGINEER, kind=ActorKind.IMPORT, tool="selftest")


def run_selftest(keep: Path | None = None) -> list[Answer]:
    """Make the scratch project (kept in ``keep`` if given), and answer the four questions."""
    with _scratch(keep) as folder:
        bench = _set_up(folder)
        return [_answer(question, act, bench) for question, act in QUESTIONS.items()]


@contextmanager
def _scratch(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="workstation-selftest-") as temporary:
        yield Path(temporary) / "scratch"


def _answer(question: str, act: Callable[[Bench], Evidence], bench: Bench) -> Answer:
    try:
        return Answer(question, True, act(bench))
    except (NotShown, UserError) as problem:
        return Answer(question, False, reason=str(problem))


def _set_up(folder: Path) -> Bench:
    new_project(folder, name="Self-test", profile="driving", person=LEAD)
    with open_project(folder, person=LEAD, kind=ActorKind.PERSON, tool="selftest") as session:
        session.run("person.add", name=WORKER, roles=["annotator", "ml_engineer"])
        session.run("sample.add", key=SAMPLE)
        for key, kind in (("front", "video"), ("mic", "audio"), ("lidar", "cloud"), ("report", "text")):
            session.run("stream.add", sample=SAMPLE, key=key, kind=kind)
        session.run("gate.waive", sample=SAMPLE, gate="sync", reason="generated streams share one clock")
    return Bench(folder)


def _horn_and_car(session: Session) -> tuple[str, str]:
    horn = session.run(
        "annotation.add", sample=SAMPLE, stream="mic", class_id="horn", kind="span", start_ns=0, end_ns=500 * _MS
    )
    shape = {"kind": "box", "x": 100, "y": 80, "width": 120, "height": 90}
    car = session.run("annotation.add", sample=SAMPLE, stream="front", class_id="car", shape=shape, start_ns=0)
    return str(horn), str(car)


def _linked(session: Session) -> tuple[str, str, str]:
    horn, car = _horn_and_car(session)
    ends = {"sound": horn, "source": car}
    return horn, car, str(session.run("link.add", sample=SAMPLE, type_id="sound_source", ends=ends, rationale=_SAID))


def _links_are_made(bench: Bench) -> Evidence:
    with bench.as_annotator() as session:
        horn, car, link = _linked(session)
    with bench.as_annotator() as session:  # opened again: what counts is what is on the disk
        stored = session.store.get(RecordKind.LINK, link)
        _expect(isinstance(stored, Link), f"the link {link} is not in the project")
        assert isinstance(stored, Link)
        joined = {end.target for end in stored.ends}
        _expect(joined == {horn, car}, f"the link {link} joins {joined}")
        _expect(all(end.confirmed is not None for end in stored.ends), "the link does not remember what it joined")
    return {"link": link, "sound": horn, "source": car}


def _links_are_checked(bench: Bench) -> Evidence:
    with bench.as_annotator() as session:
        horn, car, link = _linked(session)
        ends = {"sound": car, "source": horn}
        said = _refused(session, "link.add", sample=SAMPLE, type_id="sound_source", ends=ends, rationale=_SAID)
        _refused(session, "annotation.delete", annotations=[car])
        session.run("annotation.set_interval", annotation=horn, start_ns=400 * _MS, end_ns=900 * _MS)
        found = _found_by_rules(session, "links.stale", link)
        report = session.store.verify()
        _expect(report.intact, f"the audit found {report.first}")
    return {"stale link": link, "finding": found, "link refused": _record_in(said), "audit head": report.head}


def _ontology_is_enforced(bench: Bench) -> Evidence:
    unknown = "automobil"
    shapes: dict[str, dict[str, Any]] = {
        "front": {"shape": {"kind": "box", "x": 0, "y": 0, "width": 9, "height": 9}},
        "mic": {"kind": "span", "start_ns": 0, "end_ns": 9},
        "lidar": {"shape": {"kind": "cuboid", "center": [0, 0, 0], "size": [1, 1, 1]}},
        "report": {"kind": "tag"},
    }
    with bench.as_annotator() as session:
        by_hand = {
            stream: _refused(session, "annotation.add", sample=SAMPLE, stream=stream, class_id=unknown, **shape)
            for stream, shape in shapes.items()
        }
        horn, car = _horn_and_car(session)
        ends = {"sound": horn, "source": car}
        link = _refused(session, "link.add", sample=SAMPLE, type_id="is_heard_by", ends=ends)
    with bench.as_import() as session:
        imported = _refused(
            session, "annotation.add", sample=SAMPLE, stream="front", class_id=unknown, **shapes["front"]
        )
        kept = [each for each in _annotations(session) if each.class_id == unknown]
        parked = session.run(
            "parked.add", sample=SAMPLE, origin="selftest", kind="annotation", payload=unknown, problems=[imported]
        )
    _expect(not kept, f"a label of the unknown class was stored: {[each.id for each in kept]}")
    _expect(_without_id(imported) == _without_id(by_hand["front"]), f"the import was told {imported!r}")
    refused = {f"{stream} refused": _record_in(said) for stream, said in by_hand.items()}
    return {**refused, "link refused": _record_in(link), "import refused": _record_in(imported), "parked": parked}


def _changes_are_flagged(bench: Bench) -> Evidence:
    with bench.as_annotator() as session:
        _, car, link = _linked(session)
        _expect(link not in _stale(session), f"the new link {link} is stale already")
        session.run("annotation.move", annotations=[car], by=[40, 0])
        _expect(link in _stale(session), f"the link {link} was not flagged after its box moved by 40 px")
        undone = session.undo()
        _expect(undone is not None, "the move could not be taken back")
        _expect(link not in _stale(session), f"the link {link} is still flagged after the move was taken back")
    return {"link": link, "moved": car, "undone in revision": str(undone.changes.rev if undone else "")}


def _stale(session: Session) -> set[str]:
    sample = session.open_sample(SAMPLE)
    return {stale.link.id for stale in session.store.stale_links(sample)}


def _found_by_rules(session: Session, rule: str, record: str) -> str:
    """The fingerprint of what validate finds about a record by this rule."""
    run = Validation(session.store, only=["links"])
    found = [each for _, findings in run.findings() for each in findings]
    mine = [each for each in found if each.rule == rule and any(item.id == record for item in each.items)]
    _expect(len(mine) == 1, f"the rule {rule} found {len(mine)} faults of {record}, not one")
    _expect({each.rule for each in found} == {rule}, f"the rules found more than was wrong: {found}")
    return mine[0].fingerprint


def _annotations(session: Session) -> list[Annotation]:
    return list(session.store.annotations(session.open_sample(SAMPLE)))


def _refused(session: Session, command_id: str, **arguments: Any) -> str:
    """The sentence of the refusal; and nothing was stored."""
    before = session.store.head()
    try:
        made = session.run(command_id, **arguments)
    except UserError as refusal:
        _expect(session.store.head() == before, f"{command_id} was refused and stored something all the same")
        return str(refusal)
    raise NotShown(f"{command_id} should have been refused and made {made}")


def _record_in(sentence: str) -> str:
    """The id of the record that a refusal is about, which it names second."""
    return sentence.split()[1]


def _without_id(sentence: str) -> str:
    """A refusal begins with the kind and id of the record, which was new in each case."""
    return " ".join(sentence.split()[2:])


def _expect(true: bool, otherwise: str) -> None:
    if not true:
        raise NotShown(otherwise)


QUESTIONS: dict[str, Callable[[Bench], Evidence]] = {
    "Can annotators create explicit links?": _links_are_made,
    "Are the links verified?": _links_are_checked,
    "Is the ontology enforced across all types of label, by hand and by import?": _ontology_is_enforced,
    "Is a related label flagged when an edit may have invalidated it?": _changes_are_flagged,
}
