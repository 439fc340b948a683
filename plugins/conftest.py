"""Tests of the bundled plug-ins run under the same strict rules. Not part of the wheel."""

pytest_plugins = ("strict_plugin",)
