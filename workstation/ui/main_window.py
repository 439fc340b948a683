"""The main window: docks, tool bar, menus, keys and status around one workbench. Small on purpose: what the window
can do is in ``actions/``, what it shows is in ``panes/`` and ``panels/``; here they are only put together.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace
from PySide6.QtCore import QByteArray, Qt, QTimer, Slot
from PySide6.QtGui import QCloseEvent, QPaintEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QToolBar, QWidget

from workstation.app.jobs import Job, Jobs
from workstation.app.settings import Settings, settings_or_usual, write_settings
from workstation.core.errors import UserError
from workstation.ui.actions import shapes
from workstation.ui.actions.table import load_actions
from workstation.ui.application import wear
from workstation.ui.class_keys import ClassKeys
from workstation.ui.dialogs.catalogue import Dialogs
from workstation.ui.dock_heights import DockHeights
from workstation.ui.docks import Docks
from workstation.ui.finding_glass import FindingGlass
from workstation.ui.gui_thread import GuiThread
from workstation.ui.icons import icon
from workstation.ui.key_tips import spell_tips
from workstation.ui.keymap import bounds_of, key_file, key_map_of, read_keys, write_keys
from workstation.ui.keys import Keys, edits_text, pane_around
from workstation.ui.label_menu import LabelMenu
from workstation.ui.link_lines import LinkLines
from workstation.ui.menus import Menus
from workstation.ui.notice import Notice
from workstation.ui.panels.link_mode import LinkMode
from workstation.ui.panes.base import Pane
from workstation.ui.panes.catalogue import PANES
from workstation.ui.performing import Performing
from workstation.ui.status import Status
from workstation.ui.theme import DARK, THEMES, Theme
from workstation.ui.told import Told, Tone
from workstation.ui.toolbar import ToolBar
from workstation.ui.welcome import Welcome
from workstation.ui.workspaces.catalogue import LABEL, WORKSPACES, Workspace

if TYPE_CHECKING:
    from workstation.app.layouts import Layout
    from workstation.app.session import Session
    from workstation.ui.opened import Opened


class MainWindow(QMainWindow):
    """Is the ``Frame`` of actions and the ``Desk`` of the key dispatcher."""

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__()
        settings = settings or Settings()
        self.theme = THEMES.get(settings.theme, DARK)
        self.gui = GuiThread(self)
        self.jobs = Jobs(self.gui.post)
        self.opened: Opened | None = None
        self.workspace: Workspace = LABEL
        self._last_pane: Pane | None = None
        self._painted = False
        self.table = load_actions()
        self.keymap = key_map_of(bounds_of(self.table))
        self.performing = Performing(self.table, self, self.tell, self.keymap.spelled)
        self._build_frame()
        self._build_bars()
        self.wear(self.theme, settings.font_points)
        self._take_keys()
        self.keys = Keys(self, self)

    # --- the frame of actions -----------------------------------------------------------------------------------

    def pane(self, kind: str) -> Pane | None:
        """The pane of that kind, if it is open."""
        return self.link_mode if kind == self.link_mode.kind else self.docks.pane(kind)

    def show_pane(self, kind: str) -> None:
        """Bring a pane to the front and give it the focus."""
        self.docks.show_pane(kind)

    def open_dialog(self, name: str) -> None:
        """Open one of ``dialogs/catalogue.py``."""
        self.dialogs.open(name)

    def perform(self, action_id: str, pane: Pane | None = None) -> None:
        """Do an action, or say why not."""
        self.performing.perform(action_id, pane or self.focused_pane())

    # --- the desk of the keys -----------------------------------------------------------------------------------

    def scopes(self, pane: Pane | None) -> tuple[str, ...]:
        """The focused pane's keys, then the workspace's own, then the window's."""
        near = pane or (self.focused_pane() if not self._focus_is_elsewhere() else None)
        found = [near.kind] if near is not None else []
        return tuple(dict.fromkeys([*found, self.workspace.scope, "window"]))

    def can(self, action_id: str, pane: Pane | None = None) -> bool:
        """Whether it could be done now."""
        action = self.performing.table.actions.get(action_id)
        return action is not None and self.performing.why_not(action, pane or self.focused_pane()) is None

    def repeats(self, action_id: str) -> bool:
        return self.performing.table.find(action_id).repeats

    def gesturing(self, pane: Pane | None) -> Pane | None:
        """The pane in which something is begun and not ended; the focused one first."""
        panes = [each for each in (self.link_mode, pane, *self.docks.panes()) if each is not None]
        return next((each for each in panes if each.gesture is not None), None)

    def class_key(self, text: str) -> bool:
        return self.opened is not None and self._class_keys.press(text, self.opened.bench)

    def class_goes_first(self, text: str) -> bool:
        """A waiting shape takes every class key; a selection those that no key of the window or workspace is."""
        if self.opened is None or self.opened.bench.hand.waiting:
            return self.opened is not None
        taken = any(self.keymap.action_for(text, scope) for scope in (self.workspace.scope, "window"))
        return not taken and self._class_keys.relabels(text, self.opened.bench)

    def leave(self) -> None:
        """``Esc`` with nothing to leave and nothing to cancel: a waiting shape is given up, else the selection."""
        if self.opened is None:
            return
        bench = self.opened.bench
        if bench.hand.waiting:
            bench.hand.forget_drawn()
        else:
            bench.selection.clear(cause="window")

    def leave_text(self, field: QWidget) -> None:
        """Text is being edited no longer: the pane around it has the keys."""
        pane = pane_around(field) or self._last_pane
        if pane is not None and pane.isVisible() and not edits_text(pane.focusProxy() or pane):
            pane.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            field.clearFocus()
            self.setFocus(Qt.FocusReason.OtherFocusReason)
        if field is self.toolbar.time and self.opened is not None:
            self.opened.transport.show_now()

    def focused_pane(self) -> Pane | None:
        """The pane that has the focus, or had it last."""
        found = pane_around(self.focusWidget())
        return found or self._last_pane

    # --- projects -----------------------------------------------------------------------------------------------

    def open_project(self, path: Path, *, person: str | None = None) -> bool:
        """Show a project in place of what is shown; whether it could be opened."""
        from workstation.ui.opened import open_for_window

        try:
            session, holder = open_for_window(path, person)
        except UserError as problem:
            self.tell(str(problem), Tone.REFUSED)
            return False
        self.close_project()
        self.show_session(session, holder)
        return True

    def show_session(self, session: Session, holder: str | None = None, *, kept: bool = True) -> None:
        """Show an open project; the window closes it. Not ``kept``: nothing is remembered of having shown it."""
        from workstation.ui.opened import Opened  # with the store and all readers: not before there is a project

        self.opened = opened = Opened(session, self, holder, kept=kept)
        self.performing.begin(opened.bench)
        self.keymap.know(bounds_of(self.performing.table))
        self.menus.fill()
        self._welcome.hide()
        self.arrange(WORKSPACES.get(opened.layout.workspace, LABEL), opened.layout)
        self.docks.bind(opened.bench)
        self.link_mode.bind(opened.bench)
        self.lines.bind(opened.bench)
        self.label_menu.bind(opened.bench)
        self.finding_glass.bind(opened.bench)
        opened.bench.panes_wanted.connect(self.docks.bring)
        opened.begin()
        self.setWindowTitle(opened.title)
        if self._painted:
            self.docks.focus_first(self.workspace)

    def close_project(self) -> None:
        """Close it and show the welcome page; nothing needs saving."""
        opened, self.opened = self.opened, None
        if opened is None:
            return
        opened.bench.wind_down()
        opened.keep(self.layout_now(opened))
        self._last_pane = None
        self.performing.end()
        self.menus.fill()
        self.notice.clear_all()
        self.docks.unbind()
        self.link_mode.unbind()
        self.lines.unbind()
        self.label_menu.unbind()
        self.finding_glass.unbind()
        opened.bench.panes_wanted.disconnect(self.docks.bring)
        opened.close()
        self._show_welcome()

    def arrange(self, workspace: Workspace, layout: Layout | None = None) -> None:
        """Take a workspace: as it was left in this project, else as it is drawn."""
        self.workspace = workspace
        self.heights.forget()
        self.docks.arrange(workspace)
        kept = {} if layout is None else layout.docks
        if workspace.name in kept:
            self.docks.put_back(kept[workspace.name])
        if layout is not None and layout.geometry:
            self.restoreGeometry(QByteArray(layout.geometry))
        self.toolbar.show()
        self.notice.settle()
        self._link_bar.setVisible(self.link_mode.active)  # a kept layout may hold another wish

    def take_workspace(self, name: str) -> None:
        """Change to another workspace, keeping how this one was left; an empty name: this one as it comes."""
        from workstation.app.layouts import Layout

        if self.opened is None:
            return
        self.opened.layout = self.layout_now(self.opened)
        if name:
            self.arrange(WORKSPACES[name], Layout(docks=self.opened.layout.docks))
        else:
            self.arrange(self.workspace)

    def maximise(self, pane: Pane | None) -> None:
        """This pane alone, or all again."""
        self.docks.maximise(pane)

    def focus_next(self, pane: Pane | None, step: int) -> None:
        """Give the focus to the pane after (before) this one on the screen."""
        self.docks.focus_next(pane, step)

    def open_label_menu(self, pane: Pane | None) -> None:
        """The menu of what is selected, in the pane, else over the window."""
        self.label_menu.open_by_key(pane or self)

    def turn_lines(self) -> bool:
        """Draw lines between panes, or none; which of both it is now."""
        return self.lines.turn()

    def turn_findings(self) -> bool:
        """Draw findings in place, or not; which of both it is now."""
        return self.finding_glass.turn()

    def turn_theme(self) -> None:
        """Dark to light and back, from now on."""
        other = next(name for name in THEMES if name != self.theme.name)
        self.keep_settings(replace(settings_or_usual(), theme=other))

    def layout_now(self, opened: Opened) -> Layout:
        """What is to be kept of the window for this project."""
        from workstation.app.layouts import Layout

        view = opened.bench.view
        return Layout(
            workspace=self.workspace.name,
            docks={**opened.layout.docks, self.workspace.name: self.docks.written()},
            geometry=bytes(self.saveGeometry().data()),
            sample=view.sample.key if view is not None else "",
            time_ns=opened.bench.clock.time_ns,
        )

    # --- what the person chose ----------------------------------------------------------------------------------

    def keep_settings(self, settings: Settings) -> None:
        """Take up other choices and write them down."""
        write_settings(settings)
        self.wear(THEMES.get(settings.theme, self.theme), settings.font_points)

    def keep_keys(self) -> None:
        """Write the keys down, after they were changed."""
        self._show_keys()
        write_keys(self.keymap, key_file())

    def _take_keys(self) -> None:
        path = key_file()
        if path.is_file():
            try:
                read_keys(self.keymap, path)
            except UserError as problem:
                self.tell(f"{problem}. The usual keys are used.", Tone.REFUSED)
        self._show_keys()

    def _show_keys(self) -> None:
        """Whatever names a key names it as it is now."""
        self.toolbar.show_keys(self.keymap)
        spell_tips(self, self.keymap.spelled)
        self.update()

    # --- words and looks ----------------------------------------------------------------------------------------

    def tell(self, text: str, tone: Tone = Tone.NOTE) -> None:
        """Say one sentence to the person."""
        self.status.say(Told(text, tone))

    def wear(self, theme: Theme, font_points: float = 0.0) -> None:
        """Paint everything in this theme."""
        self.theme = theme
        application = QApplication.instance()
        if isinstance(application, QApplication):
            wear(application, theme, font_points)
        self.menus.theme = theme
        self.toolbar.paint_icons(theme)
        self.setWindowIcon(icon("app", theme))
        if self.opened is not None:
            self.opened.bench.set_theme(theme)

    # --- Qt -----------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            self.label_menu.watch(self.windowHandle())
            QTimer.singleShot(0, self._let_media_in)

    @Slot()
    def _let_media_in(self) -> None:
        """The frame, the lists and the timeline are on the screen: pictures and sound follow."""
        if self.docks.let_in() and self.opened is not None and self._last_pane is None:
            self.docks.focus_first(self.workspace)

    @Slot()
    def close_soon(self) -> None:
        """Close once the key or menu that asked for it is done with."""
        QTimer.singleShot(0, self.close)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab: on to the next control that can be seen. Qt counts those of panes behind a tab, which it keeps beside
        the screen, as visible, and the focus would be lost among them."""
        first: QWidget | None = None
        while super().focusNextPrevChild(forward):
            focus: QWidget | None = self.focusWidget()
            if focus is None or focus is first or not focus.visibleRegion().isEmpty():
                return True
            first = first or focus
        return False

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.opened is not None:
            self.opened.bench.wind_down()
        self.jobs.close()
        self.close_project()
        self.keys.stop()
        self.gui.close()
        event.accept()

    # --- making -------------------------------------------------------------------------------------------------

    def _build_frame(self) -> None:
        self.setObjectName("main_window")
        self.setAccessibleName("Workstation")
        self.resize(1440, 900)
        self._welcome = Welcome()
        self.setCentralWidget(self._welcome)
        self.docks = Docks(self, PANES)
        self.heights = DockHeights(self)
        self.lines = LinkLines(self, self.docks.panes)
        self.finding_glass = FindingGlass(self, self.docks.panes)
        self.label_menu = LabelMenu(self, self.perform)
        self.status = Status()
        self.setStatusBar(self.status)
        self.dialogs = Dialogs(self)
        self._class_keys = ClassKeys()
        self.notice = Notice()
        self.link_mode = LinkMode()
        self.notice.performed.connect(self._on_performed)
        self.jobs.changed.connect(self._on_job)
        self.status.messages_wanted.connect(self._on_messages)
        self.status.cancel_wanted.connect(self._on_cancel)
        self._welcome.performed.connect(self._on_performed)
        self._welcome.project_chosen.connect(self._on_project_chosen)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._on_focus)
        self._show_welcome()

    def _build_bars(self) -> None:
        self.toolbar = ToolBar()
        tools = [each for each in self.table if each.id.startswith("tool.") and each.icon]
        tools.sort(key=lambda each: each.run.__module__ != shapes.__name__)  # selecting and drawing come first
        self.toolbar.build(dict(self.table.actions), tools)
        self.addToolBar(self.toolbar)
        self.addToolBarBreak()
        self.addToolBar(self.notice)
        self._link_bar = QToolBar("Link")
        self._link_bar.setObjectName("link_bar")
        self._link_bar.setMovable(False)
        self._link_bar.addWidget(self.link_mode)
        self._link_bar.toggleViewAction().setVisible(False)
        self.addToolBarBreak()
        self.addToolBar(self._link_bar)
        self._link_bar.hide()
        self.link_mode.active_changed.connect(self._on_link_mode)
        self.notice.wanted.connect(self._on_notice_wanted)
        self.menus = Menus(self.menuBar(), self.performing, self.keymap, self)
        self.toolbar.project.setMenu(self.menus.menus["Project"])
        self.menus.performed.connect(self._on_performed)
        self.toolbar.performed.connect(self._on_performed)

    def _show_welcome(self) -> None:
        recent = [Path(each) for each in settings_or_usual().recent_projects]
        self._welcome.list_recent(path for path in recent if path.is_dir())
        self._welcome.show()
        self.setWindowTitle("Workstation")

    def _focus_is_elsewhere(self) -> bool:
        """Whether the focus is on a control of the window and in no pane: then no pane's keys work."""
        focus: QWidget | None = self.focusWidget()
        return focus is not None and focus is not self and pane_around(focus) is None

    @Slot(bool)
    def _on_link_mode(self, on: bool) -> None:
        self.heights.turn(self._link_bar, on=on, docks=[each for each in self.docks if each.in_sight])

    @Slot(bool)
    def _on_notice_wanted(self, on: bool) -> None:
        self.heights.turn(self.notice, on=on, docks=[each for each in self.docks if each.in_sight])

    @Slot(str)
    def _on_performed(self, action_id: str) -> None:
        self.perform(action_id)

    @Slot(str)
    def _on_project_chosen(self, path: str) -> None:
        self.open_project(Path(path))

    def _on_job(self, _job: Job) -> None:
        self.status.show_jobs(self.jobs.running())

    @Slot()
    def _on_cancel(self) -> None:
        for job in self.jobs.running()[:1]:
            job.cancel()
            self.tell(f"Cancelled: {job.title}.")

    @Slot()
    def _on_messages(self) -> None:
        self.dialogs.open("messages")

    @Slot(QWidget, QWidget)
    def _on_focus(self, _old: QWidget | None, new: QWidget | None) -> None:
        pane = pane_around(new)
        if pane is None or pane is self._last_pane or pane.window() is not self:
            return
        for each in filter(None, (self._last_pane, pane)):
            header = each.header
            header.setProperty("focused", each is pane)
            header.style().unpolish(header)
            header.style().polish(header)
        self._last_pane = pane
