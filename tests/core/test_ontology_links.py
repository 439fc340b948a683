"""Roles for ends: the matching finds a way exactly where trying everything finds one."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from workstation.core.annotation import TargetKind
from workstation.core.ontology import EndRole, LinkType
from workstation.core.ontology_links import EndView, compile_roles, end_problem, roles_for

CLASSES = "abcd"
BELOW = {name: frozenset({name}) for name in CLASSES}
_ROLE = st.tuples(
    st.integers(0, 2), st.one_of(st.none(), st.integers(1, 3)), st.sets(st.sampled_from(CLASSES), max_size=3)
)


def _by_trying_everything(ends: list[EndView], link_type: LinkType) -> bool:
    roles = compile_roles(link_type, BELOW)
    for choice in product(roles, repeat=len(ends)):
        counts = {name: choice.count(name) for name in roles}
        numbers = all(
            limits.role.min <= counts[name] <= (limits.role.max or len(ends)) for name, limits in roles.items()
        )
        if numbers and all(end_problem("t", roles[name], end) is None for name, end in zip(choice, ends, strict=True)):
            return True
    return False


@settings(max_examples=400, deadline=None)
@given(st.lists(_ROLE, min_size=1, max_size=3), st.lists(st.sampled_from(CLASSES), min_size=1, max_size=5))
def test_a_way_is_found_exactly_if_there_is_one(
    given_roles: list[tuple[int, int | None, set[str]]], given_ends: list[str]
) -> None:
    roles = tuple(
        EndRole(
            id=f"r{i}",
            names={"en": "r"},
            min=low,
            max=high if high is None else max(low, high),
            classes=tuple(sorted(c)),
        )
        for i, (low, high, c) in enumerate(given_roles)
    )
    link_type = LinkType(id="t", names={"en": "t"}, roles=roles)
    ends = [EndView("", TargetKind.ENTITY, str(i), None, class_id) for i, class_id in enumerate(given_ends)]
    compiled = compile_roles(link_type, BELOW)
    found = roles_for(ends, compiled, "t")
    assert (found is not None) == _by_trying_everything(ends, link_type)
    if found is not None:
        for name, end in zip(found, ends, strict=True):
            assert end_problem("t", compiled[name], end) is None
        for role in roles:
            assert role.min <= found.count(role.id) <= (role.max or len(ends))


def test_three_hundred_ends_are_no_burden() -> None:
    roles = (EndRole(id="a", names={"en": "a"}, min=1), EndRole(id="item", names={"en": "i"}, min=2, max=None))
    compiled = compile_roles(LinkType(id="t", names={"en": "t"}, roles=roles), BELOW)
    ends = [EndView("", TargetKind.ENTITY, str(number)) for number in range(300)]
    assert roles_for(ends, compiled, "t") is not None
