"""Every test runs under the strict rules of ``tests/strict``; what takes long to generate is generated once a run."""

from __future__ import annotations

pytest_plugins = ("strict_plugin", "pytester")
