"""The workbench: everything a pane, a panel or an action may know, in one object. The main window makes one per
open project and hands it to all of them with ``bind``; none of them knows the window or another pane.

It adds to the session what only a window has: the open sample's records held in memory, its open readers, the tool in
the hand, what is hidden, the theme, and one place where a sentence for the person goes. Every edit goes through
``run``: what is refused becomes a sentence, never a traceback in somebody's face.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer

from workstation.app.checking import SampleChecks
from workstation.app.finding_places import FindingPlaces
from workstation.app.jobs import Job, Jobs
from workstation.app.previews import Previews
from workstation.app.readiness import Ready, make_ready
from workstation.app.reading import Formats
from workstation.app.sample_view import SampleView
from workstation.app.seen import Seen, keep_seen, read_seen
from workstation.app.session import Run, Session
from workstation.app.shown_proposals import ShownProposals
from workstation.app.spans import NO_TIME, sample_span
from workstation.app.streams import OpenStreams, reading_context
from workstation.core.anchors import left_behind
from workstation.core.clock import Clock
from workstation.core.errors import DataError, Refused, UserError
from workstation.core.ids import SampleId
from workstation.core.records import RecordKind
from workstation.core.sample import Stream
from workstation.core.selection import Ids, Mode, Selection, replace
from workstation.core.signal import Signal
from workstation.core.timebase import TimeRange
from workstation.media.base import OpenContext
from workstation.store.changes import ChangeSet
from workstation.ui.gui_thread import GuiThread
from workstation.ui.keymap import keyless
from workstation.ui.slices import Slices
from workstation.ui.sounds import Sounds
from workstation.ui.theme import DARK, Theme
from workstation.ui.told import Told, Tone
from workstation.ui.tools.state import Hand, Sight
from workstation.ui.turnstile import Turnstile

if TYPE_CHECKING:
    from workstation.app.placed_cuboids import PlacedCuboids
    from workstation.app.stale_now import StaleNow
    from workstation.ui.mask_finding import MaskFinding

__all__ = ["Told", "Tone", "Workbench"]

_log = logging.getLogger(__name__)
_CHECK_MS = 400
_CALM_MS = 150
_MOST_MOVED = 20
"""Whoever moves more labels at once moves what is tied to them as well, or knows."""


class Workbench(QObject):
    """One open project on the screen. Everything happens on the window's thread, except ``gui.post``."""

    def __init__(
        self,
        session: Session,
        *,
        context: OpenContext | None = None,
        theme: Theme = DARK,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.session = session
        self.gui = GuiThread(self)
        self.turnstile = Turnstile(self)
        self.hand = Hand()
        self.sight = Sight()
        self.previews = Previews(on_error=_report)
        """Shapes being dragged, which every pane draws in place of what is stored."""
        self.view: SampleView | None = None
        """The open sample's records; ``None`` while none is open."""
        self.readers: OpenStreams | None = None
        """The open sample's readers."""
        self.sounds: Sounds | None = None
        """The open sample's waveforms and spectrograms, drawn by timeline and sound pane."""
        self.seen: Seen | None = None
        """What of the open sample was painted and heard; told by whoever paints and plays."""
        self.remembers_seen = True
        """Whether that is kept for this person: not where a picture is drawn that nobody looks at."""
        self.jobs: Jobs | None = None
        """The window's background work, where there is a window."""
        self.step_every = 1
        """How many units of the focused pane ``,`` and ``.`` go."""
        self.panes: frozenset[str] | None = None
        """The kinds of panes on the screen; ``None`` where there is no window that knows."""
        self.panes_changed: Signal[frozenset[str]] = Signal("panes_changed", on_error=_report)
        self.window: TimeRange | None = None
        """The stretch of session time that linked panes show."""
        self.sample_changed: Signal[SampleView | None] = Signal("sample_changed", on_error=_report)
        self.records_changed: Signal[ChangeSet] = Signal("records_changed", on_error=_report)
        """After a commit, when ``view`` already holds what is new."""
        self.stream_focused: Signal[str | None] = Signal("stream_focused", on_error=_report)
        self.theme_changed: Signal[Theme] = Signal("theme_changed", on_error=_report)
        self.reveal_wanted: Signal[Ids] = Signal("reveal_wanted", on_error=_report)
        """Bring these into view (key F): panes scroll, zoom and page; none moves the clock."""
        self.window_changed: Signal[TimeRange] = Signal("window_changed", on_error=_report)
        """Panes that are linked in time show this stretch now; see ``show_window``."""
        self.settled: Signal[None] = Signal("settled", on_error=_report)
        """Something is about to be done: what is being typed is to be stored first."""
        self.told: Signal[Told] = Signal("told", on_error=_report)
        self.finding: str | None = None
        """The finding that is looked at, by its fingerprint; see ``look_at``."""
        self.finding_changed: Signal[str | None] = Signal("finding_changed", on_error=_report)
        self.panes_wanted: Signal[tuple[frozenset[str], ...]] = Signal("panes_wanted", on_error=_report)
        """Bring panes into sight beside each other: one for each of these sets of kinds of streams."""
        self.action_wanted: Signal[str] = Signal("action_wanted", on_error=_report)
        """Do this action as if its key had been pressed: how a panel offers what opens a dialog of the window."""
        self.picked: Signal[Ids] = Signal("picked", on_error=_report)
        """What is picked in link mode so far; empty once it ends."""
        self.spelled: Callable[[str], str] = keyless
        """Puts the keys of actions into words (``KeyMap.spelled``); only a window knows them."""
        self._ready: Ready | None = None
        self._masks: MaskFinding | None = None
        self._placed: PlacedCuboids | None = None
        self._stale: StaleNow | None = None
        self.proposals: ShownProposals | None = None
        """The open sample's proposals, and which of them are shown."""
        self._closed = False
        self._theme = theme
        self._focused_stream: str | None = None
        self._context = context or OpenContext()
        self.formats = Formats()
        """What can be read, plug-ins included."""
        self._prepare_checks()
        self.calm = threading.Event()
        """Not set while a sample is being put on the screen: threads that make what may come later wait for it."""
        self.opens_late = False
        """Whether streams that only the timeline shows are opened when there is calm; a window wishes so."""
        self.calmed: Signal[None] = Signal("calmed", on_error=_report)
        """The sample is on the screen: what can wait may begin."""
        self._calm_soon = self._later(self._calm_down, 0)
        session.changed.connect(self._take_in)

    def _prepare_checks(self) -> None:
        self.checks = SampleChecks(self.session.project, self.session.store.reader_elsewhere(), self.gui.post)
        """The findings of the open sample: see ``check_soon``. Panes that show where they are wait for the next."""
        self.places: FindingPlaces | None = None
        """The same with their places in time, for every pane that shows some."""
        self.findings_placed: Signal[FindingPlaces] = Signal("findings_placed", on_error=_report)
        """The checks said something, and ``places`` holds it: in the same turn, or some later where it is very much."""
        self._placing = Slices(self)
        self.checks.changed.connect(self._place_findings)
        self._check_soon = self._later(self._check, _CHECK_MS)

    def _later(self, act: Callable[[], None], interval_ms: int) -> QTimer:
        """A timer that does something once, whenever it was started."""
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(interval_ms)
        timer.timeout.connect(act)
        return timer

    # --- what everybody asks ------------------------------------------------------------------------------------

    @property
    def clock(self) -> Clock:
        """The one playhead."""
        return self.session.clock

    @property
    def selection(self) -> Selection:
        """The one selection."""
        return self.session.selection

    @property
    def theme(self) -> Theme:
        return self._theme

    def set_theme(self, theme: Theme) -> None:
        """Paint with other colours from now on."""
        if theme != self._theme:
            self._theme = theme
            self.theme_changed.emit(theme)

    @property
    def focused_stream(self) -> str | None:
        """The stream whose units the ruler shows and on which marks are made: the one last worked on."""
        return self._focused_stream

    @property
    def placed(self) -> PlacedCuboids | None:
        """Where the open sample's cuboids, cameras and frames are, for every pane; read when it is first asked for."""
        if self._placed is None and self.view is not None and self.readers is not None:
            from workstation.app.placed_cuboids import PlacedCuboids

            self._placed = PlacedCuboids(self.view, self.readers)
        return self._placed

    @property
    def stale(self) -> StaleNow | None:
        """Which links of the open sample are stale, for every list and picture of links."""
        if self._stale is None and self.view is not None:
            from workstation.app.stale_now import StaleNow

            self._stale = StaleNow(self.session.store, self.view)
        return self._stale

    def show_proposals(self, least: float) -> None:
        """Show only proposals that are at least so sure."""
        if self.proposals is not None:
            self.proposals.set_least(least)
            self.sight.keep_from_sight(self.proposals.kept_from_sight())

    def focused_stream_key(self) -> str | None:
        """The same by its key."""
        found = None if self.view is None else self.view.streams.get(self._focused_stream or "")
        return None if found is None else found.key

    def focus_on(self, stream: str | None) -> None:
        """A pane or lane of this stream has the hand now."""
        if stream != self._focused_stream:
            self._focused_stream = stream
            self.stream_focused.emit(stream)

    def show_window(self, shown: TimeRange) -> None:
        """A pane looks at this stretch of time; those linked to it follow."""
        if shown != self.window:
            self.window = shown
            self.window_changed.emit(shown)

    def show_panes(self, kinds: frozenset[str]) -> None:
        """These panes are on the screen now: some work asks for others beside it."""
        if kinds != self.panes:
            self.panes = kinds
            self.panes_changed.emit(kinds)

    def settle(self) -> None:
        """Store what is being typed: before an action, another sample, the end."""
        self.settled.emit(None)

    # --- the open sample ----------------------------------------------------------------------------------------

    def open_sample(self, key: str) -> bool:
        """Show another sample: its records, readers and span, the playhead at its start."""
        self.settle()
        try:
            sample = self.session.open_sample(key)
        except UserError as problem:
            self.tell(str(problem), Tone.REFUSED)
            return False
        old, sounds = self.readers, self.sounds
        self._keep_seen()
        self.seen = read_seen(self.session.project.path, sample)
        self._begin_showing()
        self._placed = self._stale = None
        self.view, ready = self._view_of(sample)
        self.readers = ready or OpenStreams(
            self.session.project.path,
            readers=self.formats.readers,
            context=reading_context(self.session.project, self.view.streams.values(), shared=self._context),
            calm=self.calm,
        )
        context = reading_context(self.session.project, self.view.streams.values(), shared=OpenContext())
        self.sounds = Sounds(self.view.streams, self.readers, context, self.gui, self, calm=self.calm)
        self.places = FindingPlaces(self.view)
        self._place_findings(self.checks)
        self.proposals = ShownProposals(self.session.project.path, self.view, self.session.store.project())
        self.sight.keep_from_sight(self.proposals.kept_from_sight())
        self.window = None
        self._focused_stream = None
        self.hand.forget_drawn()
        self.look_at(None)
        self.previews.end()
        self._drop_cursor()
        self.clock.pause()
        self.clock.set_loop(None)
        span = sample_span(self.view.streams.values(), self.readers)
        self.clock.set_span(span)
        self.clock.seek(max(0, span.start_ns))
        self.sample_changed.emit(self.view)
        if sounds is not None:
            sounds.close()
        if old is not None:
            old.close()  # after the panes let go of it
        return True

    # --- the sample after it ------------------------------------------------------------------------------------

    def making_ready(self, sample: SampleId) -> Callable[[Job], Ready]:
        """What a job does to have a sample ready before it is chosen; ``take_ready`` what it made."""
        return partial(
            make_ready, self.session.project, self.session.store.reader_elsewhere(), sample,
            specs=self.formats.readers, shared=self._context, calm=self.calm,
        )  # fmt: skip

    def is_ready(self, sample: SampleId) -> bool:
        """Whether it would be shown at once."""
        return self._ready is not None and self._ready.view.id == sample

    def take_ready(self, ready: Ready) -> None:
        """Hold what a job made ready, unless something was committed meanwhile; from now on it is kept true."""
        self._drop_ready()
        if self._closed or ready.head != self.session.store.head():
            ready.close()
            return
        ready.view.hand_over(self.session.store)
        self._ready = ready

    def may_open(self, stream: Stream) -> bool:
        """Whether a pane that can do without it for a moment may open a stream now; else when it is ``calmed``."""
        if self.readers is None or not self.opens_late or self.calm.is_set():
            return True
        return self.readers.opened(stream) is not None

    def _view_of(self, sample: SampleId) -> tuple[SampleView, OpenStreams | None]:
        """The records of a sample, and its readers if it was made ready."""
        ready, self._ready = self._ready, None
        if ready is not None and ready.view.id == sample:
            return ready.view, ready.readers
        if ready is not None:
            ready.close()
        return SampleView(self.session.store, sample), None

    def _drop_ready(self) -> None:
        ready, self._ready = self._ready, None
        if ready is not None:
            ready.close()

    def _begin_showing(self) -> None:
        self.calm.clear()
        self._calm_soon.start(0)

    def _calm_down(self) -> None:
        """Twice: the first time says that the event loop turns, so that making and painting the window do not count."""
        if self._calm_soon.interval() == 0:
            self._calm_soon.start(_CALM_MS)
            return
        self.calm.set()
        self.check_soon()
        self.calmed.emit(None)

    def close_sample(self) -> None:
        """Show nothing."""
        self.settle()
        old, self.readers, self.view = self.readers, None, None
        self.proposals = self.places = None
        self._placing.stop()
        self._keep_seen()
        self._placed = self._stale = None
        sounds, self.sounds = self.sounds, None
        self.previews.end()
        self._drop_cursor()
        self.clock.pause()
        self.clock.set_span(NO_TIME)
        self.sample_changed.emit(None)
        if sounds is not None:
            sounds.close()
        if old is not None:
            old.close()

    def _keep_seen(self) -> None:
        seen, self.seen = self.seen, None
        if seen is not None and seen.news and self.remembers_seen:
            try:
                keep_seen(self.session.project.path, seen)
            except OSError as error:
                _log.warning("what was seen could not be kept: %s", error)

    def _drop_cursor(self) -> None:
        self.selection.hold_cursor(False, cause="session")
        self.selection.point_at(None, cause="session")

    # --- what everybody does ------------------------------------------------------------------------------------

    def select(self, ids: Iterable[str], *, cause: str, mode: Mode = replace, active: str | None = None) -> None:
        """Change what is selected; ``cause`` is the name of the pane that asks."""
        self.selection.select(ids, cause=cause, mode=mode, active=active)

    @property
    def selected(self) -> Ids:
        return self.selection.state.ids

    def reveal(self, ids: Iterable[str]) -> None:
        """Ask every pane to bring these, and what belongs to them, into view."""
        self.reveal_wanted.emit(tuple(ids))

    def look_at(self, finding: str | None) -> None:
        """This finding is looked at now; panes draw it whole."""
        if finding != self.finding:
            self.finding = finding
            self.finding_changed.emit(finding)

    def wish(self, action_id: str) -> None:
        """Ask the window for an action or command by id; it asks for what is missing or says why not."""
        self.action_wanted.emit(action_id)

    def run(self, command_id: str, /, **arguments: object) -> Any:
        """Do one command as one undo step; what it made, or ``None`` if it was refused, which the person is told."""
        return self.attempt(lambda: self.session.run(command_id, **arguments))

    def attempt(self, act: Callable[[], Any]) -> Any:
        """Do something that may be refused: the reasons go to the person; anything else is a bug and is raised."""
        try:
            return act()
        except Refused as refused:
            self.tell(" ".join(f"{problem.rstrip('.')}." for problem in refused.problems), Tone.REFUSED)
        except (UserError, DataError) as problem:
            self.tell(str(problem), Tone.REFUSED)
        return None

    @contextmanager
    def together(self, label: str, *, group: str | None = None) -> Iterator[Run]:
        """Several commands as one undo step, all or none. Put it inside ``attempt`` if it may be refused.

        What follows with the same ``group`` joins that step.
        """
        with self.session.together(label, group=group) as run:
            yield run

    def tell(self, text: str, tone: Tone = Tone.NOTE) -> None:
        """Say one sentence to the person."""
        self.told.emit(Told(self.spelled(text), tone))

    def check_soon(self) -> None:
        """Check the open sample beside the work, for whoever listens to what it finds; after edits it is done by
        itself, once for many that follow each other."""
        listened = len(self.findings_placed) or len(self.checks.changed) > 1  # the workbench itself is one of them
        if self.calm.is_set() and listened and self.view is not None:
            self._check_soon.start()

    def said_all(self) -> bool:
        """Whether nobody asked for checks, or everything that they say is shown."""
        return self.view is None or (self.checks.said_all(self.view.id) and not self._placing.busy)

    def _place_findings(self, checks: SampleChecks) -> None:
        if self.places is not None and checks.sample == self.places.view.id:
            self._placing.start(self.places.take(checks.findings), self._say_placed)

    def _say_placed(self) -> None:
        if self.places is not None:
            self.findings_placed.emit(self.places)

    def _check(self) -> None:
        if self.view is not None:
            self.checks.request(self.view.id)

    @property
    def masks(self) -> MaskFinding:
        """Finds masks from boxes and clicks; made when first asked."""
        if self._masks is None:
            from workstation.ui.mask_finding import MaskFinding

            self._masks = MaskFinding(self.gui)
        return self._masks

    def forget_masks(self, owner: object) -> None:
        """What a canvas wished is no longer wanted; its pictures are not being read once this returns."""
        if self._masks is not None:
            self._masks.forget(owner)

    def wind_down(self) -> None:
        """It is about to be closed: what thinks beside it ends while others are let go of."""
        self._check_soon.stop()
        self._calm_soon.stop()
        self.checks.stop()
        if self.sounds is not None:
            self.sounds.stop()

    def close(self) -> None:
        """Let go of sample and readers; the session belongs to whoever opened it."""
        self.settle()
        self.session.changed.disconnect(self._take_in)
        self.wind_down()
        self._closed = True
        self._drop_ready()
        self.checks.close()
        self.close_sample()
        if self._masks is not None:
            self._masks.close()
        self.turnstile.close()
        self.gui.close()

    def _take_in(self, changes: ChangeSet) -> None:
        self.hand.forget_given_up()
        if self._ready is not None:
            if changes.kinds & {RecordKind.STREAM, RecordKind.SAMPLE}:
                self._drop_ready()  # its media may be others
            else:
                self._ready.view.apply(changes)
        if self.view is not None:
            self.view.apply(changes)
            if self.places is not None:
                self.places.apply(changes)
            if self._placed is not None:
                self._placed.apply(changes)
            if self._stale is not None:
                self._stale.apply(changes)
            if self.proposals is not None and self.proposals.apply(changes, self.session.store.project()):
                self.sight.keep_from_sight(self.proposals.kept_from_sight())
            self.selection.repair(self.view.exists, cause="session")
        self.records_changed.emit(changes)
        self._offer_to_follow(changes)
        self.check_soon()

    def _offer_to_follow(self, changes: ChangeSet) -> None:
        """Say that what is tied to a sound stayed behind when its label was moved."""
        moved = changes.changed.get(RecordKind.ANNOTATION, frozenset())
        if self.view is None or not moved or len(moved) > _MOST_MOVED:
            return
        behind = list(left_behind(self.session.store, self.session.store.ontology(), moved))
        if behind:
            name, many = self.view.name_of(behind[0].anchor), len(behind)
            labels = "1 label is" if many == 1 else f"{many} labels are"
            self.tell(f"{labels} tied to {name} and stayed behind; “Move dependents along” (Sync) takes them with it.")


def _report(error: Exception) -> None:
    """A pane that fails shows it inside itself; what still comes out here is a bug, and the others go on."""
    _log.error("a listener failed", exc_info=error)
