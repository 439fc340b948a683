"""What proposals were worth: who accepted, edited and rejected them, how fast, and whether anybody only nods.

Read from the history, which knows every step; called for ``workstation report prelabel``. What was taken back counts as
it stands now. Time is what lies between a person's steps; a pause of more than a minute is no work on a label.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from statistics import median
from typing import Any

from workstation.core.annotation import Annotation, Entity, Keyframe, Source, SourceKind, State, Word, effective_class
from workstation.core.geometry import Box, Shape, Span
from workstation.core.proposals import BLIND_SHARE, is_blind
from workstation.core.records import RecordKind
from workstation.core.rights import ActorKind
from workstation.core.sample import Project, SampleState
from workstation.core.values import dataclass
from workstation.prelabel.evaluate_speech import counted_errors, plain_words
from workstation.store.queries import Reads
from workstation.store.revisions import RevisionKind

Row = dict[str, Any]
PAUSE_MS = 60_000
FEW = 20
"""Fewer judged items than this are no ground for a figure of time saved."""
NODS_SHARE, NODS_GAP = 0.98, 0.15
"""Whoever accepts nearly all unedited, while the same model agrees clearly less with what is labelled without it."""
_CLAIMS = {"picture": "40–60 %", "sound": "60–80 %", "text": "30–50 %", "cloud": "30–50 %"}
"""What makers of such tools claim to save, by modality (requirement AI-12)."""
_MODALITY = {
    "video": "picture", "image": "picture", "document": "picture", "volume": "picture", "audio": "sound",
    "turns": "text", "text": "text", "cloud": "cloud", "radar": "cloud",
}  # fmt: skip
_IN_HAND = frozenset({State.DONE, State.APPROVED, State.DRAFT})
_MATCH_IOU = 0.5
BY = ("model", "class", "language", "modality", "person")


@dataclass(slots=True)
class Judged:
    """What became of one proposal, or how one label was made by hand."""

    id: str
    proposed: bool
    state: State
    model: str
    class_id: str
    language: str
    modality: str
    person: str = ""
    thing: str = ""
    """The entity that it shows."""
    text: str = ""
    proposed_text: str = ""
    """What was written there when it was proposed."""
    edited: bool = False
    milliseconds: list[int] = field(default_factory=list)
    """Working time of each step on it."""

    @property
    def outcome(self) -> str:
        """``accepted``, ``edited``, ``rejected`` or ``waiting``; ``made`` for what a hand drew."""
        if not self.proposed:
            return "made"
        if self.state is State.PROPOSED:
            return "waiting"
        if self.state is State.REJECTED:
            return "rejected"
        return "edited" if self.edited else "accepted"


def judged(reads: Reads) -> list[Judged]:
    """Every label that a model proposed or a person made, with what was done to it by whom and how long it took."""
    found = dict(_labels(reads))
    labels_of: dict[str, list[str]] = defaultdict(list)
    for one in found.values():
        labels_of[one.thing].append(one.id)
    last_ms: dict[str, int] = {}
    revisions = sorted(reads.revisions(), key=lambda each: each.rev)
    taken_back: set[int] = set()
    for revision in revisions:
        taken_back |= set(revision.header.undoes)
        taken_back -= set(revision.header.redoes)
    for revision in revisions:
        header = revision.header
        if header.actor.kind is not ActorKind.PERSON:
            continue
        who = header.actor.name
        pause_ms = header.made_ms - last_ms.get(who, header.made_ms - PAUSE_MS - 1)
        last_ms[who] = header.made_ms
        if header.kind is not RevisionKind.EDIT or revision.rev in taken_back:
            continue
        touched = _touched(reads, revision.rev, labels_of)
        of_ours = [found[each] for each in touched if each in found]
        for each in of_ours:
            each.person = each.person or who
            each.edited = each.edited or touched[each.id]
            if 0 <= pause_ms <= PAUSE_MS:
                each.milliseconds.append(pause_ms // len(of_ours))
    return list(found.values())


def _labels(reads: Reads) -> Iterator[tuple[str, Judged]]:
    for sample in reads.samples():
        streams = {each.id: each for each in reads.streams(sample.id)}
        entities = {each.id: each for each in reads.entities(sample.id)}
        for each in reads.annotations(sample.id):
            proposed = each.source.kind is SourceKind.MODEL
            if not proposed and each.source.kind is not SourceKind.PERSON:
                continue
            stream = streams.get(each.stream) if each.stream is not None else None
            entity = entities.get(each.entity) if each.entity is not None else None
            yield each.id, Judged(
                id=each.id, proposed=proposed, state=each.state, model=model_name(each.source) if proposed else "",
                class_id=effective_class(each, entity) or "", language=each.language or "",
                modality=_MODALITY.get("" if stream is None else stream.kind.value, "other"),
                thing=each.entity or "", text=each.text or "",
                proposed_text=_first_text(reads, each) if proposed and each.text else "",
            )  # fmt: skip


def _first_text(reads: Reads, record: Annotation) -> str:
    past = reads.past(RecordKind.ANNOTATION, record.id)
    first = past[0].record if past else record
    return (first.text or "") if isinstance(first, Annotation) else ""


def model_name(source: Source) -> str:
    """Name and version."""
    return f"{source.name} {source.version}".strip()


def _touched(reads: Reads, rev: int, labels_of: Mapping[str, list[str]]) -> Mapping[str, bool]:
    """Annotations that a revision wrote, and whether it changed more of them than their state.

    The class lives on the thing: what gives it another one edits the labels that show it.
    """
    found: dict[str, bool] = {}
    fresh: set[str] = set()
    for change in reads.changes(rev):
        record = change.record
        if isinstance(record, Keyframe | Word):
            found[record.annotation] = True
        elif isinstance(record, Annotation):
            before = _before(reads, RecordKind.ANNOTATION, record.id, rev)
            if isinstance(before, Annotation):
                found[record.id] = found.get(record.id, False) or _is_edit(before, record)
            else:
                fresh.add(record.id)
                found.setdefault(record.id, False)
        elif isinstance(record, Entity):
            thing = _before(reads, RecordKind.ENTITY, record.id, rev)
            if isinstance(thing, Entity) and thing.class_id != record.class_id:
                found |= dict.fromkeys(labels_of.get(record.id, ()), True)
    return {each: edited and each not in fresh for each, edited in found.items()}


def _before(reads: Reads, kind: RecordKind, record_id: str, rev: int) -> object:
    """A record as it stood before a revision; ``None`` where it was not there yet."""
    past = [each.record for each in reads.past(kind, record_id) if each.rev < rev]
    return past[-1] if past else None


def _is_edit(before: Annotation, record: Annotation) -> bool:
    """Whether another value stands where the proposal had one; to say what it left open is no correction of it."""
    looked_at = ("shape", "start_ns", "end_ns", "class_id", "text", "language", "track", "entity")
    if any(getattr(before, name) != getattr(record, name) for name in looked_at):
        return True
    return any(record.attributes.get(name) != said for name, said in before.attributes.items())


# --- figures ----------------------------------------------------------------------------------------------------


def prelabel_rows(reads: Reads, by: str = "model") -> list[Row]:
    """Acceptance, edits and time, one row for each model (class, language, modality, person)."""
    key = _KEYS[by]
    apart = by == "language"  # sound and text of one language are read by different models
    every = judged(reads)
    made: dict[str, list[Judged]] = defaultdict(list)
    for each in every:
        if each.outcome == "made" and each.state in _IN_HAND:
            made[each.modality].append(each)
    groups: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for each in every:
        if each.proposed:
            groups[key(each), each.modality if apart else ""].append(each)
    return [
        _row(by, name, held, made) | ({"modality": modality} if apart else {})
        for (name, modality), held in sorted(groups.items())
    ]


_KEYS: Mapping[str, Callable[[Judged], str]] = {
    "model": lambda each: each.model,
    "class": lambda each: each.class_id or "no class",
    "language": lambda each: each.language or "no language said",
    "modality": lambda each: each.modality,
    "person": lambda each: each.person or "nobody yet",
}


def _row(by: str, name: str, held: list[Judged], made: Mapping[str, list[Judged]]) -> Row:
    counts = {
        what: sum(each.outcome == what for each in held) for what in ("accepted", "edited", "rejected", "waiting")
    }
    done = counts["accepted"] + counts["edited"] + counts["rejected"]
    kept = counts["accepted"] + counts["edited"]
    with_s = _seconds(each for each in held if each.outcome in ("accepted", "edited", "rejected"))
    modalities = {each.modality for each in held}
    by_hand = [each for modality in sorted(modalities) for each in made.get(modality, ())]
    without_s = _seconds(by_hand)
    enough = min(done, len(by_hand)) >= FEW and bool(with_s) and bool(without_s)
    return {
        by: name, "proposed": len(held), **counts,
        "acceptance": round(kept / done, 3) if done else None,
        "share_edited": round(counts["edited"] / kept, 3) if kept else None,
        "wer": _word_error_rate(each for each in held if each.outcome in ("accepted", "edited")),
        "s_with": with_s, "s_without": without_s,
        "saved": round(1 - with_s / without_s, 3) if enough and with_s and without_s else "not enough data",
        "claim": " / ".join(_CLAIMS[each] for each in sorted(modalities) if each in _CLAIMS),
    }  # fmt: skip


def _word_error_rate(kept: Iterable[Judged]) -> float | None:
    """Of the words that were proposed, against those that people left standing; ``None`` where there are none."""
    errors = [counted_errors(plain_words(each.text), plain_words(each.proposed_text)) for each in kept if each.text]
    words = sum(each.words for each in errors)
    wrong = sum(each.substituted + each.deleted + each.inserted for each in errors)
    return round(wrong / words, 3) if words else None


def _seconds(held: Iterable[Judged]) -> float | None:
    totals = [sum(each.milliseconds) / 1000 for each in held if each.milliseconds]
    return round(median(totals), 2) if totals else None


# --- blind share ------------------------------------------------------------------------------------------------


def automation_rows(reads: Reads) -> list[Row]:
    """Per person: how much is accepted as it came and how fast, beside how far the same models agree with what was
    labelled without them. ``marked`` says in words who seems to accept whatever is proposed."""
    aided: dict[str, list[Judged]] = defaultdict(list)
    for each in judged(reads):
        if each.proposed and each.person and each.outcome in ("accepted", "edited", "rejected"):
            aided[each.person].append(each)
    blind = _blind_agreement(reads)
    return [_person_row(person, aided.get(person, []), blind.get(person, [])) for person in sorted({*aided, *blind})]


def _person_row(person: str, held: list[Judged], blind: list[bool]) -> Row:
    untouched = [each for each in held if each.outcome == "accepted"]
    share = len(untouched) / len(held) if held else None
    agreed = sum(blind) / len(blind) if blind else None
    marked = ""
    if share is not None and share >= NODS_SHARE and agreed is not None and agreed <= share - NODS_GAP:
        marked = f"accepts {share:.0%} unedited, agrees with {agreed:.0%} where nothing is shown"
    return {
        "person": person, "judged": len(held), "unedited": None if share is None else round(share, 3),
        "s_to_accept": _seconds(untouched), "blind_proposals": len(blind),
        "blind_agreement": None if agreed is None else round(agreed, 3), "marked": marked,
    }  # fmt: skip


def _blind_agreement(reads: Reads) -> Mapping[str, list[bool]]:
    """Per person: of the proposals that nobody was shown, on samples that are handed in or on streams with work of
    hers, whether she has made the same by herself."""
    project = reads.project()
    found: dict[str, list[bool]] = defaultdict(list)
    if project is None or project.tolerances.get(BLIND_SHARE, 0.0) <= 0:
        return found
    for sample in reads.samples():
        for held in _blind_streams(reads, project, sample.id):
            mine = [each for each in held if each.source.kind is SourceKind.PERSON and each.state in _IN_HAND]
            if not mine and sample.state not in (SampleState.SUBMITTED, SampleState.APPROVED):
                continue  # nobody has worked on it yet
            authors = {each.id: _author(reads, each) for each in mine}
            entities: dict[str, str] = {each.id: each.class_id for each in reads.entities(sample.id)}
            hidden = [each for each in held if each.state is State.PROPOSED and each.source.kind is SourceKind.MODEL]
            for person in sorted(set(authors.values())):
                hers = [each for each in mine if authors[each.id] == person]
                found[person] += [any(same_place(one, other, entities, reads) for other in hers) for one in hidden]
    return found


def _blind_streams(reads: Reads, project: Project, sample: Any) -> Iterator[list[Annotation]]:
    by_stream: dict[str, list[Annotation]] = defaultdict(list)
    for each in reads.annotations(sample):
        by_stream[each.stream or ""].append(each)
    for stream, held in by_stream.items():
        if is_blind(project.id, sample, stream or None, project.tolerances.get(BLIND_SHARE, 0.0)):
            yield held


def _author(reads: Reads, record: Annotation) -> str:
    info = reads.info(RecordKind.ANNOTATION, record.id)
    return "" if info is None else info.author


def class_of(record: Annotation, entities: Mapping[str, str]) -> str:
    """Its own class, else that of the thing; ``entities`` holds the classes of things."""
    return record.class_id or entities.get(record.entity or "", "")


def same_place(
    one: Annotation, other: Annotation, entities: Mapping[str, str], reads: Reads, *, any_class: bool = False
) -> bool:
    """Whether a label says what the other says: class, and most of its place or time."""
    if one.kind is not other.kind or not (any_class or class_of(one, entities) == class_of(other, entities)):
        return False
    times = [(each.start_ns, each.end_ns) for each in (one, other)]
    if one.kind.value in ("span", "text_span") or one.track is not None:
        overlap = _share_of_time(times[0], times[1])
        if overlap < _MATCH_IOU:
            return False
    shapes = [_first_shape(each, reads) for each in (one, other)]
    if isinstance(shapes[0], Box) and isinstance(shapes[1], Box):
        return _iou(shapes[0], shapes[1]) >= _MATCH_IOU
    return isinstance(shapes[0], Span) or shapes[0] == shapes[1] or one.track is not None


def _first_shape(record: Annotation, reads: Reads) -> Shape | None:
    if record.track is None:
        return record.shape
    return next((each.shape for each in reads.keyframes(record.id) if each.shape is not None), None)


def _share_of_time(one: tuple[int | None, int | None], other: tuple[int | None, int | None]) -> float:
    if None in one or None in other:
        return 1.0 if one == other else 0.0
    (a, b), (c, d) = one, other
    assert a is not None
    assert b is not None
    assert c is not None
    assert d is not None
    union = max(b, d) - min(a, c)
    return max(0, min(b, d) - max(a, c)) / union if union > 0 else 1.0


def _iou(one: Box, other: Box) -> float:
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (one.width * one.height + other.width * other.height - both)
