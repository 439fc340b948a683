"""Where panes stand, per project, in the user's own folder: one small file each. Read and written by the window.

The project folder itself is left alone: two people who share it have two screens.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from workstation.app.folders import settings_folder
from workstation.core.errors import DataError
from workstation.core.files import read_bounded, write_whole

_MOST_BYTES = 4_000_000


class Layout(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``docks`` is what Qt wrote, per workspace; ``geometry`` the window's own place."""

    workspace: str = "label"
    docks: dict[str, bytes] = {}
    geometry: bytes = b""
    sample: str = ""
    """The one open last."""
    time_ns: int = 0


def layout_path(project: Path, folder: Path | None = None) -> Path:
    """The file of one project: named by its place on this machine."""
    name = hashlib.sha256(str(project.resolve()).encode()).hexdigest()[:24]
    return (folder or settings_folder()) / "layouts" / f"{name}.json"


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.json.Decoder(Layout)


def read_layout(project: Path, folder: Path | None = None) -> Layout:
    """The kept layout; the usual one if there is none. ``DataError`` if there is one and it is damaged."""
    path = layout_path(project, folder)
    if not path.is_file():
        return Layout()
    data = read_bounded(path, _MOST_BYTES)
    try:
        return _READ.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"is no layout ({error}); the usual one is used", path=path) from error


def write_layout(layout: Layout, project: Path, folder: Path | None = None) -> None:
    """Keep it, whole."""
    path = layout_path(project, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, msgspec.json.encode(layout))
