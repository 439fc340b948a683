"""What is a proposal, which of them may be taken over many at once, and which are kept from sight on purpose.

Asked by the commands that accept proposals, by the window, and by ``report prelabel``. A model proposes; a proposal is
nobody's judgement until a person has looked at it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from workstation.core.annotation import Annotation, Comment, CommentState, Link, SourceKind, State

if TYPE_CHECKING:
    from workstation.core.ontology import EdgeCase
    from workstation.core.ontology_compile import CompiledOntology
    from workstation.core.sample import Project

BLIND_SHARE = "blind_share"
"""The tolerance of a project that says which share of its streams is labelled without proposals (0 to 1)."""
CALLED = "called"
"""The parameter of a source that holds what the model itself calls a thing, where a class here stands for that."""
OTHER_LANGUAGE = "other_language"
"""The attribute by which words in the midst of a turn are marked as another language."""
SEVERAL_LANGUAGES = "mul"
"""The language of a turn in which several are mixed, by ISO 639, where its class has no attribute to say more."""
_BY_MACHINE = frozenset({SourceKind.MODEL, SourceKind.RULE})
_SCALE = 1 << 64


def is_proposal(record: Annotation | Link) -> bool:
    """Whether it waits for a person."""
    return record.state is State.PROPOSED


def by_machine(record: Annotation | Link) -> bool:
    """Whether a model or a rule made it, whatever became of it."""
    return record.source.kind in _BY_MACHINE


def doubt_of(record: Annotation | Link) -> float:
    """0 for sure, 1 for unknown: what the work is ordered by. A proposal that says nothing is the most doubtful."""
    return 1.0 if record.confidence is None else 1.0 - record.confidence


def is_blind(project: str, sample: str, stream: str | None, share: float) -> bool:
    """Whether a stream of a sample is labelled without proposals: drawn once and for all from its ids, so that nobody
    can choose, and a larger share only adds streams."""
    if share <= 0.0:
        return False
    digest = hashlib.sha256(f"{project}\0{sample}\0{stream or ''}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * _SCALE


def unseen(project: Project | None, record: Annotation | Link) -> bool:
    """Whether a proposal lies on a stream that is labelled without proposals: nobody is shown it or asked about it."""
    if project is None or isinstance(record, Link) or not by_machine(record):
        return False
    return is_blind(project.id, record.sample, record.stream, project.tolerances.get(BLIND_SHARE, 0.0))


def why_one_at_a_time(languages: Iterable[str], tag: Comment | None) -> str:
    """Why a proposal may not be accepted together with others; empty where it may.

    ``languages`` are those that its words and the spans on them are tagged with; ``tag`` says it is an edge case.
    """
    if tag is not None:
        known = f" ({tag.edge_case})" if tag.edge_case else ""
        return f"it is tagged as an edge case{known}, so it is looked at and accepted by itself"
    spoken = sorted({each.split("-")[0].lower() for each in languages if each})
    if len(spoken) > 1 or SEVERAL_LANGUAGES in spoken:
        several = "several languages" if SEVERAL_LANGUAGES in spoken else " and ".join(spoken)
        return (
            f"its speech is in {several}: models tend to normalise or translate a change of language,"
            " so it is listened to and accepted by itself"
        )
    return ""


def is_open_tag(comment: Comment) -> bool:
    """Whether it says that its target is an edge case nobody has settled."""
    return comment.edge_case is not None and comment.state is CommentState.OPEN


def edge_case_tags(comments: Iterable[Comment], targets: Collection[str]) -> list[Comment]:
    """The open tags that say of one of these that it is an edge case."""
    return [each for each in comments if is_open_tag(each) and each.target in targets]


def edge_case_for(ontology: CompiledOntology, class_id: str | None) -> EdgeCase | None:
    """An edge case in force that names the class or one above it."""
    if class_id is None or class_id not in ontology.classes:
        return None
    above = set(ontology.above(class_id))
    cases = ontology.ontology.edge_cases
    return next((each for each in cases if each.retired is None and above & set(each.classes)), None)


def languages_in(annotation: Annotation, beside: Sequence[Annotation]) -> list[str]:
    """The languages of a stretch of speech: its own, and those of labels of its stream that overlap it in time."""
    # A stretch that neither holds words nor is marked says nothing of languages by itself, as one of mere speech.
    speaks = bool(annotation.language or annotation.text or OTHER_LANGUAGE in annotation.attributes)
    found = [annotation.language or "the language around it"] if speaks else []
    found += [str(annotation.attributes[OTHER_LANGUAGE])] if OTHER_LANGUAGE in annotation.attributes else []
    if annotation.start_ns is None or annotation.end_ns is None:
        return found
    for other in beside:
        said = other.language or str(other.attributes.get(OTHER_LANGUAGE, ""))
        if other.id == annotation.id or other.stream != annotation.stream or not said or other.state is State.REJECTED:
            continue
        if other.start_ns is None or other.end_ns is None:
            continue
        if other.start_ns < annotation.end_ns and annotation.start_ns < other.end_ns:
            found.append(said)
    return found
