"""One finder of masks for the whole window: its model is started once, for all cameras and samples.

Held by the workbench, asked by the canvases of cameras for the tool ``box_mask``. The last wish counts.
"""

from __future__ import annotations

from collections.abc import Callable

from workstation.app.mask_proposals import MaskFinder, MaskProposal, Wish
from workstation.core.errors import UserError
from workstation.ui.gui_thread import GuiThread

Receive = Callable[[MaskProposal | UserError], None]


class MaskFinding:
    """Wishes go to a worker, answers come back on the window's thread."""

    def __init__(self, gui: GuiThread) -> None:
        self._gui = gui
        self._finder = MaskFinder(self._deliver)
        self._asked: tuple[Wish, Receive] | None = None

    def ask(self, wish: Wish, receive: Receive) -> None:
        """Find this; ``receive`` is called later, and not at all if something else is asked in between."""
        self._asked = (wish, receive)
        self._finder.find(wish)

    def forget(self, owner: object) -> None:
        """What it wished is no longer wanted; nothing of it is being read once this returns."""
        if self._asked is not None and self._asked[0].owner is owner:
            self._asked = None
        self._finder.forget(owner)

    def close(self) -> None:
        """End the worker and the model's processes."""
        self._asked = None
        self._finder.close()

    def _deliver(self, wish: Wish, answer: MaskProposal | UserError) -> None:
        """On the worker's thread."""
        self._gui.post(self._receive, (wish, answer))

    def _receive(self, delivered: tuple[Wish, MaskProposal | UserError]) -> None:
        asked, (wish, answer) = self._asked, delivered
        if asked is not None and asked[0] is wish:
            self._asked = None
            asked[1](answer)
