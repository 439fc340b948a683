"""Place the joints of a skeleton in the order of the ontology, with the name of the next one beside the pointer.

A click sets the next joint, seen; Shift or the key O sets it as occluded. X says it is absent and goes on. Backspace
takes back the last, Enter says that all others are absent and finishes. The class in the hand, else the class of the
selected thing, says which skeleton; without either, the only skeleton that fits the stream.
"""

from __future__ import annotations

from workstation.core.geometry import Keypoint, Keypoints, PointState, ShapeKind
from workstation.core.ontology import Skeleton
from workstation.ui.tools.canvas import NEW, Canvas, Hints, KeyPress, Modifier, PointerEvent
from workstation.ui.tools.drawing import Drawing, Steps, marked
from workstation.ui.tools.edits import continue_track, keep_new


class DrawSkeleton(Drawing):
    """The tool ``keypoints``."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._skeleton: Skeleton | None = None
        self._steps: Steps[Keypoint] = Steps()

    @property
    def busy(self) -> bool:
        return bool(self._steps)

    def press(self, event: PointerEvent) -> None:
        if not self._begins(event) or not self._has_skeleton():
            return
        self._pointer = event.place
        occluded = Modifier.SHIFT in event.modifiers
        self._set(PointState.OCCLUDED if occluded else PointState.VISIBLE)

    def move(self, event: PointerEvent) -> None:
        self._pointer = event.place
        self._canvas.repaint()

    def release(self, event: PointerEvent) -> None:
        """A joint is set by the press."""

    def key(self, event: KeyPress) -> bool:
        if self._steps.key(event.key):
            self._show()
            return True
        if not self._steps.set:
            return False
        if event.key == "Return":
            self._finish()
        elif event.key == "O":
            self._set(PointState.OCCLUDED)
        elif event.key == "X":
            self._set(PointState.ABSENT)
        else:
            return False
        return True

    def cancel(self) -> None:
        self._steps.clear()
        self._canvas.preview({})
        self._canvas.repaint()

    def hints(self) -> Hints:
        if not self._steps.set:
            name = None if self._skeleton is None else self._skeleton.points[0]
            return self._asking("" if name is None else f"{_said(name)} (1 of {len(self._skeleton_points())})")
        names = self._skeleton_points()
        text = f"{_said(names[len(self._steps.set)])} ({len(self._steps.set) + 1} of {len(names)})"
        shown = [(p.x, p.y) for p in self._steps.set if p.state is not PointState.ABSENT]
        return Hints(handles=marked(shown), text=text)

    def _skeleton_points(self) -> tuple[str, ...]:
        return () if self._skeleton is None else self._skeleton.points

    def _has_skeleton(self) -> bool:
        if not self._steps.set:
            self._skeleton = skeleton_here(self._canvas)
        if self._skeleton is None:
            self._canvas.tell("Say the class first: it tells which skeleton is drawn.")
        return self._skeleton is not None

    def _set(self, state: PointState) -> None:
        """The next joint is at the pointer; an absent one stays there unseen, for a shape needs some number."""
        assert self._skeleton is not None
        x, y = self._inside(self._pointer or (0.0, 0.0))
        self._steps.add(Keypoint(self._skeleton.points[len(self._steps.set)], x, y, state))
        if len(self._steps.set) == len(self._skeleton.points):
            self._finish()
        else:
            self._show()

    def _finish(self) -> None:
        points = list(self._steps.set)
        if all(point.state is PointState.ABSENT for point in points):
            self._canvas.tell("A skeleton needs a joint that is there.")
            self.cancel()
            return
        here = next(p for p in reversed(points) if p.state is not PointState.ABSENT)
        names = self._skeleton_points()[len(points) :]
        points += [Keypoint(name, here.x, here.y, PointState.ABSENT) for name in names]
        shape = Keypoints(tuple(points))
        self._steps.clear()
        self._canvas.preview({})
        if not continue_track_of(self._canvas, shape):
            keep_new(self._canvas, shape, preview=shape)
        self._canvas.repaint()

    def _show(self) -> None:
        if not self._steps.set:
            self._canvas.preview({})
        else:
            self._canvas.preview({NEW: self._made()}, class_id=self._canvas.hand.class_id)
        self._canvas.repaint()

    def _made(self) -> Keypoints:
        return Keypoints(tuple(self._steps.set))


def continue_track_of(canvas: Canvas, shape: Keypoints) -> bool:
    """The selected skeleton track that shows nothing here yet is continued; whether there is one."""
    active = canvas.active
    if active is None or canvas.shape_of(active) is not None:
        return False
    return continue_track(canvas, shape)


def skeleton_here(canvas: Canvas) -> Skeleton | None:
    """The skeleton that is drawn now."""
    ontology = canvas.view.ontology
    if ontology is None:
        return None
    for class_id in (canvas.hand.class_id, _class_of_active(canvas)):
        if class_id is not None and ShapeKind.KEYPOINTS in ontology.shapes_for(class_id, canvas.stream.kind):
            return ontology.skeleton_of(class_id)
    found = [ontology.skeleton_of(each) for each in ontology.classes_for(canvas.stream.kind, ShapeKind.KEYPOINTS)]
    ids = {each.id for each in found if each is not None}
    return found[0] if len(ids) == 1 else None


def _class_of_active(canvas: Canvas) -> str | None:
    record = None if canvas.active is None else canvas.view.annotations.get(canvas.active)
    return None if record is None else canvas.view.class_of(record)


def _said(name: str) -> str:
    return name.replace("_", " ")
