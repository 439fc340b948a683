"""One project open in the window: its session, workbench, clock ticks, samples in the box, and what is kept of it.

Made and dropped by the main window, which stays the same while projects come and go.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from workstation.app.layouts import Layout, read_layout, write_layout
from workstation.app.opening import open_or_watch
from workstation.app.session import Session
from workstation.app.settings import settings_or_usual, write_settings
from workstation.core.errors import DataError
from workstation.store.changes import ChangeSet
from workstation.ui.ticking import Ticking
from workstation.ui.transport_bar import TransportBar
from workstation.ui.workbench import Told, Tone, Workbench

if TYPE_CHECKING:
    from workstation.app.sample_view import SampleView
    from workstation.ui.main_window import MainWindow

_log = logging.getLogger(__name__)


def open_for_window(path: Path, person: str | None) -> tuple[Session, str | None]:
    """Open for editing, or to look at where somebody else holds it; ``UserError`` if it cannot be opened."""
    session, holder = open_or_watch(path, person=person or settings_or_usual().person or None, role=None)
    return session, holder


class Opened(QObject):
    """Everything that lives as long as the project is open."""

    def __init__(self, session: Session, window: MainWindow, holder: str | None) -> None:
        super().__init__(window)
        self.session = session
        self.holder = holder
        self._window = window
        self.bench = Workbench(session, theme=window.theme, parent=self)
        self.layout = self._kept_layout()
        self.transport = TransportBar(window.toolbar, self.bench, self)
        self._ticking = Ticking(self.bench)
        self.bench.told.connect(self._on_told)
        self.bench.sample_changed.connect(self._on_sample)
        self.bench.records_changed.connect(self._on_records)
        window.toolbar.sample_chosen.connect(self._on_sample_chosen)

    @property
    def title(self) -> str:
        """Of the window."""
        project = self.session.store.project()
        name = project.name if project is not None else self.session.project.path.name
        return f"{name} (read-only)" if self.session.read_only else name

    def begin(self) -> None:
        """Open the sample that was open last, or the first."""
        self._remember()
        self._list_samples()
        self._count()
        keys = [sample.key for sample in self.session.store.samples()]
        if self.layout.sample in keys:
            if self.bench.open_sample(self.layout.sample):
                self.bench.clock.seek(self.layout.time_ns)
        elif keys:
            self.bench.open_sample(keys[0])
        if self.holder is not None:
            self.bench.tell(f"Open to look at only: {self.holder}", Tone.REFUSED)

    def keep(self, layout: Layout) -> None:
        """Write down where everything stands."""
        try:
            write_layout(layout, self.session.project.path)
        except OSError as error:
            _log.warning("the layout could not be kept: %s", error)

    def close(self) -> None:
        """Let go of everything and close the project."""
        self._window.toolbar.sample_chosen.disconnect(self._on_sample_chosen)
        self.transport.close()
        self._ticking.stop()
        self.bench.close()
        self.session.close()
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

    def _on_told(self, told: Told) -> None:
        self._window.status.say(told)

    def _on_sample(self, view: SampleView | None) -> None:
        box = self._window.toolbar.samples
        box.setCurrentIndex(-1 if view is None else box.findData(view.sample.key))

    def _on_records(self, _changes: ChangeSet) -> None:
        self._count()

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
