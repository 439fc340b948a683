"""Counting what people make of findings: precision, and which rules are noisy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workstation.app.opening import new_project, open_project
from workstation.app.rule_counts import RuleCount, checked_counts, kept_counts
from workstation.cli.main import main


@pytest.fixture
def ten_wrong(tmp_path: Path) -> Path:
    """Ten things, each called one thing in the picture and another in itself."""
    made = new_project(tmp_path / "p", profile="driving", person="Ada")
    with open_project(made, role="lead") as session:
        session.run("sample.add", key="s")
        session.open_sample("s")
        session.run("stream.add", key="cam", kind="video")
        for _ in range(10):
            entity = session.run("entity.add", class_id="car")
            box = {"kind": "box", "x": 1.0, "y": 1.0, "width": 5.0, "height": 5.0}
            where = {"stream": "cam", "start_ns": 0, "end_ns": 1}
            session.run("annotation.add", **where, entity=entity, class_id="truck", shape=box)
    return made


def findings(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    main([*arguments, "--json"])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_eight_of_ten_dismissed_is_a_precision_of_a_fifth_and_noisy(
    ten_wrong: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = findings(capsys, "validate", str(ten_wrong), "--only", "ontology.labels_conflict")[:-1]
    assert len(found) == 10
    with open_project(ten_wrong, role="lead") as session:
        for each in found[:8]:
            session.run(
                "finding.decide", sample="s", fingerprint=each["fingerprint"], rule=each["rule"],
                decision="dismissed", reason="not an error here", cause="rule too strict",
            )  # fmt: skip
    capsys.readouterr()
    assert main(["report", "rules", str(ten_wrong), "--json"]) == 1
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    first = rows[0]
    assert (first["rule"], first["found"], first["open"], first["dismissed"]) == ("ontology.labels_conflict", 10, 2, 8)
    assert (first["precision"], first["noisy"]) == (0.2, True)
    assert [each["rule"] for each in rows if each["noisy"]] == ["ontology.labels_conflict"]


def test_what_was_decided_of_findings_that_are_gone_still_counts(ten_wrong: Path) -> None:
    with open_project(ten_wrong, role="lead") as session:
        before = {each.rule: each for each in checked_counts(session.store, None)}["ontology.labels_conflict"]
        assert (before.found, before.precision, before.noisy) == (10, 1.0, False)
        found = sorted(
            (each for each in _found(session) if each.rule == "ontology.labels_conflict"),
            key=lambda each: each.fingerprint,
        )
        fix = found[0].fix
        assert fix is not None
        with session.together("Fix") as run:
            run(fix.command, **fix.arguments)
            run("finding.decide", fingerprint=found[0].fingerprint, rule=found[0].rule, decision="fixed")
        after = {each.rule: each for each in checked_counts(session.store, None)}["ontology.labels_conflict"]
        assert (after.found, after.open, after.fixed) == (10, 9, 1)
        assert {each.rule: each for each in kept_counts(session.store)}["ontology.labels_conflict"].found == 1


def _found(session: Any) -> list[Any]:
    from workstation.app.validation import Validation

    session.open_sample("s")
    return [each for _, some in Validation(session.store).findings() for each in some]


@pytest.mark.parametrize(
    ("dismissed", "confirmed", "noisy"), [(3, 1, False), (3, 2, True), (4, 4, False), (5, 4, True), (0, 9, False)]
)
def test_a_rule_is_noisy_from_enough_decisions_on(dismissed: int, confirmed: int, noisy: bool) -> None:
    count = RuleCount(rule="r", open=0, confirmed=confirmed, fixed=0, dismissed=dismissed, waived=0)
    assert count.noisy is noisy
