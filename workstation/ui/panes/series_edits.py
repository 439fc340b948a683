"""The edits of the series pane as commands: spans, instants and values on a channel or a whole stream. Called by
gestures and keys; what is refused is told by the workbench.
"""

from __future__ import annotations

from collections.abc import Sequence

from workstation.app.series_values import Points, drawn_over, thinned, typed_unit, typed_value, usual_unit, with_point
from workstation.core.annotation import Annotation
from workstation.core.errors import UserError
from workstation.core.geometry import Curve, ShapeKind
from workstation.core.timebase import TimeRange
from workstation.ui.panes.series_model import CURVES, SeriesModel, Strip
from workstation.ui.workbench import Workbench

CAUSE = "series"
_SPAN = frozenset({ShapeKind.SPAN})
_TOLERANCE = 0.004
"""A drawn line is kept to this share of its lane's height: half a pixel of 120."""


class SeriesEdits:
    """Of one sample."""

    def __init__(self, bench: Workbench, model: SeriesModel) -> None:
        self._bench = bench
        self._model = model

    # --- spans --------------------------------------------------------------------------------------------------

    def make(self, strip: Strip, shown: TimeRange) -> None:
        """Make a span, or an instant where it has no length, on a lane's channel or its whole stream, with the class
        in the hand, or ask for one."""
        bench, model, stream = self._bench, self._model, strip.stream

        def create(chosen: str) -> None:
            own = stream.time_map.first_stream_at(shown.start_ns)
            end = own if shown.is_instant else max(own + 1, stream.time_map.first_stream_at(shown.end_ns))
            made = bench.run(
                "annotation.add", stream=stream.id, class_id=chosen, kind="span", start_ns=own, end_ns=end,
                item=strip.channel,
            )  # fmt: skip
            if made is not None:
                bench.select([made], cause=CAUSE)

        bench.focus_on(stream.id)
        if bench.hand.class_id is not None:
            create(bench.hand.class_id)
            return
        view = model.view
        bench.hand.ask_class(create, fits=lambda chosen: view.may_be_drawn(chosen, stream.id, _SPAN))
        bench.tell("Which class? Press its key, or 0 to search.")

    def set_edge(self, annotation: Annotation, session_ns: int, *, at_end: bool) -> None:
        """Put one end of a label at a moment."""
        own_ns = self._own(annotation, session_ns)
        name = "end_ns" if at_end else "start_ns"
        self._bench.run("annotation.set_interval", annotation=annotation.id, **{name: own_ns})

    def move(self, annotation: Annotation, session_ns: int) -> None:
        """Let a label begin at a moment; it keeps its length."""
        if annotation.start_ns is not None:
            shift = self._own(annotation, session_ns) - annotation.start_ns
            if shift:
                self._bench.run("annotation.move", annotations=[annotation.id], by_ns=shift)

    def _own(self, annotation: Annotation, session_ns: int) -> int:
        stream = self._model.view.streams.get(annotation.stream or "")
        return session_ns if stream is None else stream.time_map.first_stream_at(session_ns)

    # --- values -------------------------------------------------------------------------------------------------

    def draw(self, strip: Strip, stroke: Sequence[tuple[int, float]]) -> None:
        """Take what was drawn (session time, value) as values: into the selected curve of the lane, or a new one."""
        axis = self._model.axis(strip)
        if axis is None or len(stroke) < 2:
            return
        own = [(strip.stream.time_map.first_stream_at(time_ns), value) for time_ns, value in stroke]
        old = self._curve_on(strip)
        span = abs(axis.high - axis.low)
        points = thinned(drawn_over((), own), _TOLERANCE * span)
        whole = points if old is None or not isinstance(old.shape, Curve) else drawn_over(old.shape.points, points)
        self._keep(strip, old, whole, self._model.unit(strip))

    def move_point(self, strip: Strip, annotation: Annotation, number: int, session_ns: int, value: float) -> None:
        """Put one point of a curve elsewhere; it stays between its neighbours."""
        if not isinstance(annotation.shape, Curve):
            return
        points = list(annotation.shape.points)
        own = strip.stream.time_map.first_stream_at(session_ns)
        low = points[number - 1][0] + 1 if number else own
        high = points[number + 1][0] - 1 if number + 1 < len(points) else own
        points[number] = (min(max(own, low), high), value)
        self._keep(strip, annotation, tuple(points), annotation.shape.unit)

    def remove_point(self, annotation: Annotation, number: int) -> None:
        """Take one point out of a curve; the last one stays."""
        if isinstance(annotation.shape, Curve) and len(annotation.shape.points) > 1:
            strip = self._strip_of(annotation)
            points = tuple(each for i, each in enumerate(annotation.shape.points) if i != number)
            if strip is not None:
                self._keep(strip, annotation, points, annotation.shape.unit)

    def type_value(self, text: str) -> bool:
        """Take a typed value: for the selected curve at the playhead, else for the first number of the selected label's
        class; with a lane of values in hand and nothing selected, the beginning of a curve. Whether it was taken."""
        return bool(self._bench.attempt(lambda: self._typed(text)))

    def _typed(self, text: str) -> bool:
        model, bench = self._model, self._bench
        active = model.view.annotations.get(bench.selection.state.active or "")
        now = bench.clock.time_ns
        if active is not None and isinstance(active.shape, Curve):
            strip = self._strip_of(active)
            if strip is None:
                raise UserError("the lane of this curve is hidden; show its channel first")
            unit = active.shape.unit
            value = typed_value(text, unit)
            own = strip.stream.time_map.first_stream_at(now)
            return self._keep(strip, active, with_point(active.shape.points, own, value), unit)
        if active is not None:
            return self._typed_attribute(active, text)
        strip = model.active_strip()
        if strip is None or not model.drawing:
            raise UserError("select a label whose class has a number, or turn on Draw to begin a curve")
        unit = model.unit(strip) or typed_unit(text)
        own = strip.stream.time_map.first_stream_at(now)
        return self._keep(strip, None, ((own, typed_value(text, unit)),), unit)

    def _typed_attribute(self, annotation: Annotation, text: str) -> bool:
        attribute = self.attribute_of(annotation)
        if attribute is None:
            name = self._model.view.class_name(self._model.view.class_of(annotation))
            raise UserError(f"the ontology has no number for {name}; its attributes are in the inspector")
        value = typed_value(text, attribute[1])
        done = self._bench.run(
            "annotation.set_attributes", annotations=[annotation.id],
            attributes={attribute[0]: int(value) if attribute[2] and value == int(value) else value},
        )  # fmt: skip
        return done is not False

    def attribute_of(self, annotation: Annotation) -> tuple[str, str, bool] | None:
        """Id, unit and wholeness of the number of a label that is typed here: the one in the channel's own unit, else
        the first."""
        from workstation.app.series_values import number_attributes
        from workstation.core.ontology import AttributeType

        view = self._model.view
        found = number_attributes(view, view.class_of(annotation))
        strip = self._strip_of(annotation)
        unit = "" if strip is None else self._model.unit(strip)
        chosen = next((each for each in found if unit and each.unit == unit), found[0] if found else None)
        return None if chosen is None else (chosen.id, chosen.unit, chosen.type is AttributeType.INTEGER)

    def _strip_of(self, annotation: Annotation) -> Strip | None:
        for strip in self._model.strips:
            if strip.stream.id == annotation.stream and not strip.is_group:
                if strip.channel is not None and strip.channel == annotation.item:
                    return strip
                if strip.class_id is not None and strip.class_id == self._model.view.class_of(annotation):
                    return strip
        return None

    def _curve_on(self, strip: Strip) -> Annotation | None:
        """The selected curve of a lane."""
        active = self._bench.selection.state.active
        return next((each for each, _ in self._model.curves_over(strip) if each.id == active), None)

    def _keep(self, strip: Strip, old: Annotation | None, points: Points, unit: str) -> bool:
        """Store a curve: the selected one, which is asked for a class if it is new."""
        bench, model = self._bench, self._model
        shape = {"kind": "curve", "points": [list(point) for point in points], "unit": unit}
        start, end = points[0][0], points[-1][0]
        if old is not None:
            same = (old.start_ns, old.end_ns) == (start, end)
            with bench.together("Draw values") as run:
                run("annotation.set_shape", annotation=old.id, shape=shape)
                if not same:
                    run("annotation.set_interval", annotation=old.id, start_ns=start, end_ns=end)
            return True

        def create(chosen: str) -> None:
            given = {**shape, "unit": unit or ("" if strip.channel else usual_unit(model.view, chosen))}
            made = bench.run(
                "annotation.add", stream=strip.stream.id, class_id=chosen, shape=given, start_ns=start, end_ns=end,
                item=strip.channel,
            )  # fmt: skip
            if made is not None:
                bench.select([made], cause=CAUSE)

        class_id = strip.class_id or bench.hand.class_id
        if class_id is not None:
            create(class_id)
            return True
        view, stream = model.view, strip.stream.id
        bench.hand.ask_class(create, fits=lambda chosen: view.may_be_drawn(chosen, stream, CURVES))
        bench.tell("Which class? Press its key, or 0 to search.")
        return True
