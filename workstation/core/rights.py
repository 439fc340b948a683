"""What each role may do. The gate asks here; nothing else decides.

Roles are attested, not authenticated: the program trusts the name a person gives and records it.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from workstation.core.ids import RecordId
from workstation.core.sample import Role


class ActorKind(StrEnum):
    """Who acts: a person, a script a person runs, a model, an import, or the program itself (migrations)."""

    PERSON = "person"
    SCRIPT = "script"
    MODEL = "model"
    IMPORT = "import"
    SYSTEM = "system"


class Actor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """On whose word a revision is made. ``person`` stays set when a script, import or model runs for somebody."""

    name: str
    kind: ActorKind = ActorKind.PERSON
    role: Role = Role.ANNOTATOR
    person: RecordId | None = None
    tool: str = ""


class Right(StrEnum):
    """An act that not everybody may do."""

    LABEL = "label"
    REVIEW = "review"
    CLOSE_VERDICT = "close_verdict"
    CONFIRM_FINDING = "confirm_finding"
    SIGN_WAIVER = "sign_waiver"
    CHANGE_ONTOLOGY = "change_ontology"
    REVIEW_ONTOLOGY = "review_ontology"
    LOCK_ONTOLOGY = "lock_ontology"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_SAMPLES = "manage_samples"
    CHANGE_SYNC = "change_sync"
    CHANGE_SETTINGS = "change_settings"
    IMPORT = "import"
    RUN_MODELS = "run_models"
    REMOVE_PAYLOAD = "remove_payload"
    COMMENT = "comment"


RIGHT_IN_WORDS: dict[Right, str] = {
    Right.LABEL: "make or change labels",
    Right.REVIEW: "review",
    Right.CLOSE_VERDICT: "close a verdict",
    Right.CONFIRM_FINDING: "confirm a finding",
    Right.SIGN_WAIVER: "sign a waiver",
    Right.CHANGE_ONTOLOGY: "change the ontology",
    Right.REVIEW_ONTOLOGY: "review an ontology draft",
    Right.LOCK_ONTOLOGY: "lock an ontology version",
    Right.MANAGE_PEOPLE: "add people or change their roles",
    Right.MANAGE_SAMPLES: "add or remove samples and streams",
    Right.CHANGE_SYNC: "change clocks or calibration",
    Right.CHANGE_SETTINGS: "change the project's settings",
    Right.IMPORT: "import",
    Right.RUN_MODELS: "run models",
    Right.REMOVE_PAYLOAD: "remove stored content",
    Right.COMMENT: "comment",
}

_EVERYBODY = frozenset({Right.COMMENT})
_LABELLER = _EVERYBODY | {Right.LABEL, Right.RUN_MODELS}
_REVIEWER = _EVERYBODY | {Right.LABEL, Right.REVIEW, Right.CLOSE_VERDICT}

RIGHTS: dict[Role, frozenset[Right]] = {
    Role.ANNOTATOR: _LABELLER,
    Role.EXPERT: _LABELLER | {Right.REVIEW, Right.REVIEW_ONTOLOGY},
    Role.REVIEWER: _REVIEWER | {Right.REVIEW_ONTOLOGY},
    Role.QA_LEAD: _REVIEWER | {Right.CONFIRM_FINDING, Right.SIGN_WAIVER, Right.REVIEW_ONTOLOGY},
    Role.AUDITOR: _EVERYBODY,
    Role.LEAD: frozenset(Right) - {Right.REMOVE_PAYLOAD},
    Role.ML_ENGINEER: _LABELLER | {Right.IMPORT, Right.MANAGE_SAMPLES, Right.CHANGE_SYNC, Right.REVIEW_ONTOLOGY},
    Role.COMPLIANCE: _EVERYBODY | {Right.REMOVE_PAYLOAD, Right.SIGN_WAIVER},
}


def may(role: Role, right: Right) -> bool:
    """Whether somebody acting in ``role`` may do ``right``."""
    return right in RIGHTS[role]


def refusal(actor: Actor, right: Right) -> str | None:
    """Why ``actor`` may not do ``right``, in one sentence; ``None`` if she may. The program itself may do all."""
    if actor.kind is ActorKind.SYSTEM or may(actor.role, right):
        return None
    able = ", ".join(role.value for role in Role if may(role, right))
    return f"{actor.name} acts as {actor.role.value} and may not {RIGHT_IN_WORDS[right]}; these roles may: {able}"
