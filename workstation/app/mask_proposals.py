"""From a box or a click to a mask, off the window's thread: the picture read, the thing found, strokes heard.

The last wish counts. Where a model of the SAM class is installed and runs, box, clicks and strokes are its prompts.
Else it takes a box: U²-Netp says what stands out in it where it is installed, and GrabCut draws the border; picture and
crop are kept, so that a further stroke costs GrabCut alone. Each proposal says what it was made by. Called by the
camera pane for the tool ``box_mask``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from workstation.app.background import Background
from workstation.app.models import models_shelf
from workstation.app.prompted_masks import NO_MODEL, PromptedModel, promptable_model
from workstation.core.errors import DataError, UserError
from workstation.media.base import Cancelled, CancelToken
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
    box: Box | None = None
    """``None``: by strokes alone, which only a model of the SAM class can."""
    strokes: tuple[Stroke, ...] = ()
    owner: object = None
    """Who asks, and may say that the picture is not to be read any more (``MaskFinder.forget``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskProposal:
    """What was found, and how."""

    found: FoundMask
    by: str
    """What made it, in a word or two: shown beside the pointer."""
    made_with: Mapping[str, str | bool | int | float]
    """Goes into the label's provenance."""
    note: str = ""
    """Why the model that is installed did not run."""


class MaskFinder:
    """One worker. ``deliver`` is called on its thread; a ``UserError`` is delivered in place of a mask."""

    def __init__(
        self, deliver: Callable[[Wish, MaskProposal | UserError], None], shelf: Callable[[], Shelf] = models_shelf
    ) -> None:
        self._shelf = shelf
        self._running = ExitStack()
        self._stamp: int | None = None
        """Of the shelf as it was looked at; another one is looked at anew."""
        self._reading = threading.Lock()
        self._owner: object = None
        self._model: ShelvedModel | None = None
        self._graph: Runs | None = None
        self._prompted: PromptedModel | None = None
        self._note = ""
        self._picture: tuple[Hashable, Pixels] | None = None
        self._crop: tuple[Hashable, Box, Crop] | None = None
        self._work = Background("masks from boxes", self._make, deliver, at_end=self._running.close)

    def find(self, wish: Wish) -> None:
        """Make this; what was asked before and is not begun is forgotten."""
        self._owner = wish.owner
        self._work.want((wish,))

    def forget(self, owner: object) -> None:
        """Read no more of its pictures: it may close them once this returns."""
        with self._reading:
            if self._owner is owner:
                self._owner = None

    def close(self) -> None:
        """End the worker and the model's process."""
        self._work.close()

    # --- on the worker ------------------------------------------------------------------------------------------

    def _make(self, wish: Wish, token: CancelToken) -> MaskProposal:
        shelf = self._shelf()
        if self._stamp != _stamp_of(shelf):
            self._stamp = _stamp_of(shelf)
            self._begin(shelf, token)
        try:
            found = self._from_prompts(wish)
            return found if found is not None else self._from_box(wish, token)
        except ValueError as problem:
            raise UserError(f"no mask can be made here: {problem}") from problem

    def _from_prompts(self, wish: Wish) -> MaskProposal | None:
        if self._prompted is None:
            return None
        try:
            found = self._prompted.mask(
                wish.picture, lambda: self._pixels(wish), box=wish.box, strokes=wish.strokes
            )  # fmt: skip
        except (WorkerFailed, BadOutput) as problem:
            self._drop(problem)
            return None
        name = self._prompted.manifest.id
        how: dict[str, str | bool | int | float] = {"tool": f"mask from prompts: {name}", "box": wish.box is not None}
        return MaskProposal(found=found, by=name, made_with={**how, **self._prompted.made_with(), **_counts(wish)})

    def _from_box(self, wish: Wish, token: CancelToken) -> MaskProposal:
        if wish.box is None:
            raise UserError(f"{self._note}; pull a box around the thing" if self._note else NO_MODEL)
        pixels = self._pixels(wish)
        token.check()
        if self._crop is None or self._crop[1] != wish.box:
            self._crop = (wish.picture, wish.box, self._look(pixels, wish.box))
        crop = self._crop[2]
        token.check()
        found = box_to_mask(pixels, crop, wish.strokes)
        name = self._model.manifest.id if crop.looked and self._model is not None else ""
        by = " and ".join(filter(None, (name, "" if name and not wish.strokes else "GrabCut")))
        return MaskProposal(found=found, by=by, made_with=self._how(by, name, wish), note=self._note)

    def _pixels(self, wish: Wish) -> Pixels:
        if self._picture is None or self._picture[0] != wish.picture:
            with self._reading:
                if self._owner is not wish.owner:
                    raise Cancelled
                self._picture, self._crop = (wish.picture, wish.read()), None
        return self._picture[1]

    def _look(self, pixels: Pixels, box: Box) -> Crop:
        if self._graph is not None and self._model is not None:
            try:
                name = str(self._model.manifest.options.get("input_name", "input.1"))
                return crop_of(pixels, box, self._graph, name)
            except (WorkerFailed, BadOutput) as problem:
                self._drop(problem)
        return crop_of(pixels, box)

    def _begin(self, shelf: Shelf, token: CancelToken) -> None:
        """The first model that takes prompts, else the first that says what stands out; each held against its hash."""
        self._running.close()
        self._graph = self._prompted = self._crop = None
        self._note = ""
        self._model = promptable_model(shelf)
        try:
            if self._model is not None:
                made = PromptedModel(shelf, self._model, lambda: token.cancelled)
                self._prompted = self._running.enter_context(made)
                return
            self._model = next((each for each in shelf.models()[0] if each.manifest.family == FAMILY), None)
            if self._model is not None:
                shelf.check(self._model)
                worker = Worker(self._model.file(), cancelled=lambda: token.cancelled)
                self._graph = self._running.enter_context(worker)
        except (WorkerFailed, DataError, BadOutput) as problem:
            self._drop(problem)

    def _drop(self, problem: Exception) -> None:
        name = "" if self._model is None else self._model.manifest.id
        self._note = f"{name} does not run, so GrabCut starts from the box alone: {problem}"
        self._graph = self._prompted = None
        self._running.close()

    def _how(self, by: str, name: str, wish: Wish) -> Mapping[str, str | bool | int | float]:
        made: dict[str, str | bool | int | float] = {"tool": f"mask from box: {by}"}
        if name and self._model is not None:
            manifest = self._model.manifest
            made |= {"model_version": manifest.version, "weights_sha256": manifest.weights_sha256}
        return {**made, **_counts(wish)}


def _stamp_of(shelf: Shelf) -> int:
    """Another number once a model came or went."""
    return shelf.folder.stat().st_mtime_ns if shelf.folder.is_dir() else 0


def _counts(wish: Wish) -> dict[str, int]:
    return {"plus_strokes": sum(each.plus for each in wish.strokes),
            "minus_strokes": sum(not each.plus for each in wish.strokes)}  # fmt: skip
