"""The models of this machine that compare texts with texts and pictures with texts, opened when first asked.

Asked by ``evidence.py`` for the checks. A model that is not there is said to be missing, with what to do; nothing is
ever taken for passed because of it. A score ranks and flags; it never confirms.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from workstation.core.errors import DataError, UserError
from workstation.core.evidence import Likeness, Unmeasured
from workstation.prelabel.api import BadOutput, Pixels, Task

if TYPE_CHECKING:
    from workstation.prelabel.image_text import ScoresPairs
    from workstation.prelabel.shelf import ShelvedModel
    from workstation.prelabel.texts_similar import SentenceModel
    from workstation.prelabel.worker import Worker

T = TypeVar("T")
NO_SENTENCES = (
    "no model that compares texts is installed; `workstation models install minilm` brings one, "
    "or `workstation models add PATH` takes one from a disk"
)
NO_PICTURES = (
    "no model that compares pictures with texts (of the CLIP class) is installed; "
    "`workstation models add PATH` takes one from a disk"
)


class LikenessModels:
    """Opens each model once, when it is first needed. One thread.

    ``sentences`` answers the sentence model with its name and version, ``pictures`` a scorer; ``None`` where there is
    none. Without either, those of this machine's models folder are used.
    """

    def __init__(
        self,
        sentences: Callable[[], tuple[SentenceModel, str] | None] | None = None,
        pictures: Callable[[], ScoresPairs | None] | None = None,
    ) -> None:
        self._running = ExitStack()
        # Whoever checks lets go of this when the run is over; the models' processes end with it.
        weakref.finalize(self, self._running.close)
        self._open_sentences = sentences or partial(_installed_sentences, self._running)
        self._open_pictures = pictures or partial(_installed_pictures, self._running)
        self._opened: dict[str, Any] = {}

    def tag_likeness(self, tags: Sequence[str], texts: Sequence[str]) -> Likeness:
        """All tags together beside each text; too few different ones are not enough evidence."""
        model, name = self._once("sentences", self._open_sentences, NO_SENTENCES)
        from workstation.prelabel.image_text import NotEnoughEvidence, TagConsistency
        from workstation.prelabel.worker import WorkerFailed

        try:
            scores = TagConsistency(model).scores(tags, texts)
        except NotEnoughEvidence as why:
            raise Unmeasured(str(why)) from why
        except (BadOutput, WorkerFailed) as problem:
            raise Unmeasured(f"the model {name} cannot be used: {problem}") from problem
        return Likeness(tuple(scores.tolist()), name)

    def picture_likeness(self, picture: Callable[[], Pixels], texts: Sequence[str]) -> Likeness:
        """A picture beside each text; it is not even read where no model could see it."""
        scorer = self._once("pictures", self._open_pictures, NO_PICTURES)
        pixels = picture()
        try:
            scores = scorer.scores(pixels, texts)
        except (BadOutput, UserError) as problem:  # its process, its answer, or what its manifest asks for
            raise Unmeasured(f"the model {scorer.name} cannot be used: {problem}") from problem
        return Likeness(tuple(scores.tolist()), scorer.name)

    def _once(self, what: str, open_it: Callable[[], T | None], missing: str) -> T:
        """Looked for once, found or not: a project asks for every text it has."""
        if what not in self._opened:
            try:
                self._opened[what] = open_it() or Unmeasured(missing)
            except Unmeasured as why:
                self._opened[what] = why
        found = self._opened[what]
        if isinstance(found, Unmeasured):
            raise Unmeasured(str(found))
        return cast("T", found)


def _installed(task: Task, families: tuple[str, ...]) -> ShelvedModel | None:
    """The first of its task by id; its files are held against their hashes before anything runs."""
    from workstation.app.models import models_shelf

    shelf = models_shelf()
    good, _ = shelf.models()
    found = next((each for each in good if each.manifest.task is task and each.manifest.family in families), None)
    if found is not None:
        try:
            shelf.check(found)
        except DataError as problem:
            raise Unmeasured(str(problem)) from problem
    return found


def _running(model: ShelvedModel, role: str, running: ExitStack) -> Worker:
    """On the processor, in a process of its own: scores must not change with the device they were made on."""
    from workstation.prelabel.worker import Worker, WorkerFailed

    try:
        return running.enter_context(Worker(model.file(role)))
    except (WorkerFailed, DataError) as problem:
        raise Unmeasured(f"the model {model.manifest.id} cannot be used: {problem}") from problem


def _installed_sentences(running: ExitStack) -> tuple[SentenceModel, str] | None:
    from workstation.prelabel.texts_similar import FAMILY, SentenceModel
    from workstation.prelabel.texts_tokens import read_tokenizer

    found = _installed(Task.TEXT_EMBED, (FAMILY,))
    if found is None:
        return None
    worker = _running(found, "model", running)
    try:
        tokenizer = read_tokenizer(found.file("tokenizer"))
    except UserError as problem:
        raise Unmeasured(str(problem)) from problem
    inputs = {port.name: port.dtype for port in worker.inputs}
    return SentenceModel(worker, tokenizer, inputs=inputs), f"{found.manifest.id} {found.manifest.version}"


def _installed_pictures(running: ExitStack) -> ScoresPairs | None:
    from workstation.prelabel.image_text import FAMILY, TwoTowers
    from workstation.prelabel.texts_tokens import read_tokenizer

    found = _installed(Task.IMAGE_TEXT, (FAMILY,))
    if found is None:
        return None
    image, text = _running(found, "image", running), _running(found, "text", running)
    try:
        tokenizer = read_tokenizer(found.file("tokenizer"))
    except UserError as problem:
        raise Unmeasured(str(problem)) from problem
    length = next((port.shape[1] for port in text.inputs if len(port.shape) == 2), None)
    return TwoTowers(
        name=f"{found.manifest.id} {found.manifest.version}", image=image, text=text, tokenizer=tokenizer,
        input=found.manifest.input, pixels=image.inputs[0].name,
        text_inputs=tuple(port.name for port in text.inputs), fixed_length=isinstance(length, int),
        **({"most": length} if isinstance(length, int) else {}),
    )  # fmt: skip
