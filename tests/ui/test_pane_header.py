"""The line over a pane: what has no room goes into its menu and works from there; the times stay to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QComboBox, QLabel, QMenu, QToolButton

from strict_windows import show, wait_for
from workstation.ui.pane_header import PaneHeader

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication


def test_controls_without_room_go_into_the_menu_and_come_back(qapp: QApplication) -> None:
    assert qapp is not None
    header = PaneHeader("Sound")
    pressed: list[str] = []
    buttons = []
    for name in ("Wave", "Spectrum", "Scrub", "Snap"):
        button = QToolButton(text=name, checkable=True, accessibleName=name)
        button.toggled.connect(lambda _on, name=name: pressed.append(name))
        header.extra.addWidget(button)
        buttons.append(button)
    floor = QComboBox(accessibleName="Floor")
    floor.addItems(["-60 dB", "-90 dB"])
    header.extra.addWidget(floor)
    hidden = QToolButton(text="Never", accessibleName="Never")
    header.extra.addWidget(hidden)
    hidden.hide()
    header.say(item="sample #12,345", own="0.100 s", distance="-0.01 ms")
    show(header, 900, 30)
    more = header.findChild(QToolButton, "pane_more")
    assert isinstance(more, QToolButton)
    wait_for(lambda: all(each.isVisible() for each in buttons), what="all controls")
    assert not more.isVisible()

    header.resize(330, 30)
    wait_for(more.isVisible, what="the menu")
    assert not buttons[-1].isVisible()
    distance = header.findChild(QLabel, "pane_distance")
    assert isinstance(distance, QLabel)
    assert distance.isVisible()
    assert distance.text() == "−0.01 ms"
    menu = more.menu()
    assert isinstance(menu, QMenu)
    menu.aboutToShow.emit()
    entries = {entry.text(): entry for entry in menu.actions()}
    assert "Never" not in entries
    entries["Snap"].trigger()
    assert pressed == ["Snap"]
    inner = entries["Floor"].menu()
    assert isinstance(inner, QMenu)
    inner.actions()[1].trigger()
    assert floor.currentIndex() == 1

    header.offer(buttons[-1], offered=False)  # while there is no room for it: it must not come back with the room
    header.resize(900, 30)
    wait_for(lambda: all(each.isVisible() for each in buttons[:-1]) and not more.isVisible(), what="all but one again")
    assert not buttons[-1].isVisible()
    header.offer(buttons[-1], offered=True)
    wait_for(lambda: all(each.isVisible() for each in buttons) and not more.isVisible(), what="all controls again")
    assert not hidden.isVisible()
    assert header.minimumSizeHint().width() <= 120
    header.close()
    header.deleteLater()
