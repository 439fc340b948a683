"""An adapter as a plug-in: says which program to start. The program is ``program.py`` beside it, and might as well be
written in another language or run in another environment with a framework of its own."""

from __future__ import annotations

from workstation.prelabel.api import AdapterSpec

ADAPTERS = (
    AdapterSpec(name="bright-boxes", task="detect", command=("{python}", "-I", "{here}/program.py"), seconds=30.0),
)
