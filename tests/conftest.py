"""Every test runs under the strict rules of ``tests/strict``."""

pytest_plugins = ("strict_plugin", "pytester")
