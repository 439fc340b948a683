"""``dataclass`` for values: frozen, with slots, and made in a seventh of the time that Python's own takes.

Whatever a start loads imports it from here. A window on a project needs more than two hundred kinds of values, and
Python 3.11 compiles six to eight functions for each of them from text: a tenth of the whole start. Here ``__init__``
is compiled with the class, equality and hash when they are first asked for, and the others are the same for all.

For type checkers it is Python's own. Fields, ``field``, ``replace``, ``asdict`` and ``__post_init__`` work as with
that one, which still reads the fields; any class that is not frozen with slots is left to it altogether.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls=None, /, *, frozen=False, slots=False, eq=True, kw_only=False, **other):
        """As ``dataclasses.dataclass``."""
        if not frozen or not slots or other:
            make = dataclasses.dataclass(frozen=frozen, slots=slots, eq=eq, kw_only=kw_only, **other)
        else:

            def make(cls):
                return _value(cls, eq=eq, kw_only=kw_only)

        return make if cls is None else make(cls)


def _value(cls: type[Any], *, eq: bool, kw_only: bool) -> type[Any]:
    """The class with slots and with what a frozen dataclass has; what the class itself says stays as it says."""
    if cls.__doc__ is None:
        cls.__doc__ = cls.__name__  # else Python works out a signature to put there
    own = set(vars(cls))
    # Not frozen for Python, which would compile what refuses; below it is the same for all.
    made: type[Any] = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True, kw_only=kw_only)(cls)
    fields = dataclasses.fields(made)
    found: dict[str, Callable[..., Any]] = {
        "__init__": _init_of(made, fields),
        "__repr__": _shown,
        "__setattr__": _refuse_setting,
        "__delattr__": _refuse_deleting,
        "__getstate__": _state,
        "__setstate__": _set_state,
    }
    if eq:
        values = "(" + "".join(f"{{0}}.{each.name}," for each in fields if each.compare) + ")"
        equal = f"{values.format('self')} == {values.format('other')} if other.__class__ is self.__class__"
        found["__eq__"] = _when_asked(made, "__eq__", "self, other", f"{equal} else NotImplemented")
        found["__hash__"] = _when_asked(made, "__hash__", "self", f"hash({values.format('self')})")
    for name, function in found.items():
        if name not in own:
            setattr(made, name, function)
    return made


def _init_of(cls: type[Any], fields: Sequence[dataclasses.Field[Any]]) -> Callable[..., None]:
    """Sets each slot by its own descriptor, in the order of the fields."""
    missing = dataclasses.MISSING
    names: dict[str, Any] = {"_missing": missing}
    positional, by_name, body = ["self"], list[str](), list[str]()
    for number, each in enumerate(fields):
        given, default = each.name, ""
        if each.default is not missing:
            names[f"_default{number}"] = each.default
            given, default = (given, f"=_default{number}") if each.init else (f"_default{number}", "")
        elif each.default_factory is not missing:
            names[f"_new{number}"] = each.default_factory
            given = f"_new{number}() if {given} is _missing else {given}" if each.init else f"_new{number}()"
            default = "=_missing"
        if each.init:
            (by_name if each.kw_only else positional).append(f"{each.name}{default}")
        if given != each.name or each.init:
            names[f"_set{number}"] = getattr(cls, each.name).__set__
            body.append(f"_set{number}(self, {given})")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    taken = [*positional, "*", *by_name] if by_name else positional
    made = _compiled(cls, "__init__", ", ".join(taken), "; ".join(body) or "pass", names)
    made.__annotations__ = {each.name: each.type for each in fields if each.init} | {"return": None}
    return made


def _when_asked(cls: type[Any], name: str, taken: str, answer: str) -> Callable[..., Any]:
    """A function that is compiled when it is first called, and takes the place of this one."""

    def first(*given: object) -> Any:
        function = _compiled(cls, name, taken, f"return {answer}", {})
        setattr(cls, name, function)
        return function(*given)

    return first


def _compiled(cls: type[Any], name: str, taken: str, body: str, names: dict[str, Any]) -> Callable[..., Any]:
    exec(f"def {name}({taken}): {body}", names)
    made: Callable[..., Any] = names[name]
    made.__qualname__ = f"{cls.__qualname__}.{name}"
    made.__module__ = cls.__module__
    return made


def _shown(self: Any) -> str:
    """``__repr__``."""
    shown = (f"{each.name}={getattr(self, each.name)!r}" for each in dataclasses.fields(self) if each.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse_setting(self: object, name: str, value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deleting(self: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, each.name) for each in dataclasses.fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for each, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)
