"""PySide reads no sources while the program is imported. Called by ``application.py`` before the window's modules.

Once PySide is there it looks at every module that is imported, reading its source line by line, for whether it wants
PySide's "features" (``from __feature__ import snake_case``). Nothing here does; of five hundred modules that was a
twentieth of a start, and their text stayed in memory.
"""

from __future__ import annotations

import sys


def leave_sources_unread() -> None:
    """Modules imported from now on are taken for ones without features, unless they import one by name."""
    feature = sys.modules.get("shibokensupport.feature")
    if hasattr(feature, "_mod_uses_pyside"):
        feature._mod_uses_pyside = _uses_none  # type: ignore[union-attr]


def _uses_none(_module: object) -> bool:
    return False
