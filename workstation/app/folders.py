"""Where the program keeps what is the user's and belongs to no project: settings, plug-ins, logs.

Called by ``settings``, ``plugins``, ``log`` and ``doctor``. ``WORKSTATION_HOME`` puts all of it into one folder: for a
memory stick, for a managed machine, for a test.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_NAME = "workstation"


def settings_folder() -> Path:
    """Holds ``settings.json``."""
    return _home("settings") or platformdirs.user_config_path(_NAME, appauthor=False)


def state_folder() -> Path:
    """Holds the log and the crash file."""
    return _home("state") or platformdirs.user_state_path(_NAME, appauthor=False)


def user_plugins_folder() -> Path:
    """Holds the user's own plug-ins, a folder each."""
    return _home("plugins") or platformdirs.user_data_path(_NAME, appauthor=False) / "plugins"


def models_folder() -> Path:
    """Holds the models, a folder each; made for large files, so ``WORKSTATION_MODELS`` may put it elsewhere."""
    named = os.environ.get("WORKSTATION_MODELS")
    if named:
        return Path(named)
    return _home("models") or platformdirs.user_data_path(_NAME, appauthor=False) / "models"


def usual_projects_folder() -> Path:
    """Where a project is likely to be put: the documents, or where we are."""
    documents = platformdirs.user_documents_path()
    return documents if documents.is_dir() else Path.cwd()


def _home(part: str) -> Path | None:
    home = os.environ.get("WORKSTATION_HOME")
    return Path(home) / part if home else None
