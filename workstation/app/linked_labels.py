"""What a label is linked to, label by label: for the menu that leads there (``ui/label_menu.py``), without Qt."""

from __future__ import annotations

from dataclasses import dataclass

from workstation.app.link_rows import link_type_name, said_by
from workstation.app.sample_view import SampleView
from workstation.app.walking import label_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """A label at the other end of a link of something, and what a menu says of it."""

    link: str
    label: str
    text: str


def linked_labels(view: SampleView, record_id: str, now_ns: int) -> list[Linked]:
    """What a label, the thing it shows, or a link leads to: each label once, in the order of the links."""
    own = view.related([record_id]) if record_id not in view.links else frozenset()
    links = (
        [view.links[record_id]] if record_id in view.links
        else sorted({link.id: link for each in own for link in view.links_of(each)}.values(), key=lambda link: link.id)
    )  # fmt: skip
    found: dict[str, Linked] = {}
    mine = {record_id, *_same_thing(view, record_id)}
    for link in links:
        if not any(end.target in mine for end in link.ends) and record_id not in view.links:
            continue
        name = link_type_name(view, link.type_id)
        for end in link.ends:
            label = None if end.target in mine else label_at(view, end.target, now_ns)
            if label is None or label in mine or label in found:
                continue
            stream = view.streams.get(view.annotations[label].stream or "")
            where = "the whole sample" if stream is None else stream.key
            text = f"{'' if link.holds else 'not '}{name}: {_said(view, label)} on {where}"
            found[label] = Linked(link=link.id, label=label, text=text)
    return list(found.values())


def _same_thing(view: SampleView, record_id: str) -> list[str]:
    """The thing that a label shows."""
    label = view.annotations.get(record_id)
    return [] if label is None or label.entity is None else [label.entity]


def _said(view: SampleView, label: str) -> str:
    """A label by its name; what was said or marked is quoted."""
    annotation = view.annotations[label]
    quote = said_by(annotation)
    if not quote or annotation.entity is not None:
        return view.name_of(label)
    return f"“{quote if len(quote) <= 40 else quote[:39] + '…'}”"
