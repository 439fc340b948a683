"""How ``info --sample`` and ``info --at`` print: the streams of a sample, and what they have at one moment."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from workstation.cli.output import print_json, print_rows
from workstation.core.errors import UserError

if TYPE_CHECKING:
    from workstation.app.moment import Shown, StreamFacts
    from workstation.app.session import Session
    from workstation.core.sample import Sample
    from workstation.core.timebase import TimeRange

STREAM_COLUMNS = ("stream", "kind", "items", "rate", "span", "gaps", "clock", "map", "sha256", "trouble")
CALIBRATION_COLUMNS = ("sensor", "rig", "version", "valid", "matrix", "lens", "projection")
MOMENT_COLUMNS = ("stream", "kind", "item", "own time", "session time", "distance", "trouble")


def print_sample(session: Session, key: str | None, at: str | None, *, as_json: bool) -> int:
    """Print; 1 if a stream could not be read."""
    from workstation.app.moment import facts_of, moment_of
    from workstation.app.reading import Formats
    from workstation.app.streams import OpenStreams

    sample = sample_named(session, key)
    streams = session.store.streams(sample.id)
    with OpenStreams(session.project.path, readers=Formats().readers) as readers:
        if at is not None:
            shown = list(moment_of(streams, readers, seconds_ns(at)))
            rows = [_plain(each) for each in shown] if as_json else list(_moment_rows(shown))
            troubles = [each.trouble for each in shown]
        else:
            facts = list(facts_of(streams, readers))
            rows = [_plain(each) for each in facts] if as_json else list(_stream_rows(facts))
            troubles = [each.trouble for each in facts]
    if as_json:
        for row in rows:
            print_json(row)
    else:
        print_rows(rows, columns=STREAM_COLUMNS if at is None else MOMENT_COLUMNS, as_json=False)
    return 1 if any(troubles) else 0


def print_calibration(session: Session, key: str | None, *, as_json: bool) -> None:
    """The calibration of one sample, or of all."""
    from workstation.app.calibrations import calibration_rows, in_words

    for sample in session.store.samples() if key is None else [sample_named(session, key)]:
        rows = calibration_rows(session, sample)
        print_rows(rows if as_json else map(in_words, rows), columns=CALIBRATION_COLUMNS, as_json=as_json, whole=True)


def seconds_ns(text: str) -> int:
    """Nanoseconds of seconds as typed, exactly."""
    try:
        exact = Decimal(text) * 1_000_000_000
        whole = int(exact.to_integral_value())
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise UserError(f"{text[:40]!r} is no time in seconds, such as 14.327") from error
    if abs(whole) >= 1 << 62:
        raise UserError(f"{text[:40]} s is no time of a session")
    return whole


def sample_named(session: Session, key: str | None) -> Sample:
    """The sample of that key; without one, the only sample there is."""
    if key is not None:
        found = session.store.sample_by_key(key)
        if found is None:
            raise UserError(f"there is no sample {key[:80]!r}")
        return found
    samples = list(session.store.samples())
    if len(samples) != 1:
        known = ", ".join(sample.key for sample in samples[:10]) or "none"
        raise UserError(f"say which sample is meant with --sample; there are: {known}")
    return samples[0]


def _stream_rows(facts: list[StreamFacts]) -> Iterator[dict[str, Any]]:
    for each in facts:
        yield {
            "stream": each.key,
            "kind": each.kind,
            "items": each.count,
            "rate": None if each.rate_hz is None else f"{each.rate_hz:.4f} Hz",
            "span": None if each.span is None else _range(each.span),
            "gaps": ", ".join(_range(gap) for gap in each.gaps),
            "clock": each.clock,
            "map": each.map,
            "sha256": each.sha256[:12],
            "trouble": each.trouble,
        }


def _moment_rows(shown: list[Shown]) -> Iterator[dict[str, Any]]:
    for each in shown:
        nothing = f"nothing here (nearest: {each.nearest})" if each.nearest else "nothing here"
        yield {
            "stream": each.key,
            "kind": each.kind,
            "item": each.item or ("" if each.trouble else nothing),
            "own time": None if each.own_ns is None else f"{_seconds(each.own_ns)} s",
            "session time": None if each.session_ns is None else f"{_seconds(each.session_ns)} s",
            "distance": None if each.distance_ns is None else f"{each.distance_ns / 1e6:+.3f} ms",
            "trouble": each.trouble,
        }


def _plain(value: StreamFacts | Shown) -> dict[str, Any]:
    """For programs: nanoseconds as they are, ranges as two numbers."""
    row = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    for name in ("span", "gaps"):
        if name in row:
            row[name] = _numbers(row[name])
    return row


def _numbers(value: Any) -> Any:
    if value is None:
        return None
    return [_numbers(each) for each in value] if isinstance(value, tuple) else [value.start_ns, value.end_ns]


def _range(value: TimeRange) -> str:
    return f"{_seconds(value.start_ns)}–{_seconds(value.end_ns)} s"


def _seconds(time_ns: int) -> str:
    """All nine digits where they are needed, six otherwise."""
    sign, whole = ("-" if time_ns < 0 else ""), abs(time_ns)
    text = f"{whole // 1_000_000_000}.{whole % 1_000_000_000:09d}"
    return sign + (text[:-3] if text.endswith("000") else text)
