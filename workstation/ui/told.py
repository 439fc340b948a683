"""A sentence for the person, and how it is meant. Apart from the workbench, which is imported with a project."""

from __future__ import annotations

from enum import StrEnum

from workstation.core.values import dataclass


class Tone(StrEnum):
    """How a sentence is meant."""

    NOTE = "note"
    REFUSED = "refused"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Told:
    """One sentence for the person."""

    text: str
    tone: Tone = Tone.NOTE
