"""The models of this machine that compare texts with texts and pictures with texts, opened when first asked.

Asked by ``evidence.py`` for the checks. A model that is not there is said to be missing, with what to do; nothing is
ever taken for passed because of it. A score ranks and flags; it never confirms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from workstation.core.evidence import Likeness, Unmeasured
from workstation.prelabel.api import BadOutput, Pixels

if TYPE_CHECKING:
    from workstation.prelabel.image_text import ScoresPairs
    from workstation.prelabel.texts_similar import SentenceModel

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
    none.
    """

    def __init__(
        self,
        sentences: Callable[[], tuple[SentenceModel, str] | None] | None = None,
        pictures: Callable[[], ScoresPairs | None] | None = None,
    ) -> None:
        self._open_sentences, self._open_pictures = sentences, pictures
        self._sentences: tuple[SentenceModel, str] | None = None
        self._pictures: ScoresPairs | None = None

    def tag_likeness(self, tags: Sequence[str], texts: Sequence[str]) -> Likeness:
        """All tags together beside each text; too few different ones are not enough evidence."""
        if self._sentences is None:
            self._sentences = None if self._open_sentences is None else self._open_sentences()
        if self._sentences is None:
            raise Unmeasured(NO_SENTENCES)
        from workstation.prelabel.image_text import NotEnoughEvidence, TagConsistency

        model, name = self._sentences
        try:
            scores = TagConsistency(model).scores(tags, texts)
        except NotEnoughEvidence as why:
            raise Unmeasured(str(why)) from why
        except BadOutput as problem:
            raise Unmeasured(f"the model {name} cannot be used: {problem}") from problem
        return Likeness(tuple(scores.tolist()), name)

    def picture_likeness(self, picture: Callable[[], Pixels], texts: Sequence[str]) -> Likeness:
        """A picture beside each text; it is not even read where no model could see it."""
        if self._pictures is None:
            self._pictures = None if self._open_pictures is None else self._open_pictures()
        if self._pictures is None:
            raise Unmeasured(NO_PICTURES)
        try:
            scores = self._pictures.scores(picture(), texts)
        except BadOutput as problem:
            raise Unmeasured(f"the model {self._pictures.name} cannot be used: {problem}") from problem
        return Likeness(tuple(scores.tolist()), self._pictures.name)
