"""The self-test passes on a sound program, and fails when one of the four things is broken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workstation.app import selftest
from workstation.app.opening import open_project
from workstation.core.ontology_compile import CompiledOntology
from workstation.store import ends


def passed() -> list[bool]:
    return [answer.passed for answer in selftest.run_selftest()]


def test_a_sound_program_answers_all_four_with_evidence_that_exists(tmp_path: Path) -> None:
    answers = selftest.run_selftest(tmp_path / "kept")
    assert [answer.passed for answer in answers] == [True] * 4
    with open_project(tmp_path / "kept", read_only=True) as session:
        for answer, names in zip(
            answers, (("link", "sound", "source"), ("stale link",), ("parked",), ("link",)), strict=True
        ):
            for name in names:
                assert list(session.store.find_id(None, answer.evidence[name])), name


def test_without_stale_links_checking_and_flagging_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_arguments: Any) -> None:
        return None

    monkeypatch.setattr(ends, "significant_change", never)
    assert passed() == [True, False, True, False]


def test_without_rules_for_links_checking_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fine(*_arguments: Any, **_more: Any) -> list[str]:
        return []

    monkeypatch.setattr(CompiledOntology, "check_link", fine)
    assert passed() == [True, False, False, True]


def test_without_rules_for_annotations_enforcement_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fine(*_arguments: Any, **_more: Any) -> list[str]:
        return []

    monkeypatch.setattr(CompiledOntology, "check_annotation", fine)
    assert passed() == [True, True, False, True]


def test_links_that_forget_what_they_joined_fail_everything_about_links(monkeypatch: pytest.MonkeyPatch) -> None:
    from workstation.store.transaction import Transaction

    def forgetful(_tx: Transaction, given: Any) -> Any:
        return tuple(given)

    monkeypatch.setattr(Transaction, "confirmed_ends", forgetful)
    assert passed() == [False, False, True, False]
