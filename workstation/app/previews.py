"""Shapes that are being dragged and not yet stored: one place for all panes, so that a cuboid moved in the cloud is
seen moving in every camera.

A gesture says with every move of the mouse what its shapes would be (``show``), and takes them back when it ends or is
cancelled (``clear``); it runs its command in between. Every pane that shows such an annotation draws the dragged shape
in place of the stored one, and paints once however many moves came since. Nothing here is ever stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from workstation.core.geometry import Shape
from workstation.core.signal import Signal
from workstation.core.values import dataclass

NEW = "new"
"""Stands for an annotation that does not exist yet; several in the making append a number: ``new 2``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dragged:
    """What an annotation would be if the mouse were released now."""

    annotation: str
    """Its id, or ``NEW``."""
    shape: Shape
    stream: str
    """Id of the stream the shape is made on."""
    own_ns: int
    """The time on that stream at which it is so: of the sweep or picture under the hand."""
    frame: str | None = None
    """Frame of a shape in space; ``None``: the annotation's, else the stream's."""
    class_id: str | None = None
    """Class of one that does not exist yet."""


@dataclass(frozen=True, slots=True)
class PreviewsChanged:
    """One move of the hand."""

    before: Mapping[str, Dragged]
    after: Mapping[str, Dragged]
    cause: str
    """The pane whose gesture it is."""

    @property
    def ids_changed(self) -> bool:
        """Whether other annotations are dragged than before: what is painted of stored ones is another set."""
        return self.before.keys() != self.after.keys()

    @property
    def touched(self) -> frozenset[str]:
        """The annotations that look different now."""
        either = self.before.keys() | self.after.keys()
        return frozenset(each for each in either if self.before.get(each) != self.after.get(each))


class Previews:
    """What is dragged now. The window's thread; ``changed`` comes at most once a call, and only for what differs."""

    def __init__(self, *, on_error: Callable[[Exception], None] | None = None) -> None:
        self.changed: Signal[PreviewsChanged] = Signal("previews_changed", on_error=on_error)
        self._by_cause: dict[str, dict[str, Dragged]] = {}
        self._shapes: Mapping[str, Dragged] = MappingProxyType({})

    @property
    def shapes(self) -> Mapping[str, Dragged]:
        """All of them, by annotation."""
        return self._shapes

    def get(self, annotation: str) -> Dragged | None:
        """What the annotation would be, if it is dragged."""
        return self._shapes.get(annotation)

    def show(self, shapes: Iterable[Dragged], *, cause: str) -> None:
        """These are what the gesture of ``cause`` drags now, in place of what it showed before."""
        self._by_cause[cause] = {each.annotation: each for each in shapes}
        self._tell(cause)

    def clear(self, *, cause: str) -> None:
        """The gesture of ``cause`` is over."""
        self._by_cause.pop(cause, None)
        self._tell(cause)

    def end(self) -> None:
        """No gesture goes on: another sample is opened, or none."""
        self._by_cause.clear()
        self._tell("session")

    def _tell(self, cause: str) -> None:
        before = self._shapes
        after = {key: each for held in self._by_cause.values() for key, each in held.items()}
        if after != before:
            self._shapes = MappingProxyType(after)
            self.changed.emit(PreviewsChanged(before, self._shapes, cause))
