"""A copy of a project with known errors in it, and the plan that says which. Called by ``workstation inject``.

The original is only read. What is planted is one error a sample at most, so that what is found can be told apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from workstation.app.evidence import media_evidence
from workstation.app.opening import open_project
from workstation.app.session import Session
from workstation.app.validation import Validation
from workstation.core.errors import Refused, UserError
from workstation.core.files import write_whole
from workstation.core.ids import SampleId
from workstation.core.rights import ActorKind
from workstation.core.sample import Sample
from workstation.inject.kind import Kind, Place, Plant, load_kinds
from workstation.inject.plan import Plan, Planted, encoded
from workstation.store.media_files import locate, record_file
from workstation.store.project import copy_project

PLAN_FILE = "planted.json"
_AT_ONCE = 50
_SILENT = 0.25
"""How many of the errors with a size are planted below their limit, where nothing may be found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What to plant: in which share of the samples, which kinds, from which random seed."""

    seed: int = 0
    share: float = 0.34
    kinds: tuple[str, ...] = ()
    silent: float = _SILENT
    samples: tuple[str, ...] = ()


def chosen_kinds(names: Iterable[str]) -> Sequence[Kind]:
    """The kinds of these names or types of error; all if none is named."""
    wanted, known = list(names), load_kinds()
    for name in wanted:
        if all(name not in (each.id, each.error_type) for each in known):
            there = ", ".join(each.id for each in known)
            raise UserError(f"there is no kind of error {name[:60]!r}; there are {there}")
    return [each for each in known if not wanted or each.id in wanted or each.error_type in wanted]


def kind_rows() -> list[dict[str, Any]]:
    """Every kind of error that can be planted."""
    return [
        {
            "kind": each.id, "error_type": each.error_type, "help": each.help,
            "sizes": "" if each.sizes is None else
            f"{each.sizes.least:g} to {each.sizes.most:g} {each.sizes.unit}, limit {each.sizes.limit:g}",
        }
        for each in load_kinds()
    ]  # fmt: skip


def inject(project: Path, copy: Path, wish: Wish) -> Plan:
    """Copy the project, plant, and keep the plan beside the copy's data."""
    kinds = chosen_kinds(wish.kinds)
    if not 0 < wish.share <= 1 or not 0 <= wish.silent <= 1:
        raise UserError("a share is more than 0 and at most 1")
    with open_project(project, read_only=True) as original:
        source = original.project.path
        for key in wish.samples:
            if original.store.sample_by_key(key) is None:
                raise UserError(f"there is no sample {key[:80]!r}")
    copy_project(source, copy)
    with open_project(copy, kind=ActorKind.SCRIPT, tool="inject") as session:
        baseline = _found_before(session)
        planted = _plant_all(session, kinds, wish)
        count = sum(1 for _ in session.store.samples())
    plan = Plan(
        project=source.name, seed=wish.seed, samples=count, baseline=tuple(sorted(baseline)), planted=tuple(planted)
    )
    write_whole(copy / PLAN_FILE, encoded(plan).decode())
    return plan


def counted(plan: Plan) -> list[dict[str, Any]]:
    """How much of each kind was planted, and how much of it must stay silent."""
    loud = Counter((each.error_type, each.kind) for each in plan.planted if each.expected)
    quiet = Counter((each.error_type, each.kind) for each in plan.planted if not each.expected)
    return [
        {"error_type": error_type, "kind": kind, "planted": loud[error_type, kind], "below": quiet[error_type, kind]}
        for error_type, kind in sorted(loud.keys() | quiet.keys())
    ]


def _found_before(session: Session) -> set[str]:
    run = Validation(session.store, evidence=media_evidence(session.store, session.project))
    return {finding.fingerprint for _, found in run.findings() for finding in found}


def _plant_all(session: Session, kinds: Sequence[Kind], wish: Wish) -> list[Planted]:
    rng = np.random.default_rng([wish.seed, 1729])
    samples = [each for each in session.store.samples() if not wish.samples or each.key in wish.samples]
    order = [samples[i] for i in rng.permutation(len(samples))]
    wanted = max(1, round(wish.share * len(samples))) if samples else 0
    planted: list[Planted] = []
    used: Counter[str] = Counter()
    while order and len(planted) < wanted:
        batch, order = order[:_AT_ONCE], order[_AT_ONCE:]
        with session.together("Plant known errors") as run:
            for sample in batch:
                if len(planted) >= wanted:
                    break
                made = _plant_one(session, run, sample, kinds, used, wish, rng)
                if made is not None:
                    planted.append(made)
    return planted


def _plant_one(
    session: Session, run: Any, sample: Sample, kinds: Sequence[Kind], used: Counter[str], wish: Wish, rng: Any
) -> Planted | None:
    """Of the kinds that find a place in the sample, the one that was planted least."""
    for kind in sorted(kinds, key=lambda each: (used[each.id], rng.random())):
        places = list(kind.find(session.store, sample))
        if not places:
            continue
        place: Place = places[int(rng.integers(len(places)))]
        size, expected = _size(kind, wish, rng)
        plant = place(rng, size)
        if not _done(session, run, sample, plant):
            continue
        used[kind.id] += 1
        return Planted(
            sample=sample.key, kind=kind.id, error_type=kind.error_type, items=plant.items, expected=expected,
            size=None if kind.sizes is None else round(size, 4),
            unit="" if kind.sizes is None else kind.sizes.unit,
            limit=None if kind.sizes is None else kind.sizes.limit,
            **({} if kind.sizes is None else {"band": kind.sizes.band}), note=plant.note,
        )  # fmt: skip
    return None


def _size(kind: Kind, wish: Wish, rng: np.random.Generator) -> tuple[float, bool]:
    """Even over the logarithm, above the limit or, for a share of them, below it."""
    if kind.sizes is None:
        return 1.0, True
    quiet = bool(rng.random() < wish.silent)
    low, high = (kind.sizes.least, kind.sizes.limit) if quiet else (kind.sizes.limit, kind.sizes.most)
    return float(np.exp(rng.uniform(np.log(low), np.log(high)))), not quiet


def _done(session: Session, run: Any, sample: Sample, plant: Plant) -> bool:
    """Whether it could be done: what the gate refuses is no error that could ever be there."""
    for number, edit in enumerate(plant.edits):
        named = {"sample": sample.id} if edit.command == "link.add" else {}
        try:
            run(edit.command, **edit.arguments, **named)
        except Refused:
            if number:
                raise
            return False
    if plant.text is not None:
        _tell(session, run, sample.id, *plant.text)
    return True


def _tell(session: Session, run: Any, sample: SampleId, stream_id: str, words: str) -> None:
    """The stream gets a file of its own in the copy, with the words at its end."""
    stream = next(each for each in session.store.streams(sample) if each.id == stream_id)
    source = locate(session.project.path, stream.files[0].path)
    target = source.with_name(f"{source.stem}.planted{source.suffix}")
    write_whole(target, f"{source.read_text(encoding='utf-8').rstrip()} {words}\n")
    files = msgspec.to_builtins((record_file(session.project.path, target),))
    run("stream.set", stream=stream.id, files=files)
