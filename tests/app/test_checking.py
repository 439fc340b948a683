"""Checks beside the work: on a thread of their own, on what is stored, told on the owner's thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from workstation.app.checking import SampleChecks
from workstation.app.evidence import media_evidence
from workstation.app.opening import new_project, open_project
from workstation.app.session import Session
from workstation.app.validation import Validation
from workstation.core.ids import SampleId
from workstation.core.ontology import ErrorType, Severity
from workstation.core.records import RecordKind
from workstation.core.sample import Sample
from workstation.core.snapshot import Snapshot
from workstation.qa.findings import Fault, Rule


class Owner:
    """The thread that owns the session, here the test's: carries out what was posted when it is told to."""

    def __init__(self) -> None:
        self.waiting: queue.Queue[tuple[Callable[[Any], None], object]] = queue.Queue()

    def post(self, receive: Callable[[Any], None], value: object) -> None:
        self.waiting.put((receive, value))

    def take_one(self) -> None:
        receive, value = self.waiting.get(timeout=20)
        receive(value)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = new_project(tmp_path / "p", profile="driving", person="Ada")
    with open_project(made, role="lead") as session:
        session.run("sample.add", key="s")
        session.open_sample("s")
        session.run("stream.add", key="cam", kind="video")
        session.run("stream.add", key="top", kind="video")
    return made


def two_views_of_one_thing(session: Session) -> None:
    entity = session.run("entity.add", class_id="car")
    for stream, class_id in (("cam", None), ("top", "truck")):
        box = {"kind": "box", "x": 1.0, "y": 1.0, "width": 5.0, "height": 5.0}
        session.run("annotation.add", stream=stream, entity=entity, class_id=class_id, shape=box, start_ns=0, end_ns=1)


def test_findings_follow_the_edits(project: Path) -> None:
    owner = Owner()
    with open_project(project, role="lead") as session:
        sample = session.open_sample("s")
        checks = SampleChecks(session.project, session.store.reader_elsewhere(), owner.post)
        checks.request(sample)
        owner.take_one()
        before = {finding.fingerprint for finding in checks.findings}
        assert checks.sample == sample
        two_views_of_one_thing(session)
        checks.request(sample)
        owner.take_one()
        owner.take_one()
        new = [finding for finding in checks.findings if finding.fingerprint not in before]
        assert [finding.rule for finding in new] == ["ontology.labels_conflict"]
        checks.close()
        checks.close()
        checks.request(sample)
        assert owner.waiting.empty()


def test_a_project_open_read_only_is_checked_too(project: Path) -> None:
    owner = Owner()
    with open_project(project, read_only=True) as session:
        sample = session.open_sample("s")
        checks = SampleChecks(session.project, session.store.reader_elsewhere(), owner.post)
        checks.request(sample)
        owner.take_one()
        assert checks.sample == sample
        checks.close()


def test_a_sample_that_is_gone_has_no_findings(project: Path) -> None:
    owner = Owner()
    with open_project(project, role="lead") as session:
        checks = SampleChecks(session.project, session.store.reader_elsewhere(), owner.post)
        checks.request(SampleId("0" * 26))
        owner.take_one()
        assert checks.findings == ()
        checks.close()


def test_after_each_edit_the_findings_are_those_of_a_full_run(project: Path) -> None:
    owner = Owner()
    with open_project(project, role="lead") as session:
        sample = session.open_sample("s")
        checks = SampleChecks(session.project, session.store.reader_elsewhere(), owner.post)

        def both() -> tuple[list[str], list[str]]:
            checks.request(sample)
            owner.take_one()
            while not checks.whole:
                owner.take_one()
            record = session.store.get(RecordKind.SAMPLE, sample)
            assert isinstance(record, Sample)
            whole = Validation(session.store, sample=record, evidence=media_evidence(session.store, session.project))
            found = [each for _, some in whole.findings() for each in some]
            return sorted(map(repr, checks.findings)), sorted(map(repr, found))

        two_views_of_one_thing(session)
        two_views_of_one_thing(session)
        told, whole = both()
        assert told == whole
        assert len(told) >= 2
        odd = next(each for each in session.store.annotations(sample) if each.class_id == "truck")
        session.run("annotation.relabel", annotations=[odd.id], class_id="car", here=True)
        fewer, whole = both()
        assert fewer == whole
        assert len(fewer) < len(told)
        session.undo()
        again, whole = both()
        assert again == whole == told
        session.run("stream.set_latency", stream="cam", latency_ns=30_000_000)
        assert both()[0] == both()[1]
        checks.close()


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """The only rule never comes to an end on the sample ``s``; set once it has begun."""
    begun = threading.Event()

    def think(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
        begun.set()
        while sample.key == "s":
            snapshot.get(RecordKind.SAMPLE, sample.id)
        yield Fault(text="looked at", items=())

    made = Rule(
        id="test.endless", version=1, error_type=ErrorType.SEMANTIC, severity=Severity.INFO, help="", check=think
    )
    monkeypatch.setattr("workstation.app.validation.rules_for", lambda _reads: (made,))
    return begun


def test_closing_does_not_wait_for_a_rule(project: Path, endless: threading.Event) -> None:
    owner = Owner()
    with open_project(project, role="lead") as session:
        checks = SampleChecks(session.project, session.store.reader_elsewhere(), owner.post)
        checks.request(session.open_sample("s"))
        assert endless.wait(20)
        checks.close()  # waits for the thread
        assert owner.waiting.empty()


def test_another_sample_is_checked_at_once(project: Path, endless: threading.Event) -> None:
    owner = Owner()
    with open_project(project, role="lead") as session:
        session.run("sample.add", key="next")
        checks = SampleChecks(session.project, session.store.reader_elsewhere(), owner.post)
        checks.request(session.open_sample("s"))
        assert endless.wait(20)
        other = session.open_sample("next")
        checks.request(other)
        owner.take_one()
        assert (checks.sample, [each.text for each in checks.findings]) == (other, ["looked at"])
        checks.close()
