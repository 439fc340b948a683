"""Makes the scene of each lane from what the workbench holds. A stream that cannot be opened says why in its lane."""

from __future__ import annotations

from collections.abc import Iterator

from workstation.app.lane_media import curves_of, moments_of, said_in
from workstation.app.lanes import Lane, LaneKind, Palette, Tier
from workstation.app.sample_view import SampleView
from workstation.core.errors import DataError
from workstation.core.sample import Stream
from workstation.media.base import Reader
from workstation.ui.scenes.lane_scene import LaneScene
from workstation.ui.scenes.stream_scenes import PlotScene, SaidScene, SweepScene, TextScene
from workstation.ui.scenes.tier_scene import TierScene
from workstation.ui.workbench import Workbench


class SceneMaker:
    """Scenes for one sample."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def tier(self, view: SampleView, lane: Lane, tier: Tier, palette: Palette) -> TierScene:
        """Labels, named as everywhere else."""
        words = _Words(view) if lane.kind is LaneKind.TURNS else None
        return TierScene(lane.kind, tier, palette, _Labels(view, lane.kind), words)

    def recorded(self, view: SampleView, lane: Lane) -> LaneScene:
        """What was recorded."""
        stream = view.streams[lane.stream or ""]
        if self._bench.readers is None:
            return SaidScene("no reader")
        try:
            return self._of(stream, lane.kind, self._bench.readers.reader(stream))
        except DataError as problem:
            return SaidScene(str(problem))

    def _of(self, stream: Stream, kind: LaneKind, reader: Reader) -> LaneScene:
        moments = moments_of(stream, reader)
        if kind is LaneKind.PLOT:
            return PlotScene(curves_of(stream, reader), () if moments is None else moments.gaps)
        if kind is LaneKind.POSES:
            return PlotScene(curves_of(stream, reader), () if moments is None else moments.gaps)
        if kind is LaneKind.TEXT:
            said = said_in(stream, reader)
            return TextScene(said) if said else SaidScene("the text has no times")
        if moments is None:
            return SaidScene("there at any time")
        return SweepScene(moments)


class _Labels:
    """What stands on a label: what is said in a turn, else the thing or class."""

    def __init__(self, view: SampleView, kind: LaneKind) -> None:
        self._view = view
        self._kind = kind

    def __call__(self, record_id: str) -> str:
        annotation = self._view.annotations.get(record_id)
        name = self._view.name_of(record_id)
        if annotation is not None and annotation.text and self._kind is LaneKind.TURNS:
            return f"{name}: {annotation.text}" if annotation.entity is not None else annotation.text
        return name


class _Words:
    """The placed words of a turn in session time."""

    def __init__(self, view: SampleView) -> None:
        self._view = view

    def __call__(self, record_id: str) -> Iterator[tuple[int, int, str]]:
        annotation = self._view.annotations.get(record_id)
        if annotation is None:
            return
        time_map = self._view.time_map(annotation)
        for word in self._view.words(record_id):
            if word.start_ns is not None and word.end_ns is not None:
                start, end = word.start_ns, word.end_ns
                if time_map is not None:
                    start, end = time_map.to_session(start), time_map.to_session(end)
                yield start, end, word.text
