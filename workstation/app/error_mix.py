"""How errors fall on the four kinds of sync error, beside the mix that is usually seen. For ``report mix``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from workstation.app.validation import OpenEvidence, Validation
from workstation.core.ontology import ErrorType
from workstation.store.queries import Reads

USUAL = {
    ErrorType.TEMPORAL: 0.40,
    ErrorType.SEMANTIC: 0.30,
    ErrorType.MISSING_REFERENCE: 0.20,
    ErrorType.GRANULARITY: 0.10,
}
"""The mix that was seen where many such projects were audited."""
_BAR = 40


def mix_of(reads: Reads, evidence: OpenEvidence) -> Counter[ErrorType]:
    """Open findings by kind."""
    found: Counter[ErrorType] = Counter()
    for _, findings in Validation(reads, evidence=evidence).findings():
        found.update(each.error_type for each in findings if not each.settled)
    return found


def mix_rows(mix: Counter[ErrorType]) -> Iterator[dict[str, Any]]:
    """The four with their shares of each other, then the rest by number alone."""
    four = sum(mix[each] for each in USUAL)
    for kind, usual in USUAL.items():
        share = mix[kind] / four if four else None
        yield {
            "error_type": kind.value,
            "open": mix[kind],
            "share": None if share is None else round(share, 4),
            "usual": usual,
            "bar": "█" * round((share or 0) * _BAR),
            "usual_bar": "░" * round(usual * _BAR),
        }
    for kind in ErrorType:
        if kind not in USUAL and mix[kind]:
            yield {
                "error_type": kind.value,
                "open": mix[kind],
                "share": None,
                "usual": None,
                "bar": "",
                "usual_bar": "",
            }
