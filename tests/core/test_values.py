"""Values are made faster than Python makes dataclasses, and are like them in everything that is seen of them."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from workstation.core import values


def _kinds(make: Callable[..., Callable[[type], type]]) -> dict[str, Any]:
    """The same classes, made by Python or by us."""

    class Plain:
        """Of several fields."""

        kind: ClassVar[str] = "plain"
        name: str
        count: int = 3
        tags: list[str] = dataclasses.field(default_factory=list)
        note: str = dataclasses.field(default="", compare=False, repr=False)

        @property
        def twice(self) -> int:
            return 2 * self.count

    class Named:
        first: int
        second: int = 2

    class Checked:
        """Looks at what it was given."""

        low: float
        high: float
        width: float = dataclasses.field(init=False, default=0.0)

        def __post_init__(self) -> None:
            if self.high < self.low:
                raise ValueError("high is below low")
            object.__setattr__(self, "width", self.high - self.low)

    class Told:
        """Says itself how it is compared and shown."""

        x: int

        def __eq__(self, other: object) -> bool:
            return isinstance(other, type(self)) and abs(self.x) == abs(other.x)

        def __hash__(self) -> int:
            return hash(abs(self.x))

        def __repr__(self) -> str:
            return f"<{self.x}>"

    class Unequal:
        """The same only as itself."""

        x: int

    class Empty:
        """Nothing."""

    class Longer:
        """Has what another one has, and more."""

        more: str = "more"

    usual = make(frozen=True, slots=True)
    made = {each.__name__: usual(each) for each in (Plain, Checked, Told, Empty)}
    made["Named"] = make(frozen=True, slots=True, kw_only=True)(Named)
    made["Unequal"] = make(frozen=True, slots=True, eq=False)(Unequal)
    longer = type("Longer", (made["Named"],), {k: v for k, v in vars(Longer).items() if k[:7] != "__weakr"})
    made["Longer"] = make(frozen=True, slots=True)(longer)
    return made


OURS, PYTHONS = _kinds(values.dataclass), _kinds(dataclasses.dataclass)
TRIED: list[tuple[str, Callable[[Any], object]]] = [
    ("Plain", lambda kind: repr(kind("a", 1, ["t"], "n"))),
    ("Plain", lambda kind: kind("a").tags is kind("a").tags),
    ("Plain", lambda kind: (kind("a") == kind("a", note="other"), kind("a") == kind("b"), kind("a") == "a")),
    ("Plain", lambda kind: hash(kind("a"))),
    ("Plain", lambda kind: {kind("a", tags=()): 1}[kind("a", tags=(), note="other")]),
    ("Plain", lambda kind: kind()),
    ("Plain", lambda kind: kind("a", 1, [], "", "too much")),
    ("Plain", lambda kind: kind("a", other=1)),
    ("Plain", lambda kind: setattr(kind("a"), "name", "b")),
    ("Plain", lambda kind: delattr(kind("a"), "name")),
    ("Plain", lambda kind: (kind("a").twice, kind.kind, kind.__match_args__, kind.__doc__)),
    ("Plain", lambda kind: dataclasses.asdict(dataclasses.replace(kind("a"), count=5))),
    ("Plain", lambda kind: [(each.name, each.type, each.default) for each in dataclasses.fields(kind)]),
    ("Plain", lambda kind: [*inspect.signature(kind).parameters]),
    ("Plain", lambda kind: inspect.get_annotations(kind.__init__)),
    ("Plain", lambda kind: hasattr(kind("a"), "__dict__")),
    ("Plain", lambda kind: copy.deepcopy(kind("a", 1, ["t"])) == kind("a", 1, ["t"])),
    ("Named", lambda kind: repr(kind(first=1))),
    ("Named", lambda kind: kind(1)),
    ("Named", lambda kind: hash(kind(first=1)) == hash(kind(first=1, second=2))),
    ("Checked", lambda kind: kind(1.0, 3.0).width),
    ("Checked", lambda kind: kind(3.0, 1.0)),
    ("Checked", lambda kind: kind(1.0, 3.0, 2.0)),
    ("Told", lambda kind: (kind(1) == kind(-1), hash(kind(1)) == hash(kind(-1)), repr(kind(1)))),
    ("Unequal", lambda kind: (kind(1) == kind(1), len({kind(1), kind(1)}))),
    ("Empty", lambda kind: (kind() == kind(), hash(kind()), repr(kind()))),
    ("Longer", lambda kind: repr(kind("x", first=1))),
    ("Longer", lambda kind: kind("x", first=1) == kind("x", first=2)),
]


def _outcome(tried: Callable[[Any], object], kind: object) -> object:
    try:
        return tried(kind)
    except (TypeError, ValueError, AttributeError) as error:
        return type(error), str(error)


@pytest.mark.parametrize("number", range(len(TRIED)))
def test_a_value_is_like_a_dataclass(number: int) -> None:
    name, tried = TRIED[number]
    assert _outcome(tried, OURS[name]) == _outcome(tried, PYTHONS[name])


@values.dataclass(frozen=True, slots=True)
class Kept:
    """Of the module, so that it can be found again."""

    x: int
    y: tuple[int, ...] = ()


def test_a_value_can_be_sent_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(Kept(1, (2, 3)))) == Kept(1, (2, 3))


def test_what_is_not_frozen_with_slots_is_pythons_own() -> None:
    @values.dataclass(slots=True)
    class Open:
        x: int = 0

    @values.dataclass(frozen=True)
    class Loose:
        x: int = 0

    changed = Open()
    changed.x = 3
    assert (changed.x, vars(Loose(2))) == (3, {"x": 2})
