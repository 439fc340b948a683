"""Backups of the open project, and media that are not where they were."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFileDialog, QListWidget, QTreeWidget, QTreeWidgetItem
from shiboken6 import isValid

from workstation.app.jobs import Job
from workstation.app.relinking import Proposal, apply_found, missing_media, search_media
from workstation.app.snapshots import restore_from, snapshot_now, snapshot_rows
from workstation.core.errors import UserError
from workstation.ui.dialogs.sheet import Sheet, named
from workstation.ui.opened import Opened
from workstation.ui.workbench import Tone

if TYPE_CHECKING:
    from workstation.ui.main_window import MainWindow

_FILE = Qt.ItemDataRole.UserRole


class Backups(Sheet):
    """All snapshots; any of them becomes a project of its own, and the open one stays as it is."""

    def __init__(self, window: MainWindow, opened: Opened) -> None:
        super().__init__(window, "backups", "Backups")
        self.resize(680, 420)
        self._project = opened.session.project.path
        self._chosen = ""
        self.say("Made by itself while you work. Restoring makes a new project; this one stays as it is.", "quiet")
        self._list = QTreeWidget()
        named(self._list, "backup_list", "Backups, the newest first")
        self._list.setRootIsDecorated(False)
        self._list.setHeaderLabels(["Made", "Why", "Edits", "Size", "File"])
        self._list.currentItemChanged.connect(self._on_current)
        self.column.addWidget(self._list, 1)
        self.words = self.say("", "quiet")
        now = self.button("now", "Back up now")
        now.setEnabled(not opened.session.read_only)
        now.clicked.connect(self._now)
        self._restore = self.button("restore", "Restore into a copy…", default=True)
        self._restore.clicked.connect(self._choose)
        close = self.button("close", "Close")
        close.clicked.connect(self.reject)
        self.buttons(now, self._restore, close)
        self._fill()

    def _fill(self) -> None:
        self._list.clear()
        for row in snapshot_rows(self._project, check=False):
            size = f"{row['size'] / 1_000_000:,.1f} MB"
            made = datetime.fromtimestamp(row["made_ms"] / 1000, UTC).astimezone()  # as the clock on the wall
            words = [f"{made:%Y-%m-%d %H:%M:%S}", str(row["reason"]), f"{row['rev']:,}", size, str(row["file"])]
            item = QTreeWidgetItem(words)
            item.setData(0, _FILE, row["file"])
            self._list.addTopLevelItem(item)
        first = self._list.topLevelItem(0)
        if first is not None:
            self._list.setCurrentItem(first)
        for column in range(4):
            self._list.resizeColumnToContents(column)
        self._on_current()
        if self._list.topLevelItemCount() == 0:
            self.explain("There is no backup yet.")

    @Slot()
    def _on_current(self) -> None:
        self._restore.setEnabled(self._list.topLevelItemCount() > 0)

    @Slot()
    def _now(self) -> None:
        self.explain("Making a backup …")
        project = self._project
        self.frame.jobs.start("Back up", lambda _job: snapshot_now(project), done=self._on_made, failed=self.explain)

    def _on_made(self, made: dict[str, Any]) -> None:
        if not isValid(self):
            return  # closed meanwhile
        self._fill()
        self.explain(f"Made {made['file']}.")

    @Slot()
    def _choose(self) -> None:
        item: QTreeWidgetItem | None = self._list.currentItem()
        if item is None:
            return
        dialog = QFileDialog(
            self, "Restore into a new folder", str(self._project.parent / f"{self._project.name}-restored")
        )
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setFileMode(QFileDialog.FileMode.AnyFile)
        dialog.setLabelText(QFileDialog.DialogLabel.Accept, "Restore here")
        self._chosen = str(item.data(0, _FILE))
        dialog.fileSelected.connect(self._on_folder)
        dialog.open()

    @Slot(str)
    def _on_folder(self, folder: str) -> None:
        self.restore(self._chosen, Path(folder))

    def restore(self, file: str, destination: Path) -> None:
        """Make a new project from a backup, in the background."""
        project = self._project
        self.explain("Restoring …")
        self.frame.jobs.start(
            "Restore a backup", lambda _job: restore_from(project, file, destination),
            done=self._on_restored, failed=self.explain,
        )  # fmt: skip

    def _on_restored(self, made: Path) -> None:
        self.explain(f"Restored into {made}. Open it with Project, Open project.")
        self.frame.tell(f"Restored into {made}.")


class Relink(Sheet):
    """Media that are missing: say where they may be; they are found again by content, whatever they are called now."""

    def __init__(self, window: MainWindow, opened: Opened) -> None:
        super().__init__(window, "relink", "Find media again")
        self.resize(640, 420)
        self._opened = opened
        self._streams = [
            stream for sample in opened.session.store.samples() for stream in opened.session.store.streams(sample.id)
        ]
        self.words = self.say("Looking for what is missing …")
        self._list = QListWidget()
        named(self._list, "missing_media", "Missing media")
        self.column.addWidget(self._list, 1)
        self._search = self.button("search", "Search in a folder…", default=True)
        self._search.setEnabled(False)
        self._search.clicked.connect(self._choose)
        close = self.button("close", "Close")
        close.clicked.connect(self.reject)
        self.buttons(self._search, close)
        work = partial(missing_media, opened.session.project.path, self._streams)
        window.jobs.start("Check media", lambda _job: work(), done=self._on_missing, failed=self.explain)

    def _on_missing(self, missing: list[str]) -> None:
        if not isValid(self):
            return  # closed meanwhile
        self._list.clear()
        self._list.addItems(missing)
        self._search.setEnabled(bool(missing) and not self._opened.session.read_only)
        self.explain(
            "One file is missing or has changed. Say where it may be now."
            if len(missing) == 1
            else f"{len(missing)} files are missing or have changed. Say where they may be now."
            if missing
            else "All media are where they were."
        )

    @Slot()
    def _choose(self) -> None:
        dialog = QFileDialog(self, "Where may they be?", str(self._opened.session.project.path.parent))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self._on_folder)
        dialog.open()

    @Slot(str)
    def _on_folder(self, folder: str) -> None:
        self.search(Path(folder))

    def search(self, folder: Path) -> None:
        """Look through a folder in the background, and take up what is found as one step."""
        self.explain(f"Searching {folder} …")
        project, streams = self._opened.session.project.path, self._streams

        def work(job: Job) -> Proposal:
            return search_media(project, streams, folder, progress=job.report)

        self.frame.jobs.start("Find media", work, done=self._on_found, failed=self.explain)

    def _on_found(self, proposal: Proposal) -> None:
        try:
            apply_found(self._opened.session, proposal)
        except UserError as problem:
            self.explain(str(problem))
            return
        self._on_missing([problem.sentence for problem in proposal.not_found])
        self.frame.tell(f"Found {len(proposal.found)} files again.", Tone.NOTE)
        if not proposal.not_found:
            self.frame.notice.answered("project.relink")
        bench = self._opened.bench
        if proposal.found and bench.view is not None:
            here, chosen = bench.clock.time_ns, bench.selected
            bench.open_sample(bench.view.sample.key)
            bench.clock.seek(here)
            bench.select(list(chosen), cause="window")
