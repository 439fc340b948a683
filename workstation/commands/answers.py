"""A person's answers to what an ontology change left open: each label is changed or kept, and the history says which.

``review.py`` has the command; nothing else writes an answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from workstation.commands.reading import ontology_number, ontology_of, state_after_edit
from workstation.commands.transaction import Transaction
from workstation.core.annotation import Annotation, AttributeValue, Entity, Link, TargetKind
from workstation.core.errors import UserError
from workstation.core.ontology import Attribute, AttributeType
from workstation.core.ontology_forecast import KEEP
from workstation.core.records import RecordKind
from workstation.core.sample import QueueItem, QueueState

_KINDS = {
    TargetKind.ENTITY: RecordKind.ENTITY,
    TargetKind.ANNOTATION: RecordKind.ANNOTATION,
    TargetKind.LINK: RecordKind.LINK,
}
_FLAGS = {"true": True, "yes": True, "false": False, "no": False}


def answer_question(tx: Transaction, item: QueueItem, answer: str, *, without: tuple[str, ...] = ()) -> None:
    """Carry out the answer: "keep" leaves the label, anything else sets what the question is about.

    ``without`` names attributes to leave out because the new class has none such; they are never dropped unasked.
    """
    if item.state is not QueueState.OPEN:
        raise UserError(f"this question was answered already: {item.state.value} {item.answer}".rstrip())
    if answer == KEEP or not item.aspect:
        if answer != KEEP and without:
            raise UserError("this question is only noted; change the label itself, then answer")
        state = QueueState.KEPT if answer == KEEP else QueueState.CHANGED
    else:
        _change(tx, item, answer, without)
        state = QueueState.CHANGED
    tx.put(replace(item, state=state, answer=answer, person=tx.actor.person))


def _change(tx: Transaction, item: QueueItem, answer: str, without: tuple[str, ...]) -> None:
    kind = _KINDS.get(item.target_kind)
    record = None if kind is None else tx.get(kind, item.target)
    if not isinstance(record, Entity | Annotation | Link):
        raise UserError(f"the {item.target_kind.value} in question is no longer there; answer {KEEP!r}")
    attributes: Mapping[str, AttributeValue] = {
        name: value for name, value in record.attributes.items() if name not in without
    }
    aspect, _, name = item.aspect.partition(":")
    changes: dict[str, Any] = {"attributes": attributes, "ontology_version": ontology_number(tx)}
    if aspect == "attribute":
        changes["attributes"] = {**attributes, name: _value(tx, name, attributes.get(name), answer)}
    elif aspect == "link_type":
        changes["type_id"] = answer
    else:
        changes["class_id"] = answer
    if isinstance(record, Entity):
        tx.put(replace(record, **changes))
    else:
        tx.put(replace(record, **changes, state=state_after_edit(tx, record.state)))


def _value(tx: Transaction, name: str, before: AttributeValue | None, answer: str) -> AttributeValue:
    ontology = ontology_of(tx)
    attribute = None if ontology is None else ontology.attributes.get(name)
    if attribute is None:
        raise UserError(f"there is no attribute {name!r}; answer {KEEP!r}")
    match attribute.type:
        case AttributeType.CHOICES:
            return _with_choice(attribute, before, answer)
        case AttributeType.FLAG:
            if answer not in _FLAGS:
                raise UserError(f"answer with true or false, not {answer!r:.60}")
            return _FLAGS[answer]
        case AttributeType.INTEGER | AttributeType.NUMBER:
            return _number(attribute, answer)
        case AttributeType.CHOICE | AttributeType.TEXT:
            return answer


def _with_choice(attribute: Attribute, before: AttributeValue | None, answer: str) -> AttributeValue:
    """The answer in place of the retired options; the others stay."""
    retired = {option.id for option in attribute.options if option.retired is not None}
    kept = before if isinstance(before, tuple) else ()
    return tuple(dict.fromkeys((*(item for item in kept if item not in retired), answer)))


def _number(attribute: Attribute, answer: str) -> AttributeValue:
    try:
        number = int(answer) if attribute.type is AttributeType.INTEGER else float(answer)
    except ValueError as error:
        raise UserError(f"answer with a number, not {answer!r:.60}") from error
    if not math.isfinite(number):
        raise UserError("answer with a finite number")
    return number
