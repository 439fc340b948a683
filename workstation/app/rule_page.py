"""The chapter of the manual with every rule of the checks, written from them. By ``validate --rules --markdown``."""

from __future__ import annotations

from itertools import groupby

from workstation.qa.examples import EXAMPLES
from workstation.qa.findings import Reach, Rule, load_rules

_SIGN = 3
"""Longer units are words, one of which has no s."""
_HEAD = """\
# Every rule of the checks

What a check is and what one does about a finding is in [Checks](validate.md).
This chapter is written by `workstation validate --rules --markdown`.
The limit is the one without a project's own; the tolerances that change it are in [Checks](validate.md) and
[Clocks](sync.md).
"""


def rules_page() -> str:
    """Every rule with its facts, what it finds and an example, by subject."""
    parts = [_HEAD]
    for subject, rules in groupby(sorted(load_rules(), key=lambda each: each.id), key=lambda each: each.subject):
        parts.append(f"## {subject}\n")
        parts += [_section(rule) for rule in rules]
    return "\n".join(parts)


def _section(rule: Rule) -> str:
    limit = rule.limit or "none"  # in words, with its unit in them
    if isinstance(rule.limit, int | float):
        unit = rule.unit.removesuffix("s") if rule.limit == 1 and len(rule.unit) > _SIGN else rule.unit
        limit = f"{rule.limit:g} {unit}".strip()
    about = "a sample" if rule.per_sample else "a project"
    facts = [
        f"version {rule.version}", rule.error_type.value, rule.severity.value, f"limit {limit}",
        f"of {about}" + ("; checked near a change while editing" if rule.reach is Reach.NEAR else ""),
    ]  # fmt: skip
    text = rule.help.replace("``", "`")
    return f"### `{rule.id}`\n\n*{' · '.join(facts)}*\n\n{text}\n\nExample: {EXAMPLES[rule.id]}.\n"
