"""Every test runs under the strict rules of ``tests/strict``; what takes long to generate is generated once a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from workstation.synth.truth import Truth

pytest_plugins = ("strict_plugin", "pytester")


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Truth]:
    """``made_once(make, **options)``: the clean fixture of a generator, made by whoever asks first.

    Its media are everybody's: variants may be planted beside them, nothing else may be written there.
    """
    made: dict[str, Truth] = {}

    def once(make: Callable[..., Truth], **options: Any) -> Truth:
        key = f"{make.__module__}.{make.__name__}({options})"
        if key not in made:
            made[key] = make(tmp_path_factory.mktemp(make.__name__), **options)
        return made[key]

    return once
