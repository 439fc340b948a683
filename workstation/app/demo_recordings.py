"""Two real recordings as demo projects: a fable that is read aloud, and half a minute of a meeting.

Called by ``demo.py``. Media and labels travel in ``resources/demo``; where they come from is in THIRD_PARTY.md.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from workstation.app.demo_generated import Json, Labels, add_sample, copied, text_part
from workstation.app.session import Session
from workstation.core.annotation import Source, SourceKind
from workstation.core.errors import DataError
from workstation.core.files import read_bounded
from workstation.media.probe import built_in_readers

_LARGEST = 1 << 20
_AMI = "CC BY 4.0, AMI Meeting Corpus"
_FABLE = "public domain (LibriVox recording, Project Gutenberg text)"
_ONE_FILE = "one recording: there is no other clock to be in step with"


class _Chunk(msgspec.Struct, frozen=True):
    start_ms: int
    end_ms: int
    text: str


class _Chunks(msgspec.Struct, frozen=True):
    chunks: tuple[_Chunk, ...]


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.json.Decoder(_Chunks)


def build_fable(session: Session, folder: Path) -> None:
    """What is read when, as published, and the passage of the printed text that it is, where the words agree."""
    key = "cat_and_mice"
    media = session.project.media_folder / key
    try:
        chunks = _READ.decode(read_bounded(folder / "chunks.json", _LARGEST)).chunks
    except msgspec.MsgspecError as error:
        raise DataError(f"not the demo's file: {error}", path=folder / "chunks.json") from error
    streams: list[tuple[Json, list[Path]]] = [
        (
            {"key": "reading", "kind": "audio", "role": "reading", "language": "en", "licence": _FABLE},
            copied(folder / "cat_and_mice.ogg", media),
        ),
        (
            {"key": "fable", "kind": "text", "role": "printed text", "language": "en", "licence": _FABLE},
            copied(folder / "cat_and_mice.txt", media),
        ),
    ]
    printed = (folder / "cat_and_mice.txt").read_text(encoding="utf-8")
    with session.together("Build the demo fable") as run:
        notes = "Aesop's fable of the cat and the mice, read by a volunteer of LibriVox."
        add_sample(session, run, key, streams, built_in_readers(), notes=notes, in_sync=_ONE_FILE)
        labels = Labels(run, key, _source("ELAN annotation of the fable", "CC BY 4.0"))
        labels.entity("reader", "participant", name="the reader")
        after = 0
        for number, chunk in enumerate(chunks):
            said = f"said/{number}"
            times = {"start_ns": chunk.start_ms * 1_000_000, "end_ns": chunk.end_ms * 1_000_000}
            labels.turn(said, "reading", **times, class_id="speech", text=chunk.text.strip(), language="en")
            labels.link("speaks", {"voice": said, "speaker": "entity/reader"})
            at = printed.find(chunk.text.strip(), after)
            if at >= 0:
                labels.mark(
                    f"printed/{number}",
                    "fable",
                    class_id="speech",
                    shape=text_part(printed, chunk.text.strip(), after=at),
                )
                labels.link("grounded_in_time", {"phrase": f"printed/{number}", "interval": said})
                after = at + len(chunk.text.strip())


def build_meeting(session: Session, folder: Path) -> None:
    """Who speaks when, as published (RTTM: seconds with three decimals)."""
    key = "meeting"
    media = session.project.media_folder / key
    streams: list[tuple[Json, list[Path]]] = [
        (
            {"key": "table", "kind": "audio", "role": "meeting", "language": "en", "licence": _AMI},
            copied(folder / "dev00.wav", media),
        )
    ]
    with session.together("Build the demo meeting") as run:
        notes = "Half a minute of a meeting of four, two of whom speak."
        add_sample(session, run, key, streams, built_in_readers(), notes=notes, in_sync=_ONE_FILE)
        labels = Labels(run, key, _source("RTTM of the AMI corpus", _AMI))
        for number, (start_ns, end_ns, speaker) in enumerate(_turns(folder / "turns.rttm")):
            if f"entity/{speaker}" not in labels.ids:
                labels.entity(speaker, "participant", name=speaker)
            said = f"speech/{number}"
            labels.mark(said, "table", class_id="speech", kind="span", start_ns=start_ns, end_ns=end_ns)
            labels.link("speaks", {"voice": said, "speaker": f"entity/{speaker}"})


def _turns(path: Path) -> list[tuple[int, int, str]]:
    found = []
    for line in read_bounded(path, _LARGEST).decode("ascii").splitlines():
        words = line.split()
        if len(words) < 8 or words[0] != "SPEAKER":
            raise DataError(f"is no line of RTTM: {line[:60]!r}", path=path)
        start_ns, lasts_ns = (round(float(word) * 1000) * 1_000_000 for word in words[3:5])
        found.append((start_ns, start_ns + lasts_ns, words[7]))
    return found


def _source(name: str, version: str) -> Json:
    found: Json = msgspec.to_builtins(Source(kind=SourceKind.IMPORT, name=name, version=version))
    return found
