"""What each model runs on here and why: tried once on each machine, remembered, and told in words a person can act on.

Called by ``workstation models doctor``, ``prelabelling.py`` and the window's panel of models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workstation.app.folders import state_folder
from workstation.app.known_models import model_called, picture_families, picture_family
from workstation.core.errors import UserError
from workstation.prelabel.api import Arrays, BadOutput, Pixels, SensorSweep
from workstation.prelabel.cloud_families import cloud_families
from workstation.prelabel.onnx_read import read_signature
from workstation.prelabel.promptable import INPUTS, encoder_feeds
from workstation.prelabel.providers import (
    Machine,
    Trial,
    Verdict,
    Verdicts,
    known_devices,
    prove,
    provider_name,
    this_machine,
)
from workstation.prelabel.recipes import recipes
from workstation.prelabel.reid import FAMILY as REID
from workstation.prelabel.reid import feeds_of, fixed_batch
from workstation.prelabel.shelf import Shelf, ShelvedModel
from workstation.prelabel.sound_events import FAMILY as TAGGER
from workstation.prelabel.sound_taggers import hum
from workstation.prelabel.sweep_stages import ENCODER, TwoStages
from workstation.prelabel.worker import CPU, Worker, WorkerFailed, check_numbers, offered

_CUDA = "CUDAExecutionProvider"
_AGAIN = "; then: workstation models doctor --again"
_MEND_CUDA = (
    'pip install "workstation-annotation[gpu]", which brings CUDA and cuDNN, and what README says under A graphics card'
)
_MEND_DRIVER = "with an NVIDIA card, install its driver; without one there is nothing to do"
_MEND = (
    'for any graphics card: pip install "workstation-annotation[webgpu]"; or for NVIDIA: '
    'pip install "workstation-annotation[gpu]" && pip uninstall --yes onnxruntime onnxruntime-gpu && '
    "pip install --force-reinstall --no-deps onnxruntime-gpu"
)


def verdicts(folder: Path | None = None) -> Verdicts:
    """What was found out about devices here."""
    return Verdicts((folder or state_folder()) / "model-devices.json")


def here() -> Machine:
    """This machine as models see it."""
    return this_machine(offered())


def verdict_of(
    model: ShelvedModel, machine: Machine, *, pinned: Sequence[str] = (), kept: Verdicts | None = None,
    again: bool = False, cancelled: Callable[[], bool] = lambda: False,
) -> Verdict:  # fmt: skip
    """What a model runs on here: remembered, or found out now."""
    memory = kept or verdicts()
    wanted = tuple(pinned) or model.manifest.runtime.providers
    found = None if again else memory.get(model.manifest.weights_sha256, machine, wanted)
    if found is None:
        found = prove(_trial(model), machine, pinned=wanted, cancelled=cancelled)
        memory.keep(model.manifest.weights_sha256, machine, found, wanted)
    return found


def _trial(model: ShelvedModel) -> Trial:
    manifest = model.manifest
    feeds: Arrays | None = None
    reads: Callable[[Arrays], object] = check_numbers
    if manifest.family in picture_families():
        seen = picture_family(manifest.family).prepare(manifest.card, [_grey_ramp()])
        feeds, reads = seen.feeds, lambda answer: picture_family(manifest.family).decode(manifest.card, answer, seen)
    elif manifest.family in cloud_families():
        swept = cloud_families()[manifest.family].prepare(manifest.card, _round_about())
        feeds = _map_of(model, swept.feeds) if ENCODER in manifest.files else swept.feeds
        reads = lambda answer: cloud_families()[manifest.family].decode(manifest.card, answer, swept)  # noqa: E731
    elif manifest.family in INPUTS:
        feeds = encoder_feeds(manifest.card, _grey_ramp())[0]
    elif manifest.family == TAGGER:
        feeds = hum(manifest.card, read_signature(model.file()).inputs)
    elif manifest.family == REID:
        feeds = feeds_of(manifest.card, [_grey_ramp()] * _batch_of(model)).feeds
    recipe = recipes().get(manifest.id)
    return Trial(
        path=model.file(_graph_of(model) or "model"), weights_sha256=manifest.weights_sha256,
        max_abs_diff=manifest.runtime.max_abs_diff, feeds=feeds, sizes={} if recipe is None else recipe.sizes,
        reads=reads,
    )  # fmt: skip


def tried_once(model: ShelvedModel) -> Verdict | None:
    """Run it once on the processor, on what is the same everywhere, and read what it answers; ``None`` for one that is
    no graph. Raises ``UserError`` for one that does not work."""
    if not is_graph(model):
        return None
    try:
        return prove(_trial(model), Machine(runtime="", offered=(CPU,)), pinned=(CPU,))
    except BadOutput as problem:
        raise UserError(f"{model.manifest.id} answers what cannot be read: {problem}") from problem
    except WorkerFailed as problem:  # what is not yet in its place lies in a folder without a name of its own
        raise UserError(str(problem).replace(f"{model.folder.name}/", f"{model.manifest.id}/")) from problem


def _map_of(model: ShelvedModel, feeds: Arrays) -> dict[str, Any]:
    """What the second graph of a detector in two files is really given."""
    with Worker(model.file(ENCODER)) as encoder, Worker(model.file()) as head:
        return TwoStages(model.manifest.card, encoder, head).laid_out(feeds)


def _batch_of(model: ShelvedModel) -> int:
    return fixed_batch(read_signature(model.file()).inputs) or 1


def _grey_ramp() -> Pixels:
    """A picture that is the same everywhere and has something in every part."""
    rows, columns = np.mgrid[0:480, 0:640]
    return np.stack([(rows + columns) % 256, (rows * 2) % 256, (columns * 2) % 256], axis=-1).astype(np.uint8)


def _round_about() -> SensorSweep:
    """A sweep that is the same everywhere: rings on flat ground about the sensor, in reach of any detector."""
    away, turn = np.meshgrid(np.linspace(2.0, 50.0, 64), np.linspace(0.0, 2 * np.pi, 128, endpoint=False))
    points = np.stack([away * np.cos(turn), away * np.sin(turn), np.full_like(away, -1.5)], axis=-1).reshape(-1, 3)
    return SensorSweep(points.astype(np.float32), np.full(len(points), 0.5, np.float32))


def examined(shelf: Shelf, *, only: str | None = None, pinned: Sequence[str] = (), again: bool = False) -> Advice:
    """Every model that is a graph (or one), tried where that is not remembered."""
    return proved(shelf, only=only, pinned=pinned, again=again).advice


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """What each model runs on, in words, or why it does not; and the whole as a paragraph."""

    devices: Mapping[str, str]
    advice: Advice


def proved(
    shelf: Shelf, *, only: str | None = None, pinned: Sequence[str] = (), again: bool = False,
    tell: Callable[[int, int, str], None] = lambda *_: None, cancelled: Callable[[], bool] = lambda: False,
) -> Proved:  # fmt: skip
    """The same, with what is found of each model, told as it goes."""
    machine = here()
    known_devices(pinned, machine.offered)
    verdicts_of: dict[str, Verdict] = {}
    faults: dict[str, str] = {}
    asked = [model_called(shelf, only)] if only else shelf.models()[0]
    models = [each for each in asked if is_graph(each)]
    plain = [each.manifest.id for each in asked if only and not is_graph(each)]
    for done, model in enumerate(models):
        name = model.manifest.id
        tell(done, len(models), name)
        try:
            shelf.check(model)
            verdicts_of[name] = verdict_of(model, machine, pinned=pinned, again=again, cancelled=cancelled)
        except (UserError, BadOutput) as problem:
            faults[name] = str(problem)
    devices = {name: each.words for name, each in verdicts_of.items()}
    devices |= {name: f"does not run: {why}" for name, why in faults.items()}
    return Proved(devices=devices, advice=advice(machine, verdicts_of, faults, plain))


def is_graph(model: ShelvedModel) -> bool:
    """Whether it is a graph that this program runs itself; others (speech to text) bring their own runtime."""
    return _graph_of(model) is not None


def _graph_of(model: ShelvedModel) -> str | None:
    """The role of the file that is proved: of a pair that takes prompts the encoder, which is the one that works."""
    files = model.manifest.files
    return next((each for each in ("model", "encoder") if each in files and files[each].path.endswith(".onnx")), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What ``models doctor`` says: a paragraph for a person, and the facts under it."""

    words: str
    facts: Mapping[str, Any]
    mend: str = ""


def advice(
    machine: Machine, tried: Mapping[str, Verdict], faults: Mapping[str, str], plain: Sequence[str] = ()
) -> Advice:  # fmt: skip
    """In words a person can act on: what models run on here, and what would have to change for another device."""
    names = [provider_name(each) for each in machine.offered if not each.startswith("Azure")]
    lines = [f"The model runtime here is onnxruntime {machine.runtime}, built for {', '.join(names)}."]
    gpu = [each for each in machine.offered if each not in (CPU, "AzureExecutionProvider")]
    mend = ""
    if not gpu:
        lines.append(
            "It can only use the processor, so models run there: slower, and otherwise the same. With an NVIDIA card, "
            "install the extra 'gpu' instead of the plain runtime; with another graphics card, the extra 'webgpu'."
        )
        mend = _MEND
    for model, verdict in tried.items():
        lines.append(f"{model} runs on {verdict.words}.")
        lines += [
            f"{provider_name(each.provider)} was tried for it and not taken: {each.reason}."
            for each in verdict.attempts
            if each.reason
        ]
    failed = [each.reason for verdict in tried.values() for each in verdict.attempts if each.provider == _CUDA]
    if _CUDA in gpu and any("driver" in reason for reason in failed):
        mend = _MEND_DRIVER
    elif _CUDA in gpu and any(reason.endswith("was not found") for reason in failed):
        mend = _MEND_CUDA
    lines += [f"{model} does not run: {reason}." for model, reason in faults.items()]
    lines += [f"{model} always runs on the processor." for model in plain]
    if not tried and not faults and not plain:
        lines.append(
            "No model is there to try. `workstation models install NAME` brings one; `models list` names them."
        )
    facts = {
        "runtime": machine.runtime, "offered": list(machine.offered), "driver": machine.driver,
        "models": {
            model: {
                "provider": each.provider, "ms": round(each.milliseconds, 2), "remembered": each.remembered,
                "tried": [
                    {
                        "provider": a.provider, "ms": round(a.milliseconds, 2), "difference": a.difference,
                        "why_not": a.reason,
                    }
                    for a in each.attempts
                ],
            }
            for model, each in tried.items()
        },
        "faults": dict(faults),
    }  # fmt: skip
    return Advice(words=" ".join(lines), facts=facts, mend=mend and mend + _AGAIN)
