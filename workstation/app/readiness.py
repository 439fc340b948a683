"""Making the next sample ready while this one is worked on, and how a sample's clocks agree, in a word."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from workstation.app.jobs import Job
from workstation.app.sample_view import SampleView
from workstation.app.streams import OpenStreams, reading_context
from workstation.core.errors import DataError
from workstation.core.ids import SampleId
from workstation.core.sample import GateState, StreamKind
from workstation.core.timebase import SECOND_NS
from workstation.core.values import dataclass
from workstation.media.base import OpenContext, ReaderSpec
from workstation.store.project import ProjectFolder
from workstation.store.store import Reader

_SEEN = frozenset({StreamKind.VIDEO, StreamKind.IMAGE, StreamKind.CLOUD})


@dataclass(frozen=True, slots=True)
class Ready:
    """A sample that is not shown yet: its records as they were at revision ``head``, and its readers, open."""

    head: int
    view: SampleView
    readers: OpenStreams

    def close(self) -> None:
        """Nobody wanted it."""
        self.readers.close()


def make_ready(
    project: ProjectFolder,
    open_reader: Callable[[], Reader],
    sample: SampleId,
    job: Job,
    *,
    specs: Sequence[ReaderSpec],
    shared: OpenContext,
    calm: threading.Event,
) -> Ready:
    """Read a sample's records and open its streams, to be handed over to the window. For a worker."""
    with open_reader() as store:
        view = SampleView(store, sample)
        view.hold_keyframes()
        head = store.head()
    streams = view.streams.values()
    context = reading_context(project, streams, shared=shared)
    readers = OpenStreams(project.path, readers=specs, context=context, calm=calm)
    try:
        for done, stream in enumerate(streams):
            job.report(done, len(streams), stream.key)
            try:
                readers.reader(stream)
            except DataError:
                continue  # it says why when it is shown
        job.check()
    except BaseException:
        readers.close()
        raise
    return Ready(head, view, readers)


def first_full_moment(view: SampleView, readers: OpenStreams, start_ns: int) -> int:
    """Where to begin looking: the first time, within a second of the start, at which every stream of pictures or
    sweeps shows something. Cameras seldom begin together, and a first look at three empty ones helps nobody."""
    firsts = [start_ns]
    for stream in view.streams.values():
        if stream.kind not in _SEEN:
            continue
        try:
            first = readers.extent(stream).first_ns
        except DataError:
            continue
        if first is not None:
            first_ns = stream.time_map.to_session(first)
            if start_ns <= first_ns <= start_ns + SECOND_NS:
                firsts.append(first_ns)
    return max(firsts)


def sync_in_words(view: SampleView) -> str:
    """``sync verified ±4 ms``: the largest residual of its time maps, where any was measured. Samples with one stream
    have no clocks to verify."""
    if len(view.streams) < 2:
        return "one clock"
    gate = view.sample.gates.get("sync")
    if gate is None:
        return "sync: no gate"
    words = {GateState.UNVERIFIED: "not verified", GateState.NOT_NEEDED: "not needed"}
    measured = [each.time_map.residual_ns for each in view.streams.values() if each.time_map.residual_ns is not None]
    within = f" ±{max(measured) / 1e6:.3g} ms" if measured else ""
    return f"sync {words.get(gate.state, gate.state.value)}{within}"
