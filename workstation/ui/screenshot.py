"""Pictures of the real window without a display: opened to look at, settled, painted, written. For ``screenshot``."""

from __future__ import annotations

import logging
import os
from time import monotonic
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEventLoop, QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QImage, QImageWriter

from workstation.app.opening import open_project
from workstation.app.places import place_in
from workstation.app.sample_view import SampleView
from workstation.app.settings import Settings
from workstation.core.errors import DataError, UserError
from workstation.core.rights import ActorKind
from workstation.ui.theme import THEMES
from workstation.ui.workspaces.catalogue import WORKSPACES

if TYPE_CHECKING:
    from workstation.app.shots import Shot
    from workstation.ui.main_window import MainWindow

_log = logging.getLogger(__name__)
_STILL_S = 0.4
"""So long nothing may change before the window counts as painted: thumbnails come after pictures."""
_LONGEST_S = 300.0
_LOOK_MS = 25


def take_picture(shot: Shot) -> tuple[int, int]:
    """Draw the window as asked into a file; its size in pixels. ``UserError`` for what is not there."""
    if shot.workspace not in WORKSPACES:
        raise UserError(f"there is no workspace {shot.workspace[:40]!r}; there are {', '.join(WORKSPACES)}")
    if shot.theme not in THEMES:
        raise UserError(f"there is no theme {shot.theme[:40]!r}; there are {', '.join(THEMES)}")
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    if shot.scale != 1.0:
        os.environ["QT_SCALE_FACTOR"] = str(shot.scale)
    from workstation.ui.application import make_application
    from workstation.ui.main_window import MainWindow

    qInstallMessageHandler(_hear)
    application = make_application()
    session = open_project(shot.project, kind=ActorKind.PERSON, tool="screenshot", read_only=True)
    window = MainWindow(Settings(theme=shot.theme))
    try:
        window.resize(*shot.size_px)
        window.show()
        window.show_session(session, kept=False)
        window.resize(*shot.size_px)
        _prepare(window, shot)
        picture = _settled_picture(window)
    finally:
        window.close()
        window.deleteLater()
        application.sendPostedEvents()
    writer = QImageWriter(str(shot.output), QByteArray(b"png"))
    if not writer.write(picture):
        raise DataError(f"the picture could not be written ({writer.errorString()})", path=shot.output)
    return picture.width(), picture.height()


def _hear(kind: QtMsgType, _context: QMessageLogContext, words: str) -> None:
    """What Qt says goes to the log; that this platform has no window frames is no news."""
    if "propagateSizeHints" not in words:
        _log.log(logging.WARNING if kind is not QtMsgType.QtDebugMsg else logging.DEBUG, "Qt: %s", words)


def _prepare(window: MainWindow, shot: Shot) -> None:
    opened = window.opened
    assert opened is not None
    bench = opened.bench
    if shot.sample and not bench.open_sample(shot.sample):
        raise UserError(f"there is no sample {shot.sample[:80]!r}")
    window.take_workspace(shot.workspace)
    view, readers = bench.view, bench.readers
    if view is None or readers is None:
        raise UserError("the project has no sample to show")
    if shot.at:
        bench.clock.seek(place_in(shot.at, view, readers))
    if shot.select:
        bench.select([_found(view, each) for each in shot.select], cause="screenshot")
        bench.reveal(bench.selected)
    if shot.pane:
        window.show_pane(shot.pane)
        pane = window.pane(shot.pane)
        if pane is None:
            raise UserError(f"there is no pane {shot.pane[:40]!r}")
        window.maximise(pane)


def _found(view: SampleView, wanted: str) -> str:
    """The record of an id, of its beginning, or of a name."""
    known = [*view.entities, *view.annotations, *view.links]
    found = [each for each in known if each.startswith(wanted)]
    if len(found) != 1:
        found = [each for each in known if view.name_of(each).casefold() == wanted.casefold()][:1]
    if not found:
        raise UserError(f"there is nothing called {wanted[:80]!r} in sample {view.sample.key}")
    return found[0]


def _is_checked(window: MainWindow) -> bool:
    """Whether the findings that are shown are those of the sample."""
    bench = None if window.opened is None else window.opened.bench
    return bench is None or bench.said_all()


def _settled_picture(window: MainWindow) -> QImage:
    """The window when every pane says it shows what was asked and nothing has changed for a moment."""
    loop, look = QEventLoop(), QTimer()
    begun = monotonic()
    last, since = window.grab().toImage(), monotonic()

    def check() -> None:
        nonlocal last, since
        if not window.jobs.running() and window.docks.settled() and _is_checked(window):
            picture = window.grab().toImage()
            if picture != last:
                last, since = picture, monotonic()
            elif monotonic() - since >= _STILL_S:
                loop.quit()
        else:
            since = monotonic()
        if monotonic() - begun > _LONGEST_S:
            loop.quit()

    look.timeout.connect(check)
    look.start(_LOOK_MS)
    loop.exec()
    look.stop()
    if monotonic() - begun > _LONGEST_S:
        raise DataError("the window did not come to rest within five minutes", path=window.windowTitle())
    return last
