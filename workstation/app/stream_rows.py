"""The streams of a sample as rows, and all that is known of one in words. Without Qt; for the panel of streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workstation.app.moment import StreamFacts, map_in_words
from workstation.app.places import time_text
from workstation.app.rows import Cell, Column, Row
from workstation.core.sample import Stream

COLUMNS = (
    Column(title="Stream", stretch=True, help="Selecting one makes it the stream that marks are made on"),
    Column(title="Rate", width=11, spare=1, numeric=True, help="Items per second of session time, as measured"),
    Column(title="Gaps", width=5, spare=2, numeric=True, help="Where items are missing"),
    Column(title="Sync", width=8, spare=3, numeric=True, help="How far its clock may be off, from the time map"),
    Column(title="", width=2, help="Shown or hidden (@streams.hide)"),
    Column(title="", width=2, help="Shown alone (@streams.solo)"),
    Column(title="", width=2, help="Locked against gestures (@streams.lock)"),
)
HIDE, SOLO, LOCK = 4, 5, 6


def stream_rows(
    streams: Sequence[Stream],
    facts: Mapping[str, StreamFacts],
    missing: Mapping[str, Sequence[str]],
    sight: Mapping[str, tuple[bool, bool, bool]],
) -> list[Row]:
    """By kind and key; what is not measured yet says so."""
    ordered = sorted(streams, key=lambda each: (each.kind.value, each.key))
    return [_row(each, facts.get(each.id), missing.get(each.id, ()), sight) for each in ordered]


def _row(
    stream: Stream,
    facts: StreamFacts | None,
    missing: Sequence[str],
    sight: Mapping[str, tuple[bool, bool, bool]],
) -> Row:
    hidden, alone, locked = sight.get(stream.id, (False, False, False))
    trouble = bool(missing) or bool(facts is not None and facts.trouble)
    tip = "\n".join(
        [f"{stream.key} ({stream.kind.value})", *missing, *([facts.trouble] if facts and facts.trouble else [])]
    )
    residual = stream.time_map.residual_ns
    return Row(
        key=stream.id,
        ids=(stream.id,),
        group=f"{stream.kind.value} {'missing' if missing else 'there'}",
        cells=(
            Cell(text=stream.key, icon="warning" if trouble else f"stream_{stream.kind.value}", tip=tip,
                 tone="warning" if trouble else ""),
            _rate(facts, missing),
            _gaps(facts),
            Cell(text="" if residual is None else f"±{residual / 1e6:.3g} ms", tip=map_in_words(stream.time_map)),
            Cell(icon="eye_off" if hidden else "eye", tip=f"{'Hidden' if hidden else 'Shown'}: {stream.key}"),
            Cell(icon="solo" if alone else "solo_off", tip=f"{'Alone' if alone else 'With the others'}: {stream.key}"),
            Cell(icon="lock" if locked else "unlock", tip=f"{'Locked' if locked else 'Not locked'}: {stream.key}"),
        ),
    )  # fmt: skip


def _rate(facts: StreamFacts | None, missing: Sequence[str]) -> Cell:
    if missing:
        return Cell(text="missing", tone="warning", tip="\n".join(missing))
    if facts is None:
        return Cell(text="…", tone="quiet", tip="Being measured")
    if facts.trouble:
        return Cell(text="trouble", tone="error", tip=facts.trouble)
    if facts.rate_hz is None:
        return Cell(text="–", tone="quiet", tip="It has no rate")
    return Cell(text=f"{facts.rate_hz:,.6g} Hz" if facts.rate_hz < 1000 else f"{facts.rate_hz / 1000:,.6g} kHz")


def _gaps(facts: StreamFacts | None) -> Cell:
    if facts is None or facts.trouble:
        return Cell()
    tip = "\n".join(f"{time_text(gap.start_ns)} to {time_text(gap.end_ns)}" for gap in facts.gaps[:20])
    return Cell(text=str(len(facts.gaps)), tone="warning" if facts.gaps else "quiet", tip=tip or "No gaps")


def stream_facts(stream: Stream, facts: StreamFacts | None, missing: Sequence[str]) -> list[tuple[str, str]]:
    """Everything that is known of a stream: a name and a sentence each."""
    found: list[tuple[str, str]] = [("Missing", each) for each in missing]
    found.append(("Kind", f"{stream.kind.value}{', ' + stream.role if stream.role else ''}"))
    if facts is None:
        found.append(("Measured", "being measured …"))
    elif facts.trouble:
        found.append(("Trouble", facts.trouble))
    else:
        found += _measured(facts)
    residual = stream.time_map.residual_ns
    found += [
        ("Clock", (facts.clock if facts is not None else stream.clock) or "not said"),
        ("Time map", map_in_words(stream.time_map)),
        ("Residual", "not measured" if residual is None else f"{residual / 1e6:g} ms"),
        ("Language", stream.language),
        ("Licence", stream.licence or "not said"),
        ("Consent", stream.consent),
        ("Recording", stream.recording),
        ("Frame", stream.frame),
        ("Changed by", ", ".join(stream.transformations)),
        ("Files", ", ".join(file.path for file in stream.files[:3]) + (" …" if len(stream.files) > 3 else "")),
    ]
    return [(name, said) for name, said in found if said]


def _measured(facts: StreamFacts) -> list[tuple[str, str]]:
    found = []
    if facts.count is not None:
        rate = "" if facts.rate_hz is None else f" at {facts.rate_hz:,.6g} per second"
        found.append(("Items", f"{facts.count:,}{rate}"))
    if facts.span is not None:
        seconds = facts.span.duration_ns / 1e9
        found.append(("Span", f"{time_text(facts.span.start_ns)} to {time_text(facts.span.end_ns)} ({seconds:.3f} s)"))
    if facts.gaps:
        longest = max(gap.duration_ns for gap in facts.gaps) / 1e6
        found.append(("Gaps", f"{len(facts.gaps)}, the longest {longest:.4g} ms"))
    found += [("Note", note) for note in facts.notes]
    return found
