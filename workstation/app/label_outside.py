"""Pictures and films through the program of a plug-in, which is started for the job and ended with it.

Taken by ``labellers.py`` for models of the family ``outside``. What the program finds becomes proposals as any other
picture model's does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from workstation.app.known_models import plugins_of_models
from workstation.app.label_pictures import PictureLabeller
from workstation.app.labellers import Assignment
from workstation.core.errors import UserError
from workstation.prelabel.api import FoundBox, ModelCard, Pixels
from workstation.prelabel.outside import Outside
from workstation.prelabel.pipeline import Account
from workstation.prelabel.worker import Stopped


class OutsideRun:
    """One program over many pictures, one after the other."""

    def __init__(self, program: Outside, cancelled: Callable[[], bool]) -> None:
        self.account = Account(batch=1)
        self._program = program
        self._cancelled = cancelled

    def run(self, pieces: Iterable[tuple[int, Pixels]]) -> Iterator[tuple[int, list[FoundBox]]]:
        """(key, what is there) of every picture, in their order."""
        for key, picture in pieces:
            if self._cancelled():
                raise Stopped("stopped, as was asked; what was found so far is kept")
            yield key, self._program.pictures([picture])[0]
            self.account.pieces += 1
            self.account.batches += 1


class OutsideLabeller(PictureLabeller):
    """Boxes on each frame that is looked at."""

    @contextmanager
    def running(
        self, assignment: Assignment, card: ModelCard, cancelled: Callable[[], bool]
    ) -> Iterator[OutsideRun]:  # fmt: skip
        found = plugins_of_models().adapters.get(card.id)
        if found is None:
            raise UserError(f"the plug-in that brings {card.id!r} is not there any more")
        with Outside(*found) as program:
            yield OutsideRun(program, cancelled)


LABELLER = OutsideLabeller()
