"""Links proposed by rule: what is proposed, what it says for itself, that only a person makes more of it, and that what
was said or refused does not come back. Truth is what the tests place by hand."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from drive_projects import SAMPLE

from strict_windows import copy_of
from tests.one_sample import one_sample, view_of
from workstation.app.opening import new_project, open_project
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.reading import Formats
from workstation.app.session import Session
from workstation.app.sightings import Sightings
from workstation.app.streams import OpenStreams
from workstation.app.suggesting import propose, suggestions
from workstation.app.transfer import export_history, import_history
from workstation.cli.main import main
from workstation.core.annotation import Link, SourceKind, State
from workstation.core.errors import Refused, UserError
from workstation.core.suggestion import Suggestion
from workstation.formats.native import NATIVE
from workstation.formats.times import TIMES

MS = 1_000_000
WORDS = """\
version: 1
name: Words
language: en
modalities: [image, text]
shapes: {image: [box], text: [text_span]}
classes:
  vehicle:
    name: Vehicle
    children:
      car: {name: {en: Car, de: Auto, hi: गाड़ी, ar: سيارة}}
      bicycle: {name: {en: Bicycle, de: Fahrrad, hi: साइकिल, ar: دراجة}}
      van: {name: {en: Van, de: Lieferwagen}}
attributes:
  colour:
    type: choice
    name: {en: Colour}
    options: {red: {name: {en: red, de: rot, ar: حمراء}}, blue: {name: {en: blue, de: blau}}}
    applies_to: [vehicle]
link_types:
  refers_to:
    negatable: true
    roles:
      phrase: {targets: [annotation], shapes: [text_span], streams: [text]}
      thing: {max: null, targets: [annotation, entity], classes: [vehicle]}
lexicon:
  car: {en: {synonyms: [automobile], narrower: [taxi]}}
"""


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A drive with a film, a sound and a bus log that need no files for their labels."""
    with one_sample(tmp_path / "p", front="video", mic="audio", bus="series") as opened:
        yield opened


def span(session: Session, stream: str, class_id: str, start_ms: int, end_ms: int) -> str:
    times = {"start_ns": start_ms * MS, "end_ns": end_ms * MS}
    made: str = session.run("annotation.add", stream=stream, class_id=class_id, shape={"kind": "span"}, **times)
    return made


def found(session: Session, *rules: str) -> tuple[Suggestion, ...]:
    return suggestions(Sightings(view_of(session)), rules or ("time", "wording", "identity", "projection")).new


def stored(session: Session) -> list[Link]:
    with session.together("Propose") as run:
        propose(run, view_of(session), found(session))
    return list(view_of(session).links.values())


# --- time -------------------------------------------------------------------------------------------------------


def test_horn_and_braking_that_begin_together_are_proposed_and_others_are_not(session: Session) -> None:
    horn = span(session, "mic", "horn", 14_300, 15_000)
    near = span(session, "bus", "braking", 14_340, 16_000)
    span(session, "bus", "braking", 20_000, 21_000)
    (only,) = found(session)
    assert (only.type_id, only.targets, only.rule) == ("coincides_with", {horn, near}, "time")
    assert "40 ms apart" in only.evidence
    assert "0.66 s in common" in only.evidence


def test_the_tolerance_of_the_link_type_is_the_limit(session: Session) -> None:
    span(session, "mic", "horn", 1_000, 1_400)
    span(session, "bus", "braking", 1_050, 2_000)
    span(session, "mic", "horn", 5_000, 5_400)
    span(session, "bus", "braking", 5_051, 7_000)
    assert [each.evidence.partition(": ")[2][:5] for each in found(session)] == ["50 ms"]  # coincides_with: 50 ms


def test_each_event_is_joined_with_its_nearest_only(session: Session) -> None:
    horn = span(session, "mic", "horn", 1_000, 1_400)
    span(session, "bus", "braking", 1_030, 2_000)
    nearest = span(session, "bus", "turning", 1_010, 2_000)
    assert [each.targets for each in found(session)] == [{horn, nearest}]


def test_events_that_any_link_joins_are_left_alone(session: Session) -> None:
    horn, brake = span(session, "mic", "horn", 1_000, 1_400), span(session, "bus", "braking", 1_030, 2_000)
    ends = {"cause": [f"annotation:{horn}"], "effect": f"annotation:{brake}"}
    session.run("link.add", type_id="causes", ends=ends)
    assert found(session) == ()


# --- a proposal's life ------------------------------------------------------------------------------------------


@pytest.fixture
def proposed(session: Session) -> Link:
    span(session, "mic", "horn", 14_300, 15_000)
    span(session, "bus", "braking", 14_340, 16_000)
    (link,) = stored(session)
    return link


def test_a_proposal_says_where_it_comes_from_and_nobody_has_confirmed_it(proposed: Link) -> None:
    assert proposed.state is State.PROPOSED
    assert (proposed.source.kind, proposed.source.name) == (SourceKind.RULE, "time")
    assert "40 ms apart" in proposed.rationale
    assert proposed.confidence is not None
    assert all(end.confirmed is None and end.confirmed_revision is None for end in proposed.ends)


def test_again_it_is_not_proposed_twice_nor_after_it_was_rejected(session: Session, proposed: Link) -> None:
    assert found(session) == ()
    session.run("link.reject", links=[proposed.id])
    assert view_of(session).links[proposed.id].state is State.REJECTED
    assert found(session) == ()
    session.undo()  # the refusal
    session.undo()  # the proposal
    assert len(found(session)) == 1


def test_a_person_accepts_it_and_the_ends_are_what_she_saw(session: Session, proposed: Link) -> None:
    session.run("link.accept", links=[proposed.id])
    link = view_of(session).links[proposed.id]
    assert link.state is State.DONE
    assert all(end.confirmed is not None for end in link.ends)
    with pytest.raises(UserError, match="is no proposal: it is done"):
        session.run("link.accept", links=[proposed.id])


@pytest.mark.parametrize("kind", ["import", "model"])
def test_nobody_else_accepts_it(kind: str, session: Session, proposed: Link) -> None:
    folder = session.project.path
    session.close()
    with open_project(folder, kind=kind, person="Ana", tool="t") as other:
        for command, said in (("link.accept", {}), ("link.confirm", {}), ("link.set_state", {"state": "done"})):
            with pytest.raises((Refused, UserError), match="person"):
                other.run(command, links=[proposed.id], **said)
        (link,) = other.store.links(proposed.sample)
        assert link.state is State.PROPOSED


def test_exports_of_labels_leave_it_out_until_it_is_accepted(
    session: Session, proposed: Link, tmp_path: Path
) -> None:  # fmt: skip
    session.run(
        "link.edit", link=proposed.id, start_ns=14_300 * MS, end_ns=15_000 * MS
    )  # now it has a time, and is hers
    ours = session.run("link.add", type_id="coincides_with", state="proposed", start_ns=0, end_ns=MS,
                       ends={"item": [f"annotation:{end.target}" for end in proposed.ends]})  # fmt: skip

    def exported(name: str) -> set[str]:
        export_history(session, TIMES, tmp_path / name, progress=lambda _done, _total: None)
        rows = [json.loads(line) for line in (tmp_path / name).read_text(encoding="utf-8").splitlines()]
        return {row["id"] for row in rows if row.get("kind") == "link"}

    assert exported("before") == {proposed.id}
    session.run("link.accept", links=[ours])
    assert exported("after") == {proposed.id, ours}


def quiet(*_: int) -> None:
    """Nobody looks."""


def test_the_native_form_holds_it_when_asked_and_brings_it_back_as_nothing_more_than_a_proposal(
    session: Session, proposed: Link, tmp_path: Path
) -> None:  # fmt: skip
    export_history(session, NATIVE, tmp_path / "all", progress=quiet, proposals=True)
    import_history(NATIVE, tmp_path / "all", tmp_path / "back", progress=quiet)
    with open_project(tmp_path / "back", read_only=True) as back:
        assert back.store.head_hash() == session.store.head_hash()
        (link,) = back.store.links(proposed.sample)
    assert link == proposed
    assert link.state is State.PROPOSED


def test_a_native_export_holds_nothing_that_nobody_confirmed_and_its_history_still_verifies(
    session: Session, proposed: Link, tmp_path: Path
) -> None:  # fmt: skip
    """LINK-22. The proposals of a model go with those of rules; what a person says of them outlives them."""
    thing = session.run("entity.add", class_id="car", name="ghost car")
    box = {"kind": "box", "x": 1, "y": 2, "width": 30, "height": 40}
    guess = session.run("track.add", stream="front", entity=thing, keyframes=[{"time_ns": 0, "shape": box}],
                        state="proposed")  # fmt: skip
    kept = span(session, "mic", "horn", 20_000, 21_000)
    session.run("link.add", type_id="coincides_with", ends={"item": [f"annotation:{guess}", f"annotation:{kept}"]})
    session.run("comment.add", sample="s", target=f"annotation:{guess}", text="is this a car?")
    file = tmp_path / "p.jsonl"
    done = export_history(session, NATIVE, file, progress=quiet)
    assert done.left_out.words() == "1 label, 2 links and 1 thing"
    lines = file.read_text(encoding="utf-8").splitlines()
    told = [json.loads(line) for line in lines]
    content = [each["payload"] for each in told if each["t"] == "change" and each["kind"] != "comment"
               and each.get("payload")]  # fmt: skip
    for gone in (proposed.id, guess, thing):
        assert not [each for each in content if gone in each]
        assert not [each for each in told if each["t"] == "current" and each["id"] == gone]
    assert not [each for each in content if "ghost car" in each or '"proposed"' in each]
    import_history(NATIVE, file, tmp_path / "back", progress=quiet)
    with open_project(tmp_path / "back", person="Ana", kind="person") as back:
        assert [each for each in back.store.annotations(proposed.sample) if each.id == kept]
        report = back.store.verify(against=session.store.head_hash())
        assert report.intact, report.entries
        assert report.tombstones > 0
        assert [each.text for each in back.store.comments(proposed.sample)] == ["is this a car?"]
        back.open_sample("s")
        span(back, "mic", "horn", 30_000, 31_000)  # work goes on
        back.undo()
        assert back.store.verify().intact
    assert session.store.verify().tombstones == 0  # the project itself keeps all of it
    again = tmp_path / "again.jsonl"
    export_history(session, NATIVE, again, progress=quiet)
    assert again.read_bytes() == file.read_bytes()


def test_once_everything_is_decided_the_native_form_is_the_project_itself(
    session: Session, proposed: Link, tmp_path: Path
) -> None:  # fmt: skip
    session.run("link.accept", links=[proposed.id])
    done = export_history(session, NATIVE, tmp_path / "p.jsonl", progress=quiet)
    assert (done.head, done.left_out.words()) == (session.store.head_hash(), "")


# --- identity ---------------------------------------------------------------------------------------------------


def boxed(session: Session, stream: str, **said: Any) -> str:
    shape = {"kind": "box", "x": 10, "y": 10, "width": 40, "height": 30}
    made: str = session.run(
        "annotation.add", stream=stream, shape=shape, start_ns=0, end_ns=MS,
        attributes={"occlusion": "unknown"}, **said,
    )  # fmt: skip
    return made


def test_naming_a_thing_in_one_view_proposes_it_in_the_others_and_accepting_makes_one(session: Session) -> None:
    """MV-02."""
    session.run("stream.add", key="side", kind="video")
    session.run("stream.add", key="wrist", kind="video")
    cup = session.run("entity.add", class_id="car", name="cup 1")
    labels = [boxed(session, "front", entity=cup)]
    labels += [boxed(session, "side", class_id="car"), boxed(session, "wrist", class_id="car")]
    proposals = [each for each in stored(session) if each.state is State.PROPOSED]
    assert len(proposals) == 3
    assert "not calibrated" in proposals[0].rationale
    view = view_of(session)
    assert view.annotations[labels[1]].entity is None  # nothing is joined before a person says so
    with pytest.raises(UserError, match="one at a time"):
        session.run("link.accept", links=[each.id for each in proposals])
    with session.together("Accept") as run:
        for each in proposals:
            run("link.accept", links=[each.id])
    view = view_of(session)
    assert [each.name for each in view.entities.values()] == ["cup 1"]
    assert {each.entity for each in view.annotations.values()} == {cup}
    session.undo()
    assert view_of(session).annotations[labels[1]].entity is None


def test_two_of_a_class_in_one_view_are_not_told_apart_without_calibration(session: Session) -> None:
    session.run("stream.add", key="side", kind="video")
    for stream in ("front", "side", "side"):
        boxed(session, stream, class_id="car")
    assert found(session, "identity") == ()


# --- wording ----------------------------------------------------------------------------------------------------


@pytest.fixture
def words(tmp_path: Path) -> Iterator[Session]:
    """A picture with a red car, a blue car and a bicycle; texts in four languages."""
    (tmp_path / "o.yaml").write_text(WORDS, encoding="utf-8")
    new_project(tmp_path / "w", ontology=str(tmp_path / "o.yaml"), in_force=True, person="Ana")
    with open_project(tmp_path / "w", kind="person") as opened:
        opened.run("sample.add", key="s")
        opened.open_sample("s")
        opened.run("stream.add", key="picture", kind="image")
        for name, class_id, colour in (("A", "car", "red"), ("B", "car", "blue"), ("C", "bicycle", "red")):
            opened.run("entity.add", class_id=class_id, name=name, attributes={"colour": colour})
        yield opened


def phrase(session: Session, text: str, language: str) -> None:
    if f"text_{language}" not in {each.key for each in session.store.streams(view_of(session).id)}:
        session.run("stream.add", key=f"text_{language}", kind="text", language=language)
    start = 100 * len(view_of(session).annotations)
    shape = {"kind": "text_span", "parts": [[start, start + len(text)]], "quote": text}
    session.run("annotation.add", stream=f"text_{language}", class_id="vehicle", shape=shape)


@pytest.mark.parametrize(
    ("text", "language", "thing"),
    [
        ("the red car", "en", "A"), ("blue taxis", "en", "B"), ("the bicycle's bell", "en", "C"),
        ("das rote Auto", "de", "A"), ("des blauen Autos", "de", "B"), ("Fahrrädern", "de", None),
        ("Fahrrads", "de", "C"), ("साइकिलों", "hi", "C"), ("वह साइकिल", "hi", "C"),
        ("السيارة الحمراء", "ar", "A"), ("والدراجة", "ar", "C"),
        ("the car", "en", None), ("a cat", "en", None), ("the vehicle", "en", None), ("das Fahrrad", "en", None),
    ],
)  # fmt: skip
def test_a_phrase_is_joined_with_the_one_thing_its_words_leave(
    words: Session, text: str, language: str, thing: str | None
) -> None:  # fmt: skip
    phrase(words, text, language)
    view = view_of(words)
    named = [view.name_of(end.target) for each in found(words, "wording") for end in each.ends if end.role == "thing"]
    assert named == ([] if thing is None else [thing])


def test_a_sentence_is_no_phrase(words: Session) -> None:
    phrase(words, "The bicycle stands beside the old red house.", "en")
    assert found(words, "wording") == ()


# --- command line -----------------------------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *typed: object) -> tuple[int, list[dict[str, Any]]]:
    capsys.readouterr()
    code = main([str(each) for each in typed])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_command_line_proposes_once_and_a_dry_run_stores_nothing(
    session: Session, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))
    span(session, "mic", "horn", 14_300, 15_000)
    span(session, "bus", "braking", 14_340, 16_000)
    folder = session.project.path
    session.close()
    code, lines = run(capsys, "link", "suggest", folder, "--dry-run", "--json")
    assert (code, lines[-1]["proposed"], lines[-1]["stored"]) == (0, 1, False)
    assert lines[0]["rule"] == "time"
    assert run(capsys, "list", "links", folder, "--json")[1] == []
    assert run(capsys, "link", "suggest", folder, "--rule", "wording", "--json")[1][-1]["proposed"] == 0
    assert run(capsys, "link", "suggest", folder, "--json")[1][-1]["proposed"] == 1
    (link,) = run(capsys, "list", "links", folder, "--json")[1]
    assert link["state"] == "proposed"
    assert run(capsys, "link", "suggest", folder, "--json")[1][-1]["proposed"] == 0
    with open_project(folder, kind="person") as again:
        again.open_sample("s")
        again.undo()
        assert not view_of(again).links  # one step takes them all back


def test_a_sample_whose_clocks_are_not_verified_is_left_out_and_says_so(
    session: Session, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setenv("WORKSTATION_HOME", str(tmp_path / "home"))
    session.run("project.set", gates={"sync": "required"})
    session.run("gate.set", sample="s", gate="sync", state="unverified", reason="moved")
    folder = session.project.path
    session.close()
    code, lines = run(capsys, "link", "suggest", folder, "--json")
    assert (code, lines[-1]["left_out"]) == (1, 1)


def test_rules_read_no_stream_that_they_do_not_need(session: Session) -> None:
    """Streams without files cannot be opened; time and wording do not try."""
    span(session, "mic", "horn", 1_000, 1_400)
    with OpenStreams(session.project.path, readers=Formats().readers) as readers:
        assert suggestions(Sightings(view_of(session), None, readers), ("time", "wording")).new == ()


# --- the generated drive ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_on_the_generated_drive_every_view_finds_its_cuboid_and_its_twin(three_cameras: Path, tmp_path: Path) -> None:
    """Links and entities are taken away; the rules put together what the truth says is one, and nothing else."""
    folder = copy_of(three_cameras, tmp_path / "drive")
    with open_project(folder, kind="person") as session:
        session.run("gate.waive", sample=SAMPLE, gate="sync", reason="generated")
        session.open_sample(SAMPLE)
        view = view_of(session)
        truth = {each.id: each.entity for each in view.annotations.values()}
        with session.together("Take what is known away") as run:
            run("link.remove", links=list(view.links))
            run("entity.detach", annotations=[key for key, entity in truth.items() if entity is not None])
            for each in view.entities:
                run("entity.delete", entity=each)
        view = view_of(session)
        with OpenStreams(session.project.path, readers=Formats().readers) as readers:
            seen = Sightings(view, PlacedCuboids(view, readers), readers)
            made = suggestions(seen).new
            joined = {name: [each for each in made if each.rule == name] for name in ("projection", "identity")}
            boxes = [each.id for each in seen.flat()]
        counts = {name: len(each) for name, each in joined.items()}
        sys.stdout.write(f"proposed {counts} for {len(boxes)} labels in pictures\n")
        assert all(len({truth[target] for target in each.targets}) == 1 for held in joined.values() for each in held)
        assert {box for each in joined["projection"] for box in each.targets} >= set(boxes)  # every label found its own
        assert joined["identity"]
        waiting = _stored(session, made)
        with session.together("Accept") as run:
            for each in waiting:
                run("link.accept", links=[each])
        after = view_of(session)
    for one in boxes:
        for other in boxes:
            same = after.annotations[one].entity == after.annotations[other].entity
            assert same == (truth[one] == truth[other])


def _stored(session: Session, made: tuple[Suggestion, ...]) -> list[str]:
    with session.together("Propose") as run:
        return propose(run, view_of(session), made)
