"""A canvas without a window for tools under test: a real project with a still picture and a film, no Qt, no pixels.

What tools run goes into a real store, so that undo, the gate and what is shown afterwards are the program's own.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from workstation.app.opening import new_project, open_project
from workstation.app.picture_scene import PictureScene
from workstation.app.picture_shapes import distance, inside
from workstation.app.sample_view import SampleView
from workstation.app.session import Session
from workstation.core.errors import UserError
from workstation.core.geometry import Mask, Shape
from workstation.core.selection import Ids, Mode, replace
from workstation.core.tracks import Moment
from workstation.store.changes import ChangeSet
from workstation.ui.tools.canvas import Button, Canvas, KeyPress, Modifier, Pixels, Place, PointerEvent, Preview, Tool
from workstation.ui.tools.catalogue import make_tool
from workstation.ui.tools.state import Hand, Sight

if TYPE_CHECKING:
    from workstation.ui.tools.canvas import Act

FRAME_NS = 100_000_000
SIZE = (320, 200)
_NUMBERS = count(1)


class StoreCanvas:
    """The picture of one stream, painted at one moment; ``show`` goes to another."""

    def __init__(self, session: Session, stream: str, own_ns: int | None, *, scale: float = 2.0) -> None:
        assert session.sample is not None
        self.session = session
        self.view = SampleView(session.store, session.sample)
        found = self.view.stream_by_key(stream)
        assert found is not None
        self.stream = found
        self.hand, self.sight = Hand(), Sight()
        self.scale = scale
        self.size_px = SIZE
        self.item: int | None = 0
        self.instance: str | None = None
        self.own_ns = own_ns
        self.previews: dict[str, Preview] = {}
        self.said: list[str] = []
        self._scene = PictureScene(self.view, self.stream.id)
        session.changed.connect(self._take_in)

    @property
    def next_ns(self) -> int | None:
        return None if self.own_ns is None else self.own_ns + FRAME_NS

    @property
    def selected(self) -> Ids:
        return self.session.selected

    @property
    def active(self) -> str | None:
        return self.session.selection.state.active

    def show(self, frame: int) -> None:
        self.item, self.own_ns = frame, frame * FRAME_NS

    def to_screen(self, place: Place) -> Place:
        return (place[0] * self.scale, place[1] * self.scale)

    def to_picture(self, place: Place) -> Place:
        return (place[0] / self.scale, place[1] / self.scale)

    def hit(self, place: Place, *, reach_px: float = 6.0) -> list[str]:
        found = reversed(self._scene.at(self.own_ns, self.instance).drawn)
        return [each.id for each in found if distance(each.lines, place) <= reach_px / self.scale]

    def within(self, ring: Sequence[Place]) -> list[str]:
        drawn = self._scene.at(self.own_ns, self.instance).drawn
        return [each.id for each in drawn if inside(each.lines.every(), ring)]

    def shape_of(self, annotation: str) -> Shape | None:
        drawn = self._scene.at(self.own_ns, self.instance).drawn
        return next((each.shape for each in drawn if each.id == annotation), None)

    def moment_of(self, annotation: str) -> Moment | None:
        record = self.view.annotations.get(annotation)
        return None if record is None or self.own_ns is None else self.view.moment(record, self.own_ns)

    def locked(self, annotation: str) -> bool:
        return self.sight.locked((annotation,))

    def mask_of(self, annotation: str) -> Pixels | None:
        shape = self.shape_of(annotation)
        pixels = self._scene.mask(shape) if isinstance(shape, Mask) else None
        return Pixels(shape.x, shape.y, pixels) if isinstance(shape, Mask) and pixels is not None else None

    def picture(self) -> NDArray[np.uint8] | None:
        return None

    def preview(self, shapes: Mapping[str, Preview], *, class_id: str | None = None) -> None:
        self.previews = dict(shapes)

    def repaint(self) -> None:
        """Nothing is painted here."""

    def run(self, command_id: str, /, **arguments: object) -> Any:
        return self._attempt(lambda: self.session.run(command_id, **arguments))

    def together(self, label: str, act: Act, *, group: str | None = None) -> Any:
        def whole() -> Any:
            with self.session.together(label, group=group) as run:
                return act(run)

        return self._attempt(whole)

    def select(self, ids: Iterable[str], *, mode: Mode | None = None, active: str | None = None) -> None:
        self.session.selection.select(tuple(ids), cause="test", mode=mode or replace, active=active)

    def tell(self, text: str) -> None:
        self.said.append(text)

    def _attempt(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except UserError as problem:
            self.said.append(str(problem))
            return None

    def _take_in(self, changes: ChangeSet) -> None:
        if self.session.sample != self.view.id:
            return  # the canvas of another test's sample
        self.view.apply(changes)
        self._scene.renew()
        self.session.selection.repair(self.view.exists, cause="session")

    # --- the hand of a test -------------------------------------------------------------------------------------

    @property
    def canvas(self) -> Canvas:
        return cast("Canvas", self)

    def tool(self, name: str) -> Tool:
        self.hand.take(name)
        return make_tool(name, self.canvas)

    def event(self, place: Place, *, button: Button = Button.LEFT, held: Button = Button.LEFT,
              modifiers: Modifier = Modifier.NONE) -> PointerEvent:  # fmt: skip
        return PointerEvent(x=place[0], y=place[1], button=button, held=held, modifiers=modifiers, scale=self.scale)

    def click(self, tool: Tool, *places: Place, modifiers: Modifier = Modifier.NONE) -> None:
        for place in places:
            tool.move(self.event(place, button=Button.NONE, held=Button.NONE, modifiers=modifiers))
            tool.press(self.event(place, modifiers=modifiers))
            tool.release(self.event(place, held=Button.NONE, modifiers=modifiers))

    def pull(self, tool: Tool, *places: Place, modifiers: Modifier = Modifier.NONE) -> None:
        tool.press(self.event(places[0], modifiers=modifiers))
        for place in places[1:]:
            tool.move(self.event(place, button=Button.NONE, modifiers=modifiers))
        tool.release(self.event(places[-1], held=Button.NONE, modifiers=modifiers))

    def key(self, tool: Tool, key: str, modifiers: Modifier = Modifier.NONE) -> bool:
        return tool.key(KeyPress(key=key, text=key, modifiers=modifiers))

    def shapes(self) -> list[Shape]:
        return [each.shape for each in self._scene.at(self.own_ns, self.instance).drawn]

    def the_shape(self) -> Shape:
        (shape,) = self.shapes()
        return shape


@contextmanager
def canvas_project(folder: Path) -> Generator[Session, None, None]:
    """A project with the driving ontology in force."""
    new_project(folder, name="shapes", person="somebody", ontology="driving", in_force=True)
    with open_project(folder, kind="person", role="lead") as session:
        yield session


def empty_canvas(session: Session, stream: str) -> StoreCanvas:
    """A new sample with a picture ``still`` and a film ``front``, and one of the two as a canvas."""
    key = f"scene {next(_NUMBERS)}"
    session.run("sample.add", key=key)
    session.open_sample(key)
    session.run("stream.add", key="still", kind="image", clock="still")
    session.run("stream.add", key="front", kind="video", clock="front")
    return StoreCanvas(session, stream, None if stream == "still" else 0)


def contents(session: Session) -> Iterator[object]:
    """Every record of the sample, for comparing before and after."""
    assert session.sample is not None
    store = session.store
    for annotation in sorted(store.annotations(session.sample), key=lambda each: each.id):
        yield annotation
        yield from store.keyframes(annotation.id)
    yield from sorted(store.entities(session.sample), key=lambda each: each.id)
