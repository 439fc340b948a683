"""What only shows beside earlier versions: ids that vanish or come back, meanings that change, one-modality classes.

Called by the commands that draft, submit and review a version, and by ``workstation ontology check``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from workstation.core.ontology import (
    Attribute,
    AttributeType,
    Ontology,
    Retired,
    Surface,
    ancestors,
    inherited_shapes,
    parents_of,
)
from workstation.core.ontology_place import Problem

_FAMILIES = (
    frozenset({Surface.IMAGE, Surface.VIDEO}),
    frozenset({Surface.AUDIO}),
    frozenset({Surface.CLOUD, Surface.RADAR}),
    frozenset({Surface.TEXT, Surface.DOCUMENT, Surface.TURNS}),
    frozenset({Surface.SERIES, Surface.TRAJECTORY}),
    frozenset({Surface.VOLUME}),
    frozenset({Surface.MAP}),
)
# Every value of the first type is a value of the second, with the same meaning.
_WIDENING = {(AttributeType.INTEGER, AttributeType.NUMBER), (AttributeType.CHOICE, AttributeType.TEXT)}


class CrossModalGap(NamedTuple):
    """A class for one modality only, and another modality for which nobody has said why it has no place there."""

    class_id: str
    only: frozenset[Surface]
    missing: Surface

    @property
    def key(self) -> str:
        """The key under which a review records the reason."""
        return f"{self.class_id}/{self.missing.value}"

    def __str__(self) -> str:
        only = " and ".join(sorted(surface.value for surface in self.only))
        return f"class '{self.class_id}' is for {only} only; say why it has no place in {self.missing.value}"


def history_problems(new: Ontology, earlier: Sequence[Ontology]) -> list[Problem]:
    """What ``new`` does that no version may do after the locked ones in ``earlier`` (oldest first)."""
    if not earlier:
        return []
    now, before = _ids(new), _ids(earlier[-1])
    problems = []
    for place, retired in before.items():
        if place not in now:
            problems.append(Problem(place, "was removed; labels may use it, so mark it as retired instead"))
        elif retired is not None and now[place] is None:
            problems.append(
                Problem(place, f"was retired{_since(retired)}; ids are never used again, give it a new one")
            )
    for version in earlier[:-1]:
        problems.extend(
            Problem(place, f"was used in version {version.version}; ids are never used again")
            for place in _ids(version)
            if place in now and place not in before
        )
    return [*dict.fromkeys(problems), *_type_problems(new, earlier[-1])]


def _since(retired: Retired) -> str:
    return f" in version {retired.since}" if retired.since else ""


def _ids(ontology: Ontology) -> dict[str, Retired | None]:
    """Place → retirement, for everything that labels, flags or guidelines refer to by id."""
    found: dict[str, Retired | None] = {}
    for cls in ontology.classes:
        found[f"classes.{cls.id}"] = cls.retired
    for attribute in ontology.attributes:
        found[f"attributes.{attribute.id}"] = attribute.retired
        for option in attribute.options:
            found[f"attributes.{attribute.id}.options.{option.id}"] = option.retired
    for link_type in ontology.link_types:
        found[f"link_types.{link_type.id}"] = link_type.retired
        for role in link_type.roles:
            found[f"link_types.{link_type.id}.roles.{role.id}"] = None
    for rule in ontology.rules:
        found[f"rules.{rule.id}"] = rule.retired
    for case in ontology.edge_cases:
        found[f"edge_cases.{case.id}"] = case.retired
    return found


def _type_problems(new: Ontology, old: Ontology) -> Iterator[Problem]:
    before: dict[str, Attribute] = {item.id: item for item in old.attributes}
    for attribute in new.attributes:
        was = before.get(attribute.id)
        if was is None or was.type is attribute.type or (was.type, attribute.type) in _WIDENING:
            continue
        yield Problem(
            f"attributes.{attribute.id}.type",
            f"changed from {was.type.value} to {attribute.type.value}; retire the attribute and add another",
        )


def cross_modal_gaps(new: Ontology, old: Ontology | None, reasons: Mapping[str, str]) -> list[CrossModalGap]:
    """Classes new in this version (or newly narrowed) that serve one modality only, where no reason is on record.

    A reason stands in the class's ``not_in``, in that of a class above it, or in ``reasons`` under
    ``class/modality``, where the review put it. Pictures and videos count as one modality, and so on.
    """
    classes = {cls.id: cls for cls in new.classes}
    parents = parents_of(new)
    before = {} if old is None else {cls.id: _surfaces(old, cls.id) for cls in old.classes}
    everywhere = frozenset(surface for surface, kinds in new.shapes.items() if kinds)
    gaps = []
    for cls in new.classes:
        surfaces = _surfaces(new, cls.id)
        if cls.retired is not None or not surfaces or before.get(cls.id) == surfaces:
            continue
        # What any class may be drawn on says nothing about where this one is at home.
        own = surfaces - everywhere or surfaces
        families = [family for family in _FAMILIES if family & own]
        if len(families) != 1:
            continue
        chain = ancestors(cls.id, parents)
        for modality in new.modalities:
            said = any(classes[item].not_in.get(modality, "").strip() for item in chain)
            noted = any(reasons.get(f"{item}/{modality.value}", "").strip() for item in chain)
            if modality not in families[0] | surfaces and not said and not noted:
                gaps.append(CrossModalGap(cls.id, own, modality))
    return gaps


def _surfaces(ontology: Ontology, class_id: str) -> frozenset[Surface]:
    """The modalities on which a class may be drawn."""
    classes = {cls.id: cls for cls in ontology.classes}
    shapes = inherited_shapes(class_id, classes, ontology)
    return frozenset(
        surface
        for surface, kinds in shapes.items()
        if kinds and surface is not Surface.SAMPLE and surface in ontology.modalities
    )
