"""How far proposed speech is from a layer taken as truth: word errors and who speaks when, a row a stream.

Called by ``prelabel_eval.py``. Words are compared over the whole stream in the order of time; the other figure is
answered only where proposals and truth both say who speaks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from workstation.app.judged_frames import is_proposal, is_settled
from workstation.app.sample_view import SampleView
from workstation.app.transcript import speaker_of
from workstation.core.annotation import Annotation
from workstation.core.geometry import ShapeKind
from workstation.core.sample import StreamKind
from workstation.prelabel.evaluate_speech import Turn, turn_errors, word_errors


def heard(view: SampleView, *, model: str | None = None, layer: str = "main") -> Iterator[dict[str, Any]]:
    """``stream`` by its id, ``what``, how many were ``truths`` and ``found``, and ``wer`` or ``der``."""
    for stream in [each for each in view.streams.values() if each.kind is StreamKind.AUDIO]:
        spans = [each for each in view.annotations_of(stream.id) if each.kind is ShapeKind.SPAN]
        found = _in_order([each for each in spans if is_proposal(each, model)])
        true = _in_order([each for each in spans if is_settled(each, layer)])
        if any(each.text for each in found) and any(each.text for each in true):
            words = word_errors(_text(true), _text(found))
            yield {"stream": stream.id, "what": "words", "truths": words.words,
                   "found": words.words - words.deleted + words.inserted, "wer": words.rate}  # fmt: skip
        said, spoken = _turns(view, found), _turns(view, true)
        if said and spoken:
            errors = turn_errors(spoken, said)
            yield {"stream": stream.id, "what": "speakers", "truths": len(spoken), "found": len(said),
                   "der": errors.rate}  # fmt: skip


def _in_order(spans: Sequence[Annotation]) -> list[Annotation]:
    return sorted((each for each in spans if each.start_ns is not None), key=lambda each: each.start_ns or 0)


def _text(spans: Sequence[Annotation]) -> str:
    return " ".join(each.text for each in spans if each.text)


def _turns(view: SampleView, spans: Sequence[Annotation]) -> list[Turn]:
    speakers = [(each, speaker_of(view, each)) for each in spans]
    return [
        Turn(start_s=each.start_ns / 1e9, end_s=each.end_ns / 1e9, speaker=who)
        for each, who in speakers
        if who is not None and each.start_ns is not None and each.end_ns is not None
    ]
