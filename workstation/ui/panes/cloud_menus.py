"""The three buttons in the cloud pane's header and their menus: colour, what is shown, where one looks from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QToolButton

from workstation.app.cloud_paint import TITLES, ColourBy
from workstation.ui.panes.cloud_look import Follow
from workstation.ui.scenes.space_view import Side

if TYPE_CHECKING:
    from workstation.ui.panes.cloud import CloudPane

_SHOWN = (
    ("cuboids", "Cuboids"),
    ("labels", "Names"),
    ("grid", "Ground grid"),
    ("frusta", "Frusta of cameras"),
    ("axes", "Axes of the vehicle"),
    ("way", "Way of the vehicle"),
    ("legend", "Legend"),
    ("sides", "Top, side and front of the selected cuboid"),
)
_AROUND = ((0, 0), (1, 1), (2, 2), (5, 5), (10, 10), (5, 0))
_SIZES = (1, 2, 3, 4, 6)


class CloudMenus:
    """``buttons`` go into the header. A menu is filled when it opens, from what is there and switched on then."""

    def __init__(self, pane: CloudPane) -> None:
        self._pane = pane
        self.colour = self._button("colour", "Colour", "What the colour of a point says", self._fill_colour)
        self.show = self._button("show", "Show", "Streams, sweeps laid under, grid, frusta", self._fill_show)
        self.looks = self._button("view", "View", "Where one looks from, what the view follows", self._fill_view)
        self.more = self._button("more", "⋯", "Colour, what is shown, where one looks from", self._fill_more)
        self.more.setAccessibleName("More")
        self.more.hide()
        self.buttons = (self.colour, self.show, self.looks, self.more)

    def _button(self, name: str, title: str, tip: str, fill: object) -> QToolButton:
        button = QToolButton()
        button.setText(title)
        button.setObjectName(f"cloud_{name}")
        button.setAccessibleName(title)
        button.setToolTip(tip)
        button.setAutoRaise(True)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        menu.setObjectName(f"cloud_{name}_menu")
        menu.setAccessibleName(title)
        menu.aboutToShow.connect(fill)
        button.setMenu(menu)
        return button

    def set_narrow(self, narrow: bool) -> None:
        """In a narrow pane one button holds the three menus, so that header and times are read."""
        self.more.setVisible(narrow)
        for button in (self.colour, self.show, self.looks):
            button.setVisible(not narrow)

    def _fill_more(self) -> None:
        menu = self.more.menu()
        menu.clear()
        for button in (self.colour, self.show, self.looks):
            menu.addMenu(button.menu()).setText(button.text())

    def _fill_colour(self) -> None:
        menu = self.colour.menu()
        menu.clear()
        for by in self._pane.colourings():
            self._add(menu, TITLES[by], ("colour_by", by), self._pane.look.colour_by == by)
        menu.addSeparator()
        for size in _SIZES:
            self._add(menu, f"Points of {size} px", ("point_px", size), self._pane.look.point_px == size)

    def _fill_show(self) -> None:
        menu, look = self.show.menu(), self._pane.look
        menu.clear()
        for layer in self._pane.layers.layers:
            key = layer.stream.key
            self._add(menu, f"Points of {key}", ("stream", key), key not in look.hidden)
        menu.addSeparator()
        self._add(menu, "Motion correction", ("correct", not look.correct), look.correct)
        for before, after in _AROUND:
            title = "One sweep" if not before and not after else f"With {before} before and {after} after"
            chosen = (look.before, look.after) == (before, after)
            self._add(menu, title, ("around", (before, after)), chosen)
        self._add(menu, "Leave moving things alone", ("leave_moving", not look.leave_moving), look.leave_moving)
        menu.addSeparator()
        for name, title in _SHOWN:
            self._add(menu, title, (name, not getattr(look, name)), bool(getattr(look, name)))

    def _fill_view(self) -> None:
        menu, look = self.looks.menu(), self._pane.look
        menu.clear()
        for side in Side:
            self._add(menu, f"From the {side.value}" if side is not Side.TOP else "From above", ("side", side), None)
        self._add(menu, "All points", ("fit", None), None)
        self._add(menu, "Behind the vehicle", ("home", None), None)
        menu.addSeparator()
        follows = look.follow is Follow.VEHICLE
        wanted = Follow.GROUND if follows else Follow.VEHICLE
        self._add(menu, "Follow the vehicle", ("follow", wanted), follows)
        self._add(menu, "Orthographic", ("flat", not look.flat), look.flat)
        self._add(menu, "Lock the zoom", ("zoom_locked", not look.zoom_locked), look.zoom_locked)

    def _add(self, menu: QMenu, title: str, means: tuple[str, object], checked: bool | None) -> None:
        entry = _Entry(title, menu, self, means)
        if checked is not None:
            entry.setCheckable(True)
            entry.setChecked(checked)
        menu.addAction(entry)

    def choose(self, name: str, value: object) -> None:
        """Do what an entry says."""
        pane = self._pane
        if name == "stream":
            pane.show_stream(str(value), str(value) in pane.look.hidden)
        elif name == "around" and isinstance(value, tuple):
            pane.set_look(before=value[0], after=value[1])
        elif name == "side" and isinstance(value, Side):
            pane.look_from(value)
        elif name == "fit":
            pane.fit_all()
        elif name == "home":
            pane.home()
        elif name == "colour_by" and isinstance(value, ColourBy):
            pane.set_look(colour_by=value)
        else:
            pane.set_look(**{name: value})


class _Entry(QAction):
    """One line of a menu, which knows what it means."""

    def __init__(self, title: str, menu: QMenu, menus: CloudMenus, means: tuple[str, object]) -> None:
        super().__init__(title, menu)
        self._menus, self._means = menus, means
        self.triggered.connect(self._chosen)

    def _chosen(self) -> None:
        self._menus.choose(*self._means)
