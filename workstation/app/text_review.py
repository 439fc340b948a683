"""A text reviewed detail by detail beside its picture: what its details are, how each was answered, and the verdict.

A detail is a clause. Answers are verdicts on the text with the detail's offsets as their aspect and its words at the
end of their reason, so that one about words that were edited since counts no longer. Without Qt; asked by the strip
under the text pane.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from workstation.app.text_source import Anchor
from workstation.core.annotation import Verdict, VerdictValue
from workstation.core.ids import SampleId
from workstation.core.records import RecordKind
from workstation.store.queries import Reads

ASPECT = "text"
_CUT = re.compile(r"[.!?;:,।॥؟،؛。！？、，]+(?=\s|$)|\n+|\s(?=(?:and|while|with|und|et|y|और|و)\s)")
_LEAST = 2
"""A detail has at least so many letters."""


class Answer(Enum):
    """What a reviewer says about one detail."""

    CONFIRMED = "confirmed"
    UNCONFIRMABLE = "not visually confirmable"
    WRONG = "not so"


_VALUES = {
    Answer.CONFIRMED: VerdictValue.APPROVED, Answer.UNCONFIRMABLE: VerdictValue.UNSURE,
    Answer.WRONG: VerdictValue.REJECTED,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Detail:
    """A clause of a text, in its code points."""

    start: int
    end: int
    words: str

    @property
    def aspect(self) -> str:
        """How a verdict names it."""
        return f"{ASPECT} {self.start}–{self.end}"


def details_of(text: str) -> list[Detail]:
    """The clauses of a text in order, without the blanks and signs around them."""
    found: list[Detail] = []
    at = 0
    for end, after in [*((match.start(), match.end()) for match in _CUT.finditer(text)), (len(text), len(text))]:
        piece = text[at:end]
        lead = len(piece) - len(piece.lstrip())
        words = piece.strip()
        if sum(char.isalnum() for char in words) >= _LEAST:
            found.append(Detail(at + lead, at + lead + len(words), words))
        at = after
    return found


def answers_in(store: Reads, sample: SampleId, target: str, details: Iterable[Detail]) -> dict[Detail, Answer]:
    """How the details of a text were answered last."""
    by_aspect: dict[str, Verdict] = {}
    for each in store.records(RecordKind.VERDICT, sample=sample):
        if isinstance(each, Verdict) and each.target == target:
            before = by_aspect.get(each.aspect)
            if before is None or each.id > before.id:
                by_aspect[each.aspect] = each
    by_value = {value: answer for answer, value in _VALUES.items()}
    return {
        detail: by_value[verdict.value] for detail in details
        if (verdict := by_aspect.get(detail.aspect)) is not None and verdict.reason.endswith(f"“{detail.words}”")
    }  # fmt: skip


def answering(anchor: Anchor, detail: Detail, answer: Answer) -> dict[str, object]:
    """Arguments of ``verdict.add`` that keep an answer."""
    said = f"{answer.value}: “{detail.words}”"
    return {"target": target_of(anchor), "value": _VALUES[answer], "aspect": detail.aspect, "reason": said}


def judging(anchor: Anchor, answers: Iterable[Answer]) -> dict[str, object]:
    """Arguments of ``verdict.add`` for the text as a whole: rejected if any detail is wrong."""
    given = list(answers)
    wrong = given.count(Answer.WRONG)
    open_ones = given.count(Answer.UNCONFIRMABLE)
    reason = f"{len(given)} details: {wrong} not so, {open_ones} not visually confirmable"
    value = VerdictValue.REJECTED if wrong else VerdictValue.APPROVED
    return {"target": target_of(anchor), "value": value, "aspect": ASPECT, "reason": reason}


def target_of(anchor: Anchor) -> str:
    """What a verdict on a text is about: the annotation, or the stream it was recorded as."""
    return f"annotation:{anchor.of}" if anchor.of is not None else f"stream:{anchor.stream}"


def first_open(details: Sequence[Detail], answers: dict[Detail, Answer], after: int = -1) -> int | None:
    """The next detail without an answer, from a number on and round."""
    order = [*range(after + 1, len(details)), *range(after + 1)]
    return next((at for at in order if details[at] not in answers), None)
