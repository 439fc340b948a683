"""The calibration in force for a sample: asked by whatever projects, panes and checks alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from workstation.core.annotation import Record
from workstation.core.ids import SampleId
from workstation.core.records import RecordKind
from workstation.core.sample import Rig
from workstation.core.space import Calibration, calibration_of


class HoldsRigs(Protocol):
    """A snapshot, or a store that reads."""

    def records(self, kind: RecordKind, *, sample: SampleId | None = None) -> Iterable[Record]: ...


def newest_calibration(reads: HoldsRigs, sample: SampleId) -> Calibration:
    """The newest version of the sample's rig; an empty one without any."""
    rigs = [each for each in reads.records(RecordKind.RIG, sample=sample) if isinstance(each, Rig)]
    if not rigs:
        return Calibration()
    newest = max(rigs, key=lambda rig: rig.version)
    return calibration_of(newest.frames, newest.cameras)
