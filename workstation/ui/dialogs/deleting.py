"""What becomes of the links of labels that are deleted: they go too, unless something else is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot

from workstation.ui.dialogs.sheet import Sheet
from workstation.ui.workbench import Workbench

if TYPE_CHECKING:
    from workstation.core.annotation import Annotation, Link
    from workstation.ui.main_window import MainWindow

_MOST_NAMED = 6


class Deleting(Sheet):
    """The selected labels and the links that end at them; Enter deletes both, Esc neither."""

    def __init__(self, window: MainWindow, bench: Workbench) -> None:
        super().__init__(window, "delete", "Delete")
        assert bench.view is not None
        view = bench.view
        self._bench = bench
        self._labels: list[Annotation] = [view.annotations[each] for each in bench.selected if each in view.annotations]
        ends: dict[str, Link] = {link.id: link for each in self._labels for link in view.links_of(each.id)}
        self._links = tuple(dict.fromkeys([*(each for each in bench.selected if each in view.links), *ends]))
        self.say(f"Delete {_listed([view.name_of(each.id) for each in self._labels])}?")
        count = "One link ends" if len(ends) == 1 else f"{len(ends)} links end"
        named = [f"{each.type_id.replace('_', ' ')}: {view.name_of(each.id)}" for each in ends.values()]
        self.say(f"{count} there. {_listed(named)}", "quiet")
        both = self.button("both", "Delete with its links" if len(self._labels) == 1 else "Delete with their links",
                           default=True)  # fmt: skip
        both.clicked.connect(self._both)
        other = self.button("other", "Something else…")
        other.setToolTip("Let the links end elsewhere, or state that the other side is absent here")
        other.clicked.connect(self._other)
        cancel = self.button("cancel", "Cancel")
        cancel.clicked.connect(self.reject)
        self.buttons(cancel, other, both)
        self.resize(480, 160)
        both.setFocus()

    @Slot()
    def _both(self) -> None:
        self.accept()
        self._bench.attempt(self._delete)

    def _delete(self) -> None:
        count = len(self._labels)
        with self._bench.together("Delete" if count == 1 else f"Delete {count}") as run:
            run("link.remove", links=list(self._links))
            run("annotation.delete", annotations=[each.id for each in self._labels])

    @Slot()
    def _other(self) -> None:
        self.accept()
        self.frame.open_dialog("command annotation.delete")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return "; ".join(names[:_MOST_NAMED]) + more
