"""Tool tips that name keys: written once with the name of the action, as ``Snap (@timeline.snapping)``, and shown with
the key that the person gave it.

Whoever makes a control writes the mark into its tool tip; a pane is spelled when it is bound, the window when keys
change (``spell_tips``). A tip that is set later, when there is a workbench, goes through ``set_tip``. A widget that
paints words of its own which name keys has a method ``spell``, which is told how.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

_MARKED, _SAID = "key_tip", "key_tip_said"
"""Dynamic properties: the tip with its marks, and what was last made of it."""


def set_tip(widget: QWidget, tip: str, spelled: Callable[[str], str]) -> None:
    """Give a widget a tool tip that follows the keys."""
    said = spelled(tip)
    if said != tip or widget.property(_MARKED) is not None:
        widget.setProperty(_MARKED, tip)
        widget.setProperty(_SAID, said)
    widget.setToolTip(said)


def spell_tips(root: QWidget, spelled: Callable[[str], str]) -> None:
    """Say the keys as they are now in every tool tip of this widget and what stands in it."""
    for widget in (root, *root.findChildren(QWidget)):
        spell = getattr(widget, "spell", None)  # what paints words of its own
        if spell is not None:
            spell(spelled)
        shown = widget.toolTip()
        if "(@" in shown:
            set_tip(widget, shown, spelled)
        elif shown and widget.property(_MARKED) is not None and widget.property(_SAID) == shown:
            set_tip(widget, str(widget.property(_MARKED)), spelled)
