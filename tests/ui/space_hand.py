"""A hand over the turn of the generated street without a window: real tools, real commands, a canvas of a few lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np

from strict_turn import EGO, SAMPLE, STEP_NS, STREAM, WORLD, turn
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.previews import Previews
from workstation.app.reading import Formats
from workstation.app.sample_view import SampleView
from workstation.app.session import Session
from workstation.app.streams import OpenStreams
from workstation.core.errors import Refused, UserError
from workstation.core.geometry import Cuboid
from workstation.core.selection import replace
from workstation.store.changes import ChangeSet
from workstation.ui.panes.cloud_work import SpaceWork
from workstation.ui.scenes.space_view import SpaceView
from workstation.ui.tools.canvas import Button, Modifier
from workstation.ui.tools.space_catalogue import make_space_tool
from workstation.ui.tools.space_tool import PointsShown, Shown, SpaceHit, SpacePointer, SpaceTool
from workstation.ui.tools.state import Hand, Sight

__all__ = ["EGO", "STREAM", "WORLD", "Bench", "Table"]


class Bench:
    """As much of the workbench as tools touch."""

    def __init__(self, session: Session, readers: OpenStreams) -> None:
        sample = session.open_sample(SAMPLE)
        self.session, self.readers = session, readers
        self.view = SampleView(session.store, sample)
        self.hand, self.sight, self.previews = Hand(), Sight(), Previews()
        self.told: list[str] = []
        session.changed.connect(self._take_in)
        self.placed = PlacedCuboids(self.view, readers)

    def _take_in(self, changes: ChangeSet) -> None:
        self.view.apply(changes)
        self.placed.apply(changes)

    @property
    def selection(self) -> Any:
        return self.session.selection

    @property
    def selected(self) -> tuple[str, ...]:
        return self.session.selection.state.ids

    def select(self, ids: Any, *, cause: str, mode: Any = replace, active: str | None = None) -> None:
        self.session.selection.select(ids, cause=cause, mode=mode, active=active)

    def attempt(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except (Refused, UserError) as problem:
            self.told.append(str(problem))
        return None

    def run(self, command_id: str, /, **arguments: object) -> Any:
        return self.attempt(lambda: self.session.run(command_id, **arguments))

    @contextmanager
    def together(self, label: str, *, group: str | None = None) -> Iterator[Any]:
        with self.session.together(label, group=group) as run:
            yield run

    def tell(self, text: str) -> None:
        self.told.append(text)


class Table:
    """A view of one sweep, and a hand that presses, moves and lets go at places of the world."""

    def __init__(self, bench: Bench, sweep: int = 0) -> None:
        self.bench = bench
        self.look = SpaceView(width_px=800, height_px=600)
        self.at(sweep)
        self.space = SpaceWork(cast("Any", bench), cast("Any", self), bench.placed, "cloud")
        self.tool: SpaceTool = make_space_tool("select", self.space)

    def at(self, sweep: int) -> Table:
        """Show this sweep; its points lie about the vehicle's first place."""
        made = turn()
        self.sweep = sweep
        self.origin = tuple(made.ego[0][1].tolist())
        stream = self.bench.view.stream_by_key(STREAM)
        assert stream is not None
        points = (made.in_world[sweep] - self.origin).astype(np.float32)
        layer = PointsShown(key=STREAM, stream=stream.id, item=sweep, own_ns=sweep * STEP_NS, points=points)
        self.shown = Shown(
            session_ns=sweep * STEP_NS, frame=WORLD, origin=self.origin, stream=stream.id, own_ns=sweep * STEP_NS,
            next_ns=(sweep + 1) * STEP_NS, layers=(layer,),
        )  # fmt: skip
        return self

    def repaint(self) -> None:
        """Nothing is painted here."""

    def take(self, name: str) -> None:
        self.tool = make_space_tool(name, self.space)

    def pointer(self, place: Any, button: Button = Button.LEFT, modifiers: Modifier = Modifier.NONE) -> SpacePointer:
        """At a place of the scene; the point hit is the painted one nearest to the pointer's pixel."""
        px = self.look.project([place]).px[0]
        origin, direction = self.look.ray(*px.tolist())
        points = self.shown.layers[0].points
        seen, depth, front = self.look.project(points)
        near = np.flatnonzero(front & (np.abs(seen - px).max(axis=1) <= 4))
        hit = None
        if len(near):
            nearest = int(near[np.argmin(depth[near])])
            hit = SpaceHit(STREAM, nearest, tuple(points[nearest].tolist()))
        return SpacePointer(
            x_px=float(px[0]), y_px=float(px[1]), origin=origin, direction=direction, hit=hit, look=self.look,
            button=button, held=Button.LEFT, modifiers=modifiers,
        )  # fmt: skip

    def click(self, place: Any, modifiers: Modifier = Modifier.NONE) -> None:
        event = self.pointer(place, modifiers=modifiers)
        self.tool.press(event)
        self.tool.release(event)

    def pull(self, start: Any, end: Any, *, modifiers: Modifier = Modifier.NONE, release: bool = True) -> None:
        self.tool.press(self.pointer(start, modifiers=modifiers))
        for share in (0.3, 0.7, 1.0):
            place = np.array(start) + share * (np.array(end) - np.array(start))
            self.tool.move(self.pointer(place, Button.NONE, modifiers))
        if release:
            self.tool.release(self.pointer(end, modifiers=modifiers))

    def in_scene(self, cuboid: Cuboid) -> Cuboid:
        x, y, z = np.subtract(cuboid.center, self.origin).tolist()
        return Cuboid((x, y, z), cuboid.size, cuboid.rotation)

    def truth(self, name: str) -> Cuboid:
        return self.in_scene(turn().cuboids[self.sweep][name])

    def only(self) -> Cuboid:
        """The one cuboid there is, in the scene."""
        (found,) = self.space.cuboids().values()
        return found


def open_bench(session: Session) -> Bench:
    """A bench on the turn; close ``bench.readers`` afterwards."""
    return Bench(session, OpenStreams(session.project.path, readers=Formats().readers))
