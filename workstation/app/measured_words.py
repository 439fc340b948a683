"""What a finding measured against its limit, as lists and callouts say it. Without Qt."""

from __future__ import annotations

from workstation.core.findings import Finding

_MOST_WORDS = 3
"""Longer limits are rules in words, and nothing to put a sign before."""


def measured_text(finding: Finding) -> str:
    """``112 ms > 100 ms``; empty where nothing is measured. A limit that is a sentence stands in the finding's text."""
    if finding.measured is None:
        return ""
    unit = f" {finding.unit}" if finding.unit else ""
    measured = f"{_figure(finding.measured)}{unit}"
    if finding.limit is None or len(str(finding.limit).split()) > _MOST_WORDS:
        return measured
    sign = "≠"
    if isinstance(finding.measured, int | float) and isinstance(finding.limit, int | float):
        sign = ">" if finding.measured > finding.limit else "<" if finding.measured < finding.limit else "="
    return f"{measured} {sign} {_figure(finding.limit)}{unit}"


def _figure(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
