"""Limits of time: how far apart what belongs together may be, for all work or one profile, and what that is in metres.

For whoever may change the project's settings; what is set is one step, which undo takes back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QFormLayout

from workstation.app.time_limits import TIME_LIMITS, TimeLimit, in_space, profiles_in, required_m, set_for
from workstation.core.tolerances import CLOCK_TOLERANCE, DISTANCE_TOLERANCE, of_profile
from workstation.ui.dialogs.sheet import Sheet, named
from workstation.ui.workbench import Workbench

if TYPE_CHECKING:
    from workstation.ui.main_window import MainWindow

_MOST_MS, _MOST_M = 60_000.0, 100.0


class Limits(Sheet):
    """A number for each limit; one that is nought is the usual one."""

    def __init__(self, window: MainWindow, bench: Workbench) -> None:
        super().__init__(window, "limits", "Limits of time")
        self.resize(460, 300)
        self._bench = bench
        store = bench.session.store
        self._project = store.project()
        self._set: dict[str, float | None] = {}
        """What was changed here, by the name under which it is kept."""
        self.say("What is further apart is found by the checks. Physics may ask for more: see below.")
        self._build_form(profiles_in(self._project, store.samples()))
        self._said = self.say("", "quiet")
        self._said.setObjectName("limits_in_space")
        done = self.button("do", "Done", default=True)
        done.clicked.connect(self._on_done)
        cancel = self.button("cancel", "Cancel")
        cancel.clicked.connect(self.reject)
        self.buttons(cancel, done)
        self._show()
        self.profile.currentIndexChanged.connect(self._show)

    def _build_form(self, profiles: list[str]) -> None:
        form = QFormLayout()
        self.profile = QComboBox()
        named(self.profile, "limits_profile", "For which work these limits hold")
        self.profile.addItem("all work", "")
        for each in profiles:
            self.profile.addItem(f"profile {each}", each)
        form.addRow("For", self.profile)
        self.boxes: dict[str, QDoubleSpinBox] = {}
        for limit in TIME_LIMITS:
            box = self._box(f"limits_{limit.tolerance}", limit.help, " ms", _MOST_MS)
            form.addRow(limit.title, box)
            self.boxes[limit.tolerance] = box
        exactly = "How exact places must be; limits of time follow from speed"
        self.exact = self._box("limits_exact", exactly, " m", _MOST_M)
        self.exact.setSpecialValueText("not said")
        self.exact.setDecimals(2)
        self.exact.setSingleStep(0.1)
        form.addRow("Exactness", self.exact)
        self.column.addLayout(form)

    def _box(self, name: str, spoken: str, suffix: str, most: float) -> QDoubleSpinBox:
        box = QDoubleSpinBox()
        named(box, name, spoken)
        box.setRange(0.0, most)
        box.setDecimals(1)
        box.setSuffix(suffix)
        box.valueChanged.connect(self._on_value)
        return box

    @property
    def _for(self) -> str:
        return str(self.profile.currentData())

    def _usual(self, limit: TimeLimit) -> float:
        """What holds for this work where it sets nothing of its own."""
        everywhere = self._now(limit, "") if self._for else None
        own = "" if self._project is None else self._project.profile
        return limit.usual_for(self._for or own) if everywhere is None else everywhere

    def _now(self, limit: TimeLimit, profile: str) -> float | None:
        key = of_profile(limit.tolerance, profile)
        return self._set[key] if key in self._set else set_for(self._project, limit, profile)

    @Slot()
    def _show(self) -> None:
        """The limits of the chosen work, and what they are in space."""
        for limit in TIME_LIMITS:
            box = self.boxes[limit.tolerance]
            box.blockSignals(True)
            box.setSpecialValueText(f"{self._usual(limit):g} ms, as usual")
            box.setValue(self._now(limit, self._for) or 0.0)
            box.blockSignals(False)
        self.exact.blockSignals(True)
        self.exact.setValue(self._set.get(DISTANCE_TOLERANCE, required_m(self._project)) or 0.0)
        self.exact.blockSignals(False)
        clock = next(each for each in TIME_LIMITS if each.tolerance == CLOCK_TOLERANCE)
        self._said.setText(in_space(self._now(clock, self._for) or self._usual(clock), self.exact.value()))

    @Slot()
    def _on_value(self) -> None:
        for limit in TIME_LIMITS:
            said = self.boxes[limit.tolerance].value() or None
            if said != self._now(limit, self._for):
                self._set[of_profile(limit.tolerance, self._for)] = said
        exact = self.exact.value() or None
        if exact != self._set.get(DISTANCE_TOLERANCE, required_m(self._project)):
            self._set[DISTANCE_TOLERANCE] = exact
        self._show()

    @Slot()
    def _on_done(self) -> None:
        store = self._bench.session.store
        head = store.head()
        if self._set:
            self._bench.run("project.set", tolerances=self._set)
        if not self._set or store.head() > head:
            self.accept()
