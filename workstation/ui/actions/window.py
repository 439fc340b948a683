"""Actions on the window itself: panes, workspaces, theme, palette, help, projects."""

from __future__ import annotations

from workstation.ui.actions.action import Hands, action

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


@action("window.quit", title="Quit", keys="Ctrl+Q", menu=PROJECT, project_free=True)
def leave(hands: Hands) -> None:
    """Close the window; nothing needs saving."""
    hands.frame.open_dialog("quit")


@action("window.palette", title="Find anything…", keys="Ctrl+K", menu=VIEW, icon="palette", project_free=True)
def palette(hands: Hands) -> None:
    """Commands, samples, classes, things, and places in time, by a few letters of their name."""
    hands.frame.open_dialog("palette")
