"""One project open in the window: its session, workbench, clock ticks, samples in the box, and what is kept of it.

Made and dropped by the main window, which stays the same while projects come and go.
"""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from workstation.app.checking import SampleChecks
from workstation.app.comment_rows import first_open_comment
from workstation.app.finding_rows import open_in_words
from workstation.app.layouts import Layout, read_layout, write_layout
from workstation.app.opening import open_or_watch
from workstation.app.playing import device_in_words
from workstation.app.readiness import Ready, first_full_moment, sync_in_words
from workstation.app.relinking import missing_media
from workstation.app.session import Session
from workstation.app.settings import settings_or_usual, write_settings
from workstation.app.sound_skew import is_heard, skew_in_words, skew_warning, tightest_of
from workstation.core.errors import DataError
from workstation.core.records import RecordKind
from workstation.core.sample import SampleState
from workstation.store.changes import ChangeSet
from workstation.ui.actions.action import NO_CLASS_FOR_IT, NO_STREAM_FOR_IT
from workstation.ui.collecting import set_aside
from workstation.ui.key_tips import set_tip
from workstation.ui.panels.going import go_to
from workstation.ui.ticking import Ticking
from workstation.ui.tools.state import Hand
from workstation.ui.transport_bar import TransportBar
from workstation.ui.workbench import Told, Tone, Workbench

if TYPE_CHECKING:
    from workstation.app.sample_view import SampleView
    from workstation.ui.main_window import MainWindow
    from workstation.ui.tools.state import Hand

_log = logging.getLogger(__name__)


def open_for_window(path: Path, person: str | None) -> tuple[Session, str | None]:
    """Open for editing, or to look at where somebody else holds it; ``UserError`` if it cannot be opened."""
    session, holder = open_or_watch(path, person=person or settings_or_usual().person or None, role=None)
    return session, holder


class Opened(QObject):
    """Everything that lives as long as the project is open."""

    def __init__(self, session: Session, window: MainWindow, holder: str | None, *, kept: bool) -> None:
        super().__init__(window)
        self.session = session
        self.holder = holder
        self._window = window
        self._kept = kept
        self.bench = Workbench(session, theme=window.theme, parent=self)
        self.bench.jobs = window.jobs
        self.bench.spelled = window.keymap.spelled
        self.bench.opens_late = True
        self.bench.remembers_seen = kept
        self.layout = self._kept_layout() if kept else Layout()
        self.transport = TransportBar(window.toolbar, self.bench, window.leave_text, self)
        self._ticking = Ticking(self.bench, self._show_device)
        self._judged = ""
        """The device whose picture-to-sound skew was looked at."""
        self._making_ready: set[str] = set()
        self._media_looked_for = False
        self.bench.told.connect(self._on_told)
        self.bench.action_wanted.connect(self._on_action_wanted)
        self.bench.sample_changed.connect(self._on_sample)
        self.bench.records_changed.connect(self._on_records)
        self.bench.checks.changed.connect(self._on_checks)
        self.bench.calmed.connect(self._look_further)
        self.bench.hand.changed.connect(self._on_hand)
        self._on_hand(self.bench.hand)
        window.toolbar.sample_chosen.connect(self._on_sample_chosen)

    @property
    def title(self) -> str:
        """Of the window."""
        project = self.session.store.project()
        name = project.name if project is not None else self.session.project.path.name
        return f"{name} (read-only)" if self.session.read_only else name

    def _on_hand(self, hand: Hand) -> None:
        self._window.toolbar.hold(f"tool.{hand.tool}")

    def begin(self) -> None:
        """Open the sample that was open last, or the first."""
        if self._kept:
            self._remember()
        self._list_samples()
        self._count()
        self._window.status.device.setText("CPU │ sound: not tried yet")
        keys = [sample.key for sample in self.session.store.samples()]
        if self.layout.sample in keys:
            if self.bench.open_sample(self.layout.sample):
                self.bench.clock.seek(self.layout.time_ns)
        elif keys and self.bench.open_sample(keys[0]):
            view, readers = self.bench.view, self.bench.readers
            if view is not None and readers is not None:
                self.bench.clock.seek(first_full_moment(view, readers, self.bench.clock.time_ns))
        self._give_notice()
        if self.bench.view is None:
            self._look_further(None)

    def _look_further(self, _: None) -> None:
        """What can wait until the sample is on the screen."""
        set_aside()
        if not self._media_looked_for:
            self._media_looked_for = True
            store = self.session.store
            streams = [stream for sample in store.samples() for stream in store.streams(sample.id)]
            look = partial(missing_media, self.session.project.path, streams)
            self._window.jobs.start("Check media", lambda _job: look(), done=self._on_missing)
        self._make_next_ready()

    def _give_notice(self) -> None:
        notice = self._window.notice
        if self.holder is not None:
            notice.say(f"Open to look at only: {self.holder}.")
        lock = self.session.project.lock
        if lock is not None and lock.last_holder_vanished:
            edits = f"{self.session.store.head():,}"
            notice.say(
                f"This project was not closed last time. It has been checked: all {edits} edits are here.",
                "project.backups", "Backups…",
            )  # fmt: skip

    def _on_missing(self, missing: list[str]) -> None:
        if missing and self._window.opened is self:
            count = "One media file is" if len(missing) == 1 else f"{len(missing)} media files are"
            self._window.notice.say(f"{count} missing or changed.", "project.relink", "Find again…")

    def keep(self, layout: Layout) -> None:
        """Write down where everything stands."""
        if not self._kept:
            return
        try:
            write_layout(layout, self.session.project.path)
        except OSError as error:
            _log.warning("the layout could not be kept: %s", error)

    def close(self) -> None:
        """Let go of everything and close the project."""
        self._window.toolbar.sample_chosen.disconnect(self._on_sample_chosen)
        self.transport.close()
        self._ticking.end()
        self.bench.close()
        self.session.close()
        set_aside()  # with the next look for garbage it is found
        self._window.toolbar.samples.clear()
        self.deleteLater()

    def _kept_layout(self) -> Layout:
        try:
            return read_layout(self.session.project.path)
        except DataError as problem:
            _log.warning("%s", problem)
            return Layout()

    def _remember(self) -> None:
        settings = settings_or_usual().with_recent(self.session.project.path)
        try:
            write_settings(settings)
        except OSError as error:
            _log.warning("the recent projects could not be kept: %s", error)

    def _on_action_wanted(self, action_id: str) -> None:
        self._window.perform(action_id)

    def _on_told(self, told: Told) -> None:
        self._window.status.say(told)

    def _on_sample(self, view: SampleView | None) -> None:
        box = self._window.toolbar.samples
        box.setCurrentIndex(-1 if view is None else box.findData(view.sample.key))
        self._window.toolbar.offer(self._has_work_for)
        self._show_sync()
        if view is not None and view.sample.state is SampleState.RETURNED:
            self.bench.gui.post(self._show_comment, view)  # when every pane has opened it

    def _has_work_for(self, tool_id: str) -> bool:
        """Whether the sample has streams, and the ontology classes, that a tool is for."""
        action = self._window.table.find(tool_id)
        reason = self._window.performing.why_not(action, None)
        return reason is None or not reason.startswith((NO_STREAM_FOR_IT, NO_CLASS_FOR_IT))

    def _show_comment(self, view: SampleView) -> None:
        """A returned sample opens on its first comment, whichever panes are seen."""
        if view is not self.bench.view:
            return
        comment = first_open_comment(self.session.store, view)
        if comment is not None:
            go_to(self.bench, [comment.target], cause="window")
            self.bench.tell(f"Returned: {comment.text}")

    def _show_device(self) -> None:
        self._say_device(*device_in_words(self.session.player))
        device = self.session.player.status.output
        if device.device != self._judged and is_heard(device):
            self._judged = device.device
            settings = settings_or_usual()
            self._window.status.device.setToolTip(skew_in_words(device, settings))
            warning = skew_warning(device, settings, tightest_of(self.session))
            if warning:
                self.bench.tell(warning, Tone.REFUSED)

    def _say_device(self, sound: str, reason: str = "") -> None:
        """Pictures are decoded, and everything is computed, on the processor: nothing here uses a GPU yet."""
        label, words = self._window.status.device, f"CPU │ {sound}"
        if label.text() != words:
            label.setText(words)
            label.setToolTip(reason or words)

    def _on_checks(self, checks: SampleChecks) -> None:
        view = self.bench.view
        known = view is not None and checks.sample == view.id
        label = self._window.status.findings
        label.setText(open_in_words(checks.findings) if known else "")
        tip = "Open findings of this sample: ▲ errors, ◆ warnings, ● notes. Go to the next (@finding.next)."
        set_tip(label, tip, self.bench.spelled)

    def _show_sync(self) -> None:
        view = self.bench.view
        self._on_checks(self.bench.checks)
        self._window.status.sync.setText("" if view is None else sync_in_words(view))

    def _make_next_ready(self) -> None:
        """Read the next sample's records and open its media in the background: it is shown at once when chosen."""
        view = self.bench.view
        keys = [sample.key for sample in self.session.store.samples()]
        if view is None or view.sample.key not in keys[:-1]:
            return
        key = keys[keys.index(view.sample.key) + 1]
        sample = self.session.store.sample_by_key(key)
        if sample is not None and not self.bench.is_ready(sample.id) and sample.id not in self._making_ready:
            self._making_ready.add(sample.id)
            self._window.jobs.start(f"Make {key} ready", self.bench.making_ready(sample.id), done=self._on_ready)

    def _on_ready(self, ready: Ready) -> None:
        self._making_ready.discard(ready.view.id)
        self.bench.take_ready(ready)

    def _on_records(self, changes: ChangeSet) -> None:
        self._count()
        if changes.touched(RecordKind.SAMPLE) or changes.touched(RecordKind.STREAM):
            self._show_sync()

    def _count(self) -> None:
        if self.session.read_only:
            self._window.status.stored.setText("read-only")
            return
        self._window.status.stored.setText(f"all {self.session.store.head():,} edits stored")

    def _list_samples(self) -> None:
        box = self._window.toolbar.samples
        box.clear()
        for sample in self.session.store.samples():
            box.addItem(sample.key, sample.key)

    @Slot(str)
    def _on_sample_chosen(self, key: str) -> None:
        self.bench.open_sample(key)
