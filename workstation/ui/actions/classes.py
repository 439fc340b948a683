"""Actions on classes: type to search for one. The keys of classes come from the ontology (``class_keys.py``)."""

from __future__ import annotations

from workstation.ui.actions.action import Hands, action, needs_sample


@action("class.pick", title="Choose a class…", keys="0", menu="Label", enabled=needs_sample)
def pick(hands: Hands) -> None:
    """Type a few letters of a class: for the shape that waits, for what is selected, or for the next shape."""
    hands.frame.open_dialog("class")


@action("class.none", title="Ask for the class after drawing", menu="Label", enabled=needs_sample)
def none(hands: Hands) -> None:
    """The next shapes get no class until one is said."""
    hands.bench.hand.set_class(None)
