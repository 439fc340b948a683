"""What tools ask of a pane's canvas (``ui/tools/canvas.py``, ``ui/tools/space_tool.py``) that the workbench answers:
the same for pictures, planes, pages and space, which add where things are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Protocol

from workstation.core.selection import Ids, Mode, replace
from workstation.ui.tools.canvas import Act, Place
from workstation.ui.tools.state import Hand, Sight
from workstation.ui.workbench import Workbench


class BenchCanvas(ABC):
    """Selection, class and tool in the hand, commands; ``cause`` is who selects."""

    cause: str

    @property
    @abstractmethod
    def bench(self) -> Workbench:
        """Where everything is asked and done."""

    @property
    def hand(self) -> Hand:
        return self.bench.hand

    @property
    def sight(self) -> Sight:
        return self.bench.sight

    @property
    def selected(self) -> Ids:
        return self.bench.selected

    @property
    def active(self) -> str | None:
        return self.bench.selection.state.active

    def run(self, command_id: str, /, **arguments: object) -> Any:
        return self.bench.run(command_id, **arguments)

    def together(self, label: str, act: Act, *, group: str | None = None) -> Any:
        bench = self.bench

        def whole() -> Any:
            with bench.together(label, group=group) as run:
                return act(run)

        return bench.attempt(whole)

    def select(self, ids: Iterable[str], *, mode: Mode | None = None, active: str | None = None) -> None:
        self.bench.select(ids, cause=self.cause, mode=mode or replace, active=active)

    def tell(self, text: str) -> None:
        self.bench.tell(text)


class Placing(Protocol):
    """Where the pixels of a picture lie on the screen."""

    @property
    def scale(self) -> float: ...

    def to_screen(self, place: Place) -> Place: ...

    def to_picture(self, place: Place) -> Place: ...


class FlatCanvas(BenchCanvas):
    """A canvas of pixels, by whatever viewport it shows them."""

    @property
    @abstractmethod
    def placing(self) -> Placing:
        """The viewport."""

    @property
    def scale(self) -> float:
        return self.placing.scale

    def to_screen(self, place: Place) -> Place:
        return self.placing.to_screen(place)

    def to_picture(self, place: Place) -> Place:
        return self.placing.to_picture(place)
