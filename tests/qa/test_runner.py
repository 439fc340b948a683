"""Running rules: what did not run is never passed, decisions are joined, and lists are read once."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from plain_snapshot import PlainSnapshot, Scene

from workstation.core.annotation import DecisionValue, FindingDecision
from workstation.core.errors import UserError
from workstation.core.findings import FindingState, Item, fingerprint_of
from workstation.core.ontology import ErrorType, Severity
from workstation.core.sample import Acknowledgement, Guideline, Parked, Person, Sample
from workstation.core.snapshot import Snapshot
from workstation.qa.findings import Fault, Rule, choose_rules, load_rules
from workstation.qa.runner import run_rules


def made(check: Any) -> Rule:
    return Rule(
        id="test.rule",
        version=3,
        error_type=ErrorType.TEMPORAL,
        severity=Severity.INFO,
        help="",
        check=check,
        limit=5.0,
    )


def test_without_an_ontology_its_rules_do_not_run_and_say_why() -> None:
    scene = Scene()
    scene.snapshot.rules = None
    scene.label("image", "no_such_class")
    outcomes = list(run_rules(scene.snapshot, load_rules(), scene.snapshot.samples()))
    missed = {each.rule.id: each.not_run for each in outcomes if each.not_run}
    assert missed["ontology.unknown"] == "no version of the ontology is locked yet"
    assert missed["guideline.acknowledged"] == "the project has no guideline yet"
    assert "links.dangling" not in missed
    assert all(not each.findings for each in outcomes)


def test_a_rule_that_fails_is_not_passed_and_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_snapshot: Snapshot, _sample: Sample) -> Iterator[Fault]:
        yield Fault(text="never kept", items=())
        raise ZeroDivisionError("by nought")

    def sound(_snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
        yield Fault(text="seen", items=(Item("sample", sample.id),), measured=7.0)

    scene = Scene()
    with caplog.at_level(logging.CRITICAL, logger="workstation.qa.runner"):
        first, second = run_rules(scene.snapshot, [made(broken), made(sound)], scene.snapshot.samples())
    assert (first.not_run, first.findings) == ("the rule itself failed: ZeroDivisionError: by nought", ())
    (found,) = second.findings
    assert (found.text, found.measured, found.limit, found.version) == ("seen", 7.0, 5.0, 3)


@pytest.mark.parametrize(
    ("decision", "settled"),
    [
        (DecisionValue.DISMISSED, True),
        (DecisionValue.WAIVED, True),
        (DecisionValue.CONFIRMED, False),
        (DecisionValue.FIXED, False),
    ],
)
def test_what_people_decided_is_joined_and_only_what_is_settled_is_closed(
    decision: DecisionValue, settled: bool
) -> None:
    scene = Scene()
    scene.entity("automobil")
    (before,) = scene.found()
    given: Any = {"id": scene.ids.new(), "sample": scene.sample, "person": scene.ids.new(), "rule": before.rule}
    scene.add(FindingDecision(**given, fingerprint=before.fingerprint, decision=decision, reason="seen", cause="slip"))
    (after,) = scene.found()
    assert (before.state, before.settled) == (FindingState.OPEN, False)
    assert (after.state.value, after.settled, after.reason, after.cause) == (decision.value, settled, "seen", "slip")


def test_the_lists_of_a_sample_are_read_once_for_all_rules() -> None:
    scene = Scene()
    scene.label("image", "car")
    list(run_rules(scene.snapshot, load_rules(), scene.snapshot.samples()))
    assert scene.snapshot.reads == ["annotations"]


def test_the_project_has_findings_of_its_own() -> None:
    snapshot = PlainSnapshot()
    ids = Scene().ids
    ana, ben, eve = (ids.new() for _ in range(3))
    for number in (1, 2):
        text: Any = {"id": ids.new(), "number": number, "text": "", "sha256": "", "ontology_number": 1}
        snapshot.held.append(Guideline(**text))
    for person, name, active in ((ana, "Ana", True), (ben, "Ben", True), (eve, "Eve", False)):
        who: Any = {"id": person, "name": name, "active": active}
        snapshot.held.append(Person(**who))
    for person, number in ((ana, 2), (ben, 1)):
        read: Any = {"id": ids.new(), "person": person, "guideline_number": number}
        snapshot.held.append(Acknowledgement(**read))
    nowhere: Any = {"id": ids.new(), "origin": "coco", "kind": "annotation", "payload": "", "problems": ("odd",)}
    snapshot.held.append(Parked(**nowhere))
    found = [each for outcome in run_rules(snapshot, load_rules(), []) for each in outcome.findings]
    assert [(each.rule, each.sample) for each in found] == [("guideline.acknowledged", None), ("ontology.parked", None)]
    assert "Ben has not acknowledged version 2 of the guideline (the last one read is 1)" in found[0].text


def test_rules_are_chosen_by_id_and_by_subject() -> None:
    rules = load_rules()
    assert {each.subject for each in choose_rules(rules, ["links"])} == {"links"}
    assert [each.id for each in choose_rules(rules, ["links.stale", "guideline"])] == [
        "guideline.acknowledged",
        "links.stale",
    ]
    assert choose_rules(rules, []) == rules
    with pytest.raises(UserError, match="no rule or subject 'link'; there are .*clocks, "):
        choose_rules(rules, ["links", "link"])


def test_every_rule_says_what_it_looks_for() -> None:
    for rule in load_rules():
        assert rule.help.endswith("."), rule.id
        assert rule.version >= 1
        assert rule.per_sample or rule.per_project


def test_the_order_of_items_makes_no_other_finding() -> None:
    a, b = Item("annotation", "a", "car 1"), Item("annotation", "b")
    assert fingerprint_of("r", (a, b)) == fingerprint_of("r", (b, a._replace(label="renamed")))
    assert len({fingerprint_of("r", (a, b)), fingerprint_of("q", (a, b)), fingerprint_of("r", (a,), "b")}) == 3
