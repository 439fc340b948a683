"""Which dialogs there are, by name: what ``Frame.open_dialog`` opens. Each is imported when it is first opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QFileDialog

from workstation.ui.told import Tone

if TYPE_CHECKING:
    from workstation.ui.dialogs.sheet import Sheet
    from workstation.ui.main_window import MainWindow
    from workstation.ui.opened import Opened

_COMMAND = "command "
_MAKE_DEMO = "Make the demo"
_MERGE = "merge "


class Dialogs(QObject):
    """Opens them over the window, never modally to the event loop. One at a time of each."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._acts: dict[str, Callable[[], None]] = {
            "open_project": self._choose_project,
            "demo": self._demo,
            "close_project": window.close_project,
            "edit_project": self._edit,
            "quit": window.close_soon,
            "go_to": self._go_to,
        }

    def open(self, name: str) -> None:
        """The dialog of that name; ``command ID`` is the form of a command, ``merge ID`` merges for a proposed link."""
        act = self._acts.get(name)
        if act is not None:
            act()
            return
        if name.startswith(_COMMAND):
            made = self._command(name.removeprefix(_COMMAND))
        elif name.startswith(_MERGE):
            made = _merge(self._window, name.removeprefix(_MERGE))
        else:
            made = _MAKERS[name](self._window)
        if made is not None:
            made.open()

    def _command(self, command_id: str) -> Sheet | None:
        from workstation.ui.dialogs.arguments import Arguments

        opened = self._window.opened
        if opened is None:
            return None
        return Arguments(self._window, opened.session.registry.find(command_id), opened.bench)

    def _choose_project(self) -> None:
        dialog = QFileDialog(self._window, "Open project", str(Path.home()))
        dialog.setObjectName("open_project")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self._on_project)
        dialog.open()

    @Slot(str)
    def _on_project(self, path: str) -> None:
        if path:
            self._window.open_project(Path(path))

    def _edit(self) -> None:
        """The project again, to write in it now that nobody else does; where somebody does, it says who."""
        opened = self._window.opened
        if opened is not None:
            self._window.open_project(opened.session.project.path)
            now = self._window.opened
            if now is not None and now.holder is not None:
                self._window.tell(f"Still open to look at only: {now.holder}.", Tone.REFUSED)

    def _go_to(self) -> None:
        field = self._window.toolbar.time
        if field.isVisible():
            field.setFocus()
            field.selectAll()
            return
        from workstation.ui.dialogs.palette import Palette

        palette = Palette(self._window)  # in a narrow window the bar has no room for the field
        palette.open()
        palette.field.setText("go to ")

    def _demo(self) -> None:
        from workstation.app.demo import make_demo, usual_folder

        folder = usual_folder("drive")
        if any(job.title == _MAKE_DEMO for job in self._window.jobs.running()):
            self._window.tell("The demo is being made; Cancel beside the bar stops it.")
            return
        self._window.tell(f"Making the demo in {folder} …")
        self._window.jobs.start(
            _MAKE_DEMO, lambda job: make_demo(folder, report=job.report).folder, done=self._on_demo,
            failed=self._refused,
        )  # fmt: skip

    def _on_demo(self, folder: Path) -> None:
        self._window.open_project(folder)

    def _refused(self, words: str) -> None:
        self._window.tell(words, Tone.REFUSED)


def _palette(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.palette import Palette

    return Palette(window)


def _classes(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.palette import ClassPicker

    return ClassPicker(window)


def _delete(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.deleting import Deleting

    opened = window.opened
    return None if opened is None or opened.bench.view is None else Deleting(window, opened.bench)


def _keys(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.keys import KeyDialog

    return KeyDialog(window)


def _cheat_sheet(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.keys import CheatSheet

    return CheatSheet(window)


def _messages(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.lists import Messages

    return Messages(window)


def _missing(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.lists import MissingList

    return MissingList(window)


def _backups(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.safety import Backups

    return _with_project(window, Backups)


def _relink(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.safety import Relink

    return _with_project(window, Relink)


def _settings(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.settings import SettingsDialog

    return SettingsDialog(window)


def _manual(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.reading import Manual

    return Manual(window)


def _news(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.reading import Manual

    return Manual(window, "what is new")


def _merge(window: MainWindow, link: str = "") -> Sheet | None:
    from workstation.ui.dialogs.entities import MergeThings

    opened = window.opened
    return None if opened is None or opened.bench.view is None else MergeThings(window, opened.bench, link)


def _split(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.entities import SplitThing

    opened = window.opened
    return None if opened is None or opened.bench.view is None else SplitThing(window, opened.bench)


def _absence(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.absence import Absence

    opened = window.opened
    return None if opened is None or opened.bench.view is None else Absence(window, opened.bench)


def _relations(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.relations import Relations

    opened = window.opened
    return None if opened is None else Relations(window, opened.bench)


def _limits(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.limits import Limits

    opened = window.opened
    return None if opened is None else Limits(window, opened.bench)


def _offsets(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.offsets import Offsets

    opened = window.opened
    return None if opened is None else Offsets(window, opened.bench)


def _decide(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.findings import Decide
    from workstation.ui.panels.going import looked_at

    opened = window.opened
    finding = None if opened is None else looked_at(opened.bench)
    return None if opened is None or finding is None else Decide(window, opened.bench, finding)


def _rules(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.findings import RulesTable

    opened = window.opened
    return None if opened is None or opened.bench.view is None else RulesTable(window, opened.bench)


def _with_project(window: MainWindow, make: Callable[[MainWindow, Opened], Sheet]) -> Sheet | None:
    return None if window.opened is None else make(window, window.opened)


def _prelabel(window: MainWindow) -> Sheet | None:
    from workstation.app.models import models_shelf
    from workstation.ui.dialogs.prelabel import Prelabel

    opened = window.opened
    return None if opened is None or opened.bench.view is None else Prelabel(window, opened.bench, models_shelf())


def _class_map(window: MainWindow) -> Sheet | None:
    from workstation.app.known_models import runnable_models
    from workstation.app.models import models_shelf
    from workstation.ui.dialogs.cannot import Cannot
    from workstation.ui.dialogs.prelabel import ClassMapSheet
    from workstation.ui.panels.models import ModelsPanel

    opened, pane = window.opened, window.pane("models")
    good = runnable_models(models_shelf())
    wanted = pane.selected_model() if isinstance(pane, ModelsPanel) else None
    model = next((each for each in good if each.manifest.id == wanted), good[0] if good else None)
    if opened is None or opened.bench.view is None or opened.bench.view.ontology is None:
        return None
    if model is None:
        why = "no model is installed: the panel of models installs one by name, or adds one from this machine"
        return Cannot(window, "class_map", "Classes of a model's labels", why)
    return ClassMapSheet(window, opened.bench, model)


def _add_model(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.add_model import AddModel
    from workstation.ui.panels.models import ModelsPanel

    window.show_pane("models")
    panel = window.pane("models")
    return AddModel(window, panel.add_from) if isinstance(panel, ModelsPanel) else None


def _try_model(window: MainWindow) -> Sheet | None:
    from workstation.app.models import models_shelf
    from workstation.app.trying import why_not_tried
    from workstation.ui.dialogs.cannot import Cannot
    from workstation.ui.dialogs.try_model import TryModel
    from workstation.ui.panels.models import ModelsPanel
    from workstation.ui.panes.camera import CameraPane

    opened, panel, camera = window.opened, window.pane("models"), window.pane("camera")
    wanted = panel.selected_model() if isinstance(panel, ModelsPanel) else None
    shelf = models_shelf()
    model = next((each for each in shelf.models()[0] if each.manifest.id == wanted), None)
    if opened is None or opened.bench.view is None:
        return None
    focused = camera.focused if isinstance(camera, CameraPane) else None
    picture = None if focused is None else focused.canvas.picture()
    reason = "select an installed model in the panel of models first" if model is None else why_not_tried(model)
    if not reason and picture is None:
        reason = "open a sample with pictures: it is tried on the one that is shown"
    if model is None or picture is None or reason:
        return Cannot(window, "try_model", "Try a model", reason)
    return TryModel(window, opened.bench, model, shelf, picture)


def _accept_proposals(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.proposals import AcceptProposals

    opened = window.opened
    if opened is None or opened.bench.view is None or opened.bench.proposals is None:
        return None
    return AcceptProposals(window, opened.bench)


def _import_predictions(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.predictions import ImportPredictions

    opened = window.opened
    if opened is None or opened.bench.view is None or opened.bench.view.ontology is None:
        return None
    return ImportPredictions(window, opened.bench)


def _carry_mask(window: MainWindow) -> Sheet | None:
    from workstation.ui.dialogs.cannot import Cannot
    from workstation.ui.dialogs.carry_mask import CarryMask
    from workstation.ui.panes.camera import CameraPane
    from workstation.ui.tools.mask_carrying import NO_MASK, mask_to_carry

    opened, pane = window.opened, window.pane("camera")
    if opened is None or opened.bench.view is None:
        return None
    focused = pane.focused if isinstance(pane, CameraPane) else None
    found = NO_MASK if focused is None else mask_to_carry(focused.canvas, opened.session.project.path)
    if isinstance(found, str):
        return Cannot(window, "carry_mask", "Carry the mask on", found)
    return CarryMask(window, opened.bench, *found)


_MAKERS: dict[str, Callable[[MainWindow], Sheet | None]] = {
    "palette": _palette, "class": _classes, "keys": _keys, "cheat_sheet": _cheat_sheet, "messages": _messages,
    "missing": _missing, "backups": _backups, "relink": _relink, "settings": _settings, "manual": _manual,
    "news": _news, "absence": _absence, "relations": _relations, "limits": _limits, "offsets": _offsets,
    "decide": _decide, "rules": _rules, "merge": _merge, "split": _split, "delete": _delete,
    "accept_proposals": _accept_proposals, "prelabel": _prelabel, "class_map": _class_map,
    "try_model": _try_model, "add_model": _add_model, "carry_mask": _carry_mask,
    "import_predictions": _import_predictions,
}  # fmt: skip
DIALOGS = tuple(_MAKERS)
"""Those that are sheets of ours, for the test that walks all of them."""
