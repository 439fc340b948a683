"""What the user chose once and for every project, in one small file that is always whole.

Read by the session when it starts; written by whoever changes a choice. Project settings live in the project.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from workstation.app.folders import settings_folder
from workstation.core.errors import DataError
from workstation.core.files import write_whole

_log = logging.getLogger(__name__)
_RECENT = 20
_MOST_BYTES = 1_000_000
_MOST_PROJECTS = 100
T = TypeVar("T")
ByProject = Literal["lanes", "clouds", "series", "proposals", "model_runs"]


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Fields this version does not know are ignored, so that an older program can read a newer one's file."""

    person: str = ""
    theme: str = "dark"
    font_points: float = 0.0
    """Size of letters in the window; 0 is the system's own."""
    recent_projects: tuple[str, ...] = ()
    sound_offsets_ns: Mapping[str, int] = {}
    """Device name -> how much later than it says its sound is heard, against the picture."""
    sound_residuals_ns: Mapping[str, int] = {}
    """Device name -> how far picture and sound were still apart when its compensation was measured."""
    lanes: Mapping[str, object] = {}
    """By project: how its timeline's lanes are arranged (``lane_layout.py``)."""
    clouds: Mapping[str, object] = {}
    """By project: how its clouds are looked at (the cloud pane)."""
    series: Mapping[str, object] = {}
    """By project: which channels the series pane shows and how (``series_layout.py``)."""
    proposals: Mapping[str, object] = {}
    """By project: which proposals are shown (``shown_proposals.py``)."""
    model_runs: Mapping[str, object] = {}
    """By project: which models ran last, on what and how (the dialog of pre-labelling)."""

    def with_recent(self, project: Path) -> Settings:
        """The same with this project first."""
        name = str(project.absolute())
        others = tuple(path for path in self.recent_projects if path != name)
        return msgspec.structs.replace(self, recent_projects=(name, *others)[:_RECENT])


def settings_path(folder: Path | None = None) -> Path:
    """The file itself."""
    return (folder or settings_folder()) / "settings.json"


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.json.Decoder(Settings)


def read_settings(folder: Path | None = None) -> Settings:
    """The settings; the usual ones when there is no file. Raises ``DataError`` when there is one and it is damaged."""
    path = settings_path(folder)
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise DataError(f"the settings cannot be read ({error.strerror})", path=path) from error
    if len(data) > _MOST_BYTES:
        raise DataError("far too large for settings; move it away to begin with the usual ones", path=path)
    try:
        return _READ.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{error}; mend it, or move it away to begin with the usual ones", path=path) from error


def settings_or_usual(folder: Path | None = None) -> Settings:
    """The same, but a damaged file is logged and the usual settings are used: choices must not stop work."""
    try:
        return read_settings(folder)
    except DataError as problem:
        _log.warning("using the usual settings: %s", problem)
        return Settings()


def write_settings(settings: Settings, folder: Path | None = None) -> None:
    """Put the new settings in the old ones' place, whole."""
    path = settings_path(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, msgspec.json.format(msgspec.json.encode(settings), indent=2) + b"\n")


def kept_for(project: Path, what: ByProject, kind: type[T]) -> T:
    """How a person wants something in one project, or as it usually is (``kind()``)."""
    kept = getattr(settings_or_usual(), what).get(_name(project))
    if kept is None:
        return kind()
    try:
        return msgspec.convert(kept, kind)
    except msgspec.ValidationError:  # written by a newer program, or by hand: the usual does no harm
        return kind()


def keep_for(project: Path, what: ByProject, value: object) -> None:
    """Remember it, for the last hundred projects. A damaged settings file is left as it is: its owner is told where it
    is read."""
    try:
        settings = read_settings()
    except DataError:
        return
    others = {name: kept for name, kept in getattr(settings, what).items() if name != _name(project)}
    while len(others) >= _MOST_PROJECTS:
        del others[next(iter(others))]
    write_settings(msgspec.structs.replace(settings, **{what: {**others, _name(project): msgspec.to_builtins(value)}}))


def _name(project: Path) -> str:
    return str(project.absolute())
