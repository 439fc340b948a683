"""The models of this machine as rows for the window: what is there, what it runs on and why, what can be had."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workstation.app.class_maps import class_map
from workstation.app.known_models import runnable_models
from workstation.app.model_devices import is_graph
from workstation.app.models import model_rows
from workstation.app.rows import Cell, Column, Row
from workstation.core.errors import DataError
from workstation.core.ontology_compile import CompiledOntology
from workstation.prelabel.shelf import Shelf, ShelvedModel

__all__ = ["COLUMNS", "Shelf", "ShelvedModel", "listed_models"]

COLUMNS = (
    Column(title="Model", stretch=True, help="What is on this machine, and what can be installed by name"),
    Column(title="Runs on", width=24, spare=1, help="The device that proved itself, or why it is the processor"),
    Column(title="Task", width=12, spare=2),
    Column(title="State", width=12, spare=3),
)
_STATES = {
    "there": ("installed", "good"),
    "damaged": ("damaged", "error"),
    "built in": ("built in", "good"),
    "plug-in": ("plug-in", "good"),
    "to install": ("to install", "quiet"),
    "licence in doubt": ("licence in doubt", "warning"),
}

_RUNS = {"built in": "CPU", "plug-in": "a program of its own"}
_READY = ("there", "built in", "plug-in")


def listed_models(
    shelf: Shelf, devices: Mapping[str, str], ontology: CompiledOntology | None
) -> list[Row]:  # fmt: skip
    """One row each; ``devices`` holds what was found out, by model."""
    good = {each.manifest.id: each for each in runnable_models(shelf)}
    rows = []
    for each in model_rows(shelf):
        model = good.get(each["model"]) if each["state"] in _READY else None
        unmapped: tuple[str, ...] = ()
        note = str(each.get("note", ""))
        if model is not None and ontology is not None:
            try:
                unmapped = class_map(model.manifest, ontology).unmapped
            except DataError as problem:
                note = str(problem)
        runs = devices.get(each["model"], "")
        if model is not None and not runs:
            runs = "not proved yet" if is_graph(model) else _RUNS.get(each["state"], "CPU, with a runtime of its own")
        rows.append(_row(each, runs, unmapped, note))
    return rows


def _row(each: Mapping[str, Any], runs: str, unmapped: tuple[str, ...], note: str) -> Row:
    words, tone = _STATES[each["state"]]
    lines = [
        f"{each['model']}: {each.get('task', '')}, family {each.get('family', '?')}",
        f"Licence: {each.get('licence') or 'not stated'}",
        *([f"From {each['from']}"] if each.get("from") else []),
        *([f"SHA-256 {each['sha256']}"] if each.get("sha256") else []),
        *([note] if note else []),
        *([f"No class stands for: {', '.join(unmapped[:12])}{' …' if len(unmapped) > 12 else ''}"] if unmapped else []),
    ]
    tip = "\n".join(lines)
    many = "1 label" if len(unmapped) == 1 else f"{len(unmapped)} labels"
    name = f"{each['model']}  ({many} without a class)" if unmapped else each["model"]
    return Row(
        key=each["model"],
        group=f"state:{'_'.join(each['state'].split())} task:{each.get('task', '')}",
        cells=(
            Cell(text=name, tip=tip, tone="" if each["state"] in _READY else "quiet"),
            Cell(text=runs, tip=runs),
            Cell(text=str(each.get("task", "")), tip=tip),
            Cell(text=words, tone=tone, tip=tip),
        ),
    )
