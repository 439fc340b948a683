"""From a box to a mask, off the window's thread: the picture read, what stands out in the box, its border, strokes.

The last wish counts. Picture and crop are kept while the same picture and box are asked about, so that a further stroke
costs GrabCut alone. Where U²-Netp is installed and runs, it says what stands out; else GrabCut starts from the box
alone, and the proposal says so. Called by the camera pane for the tool ``box_mask``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from workstation.app.background import Background
from workstation.app.models import models_shelf
from workstation.core.errors import DataError, UserError
from workstation.media.base import CancelToken
from workstation.prelabel.api import BadOutput, Pixels, Runs
from workstation.prelabel.masks import Crop, FoundMask, Stroke, box_to_mask, crop_of
from workstation.prelabel.shelf import Shelf, ShelvedModel
from workstation.prelabel.worker import Worker, WorkerFailed

FAMILY = "u2net"
Box = tuple[float, float, float, float]
"""Left, top, width, height in pixels of the picture."""
MaskStroke = Stroke
"""A line drawn over the picture, as the window makes them."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Wish:
    """What is asked: ``picture`` names what ``read`` gives, which is called on the worker if it is another one."""

    picture: Hashable
    read: Callable[[], Pixels]
    box: Box
    strokes: tuple[Stroke, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskProposal:
    """What was found, and how: ``made_with`` goes into the label's provenance."""

    found: FoundMask
    made_with: Mapping[str, str | bool | int | float]
    note: str = ""
    """Why the model that is installed did not run."""


class MaskFinder:
    """One worker. ``deliver`` is called on its thread; a ``UserError`` is delivered in place of a mask."""

    def __init__(
        self, deliver: Callable[[Wish, MaskProposal | UserError], None], shelf: Callable[[], Shelf] = models_shelf
    ) -> None:
        self._shelf = shelf
        self._running = ExitStack()
        self._looked = False
        self._model: ShelvedModel | None = None
        self._graph: Runs | None = None
        self._note = ""
        self._picture: tuple[Hashable, Pixels] | None = None
        self._crop: tuple[Hashable, Box, Crop] | None = None
        self._work = Background("masks from boxes", self._make, deliver, at_end=self._running.close)

    def find(self, wish: Wish) -> None:
        """Make this; what was asked before and is not begun is forgotten."""
        self._work.want((wish,))

    def close(self) -> None:
        """End the worker and the model's process."""
        self._work.close()

    # --- on the worker ------------------------------------------------------------------------------------------

    def _make(self, wish: Wish, token: CancelToken) -> MaskProposal:
        if self._picture is None or self._picture[0] != wish.picture:
            self._picture, self._crop = (wish.picture, wish.read()), None
        pixels = self._picture[1]
        token.check()
        try:
            if self._crop is None or self._crop[1] != wish.box:
                self._crop = (wish.picture, wish.box, self._look(pixels, wish.box, token))
            crop = self._crop[2]
            token.check()
            found = box_to_mask(pixels, crop, wish.strokes)
        except ValueError as problem:
            raise UserError(f"no mask can be made here: {problem}") from problem
        return MaskProposal(found=found, made_with=self._how(crop, wish), note=self._note)

    def _look(self, pixels: Pixels, box: Box, token: CancelToken) -> Crop:
        if not self._looked:
            self._looked = True
            self._begin(token)
        if self._graph is not None and self._model is not None:
            try:
                name = str(self._model.manifest.options.get("input_name", "input.1"))
                return crop_of(pixels, box, self._graph, name)
            except (WorkerFailed, BadOutput) as problem:
                self._drop(problem)
        return crop_of(pixels, box)

    def _begin(self, token: CancelToken) -> None:
        """The first model of its family, held against its hash, in a process of its own."""
        shelf = self._shelf()
        self._model = next((each for each in shelf.models()[0] if each.manifest.family == FAMILY), None)
        if self._model is None:
            return
        try:
            shelf.check(self._model)
            worker = Worker(self._model.file(), cancelled=lambda: token.cancelled)
            self._graph = self._running.enter_context(worker)
        except (WorkerFailed, DataError) as problem:
            self._drop(problem)

    def _drop(self, problem: Exception) -> None:
        name = "" if self._model is None else self._model.manifest.id
        self._note = f"{name} does not run, so GrabCut starts from the box alone: {problem}"
        self._graph = None
        self._running.close()

    def _how(self, crop: Crop, wish: Wish) -> Mapping[str, str | bool | int | float]:
        strokes = {"plus_strokes": sum(each.plus for each in wish.strokes),
                   "minus_strokes": sum(not each.plus for each in wish.strokes)}  # fmt: skip
        if not crop.looked or self._model is None:
            return {"tool": "mask from box: GrabCut", **strokes}
        manifest = self._model.manifest
        tool = f"mask from box: {manifest.id}" + (" and GrabCut" if wish.strokes else "")
        return {"tool": tool, "model_version": manifest.version, "weights_sha256": manifest.weights_sha256, **strokes}
