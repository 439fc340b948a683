"""Samples through the work, people and their rights, settings, verdicts and questions."""

from __future__ import annotations

import pytest
from command_work import Work

from workstation.core.annotation import Comment, CommentState, FindingDecision, Verdict
from workstation.core.errors import Refused, UserError
from workstation.core.rights import Actor, ActorKind
from workstation.core.sample import GateState, Person, Project, Role, Sample, SampleState, Stream


def sample(work: Work, key: str = "drive-1") -> Sample:
    found = work.store.sample_by_key(key)
    assert found is not None
    return found


def as_ben(work: Work, role: Role = Role.ANNOTATOR) -> None:
    ben = next(person for person in work.store.people() if person.name == "Ben")
    work.actor = Actor(name="Ben", kind=ActorKind.PERSON, role=role, person=ben.id)


def test_a_sample_goes_from_new_to_approved_by_the_right_hands(work: Work) -> None:
    work.run("gate.waive", sample="drive-1", gate="sync", reason="one clock")
    as_ben(work)
    work.run("sample.start", sample="drive-1")
    work.run("sample.submit", sample="drive-1")
    with pytest.raises(Refused, match="may not review"):
        work.run("sample.approve", sample="drive-1")
    as_ben(work, Role.REVIEWER)
    returned = work.run("sample.return", sample="drive-1", reason="the van is missing")
    assert work.get(Comment, returned).text == "the van is missing"
    assert sample(work).state is SampleState.RETURNED
    with pytest.raises(UserError, match="1 comments are not resolved"):
        work.run("sample.submit", sample="drive-1")
    work.run("comment.reply", comment=returned, text="done", resolve=True)
    as_ben(work)
    work.run("sample.submit", sample="drive-1")
    as_ben(work, Role.REVIEWER)
    work.run("sample.approve", sample="drive-1")
    assert sample(work).state is SampleState.APPROVED
    with pytest.raises(UserError, match="is approved; only new, returned samples can become in progress"):
        work.run("sample.start", sample="drive-1")
    work.run("sample.reopen", sample="drive-1")
    assert sample(work).state is SampleState.IN_PROGRESS


def test_submitting_lists_what_is_missing(work: Work) -> None:
    work.run("gate.set", sample="drive-1", gate="sync", state="unverified")
    work.box(state="proposed")
    horn, car = work.span(0, 9), work.box()
    person, work.actor = work.actor, Actor(name="dataset", kind=ActorKind.IMPORT, role=Role.LEAD)
    link = work.run("link.add", sample="drive-1", type_id="sound_source", ends={"sound": horn, "source": car})
    work.actor = person
    work.run("link.confirm", links=[link])
    work.run("annotation.relabel", annotations=[car], class_id="van")
    with pytest.raises(UserError) as refused:
        work.run("sample.submit", sample="drive-1")
    wordless = "1 sounds lack the sentence that says how they come from their source"
    for said in ("gate sync is not verified", "1 proposals", "1 links are stale", wordless):
        assert said in str(refused.value)


def test_a_stale_link_keeps_a_sample_from_being_approved(work: Work) -> None:
    horn, car = work.span(0, 9), work.box()
    link = work.run("link.add", sample="drive-1", type_id="sound_source", ends={"sound": horn, "source": car},
                    rationale="it hoots")  # fmt: skip
    work.run("sample.submit", sample="drive-1")
    work.run("annotation.relabel", annotations=[car], class_id="van")
    with pytest.raises(UserError, match="1 stale links"):
        work.run("sample.approve", sample="drive-1")
    work.run("link.confirm", links=[link])
    work.run("sample.approve", sample="drive-1")


def test_quarantine_takes_a_reason_and_any_state(work: Work) -> None:
    with pytest.raises(UserError, match="with a reason"):
        work.run("sample.quarantine", sample="drive-1", reason=" ")
    remark = work.run("sample.quarantine", sample="drive-1", reason="box and cuboid are different cars")
    assert sample(work).state is SampleState.QUARANTINED
    assert work.get(Comment, remark).target == sample(work).id
    with pytest.raises(UserError, match="is quarantined"):
        work.run("sample.quarantine", sample="drive-1", reason="again")


def test_only_who_signs_waives_a_gate_and_a_reason_is_kept(work: Work) -> None:
    as_ben(work)
    with pytest.raises(Refused, match="may not sign a waiver"):
        work.run("gate.waive", sample="drive-1", gate="sync", reason="in a hurry")
    work.actor = None
    with pytest.raises(UserError, match="gate.waive"):
        work.run("gate.set", sample="drive-1", gate="sync", state="waived")
    with pytest.raises(UserError, match="has clocks to verify"):
        work.run("gate.set", sample="drive-1", gate="sync", state="not_needed")
    with pytest.raises(UserError, match="plain name"):
        work.run("gate.set", sample="drive-1", gate="a b", state="verified")
    work.run("gate.waive", sample="drive-1", gate="sync", reason="one clock")
    gate = sample(work).gates["sync"]
    assert (gate.state, gate.person, gate.reason) == (GateState.WAIVED, "Ana", "one clock")


def test_samples_and_streams_are_described_renamed_and_removed(work: Work) -> None:
    work.run("sample.set", sample="drive-1", key="drive-one", properties={"weather": "rain", "device": "A"})
    work.run("sample.set", sample="drive-one", properties={"device": None}, notes="wet")
    found = sample(work, "drive-one")
    assert (found.properties, found.notes) == ({"weather": "rain"}, "wet")
    with pytest.raises(Refused, match="drive-one"):
        work.run("sample.add", key="drive-one")
    work.run("stream.set", stream="drive-one/mic", key="microphone", consent="form 7")
    stream = work.store.stream_by_key(found.id, "microphone")
    assert stream is not None
    assert stream.consent == "form 7"
    work.run("stream.set_time", stream=stream.id, time_map={"knots": [[0, 5]], "method": "offset"}, clock="PTP")
    assert work.get(Stream, stream.id).clock == "PTP"


def test_a_stream_with_labels_and_a_labelled_sample_are_not_removed_by_a_slip(work: Work) -> None:
    track = work.track((0, 0), (5, 5))
    work.run("comment.add", sample="drive-1", text="look", target=f"annotation:{track}")
    work.run("link.absent", sample="drive-1", of=track, missing_in="stream:mic", reason="silent")
    with pytest.raises(UserError, match="1 annotations lie on stream front"):
        work.run("stream.remove", stream="drive-1/front")
    with pytest.raises(UserError, match="holds 1 links, 1 annotations, 1 entities"):
        work.run("sample.remove", sample="drive-1")
    work.run("sample.remove", sample="drive-1", with_labels=True)
    assert work.store.sample_by_key("drive-1") is None
    assert work.store.undo() is not None
    assert work.keyframes(track) != []
    work.run("stream.remove", stream="drive-1/can")
    assert "can" not in [stream.key for stream in work.store.streams(sample(work).id)]


def test_people_have_one_name_some_role_and_somebody_must_lead(work: Work) -> None:
    cleo = work.run("person.add", name=" Cleo ", roles=["expert", "expert"])
    assert work.get(Person, cleo).roles == (Role.EXPERT,)
    for arguments, said in (
        ({"name": "cleo"}, "already is a person"),
        ({"name": " "}, "needs a name"),
        ({"name": "Dan", "roles": []}, "at least one role"),
        ({"name": "Dan", "roles": ["boss"]}, "roles"),
    ):
        with pytest.raises(UserError, match=said):
            work.run("person.add", **arguments)
    with pytest.raises(UserError, match="nobody could manage people"):
        work.run("person.set", person="Ana", active=False)
    work.run("person.set", person="Cleo", roles=["lead", "expert"])
    work.run("sample.assign", sample="drive-1", person="Cleo")
    assert sample(work).assigned_to == cleo
    as_ben(work)
    with pytest.raises(Refused, match="may not add people"):
        work.run("person.add", name="Eve")


def test_settings_are_laid_over_the_old_ones(work: Work) -> None:
    work.run("project.set", name="Night drives", tolerances={"sync_ms": 50, "stale_box_px": 4})
    work.run("project.set", tolerances={"sync_ms": None}, gates={"sync": "required"})
    found = work.store.project()
    assert isinstance(found, Project)
    assert (found.name, found.tolerances, found.gates) == ("Night drives", {"stale_box_px": 4.0}, {"sync": "required"})


def test_a_guideline_is_acknowledged_by_its_reader_alone(work: Work) -> None:
    with pytest.raises(UserError, match="no guideline yet"):
        work.run("guideline.acknowledge")
    assert work.run("guideline.publish", text="# Guideline\n\nLook twice.\n") == 1
    work.run("guideline.acknowledge")
    with pytest.raises(UserError, match="only the reader"):
        work.run("guideline.acknowledge", person="Ben")


def test_a_verdict_names_the_revision_it_saw_and_changes_nothing(work: Work) -> None:
    box = work.box()
    seen = work.store.head()
    work.run("annotation.move", annotations=[box], by=[1, 0])
    before = work.annotation(box)
    made = work.run("verdict.add", sample="drive-1", target=box, value="rejected", aspect="geometry", reason="too wide")
    verdict = work.get(Verdict, made)
    assert (verdict.target_revision, verdict.reason) == (seen + 1, "too wide")
    assert work.annotation(box) == before
    with pytest.raises(UserError, match="needs a reason"):
        work.run("verdict.add", sample="drive-1", target=box, value="rejected")
    with pytest.raises(UserError, match="a verdict is on a label"):
        work.run("verdict.add", sample="drive-1", target="modality:cloud", value="approved")
    as_ben(work)
    with pytest.raises(Refused, match="may not close a verdict"):
        work.run("verdict.close", verdict=made)
    as_ben(work, Role.REVIEWER)
    work.run("verdict.close", verdict=made)
    assert work.get(Verdict, made).closed


def test_questions_and_answers(work: Work) -> None:
    box = work.box()
    asked = work.run("question.ask", sample="drive-1", text="Is this a van?", target=box, addressed_to="lead")
    reply = work.run("comment.reply", comment=asked, text="Yes.")
    assert work.get(Comment, asked).state is CommentState.OPEN
    assert work.get(Comment, reply).reply_to == asked
    work.run("comment.resolve", comment=asked)
    assert work.get(Comment, asked).state is CommentState.RESOLVED
    with pytest.raises(UserError, match="needs a text"):
        work.run("comment.add", sample="drive-1", text="  ")


def test_a_decision_on_a_finding_is_kept_once_and_needs_its_right(work: Work) -> None:
    finding = {"sample": "drive-1", "fingerprint": "f" * 16, "rule": "G-4"}
    with pytest.raises(UserError, match="dismissed with a reason"):
        work.run("finding.decide", **finding, decision="dismissed")
    first = work.run("finding.decide", **finding, decision="dismissed", reason="parked car")
    assert work.run("finding.decide", **finding, decision="fixed", cause="clock off") == first
    assert work.get(FindingDecision, first).cause == "clock off"
    with pytest.raises(UserError, match="there is no cause 'tired eyes'; there are slip of the hand"):
        work.run("finding.decide", **finding, decision="fixed", cause="tired eyes")
    work.run("project.set", causes=["tired eyes"])
    work.run("finding.decide", **finding, decision="fixed", cause="tired eyes")
    assert work.get(FindingDecision, first).cause == "tired eyes"
    as_ben(work)
    with pytest.raises(UserError, match="may not confirm a finding"):
        work.run("finding.decide", **finding, decision="confirmed")
    with pytest.raises(UserError, match="may not sign a waiver"):
        work.run("finding.decide", **finding, decision="waived", reason="no time")
