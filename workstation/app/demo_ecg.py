"""A real electrocardiogram as a demo project: half an hour of two leads, with the published beats as instants.

Called by ``demo.py``. The files travel in ``resources/demo/ecg`` as published; where they come from is in
THIRD_PARTY.md. The plug-in ``wfdb`` reads the signals; the annotations of a record (``100.atr``) are decoded here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from workstation.app.demo_generated import Json, Labels, add_sample, copied
from workstation.app.reading import Formats
from workstation.app.session import Session
from workstation.core.annotation import Source, SourceKind
from workstation.core.errors import DataError
from workstation.core.files import read_bounded
from workstation.core.timebase import SECOND_NS

KEY = "mitdb-100"
_RATE_HZ = 360
_LICENCE = "ODC-By 1.0, MIT-BIH Arrhythmia Database (PhysioNet)"
_ONE_FILE = "one recording: both leads were sampled in turn by one converter, and beats are given by sample number"
_CLASSES = {
    1: "normal_beat",
    5: "ventricular_premature_beat",
    8: "atrial_premature_beat",
    28: "rhythm_change",
}
"""By the codes of the WFDB annotation format: N, V, A and +."""
_LARGEST = 1 << 20
_SKIP, _NUMBER, _SUBTYPE, _CHANNEL, _WORDS = 59, 60, 61, 62, 63


@dataclass(frozen=True, slots=True)
class Beat:
    """One annotation of a record: its code, and the number of the sample it belongs to."""

    code: int
    sample: int
    text: str = ""


def build(session: Session, folder: Path) -> None:
    """Both leads on the clock of their sample count, and a mark at every annotation."""
    media = session.project.media_folder / KEY
    files = [path for name in ("100.hea", "100.dat") for path in copied(folder / name, media)]
    stream: Json = {"key": "leads", "kind": "series", "role": "ECG", "reader": "wfdb_signals", "licence": _LICENCE}
    beats = read_beats(folder / "100.atr")
    with session.together("Build the demo ecg") as run:
        notes = "Half an hour of an electrocardiogram: two leads, 360 samples a second, and every beat as published."
        left_out = add_sample(session, run, KEY, [(stream, files)], Formats().readers, notes=notes, in_sync=_ONE_FILE)
        if left_out:
            raise DataError(left_out[0], path=folder)
        source = Source(kind=SourceKind.IMPORT, name="MIT-BIH annotations (atr)", version=_LICENCE)
        labels = Labels(run, KEY, msgspec.to_builtins(source))
        for number, beat in enumerate(beats):
            if beat.code not in _CLASSES:
                raise DataError(f"the demo has no class for the code {beat.code}", path=folder / "100.atr")
            at_ns = round(beat.sample * SECOND_NS / _RATE_HZ)
            labels.mark(
                f"beat/{number}", "leads", class_id=_CLASSES[beat.code], kind="span", start_ns=at_ns, end_ns=at_ns,
                attributes={"rhythm": beat.text} if beat.text else {},
            )  # fmt: skip


def read_beats(path: Path) -> list[Beat]:
    """The annotations of a WFDB file in the MIT format, in order.

    It is a row of words of two bytes, a code in the upper six bits and a number in the lower ten. The number is the
    samples since the annotation before; codes from 59 on belong to the annotation before or the step to the next.
    """
    data = read_bounded(path, _LARGEST)
    found: list[Beat] = []
    at = time = 0
    while True:
        word = int.from_bytes(_part(data, at, 2, path), "little")
        at, code, number = at + 2, word >> 10, word & 0x3FF
        if word == 0:
            return found
        if code == _SKIP:
            high, low = _part(data, at, 2, path), _part(data, at + 2, 2, path)
            time += int.from_bytes(low + high, "little", signed=True)
            at += 4
        elif code == _WORDS:
            text = _part(data, at, number, path).rstrip(b"\0").decode("latin-1")
            if not found:
                raise DataError("words stand before the first annotation", path=path, place=f"byte {at}")
            found[-1] = Beat(found[-1].code, found[-1].sample, text)
            at += number + number % 2
        elif code not in (_NUMBER, _SUBTYPE, _CHANNEL):
            time += number
            if time < 0:
                raise DataError("an annotation lies before the record", path=path, place=f"byte {at}")
            found.append(Beat(code, time))


def _part(data: bytes, at: int, size: int, path: Path) -> bytes:
    part = data[at : at + size]
    if len(part) < size:
        raise DataError("ends in the middle of an annotation: it was cut", path=path, place=f"byte {len(data)}")
    return part
