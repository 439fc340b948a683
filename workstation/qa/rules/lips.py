"""Sound and picture that people notice to be apart: the band between what nobody sees and what is an error."""

from __future__ import annotations

from collections.abc import Iterator

from workstation.core.ontology import ErrorType, Severity
from workstation.core.sample import Sample
from workstation.core.seen_and_heard import seen_and_heard
from workstation.core.snapshot import Snapshot
from workstation.core.tolerances import NOTICED_MS, SOUND_MS, SOUND_TOLERANCE, time_limit_ms
from workstation.qa.findings import LABEL_KINDS, Fault, Reach, rule
from workstation.qa.rules.items import annotation_item, link_item, ontology_of, streams_by_id
from workstation.qa.rules.said import standing_links


@rule("lips.noticed", error_type=ErrorType.TEMPORAL, severity=Severity.WARNING, limit=NOTICED_MS, unit="ms",
      looks_at=LABEL_KINDS, reach=Reach.NEAR)  # fmt: skip
def noticed(snapshot: Snapshot, sample: Sample) -> Iterator[Fault]:
    """A sound and something seen that are one moment begin 40 to 100 ms apart, which people notice (amber).

    Up to 40 ms is green and silent; above 100 ms it is an error of its own (``clocks.sound_and_picture``, red).
    """
    types = ontology_of(snapshot).link_types
    streams = streams_by_id(snapshot, sample)
    red = time_limit_ms(snapshot.project(), sample, SOUND_TOLERANCE, SOUND_MS)
    timed = [key for key, each in types.items() if "time_ms" in each.tolerance]
    for link in standing_links(snapshot, sample, timed):
        pair = seen_and_heard(snapshot, link, streams)
        late_ms = 0.0 if pair is None else pair.late_ns / 1e6
        if pair is None or not NOTICED_MS < abs(late_ms) <= min(red, types[link.type_id].tolerance["time_ms"]):
            continue
        yield Fault(
            text=f"{link.type_id}: the sound begins {abs(late_ms):.1f} ms {'after' if late_ms > 0 else 'before'} what "
            f"is seen, which people notice (amber, 40 to {red:g} ms)",
            items=(link_item(link), annotation_item(pair.heard, streams), annotation_item(pair.seen, streams)),
            measured=round(abs(late_ms), 3),
            suggestion="measure the clocks (panel Synchronise), or mend the labels",
        )
