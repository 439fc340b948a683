"""Two change sets as one say what somebody sees who looks only before the first and after the second."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from workstation.core.ids import SampleId
from workstation.core.records import RecordKind
from workstation.core.rights import Actor, ActorKind
from workstation.store.changes import ChangeSet

WORLDS = st.fixed_dictionaries(
    {name: st.one_of(st.none(), st.integers(0, 2)) for name in ("one", "two", "three", "four", "five")}
)
ACTOR = Actor(name="Ada", kind=ActorKind.PERSON)


def between(before: dict[str, int | None], after: dict[str, int | None], touched: frozenset[str]) -> ChangeSet:
    """What leads from one world to the other; ``touched`` records were written even where they look the same."""
    came = frozenset(each for each in before if before[each] is None and after[each] is not None)
    went = frozenset(each for each in before if before[each] is not None and after[each] is None)
    both = frozenset(each for each in before if before[each] is not None and after[each] is not None)
    differ = frozenset(each for each in both if before[each] != after[each] or each in touched)
    parts = [{RecordKind.LINK: each} if each else {} for each in (came, differ, went)]
    return ChangeSet(
        rev=1, label="", actor=ACTOR, added=parts[0], changed=parts[1], removed=parts[2],
        samples=frozenset({SampleId("s")}),
    )  # fmt: skip


@given(st.lists(WORLDS, min_size=3, max_size=5))
def test_joined_changes_name_what_came_went_and_may_differ(worlds: list[dict[str, int | None]]) -> None:
    joined = between(worlds[0], worlds[1], frozenset())
    for before, after in pairwise(worlds[1:]):
        joined = joined.then(between(before, after, frozenset()))
    plain = between(worlds[0], worlds[-1], frozenset())
    assert joined.added == plain.added
    assert joined.removed == plain.removed
    # What went and came back, or changed and changed back, is looked at again, and nothing else.
    seen = joined.changed.get(RecordKind.LINK, frozenset())
    assert plain.changed.get(RecordKind.LINK, frozenset()) <= seen
    assert all(worlds[0][each] is not None and worlds[-1][each] is not None for each in seen)
    untouched = {each for each in worlds[0] if len({world[each] for world in worlds}) == 1}
    assert not seen & untouched
