"""The program itself, with a hand that marks a horn, takes its end, drags it half way, says so and holds still.

Run by the story of the crash, which kills it then: ``python dying_window.py open PROJECT``.
"""

from __future__ import annotations

import json
import os
import sys
import traceback

from hands import SECOND, Person
from PySide6.QtCore import QPoint, QTimer
from PySide6.QtWidgets import QApplication

from workstation.__main__ import main
from workstation.ui.application import make_application
from workstation.ui.main_window import MainWindow
from workstation.ui.panes.timeline import TimelinePane


def live() -> None:
    """Once the window shows the project; a story of its own inside the program's own event loop."""
    windows = [each for each in QApplication.topLevelWidgets() if isinstance(each, MainWindow)]
    if not windows or windows[0].opened is None or windows[0].pane("timeline") is None:
        QTimer.singleShot(50, live_or_die)
        return
    me = Person(windows[0])
    me.window.show_pane("sound")
    me.go_to("1").press("I").go_to("2").press("O", "H")
    (horn,) = me.bench.selected
    pane = me.pane("timeline")
    assert isinstance(pane, TimelinePane)
    assert pane.model is not None
    canvas, middle = me.label_on_timeline(horn)
    end = QPoint(round(pane.model.viewport.x_of(2 * SECOND)) - 1, middle.y())
    me.drag(canvas, end, end + QPoint(60, 0), release=False)
    drag = pane.canvas.drag
    assert drag is not None
    ((_, shown),) = drag.preview.spans
    told = {"pulled_px": shown.right() - end.x(), "edits": me.bench.session.store.head()}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def live_or_die() -> None:
    """An error in the hand ends the program; the story then reads nothing."""
    try:
        live()
    except BaseException:  # noqa: BLE001 - Qt would print it and wait on for ever
        traceback.print_exc()
        os._exit(3)


if __name__ == "__main__":
    make_application()
    QTimer.singleShot(0, live_or_die)
    main()
