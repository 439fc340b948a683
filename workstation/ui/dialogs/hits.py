"""What the palette can find, as values: a name, what it is, and what happens when it is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from workstation.app.places import place_in, time_text
from workstation.app.sample_pages import SamplePages, Wish
from workstation.app.walking import when
from workstation.core.errors import UserError
from workstation.ui.class_keys import give_class
from workstation.ui.panels.going import seek_to

if TYPE_CHECKING:
    from workstation.core.sample import Sample
    from workstation.ui.main_window import MainWindow
    from workstation.ui.workbench import Workbench

MOST_SAMPLES = 500
"""Of more samples those beyond are looked through while one types, a page of the database at a time."""
_MOST_FOUND = 20
_MOST_LABELS = 5_000
"""Labels without a thing of their own that are looked through; more would make typing slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One thing that can be found."""

    name: str
    kind: str
    act: Callable[[], object]
    keys: str = ""
    help: str = ""
    why_not: str = ""


def hits_of(window: MainWindow) -> list[Hit]:
    """Everything in the order of likelihood: what can be done, then what is there."""
    found = _actions(window)
    opened = window.opened
    if opened is None:
        return found
    bench = opened.bench
    found += [_sample(bench, each) for each in opened.session.store.samples(limit=MOST_SAMPLES)]
    return found + class_hits(window) + _labels(bench)


def _sample(bench: Workbench, sample: Sample) -> Hit:
    return Hit(name=sample.key, kind="sample", act=partial(bench.open_sample, sample.key))


def sample_hits(window: MainWindow, typed: str) -> list[Hit]:
    """Samples with all the words typed in their names, of those beyond the first that are listed anyway."""
    opened = window.opened
    if opened is None or not typed.strip():
        return []
    store = opened.session.store
    last = next(islice(store.samples(limit=MOST_SAMPLES), MOST_SAMPLES - 1, None), None)
    if last is None:
        return []
    named = store.sample_by_key(typed.strip())
    page = SamplePages(store, Wish(typed=typed, after=last.key)).next_page(_MOST_FOUND)
    found = page if named is None or named.key <= last.key or named in page else [named, *page]
    return [_sample(opened.bench, each) for each in found]


def class_hits(window: MainWindow) -> list[Hit]:
    """The classes of the ontology in force, with their keys; of a shape that waits those that may be drawn so."""
    bench = None if window.opened is None else window.opened.bench
    if bench is None or bench.view is None or bench.view.ontology is None:
        return []
    view, ontology = bench.view, bench.view.ontology
    return [
        Hit(name=view.class_name(each), kind="class", keys=made.key or "", act=partial(give_class, bench, each))
        for each, made in ontology.classes.items()
        if bench.hand.fits(each)
    ]


def place_hit(window: MainWindow, typed: str) -> Hit | None:
    """``go to 14.327``, or just the time; ``None`` if it is no place."""
    bench = None if window.opened is None else window.opened.bench
    text = typed.strip()
    asked = text.casefold().startswith("go to ")
    text = text[6:] if asked else text
    if bench is None or bench.view is None or bench.readers is None or not any(each.isdigit() for each in text):
        return None
    try:
        time_ns = place_in(text, bench.view, bench.readers, focused=bench.focused_stream)
    except UserError:
        return None  # it is no place; it may still be the name of something
    return Hit(name=f"Go to {time_text(time_ns)}", kind="time", act=partial(bench.clock.seek, time_ns))


def _actions(window: MainWindow) -> list[Hit]:
    pane = window.focused_pane()
    found = []
    for action in window.performing.table:
        if action.id != "window.palette":
            keys = window.keymap.keys_of(action.id)
            why = window.performing.why_not(action, pane) or ""
            found.append(
                Hit(
                    name=action.title,
                    kind=action.menu,
                    act=partial(window.perform, action.id, pane),
                    keys=keys[0] if keys else "",
                    help=window.performing.help_of(action),
                    why_not=why,
                )
            )
    return sorted(found, key=lambda hit: bool(hit.why_not))


def _labels(bench: Workbench) -> list[Hit]:
    view = bench.view
    if view is None:
        return []
    things = [Hit(name=view.name_of(each), kind="thing", act=partial(_show, bench, each)) for each in view.entities]
    loose = (each for each in view.annotations.values() if each.entity is None)
    labels = [
        Hit(name=_label_name(bench, each.id, each.text), kind="label", act=partial(_show, bench, each.id))
        for each in islice(loose, _MOST_LABELS)
    ]
    return things + labels


def _label_name(bench: Workbench, record_id: str, text: str | None) -> str:
    view = bench.view
    assert view is not None
    said = f" “{text[:60]}”" if text else ""
    time_ns = when(view, record_id)
    return f"{view.name_of(record_id)}{said}" + ("" if time_ns is None else f" {time_text(time_ns)}")


def _show(bench: Workbench, record_id: str) -> None:
    """Select it and have it in view; the playhead moves only where it does not show now."""
    bench.select([record_id], cause="palette")
    seek_to(bench, [record_id])
    bench.reveal([record_id])
