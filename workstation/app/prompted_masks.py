"""A model of the SAM class from the shelf, at work: its encoder on the device that proved itself, its decoder beside.

Called by ``mask_proposals.py`` (clicks, boxes and strokes in the camera pane) and ``carried_masks.py``, on their
threads. What the encoder saw of a picture is kept (``prelabel/promptable.py``), so that a further click is quick.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType

import numpy as np

from workstation.app.model_devices import here, verdict_of
from workstation.prelabel.api import Pixels, Task
from workstation.prelabel.masks import FoundMask, Stroke
from workstation.prelabel.promptable import INPUTS, Prompt, Promptable, PromptedMask
from workstation.prelabel.promptable_memory import FAMILY, ROLES, RememberingMasks
from workstation.prelabel.shelf import Shelf, ShelvedModel
from workstation.prelabel.worker import Worker

NO_MODEL = (
    "A click alone needs a model of the SAM class, and none is installed: pull a box around the thing, or bring one "
    "with workstation models add"
)


def promptable_model(shelf: Shelf) -> ShelvedModel | None:
    """The first model that takes prompts, if one is there; another is chosen by taking that one off the shelf."""
    return next((each for each in shelf.models()[0] if _takes_prompts(each)), None)


class PromptedModel:
    """Started when made, which proves the device the first time; close it, or use it in a ``with`` block."""

    def __init__(self, shelf: Shelf, model: ShelvedModel, cancelled: Callable[[], bool] = lambda: False) -> None:
        """Raises ``WorkerFailed`` or ``DataError`` where it does not run or is not what its manifest says."""
        self.manifest = model.manifest
        self._running = ExitStack()
        with ExitStack() as starting:
            shelf.check(model)
            verdict = verdict_of(model, here(), cancelled=cancelled)
            encoder = starting.enter_context(
                Worker(model.file("encoder"), provider=verdict.provider, cancelled=cancelled)
            )  # fmt: skip
            decoder = starting.enter_context(Worker(model.file("decoder"), cancelled=cancelled))
            self._model = Promptable(model.manifest.card, encoder, decoder)
            self._running = starting.pop_all()
        self.device = verdict.words

    def mask(
        self, key: Hashable, read: Callable[[], Pixels], *, box: tuple[float, float, float, float] | None,
        strokes: Sequence[Stroke],
    ) -> FoundMask:  # fmt: skip
        """The mask for a box, for strokes, or for both."""
        return self._model.mask(key, read, Prompt(points=_points(strokes), box=box)).found

    def follow(self, mask: FoundMask, before: Pixels, key: Hashable, after: Pixels) -> FoundMask:
        """The same thing in the next frame."""
        blank = np.zeros(self._model.logits_side, np.float32)
        return self._model.follow(PromptedMask(mask, blank), before, key, after).found

    def made_with(self) -> Mapping[str, str | bool | int | float]:
        """For the provenance of what is kept."""
        return {
            "model_version": self.manifest.version, "weights_sha256": self.manifest.weights_sha256,
            "device": self.device,
        }  # fmt: skip

    def close(self) -> None:
        """End its processes."""
        self._running.close()

    def __enter__(self) -> PromptedModel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def remembering_model(shelf: Shelf) -> ShelvedModel | None:
    """The first model with SAM 2's memory over a film, if one is there."""
    return next(
        (
            each
            for each in shelf.models()[0]
            if each.manifest.family == FAMILY and set(ROLES) <= each.manifest.files.keys()
        ),
        None,
    )


class RememberingModel:
    """The four graphs of a model with memory, each in a process of its own; close it, or use it in a ``with`` block."""

    def __init__(self, shelf: Shelf, model: ShelvedModel, cancelled: Callable[[], bool] = lambda: False) -> None:
        """Raises ``WorkerFailed`` or ``DataError`` where it does not run or is not what its manifest says."""
        self.manifest = model.manifest
        with ExitStack() as starting:
            shelf.check(model)
            verdict = verdict_of(model, here(), cancelled=cancelled)
            graphs = {
                role: starting.enter_context(Worker(model.file(role), provider=verdict.provider, cancelled=cancelled))
                for role in ROLES
            }
            self.follows = RememberingMasks(model.manifest.card, graphs)
            self._running = starting.pop_all()
        self.device = verdict.words

    def close(self) -> None:
        """End its processes."""
        self._running.close()

    def __enter__(self) -> RememberingModel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _takes_prompts(model: ShelvedModel) -> bool:
    manifest = model.manifest
    pair = {"encoder", "decoder"} <= manifest.files.keys()
    return pair and manifest.task is Task.PROMPTABLE_SEG and manifest.family in INPUTS


def _points(strokes: Sequence[Stroke]) -> tuple[tuple[float, float, bool], ...]:
    """A click is a point; a stroke is its two ends and its middle."""
    found: list[tuple[float, float, bool]] = []
    for each in strokes:
        line = np.asarray(each.points, np.float64).reshape(-1, 2)
        long = bool(np.ptp(line, axis=0).max(initial=0.0) > each.radius_px)
        picks = (0, len(line) // 2, -1) if long else (len(line) // 2,)
        found += [(float(line[pick, 0]), float(line[pick, 1]), each.plus) for pick in picks]
    return tuple(found)
