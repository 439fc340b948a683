"""What people are told of the rules: every one is in the manual, and every type of error has some."""

from __future__ import annotations

import re

from workstation.app.resources import resource
from workstation.app.rule_page import rules_page
from workstation.core.ontology import ErrorType
from workstation.qa.examples import EXAMPLES
from workstation.qa.findings import load_rules


def test_every_rule_is_in_the_manual_under_its_type_of_error() -> None:
    pages = [resource("manual", name).read_text(encoding="utf-8") for name in ("validate.md", "sync.md")]
    told: dict[str, str] = {}
    for line in "\n".join(pages).splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 3:
            told |= dict.fromkeys(re.findall(r"`([a-z]+\.[a-z_]+)`", cells[1]), cells[2])
    assert {each.id: each.error_type.value for each in load_rules()} == {
        each.id: told.get(each.id) for each in load_rules()
    }


def test_the_chapter_of_rules_is_the_one_the_program_writes_with_an_example_of_each() -> None:
    assert {each.id for each in load_rules()} == EXAMPLES.keys()
    wanted = "write it again: python -m workstation validate --rules --markdown > resources/manual/rules.md"
    assert resource("manual", "rules.md").read_text(encoding="utf-8") == rules_page(), wanted


def test_every_type_of_error_is_looked_for() -> None:
    assert {each.error_type for each in load_rules()} == set(ErrorType)


def test_every_rule_says_in_a_sentence_what_it_finds() -> None:
    assert [each.id for each in load_rules() if len(each.help.split()) < 6 or not each.help.endswith(".")] == []
