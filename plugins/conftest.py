"""Tests of the bundled plug-ins run under the same strict rules, on plug-ins loaded as the program does.

Not part of the wheel.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from workstation.app.plugins import PluginsLoaded, find_plugins, load_plugins

pytest_plugins = ("strict_plugin",)


@pytest.fixture(scope="session")
def loaded_plugins(tmp_path_factory: pytest.TempPathFactory) -> PluginsLoaded:
    """The bundled plug-ins and none of the user's."""
    loaded = load_plugins(find_plugins(user=tmp_path_factory.mktemp("no_plugins")))
    assert loaded.found.problems == ()
    return loaded


@pytest.fixture
def plugin(request: pytest.FixtureRequest, loaded_plugins: PluginsLoaded) -> ModuleType:
    """The plug-in in whose folder the test lies."""
    folder = Path(str(request.path)).parent.parent
    return next(loaded_plugins.modules[found.id] for found in loaded_plugins.found.plugins if found.folder == folder)
