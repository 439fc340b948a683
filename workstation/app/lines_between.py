"""Which links are to be drawn as lines from pane to pane, and between which labels. Without Qt.

Asked by ``ui/link_lines.py`` when something is hovered or selected; where the labels are on the screen, panes say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workstation.app.link_rows import link_type_name
from workstation.app.sample_view import SampleView
from workstation.core.annotation import State

_MOST_LINKS = 12
"""More lines at once nobody can follow; the graph shows them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """One link: for each end all labels that stand for it, the end one comes from first."""

    link: str
    name: str
    holds: bool
    proposed: bool
    ends: tuple[frozenset[str], ...]

    @property
    def labels(self) -> frozenset[str]:
        return frozenset().union(*self.ends)


def bundles(view: SampleView, subjects: Sequence[str]) -> list[Bundle]:
    """The links of what is pointed at or selected; where these are links, they alone. Links that say the same of the
    same ends, as those of two tracks at several moments, are one.
    """
    found: dict[str, Bundle] = {}
    said: set[tuple[object, ...]] = set()
    own = view.related(subjects)
    chosen = [each for each in subjects if each in view.links]
    for record_id in chosen or (*subjects, *sorted(own - set(subjects))):
        links = [view.links[record_id]] if record_id in view.links else list(view.links_of(record_id))
        for link in links:
            if link.id in found or len(found) >= _MOST_LINKS or link.state is State.REJECTED:
                continue
            ends = [_labels(view, end.target) for end in link.ends]
            ends = sorted((each for each in ends if each), key=lambda each: not (each & own))
            alike = (link.type_id, link.holds, link.state is State.PROPOSED, *ends)
            if len(ends) > 1 and (alike not in said or link.id in chosen):
                said.add(alike)
                found[link.id] = Bundle(
                    link=link.id, name=link_type_name(view, link.type_id), holds=link.holds,
                    proposed=link.state is State.PROPOSED, ends=tuple(ends),
                )  # fmt: skip
    return list(found.values())


def _labels(view: SampleView, target: str) -> frozenset[str]:
    if target in view.annotations:
        return frozenset({target})
    return frozenset(each.id for each in view.annotations_of_entity(target))
