"""A cuboid made from the selected 2D box and the points in its frustum: shown first, kept by Enter. Knows no Qt.

Called by the action "Cuboid from the 2D box" (``actions/cuboids.py``), from cameras and cloud alike. What is kept is
one step: the cuboid, on the thing's own track where it has one, and the link that says that the two show one thing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workstation.app.frustum_boxes import FrustumFit
from workstation.app.frustum_labels import cuboid_of_label
from workstation.app.placed_cuboids import PlacedCuboids
from workstation.app.session import Run
from workstation.app.sightings import FLAT
from workstation.core.annotation import Annotation
from workstation.core.geometry import ShapeKind
from workstation.core.suggestion import SAME_OBJECT
from workstation.core.tracks import MomentKind
from workstation.ui.tools.canvas import NEW
from workstation.ui.tools.space_edits import cuboid_arguments
from workstation.ui.tools.space_tool import Shown, Space, moment_key

if TYPE_CHECKING:
    from workstation.ui.workbench import Workbench


def flat_label(bench: Workbench) -> Annotation | None:
    """The selected label in a picture, or the one of the selected thing on the focused stream."""
    view, state = bench.view, bench.selection.state
    if view is None:
        return None
    for each in (*filter(None, (state.active,)), *state.ids):
        found = view.annotations.get(each)
        if found is not None and found.kind in FLAT:
            return found
    near = [view.annotations[each] for each in sorted(view.related(state.ids)) if each in view.annotations]
    flat = [each for each in near if each.kind in FLAT and each.stream == bench.focused_stream]
    return flat[0] if len(flat) == 1 else None


def cuboid_from_box(bench: Workbench, space: Space, placed: PlacedCuboids) -> None:
    """Fit, show and wait for Enter; or say why there is nothing to show."""
    view, label, shown = bench.view, flat_label(bench), space.shown
    if view is None or label is None or shown is None:
        return
    fit = bench.attempt(
        lambda: cuboid_of_label(
            view, placed, label, space.points(), frame=shown.frame, origin=shown.origin, session_ns=shown.session_ns,
            eye=space.eye(), heading_rad=space.heading(),
        )
    )  # fmt: skip
    if fit is None:
        return
    waiting = _Kept(bench, space, label, fit)
    waiting.ask()
    keep = "Enter keeps it" if bench.hand.likely else "the key of its class keeps it"
    points = "one point" if fit.points == 1 else f"{fit.points} points"
    apart = f", sweep {fit.apart_ms:+.0f} ms from its picture" if fit.apart_ms else ""
    bench.tell(
        f"Cuboid of {view.name_of(label.id)}: {points} at {fit.range_m:.1f} m, "
        f"overlap with the box {fit.overlap:.2f}{apart}. {keep}, Esc gives it up."
    )


class _Kept:
    """The fitted cuboid until a person takes it."""

    def __init__(self, bench: Workbench, space: Space, label: Annotation, fit: FrustumFit) -> None:
        self._bench, self._space, self._label, self._fit = bench, space, label, fit
        self._when = moment_key(space.shown)

    def ask(self) -> None:
        """Show it and wait for Enter or a class."""
        class_id = self._space.view.class_of(self._label)
        likely = class_id if class_id and self.fits(class_id) else None
        self._space.preview({NEW: self._fit.cuboid}, class_id=class_id)
        self._bench.hand.ask_class(self, fits=self.fits, likely=likely, again=self._ask_again)

    def _ask_again(self) -> None:
        if moment_key(self._space.shown) == self._when:
            self.ask()
        else:
            self._space.tell("Another sweep shows than the one the cuboid was fitted to, so it stays given up.")

    def fits(self, class_id: str) -> bool:
        """Whether the ontology lets the class be drawn as a cuboid there."""
        shown = self._space.shown
        return self._space.view.may_be_drawn(
            class_id, None if shown is None else shown.stream, frozenset({ShapeKind.CUBOID})
        )  # fmt: skip

    def __call__(self, class_id: str) -> None:
        space, shown = self._space, self._space.shown
        if shown is None or moment_key(shown) != self._when:
            space.preview({})
            space.tell("Another sweep shows than the one the cuboid was fitted to, so it was given up.")
            return
        made = space.together("Cuboid from the 2D box", lambda run, /: self._keep(run, shown, class_id))
        space.preview({})
        if made is not None:
            space.select((made,))

    def _keep(self, run: Run, shown: Shown, class_id: str) -> str | None:
        view = self._space.view
        label = view.annotations.get(self._label.id)
        if label is None or shown.stream is None:
            return None
        entity = label.entity or run("entity.add", class_id=class_id, annotations=[label.id])
        known = view.entities.get(entity)
        if known is not None and known.class_id != class_id:
            run("entity.relabel", entity=entity, class_id=class_id)
        cuboid = self._cuboid(run, shown, entity)
        if cuboid is not None and not self._linked(label.id, cuboid):
            ends = [f"annotation:{label.id}", f"annotation:{cuboid}"]
            if view.ontology is not None and SAME_OBJECT in view.ontology.link_types:
                role = view.ontology.link_types[SAME_OBJECT].roles[0].id
                run("link.add", type_id=SAME_OBJECT, ends={role: ends})
        return cuboid

    def _cuboid(self, run: Run, shown: Shown, entity: str) -> str | None:
        """A keyframe of the thing's track on that stream, else a track of its own."""
        view, space = self._space.view, self._space
        track = next(
            (each for each in view.annotations_of_entity(entity) if each.kind is ShapeKind.CUBOID
             and each.stream == shown.stream and each.track is not None), None,
        )  # fmt: skip
        frame = space.record_frame(NEW if track is None else track.id)
        there = space.to_frame(self._fit.cuboid, frame)
        if there is None:
            return None
        arguments = cuboid_arguments(there)
        shape = {"kind": "cuboid", **arguments}
        where = {"stream": shown.stream, "entity": entity, "frame": frame or None}
        if shown.own_ns is None:
            return str(run("annotation.add", shape=shape, **where))
        if track is None:
            return str(run("track.add", keyframes=({"time_ns": shown.own_ns, "shape": shape},), **where))
        moment, time_ns = space.moment_of(track.id), space.own_ns(track.id)
        if moment is None or moment.kind is MomentKind.OUTSIDE:
            run("track.extend", annotation=track.id, to_ns=time_ns, shape=shape)
        run("cuboid.set", annotation=track.id, time_ns=time_ns, **arguments)
        return str(track.id)

    def _linked(self, label: str, cuboid: str) -> bool:
        view = self._space.view
        return any(
            link.type_id == SAME_OBJECT and any(end.target == cuboid for end in link.ends)
            for link in view.links_of(label)
        )
