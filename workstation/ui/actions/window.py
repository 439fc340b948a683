"""Actions on the window itself: panes, workspaces, theme, palette, help, projects."""

from __future__ import annotations

from collections.abc import Callable

from workstation.ui.actions.action import Hands, action
from workstation.ui.workspaces.catalogue import WORKSPACES

PROJECT, VIEW, HELP = "Project", "View", "Help"


@action("project.open", title="Open project…", keys="Ctrl+O", menu=PROJECT, icon="project", project_free=True)
def open_project(hands: Hands) -> None:
    """Choose a project folder and open it in this window."""
    hands.frame.open_dialog("open_project")


@action("project.demo", title="Open the demo", menu=PROJECT, project_free=True)
def open_demo(hands: Hands) -> None:
    """Make the drive demo where projects usually are, if it is not there, and open it."""
    hands.frame.open_dialog("demo")


@action("project.close", title="Close project", menu=PROJECT)
def close_project(hands: Hands) -> None:
    """Close the project and show the welcome page; nothing needs saving."""
    hands.frame.open_dialog("close_project")


def _may_open_again(hands: Hands) -> str | None:
    return None if hands.bench.session.read_only else "it is open for editing"


@action("project.edit", title="Open for editing", menu=PROJECT, enabled=_may_open_again)
def edit_project(hands: Hands) -> None:
    """Open a project that is only looked at for editing, once nobody else has it open for writing."""
    hands.frame.open_dialog("edit_project")


@action("window.quit", title="Quit", keys="Ctrl+Q", menu=PROJECT, project_free=True)
def leave(hands: Hands) -> None:
    """Close the window; nothing needs saving."""
    hands.frame.open_dialog("quit")


@action("window.palette", title="Find anything…", keys="Ctrl+K", menu=VIEW, icon="palette", project_free=True)
def palette(hands: Hands) -> None:
    """Commands, samples, classes, things, and places in time, by a few letters of their name."""
    hands.frame.open_dialog("palette")


# --- project ----------------------------------------------------------------------------------------------------


@action("project.backups", title="Backups…", menu=PROJECT)
def backups(hands: Hands) -> None:
    """All backups of this project; any of them can be restored into a copy."""
    hands.frame.open_dialog("backups")


@action("project.relink", title="Find media again…", menu=PROJECT)
def relink(hands: Hands) -> None:
    """Media that were moved or renamed are found by their content."""
    hands.frame.open_dialog("relink")


@action("window.settings", title="Settings…", keys="Ctrl+,", menu=PROJECT, icon="settings", project_free=True)
def settings(hands: Hands) -> None:
    """Colours, size of letters, your name."""
    hands.frame.open_dialog("settings")


# --- view -------------------------------------------------------------------------------------------------------


def _workspace(name: str) -> Callable[[Hands], None]:
    def take(hands: Hands) -> None:
        hands.frame.take_workspace(name)

    take.__doc__ = WORKSPACES[name].help
    return take


label = action("workspace.label", title="Workspace Label", keys="Ctrl+1", menu=VIEW)(_workspace("label"))
link = action("workspace.link", title="Workspace Link", keys="Ctrl+2", menu=VIEW)(_workspace("link"))
sync = action("workspace.sync", title="Workspace Sync", keys="Ctrl+3", menu=VIEW)(_workspace("sync"))
review = action("workspace.review", title="Workspace Review", keys="Ctrl+4", menu=VIEW)(_workspace("review"))
compare = action("workspace.compare", title="Workspace Compare", keys="Ctrl+5", menu=VIEW)(_workspace("compare"))


@action("workspace.reset", title="Workspace as it comes", menu=VIEW)
def reset_workspace(hands: Hands) -> None:
    """Put all panes of this workspace where they stood at first."""
    hands.frame.take_workspace("")


@action("pane.maximise", title="Maximise pane", keys="F11", menu=VIEW, icon="maximise")
def maximise(hands: Hands) -> None:
    """The focused pane alone, or all of them again (as a double click on its header)."""
    hands.frame.maximise(hands.pane)


@action("pane.next", title="Next pane", keys="F6", menu=VIEW, repeats=True)
def next_pane(hands: Hands) -> None:
    """Give the focus to the next pane on the screen."""
    hands.frame.focus_next(hands.pane, 1)


@action("pane.previous", title="Previous pane", keys="Shift+F6", menu=VIEW, repeats=True)
def previous_pane(hands: Hands) -> None:
    """Give the focus to the pane before."""
    hands.frame.focus_next(hands.pane, -1)


@action("view.theme", title="Dark or light", keys="Ctrl+Shift+L", menu=VIEW, project_free=True)
def theme(hands: Hands) -> None:
    """Change between the dark and the light colours."""
    hands.frame.turn_theme()


@action("view.show_all", title="Show everything hidden", menu=VIEW)
def show_all(hands: Hands) -> None:
    """Nothing hidden, nothing shown alone; locks stay."""
    hands.bench.sight.show_all()


# --- help -------------------------------------------------------------------------------------------------------


@action("help.keys", title="Keys", keys="?", menu=HELP, icon="help", project_free=True)
def cheat_sheet(hands: Hands) -> None:
    """Every key as it is now, by where it works."""
    hands.frame.open_dialog("cheat_sheet")


@action("help.change_keys", title="Change keys…", menu=HELP, project_free=True)
def change_keys(hands: Hands) -> None:
    """Give any action other keys; conflicts are shown; a key map can be carried to another computer."""
    hands.frame.open_dialog("keys")


@action("help.manual", title="Manual", keys="F1", menu=HELP, project_free=True)
def manual(hands: Hands) -> None:
    """The manual."""
    hands.frame.open_dialog("manual")


@action("help.news", title="What is new", menu=HELP, project_free=True)
def news(hands: Hands) -> None:
    """What has changed, version by version."""
    hands.frame.open_dialog("news")


@action("help.messages", title="Messages", menu=HELP, project_free=True)
def messages(hands: Hands) -> None:
    """Everything that was said since the start."""
    hands.frame.open_dialog("messages")
