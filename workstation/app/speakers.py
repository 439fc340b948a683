"""Who speaks when: a tier with a row for every speaker, and giving a turn to somebody else or new. Without Qt.

Asked by the sound pane. A turn belongs to the entity it shows, or to the one a link ``speaks`` names; whichever of the
two says it is what is changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workstation.app.lanes import Keep, Lane, Palette, Tier, everything, full_code, plain_tier, session_bounds
from workstation.app.linking import ends_with_new, offers
from workstation.app.looks import Paint, paint_of
from workstation.app.sample_view import SampleView
from workstation.app.session import Run, Session
from workstation.app.span_columns import bars
from workstation.app.transcript import SPEAKS, speaker_of, speaker_paint, spoken_by, turns_of
from workstation.core.annotation import Annotation
from workstation.core.errors import UserError

MOST_ROWS = 8
_FEW = 4
"""More people than this have no row of their own before they speak."""


@dataclass(frozen=True, slots=True, eq=False)
class Speakers:
    """The turns of a stream, a row a speaker; the last of ``rows`` is of turns nobody is named for. Below them all the
    tier has a row that is empty: what is given to it goes to somebody new."""

    tier: Tier
    rows: tuple[str | None, ...]
    """Entity of each row, in the order in which they first speak; ``None``: nobody."""

    @property
    def new_row(self) -> int:
        return len(self.rows)

    def row_of(self, turn: str) -> int | None:
        number = self.tier.numbers.get(turn)
        return None if number is None else int(self.tier.items.rows[number])


def speakers_of(
    view: SampleView, lane: Lane, palette: Palette, keep: Keep = everything, before: Sequence[str | None] = ()
) -> Speakers | None:
    """The speakers of a lane of turns; ``None`` if there is nobody who could speak. ``before`` keeps its order."""
    turns = [each for each in turns_of(view, lane.stream) if each.end_ns is not None and keep(each)]
    speaking = [speaker_of(view, each) for each in turns]
    rows: list[str | None] = [each for each in before if each in view.entities]
    rows += [each for each in dict.fromkeys(speaking) if each is not None and each not in rows]
    rows += [each for each in _silent(view, turns, rows) if each not in rows][: max(0, MOST_ROWS - len(rows))]
    if not rows:
        return None
    if None in speaking:
        rows.append(None)
    starts, ends = session_bounds(view, lane.stream, turns)
    order = np.lexsort((ends, starts))
    turns, speaking = [turns[i] for i in order.tolist()], [speaking[i] for i in order.tolist()]
    codes = np.array([full_code(palette.number(speaker_paint(view, each)), each) for each in turns], np.int32)
    place = np.array([rows.index(each) for each in speaking], np.int32)
    items = bars(starts[order], ends[order], place, codes, np.arange(len(turns), dtype=np.int32), in_order=True)
    return Speakers(plain_tier(tuple(str(each.id) for each in turns), items, len(rows) + 1), tuple(rows))


def _silent(view: SampleView, turns: Sequence[Annotation], rows: Sequence[str | None]) -> list[str]:
    """Who might speak too: of a class that speaks here already, else whoever the ontology lets speak the turns."""
    classes = {view.entities[each].class_id for each in rows if each is not None}
    if classes:
        return [each for each, entity in view.entities.items() if entity.class_id in classes]
    kinds = {entity.class_id: each for each, entity in view.entities.items()}
    fits = {each for each, one in kinds.items() if turns and _speaks(view, turns[0].id, one) is not None}
    found = [each for each, entity in view.entities.items() if entity.class_id in fits]
    return found if len(found) <= _FEW else []  # passers-by of a drive are no conversation


def _speaks(view: SampleView, turn: str, speaker: str) -> dict[str, str | tuple[str, ...]] | None:
    return next((each.ends for each in offers(view, turn, speaker) if each.type_id == SPEAKS), None)


def name_of_row(view: SampleView, speaker: str | None) -> str:
    return "nobody named" if speaker is None else view.name_of(speaker)


def paint_of_row(view: SampleView, speaker: str | None) -> Paint | None:
    """The colour and mark of a speaker, which are the same in every pane."""
    entity = None if speaker is None else view.entities.get(speaker)
    return None if entity is None else paint_of(view.ontology, entity.class_id, entity)


def speaking_classes(view: SampleView, turn: Annotation) -> list[str]:
    """What somebody new who speaks it may be: what those are who speak already, what most are first; else all the
    ontology lets speak."""
    speaking = {speaker_of(view, each) for each in turns_of(view, turn.stream)}
    classes = Counter(view.entities[each].class_id for each in speaking if each in view.entities)
    if classes or view.ontology is None:
        return [each for each, _ in classes.most_common()]
    known = [each.id for each in view.ontology.classes.values() if each.retired is None]
    return [each for each in known if ends_with_new(view, turn.id, SPEAKS, each, "new") is not None]


def give(session: Session, view: SampleView, given: Mapping[str, str | None]) -> None:
    """Say for each of these turns that somebody else, or nobody who is named, speaks it; as one step."""
    turns = [view.annotations[each] for each in given]
    turns = [each for each in turns if speaker_of(view, each) != given[each.id]]
    if turns:
        names = {name_of_row(view, given[each.id]) for each in turns}
        with session.together(f"Give {_turns(turns)} to {', '.join(sorted(names))}") as run:
            for each in turns:
                speaker = given[each.id]
                ends = None if speaker is None else _speaks(view, each.id, speaker)
                _give(run, view, each, speaker, ends)


def give_to_new(session: Session, view: SampleView, turns: Sequence[str], class_id: str) -> str:
    """Say that somebody who was not there yet speaks these turns; as one step. Who that is."""
    given = [view.annotations[each] for each in turns]
    with session.together(f"Give {_turns(given)} to somebody new") as run:
        made = str(run("entity.add", class_id=class_id))
        for each in given:
            _give(run, view, each, made, ends_with_new(view, each.id, SPEAKS, class_id, made))
    return made


def _turns(turns: Sequence[Annotation]) -> str:
    return "turn" if len(turns) == 1 else "turns"


def _give(
    run: Run, view: SampleView, turn: Annotation, speaker: str | None, ends: Mapping[str, str | tuple[str, ...]] | None
) -> None:
    """``ends``: of the link that would say so."""
    told = spoken_by(view, turn)
    if turn.entity is not None and speaker is None:
        run("entity.detach", annotations=[turn.id])
    elif turn.entity is not None:
        run("entity.attach", entity=speaker, annotations=[turn.id])
    elif told is not None and speaker is None:
        run("link.remove", links=[told[0].id])
    elif told is not None:
        run("link.retarget", link=told[0].id, old=f"entity:{told[1]}", new=f"entity:{speaker}")
    elif speaker is not None:
        if ends is None:
            raise UserError(f"The ontology has no link '{SPEAKS}' that may join this turn and {view.name_of(speaker)}.")
        run("link.add", type_id=SPEAKS, ends=dict(ends))
