"""Which key does what: the defaults of the action table, what the person changed, and where two want the same key.

No Qt here. The dispatcher asks ``action_for``, menus and the cheat sheet ask ``keys_of``, the dialog changes it.
What was changed is kept in one small file beside the settings, and can be carried to another machine as a file.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path

import msgspec

from workstation.app.folders import settings_folder
from workstation.core.errors import DataError, UserError
from workstation.core.files import read_bounded, write_whole
from workstation.core.values import dataclass
from workstation.ui.actions.action import WINDOW, Action
from workstation.ui.chords import FIXED, chord

_MOST_BYTES = 1_000_000
_MOST_KEYS_EACH = 8
_FORM = "workstation-keys"
_MARK = re.compile(r" ?\(@([a-z0-9_.]+)\)")
"""How words name the key of an action, as ``Snap (@timeline.snapping)``; shown as ``Snap (Y)``."""


class KeyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is written: only what differs from the defaults."""

    form: str = _FORM
    version: int = 1
    keys: dict[str, list[str]] = {}


@dataclass(frozen=True, slots=True)
class Bound:
    """One action as the key map sees it."""

    id: str
    scope: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Several actions of one scope want one chord: the one that the person gave it to gets it, else the first in the
    table."""

    chord: str
    scope: str
    actions: tuple[str, ...]


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.json.Decoder(KeyFile)


@dataclass(slots=True)
class KeyMap:
    """``defaults`` come from the table; ``changed`` from the person, by action id."""

    defaults: Mapping[str, Bound]
    changed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _by_chord: dict[tuple[str, str], str] = field(default_factory=dict, init=False)
    _unknown: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False)
    """Of actions that are not here now: kept, for a plug-in or another version may bring them."""

    def __post_init__(self) -> None:
        self._index()

    def keys_of(self, action_id: str) -> tuple[str, ...]:
        """The chords of an action, the first one shown in menus."""
        bound = self.defaults.get(action_id)
        return self.changed.get(action_id, bound.keys if bound is not None else ())

    def spelled(self, text: str) -> str:
        """Words with the keys of the actions they name, as those are now; nothing where an action has none. What only
        looks like such a name, in the name of a file say, stays."""
        return _MARK.sub(self._spell, text) if "(@" in text else text

    def _spell(self, mark: re.Match[str]) -> str:
        if mark[1] not in self.defaults:
            return mark[0]
        keys = self.keys_of(mark[1])
        return f"{' ' * mark[0].startswith(' ')}({keys[0]})" if keys else ""

    def action_for(self, text: str, scope: str) -> str | None:
        """What a chord does in a scope."""
        return self._by_chord.get((scope, text))

    def remap(self, action_id: str, keys: Iterable[str]) -> None:
        """Other keys for an action; the defaults again if they are the same."""
        bound = self.defaults.get(action_id)
        if bound is None:
            raise UserError(f"there is no action {action_id!r}")
        wanted = _checked(keys)
        if wanted == bound.keys:
            self.changed.pop(action_id, None)
        else:
            self.changed[action_id] = wanted
        self._index()

    def reset(self, action_id: str | None = None) -> None:
        """The defaults of one action, or of all."""
        if action_id is None:
            self.changed.clear()
        else:
            self.changed.pop(action_id, None)
        self._index()

    def conflicts(self) -> list[Conflict]:
        """Chords that more than one action of the same scope has."""
        wanted: dict[tuple[str, str], list[str]] = defaultdict(list)
        for bound in self.defaults.values():
            for each in self.keys_of(bound.id):
                wanted[(bound.scope, each)].append(bound.id)
        return [Conflict(text, scope, tuple(ids)) for (scope, text), ids in wanted.items() if len(ids) > 1]

    def know(self, bounds: Iterable[Bound]) -> None:
        """More actions, as the commands of an open project; what was changed for them holds from now on."""
        fresh = {each.id: Bound(each.id, each.scope, _checked(each.keys)) for each in bounds}
        self.defaults = {**self.defaults, **fresh}
        for action_id in [each for each in self._unknown if each in self.defaults]:
            self.changed[action_id] = self._unknown.pop(action_id)
        self._index()

    def take(self, action_id: str) -> list[str]:
        """What an action shares with others of its scope is its alone from now on; who has given something up."""
        mine, scope = set(self.keys_of(action_id)), self.defaults[action_id].scope
        given = [each.id for each in self.defaults.values() if each.scope == scope and each.id != action_id]
        given = [each for each in given if mine & set(self.keys_of(each))]
        for each in given:
            self.remap(each, [text for text in self.keys_of(each) if text not in mine])
        return given

    def shadows(self, action_id: str) -> list[str]:
        """Actions of the window whose key a pane's action takes while that pane has the focus."""
        bound = self.defaults[action_id]
        if bound.scope == WINDOW:
            return []
        found = (self.action_for(each, WINDOW) for each in self.keys_of(action_id))
        return [each for each in found if each is not None]

    def take_in(self, data: bytes, place: Path | str) -> list[str]:
        """Read a key file into this map, whole or not at all; answers the actions it names that are not here."""
        try:
            read = _READ.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise DataError(f"is no key map of this program ({error})", path=place) from error
        if read.form != _FORM or read.version != 1:
            raise DataError("is no key map of this version of the program", path=place)
        fresh: dict[str, tuple[str, ...]] = {}
        unknown: dict[str, tuple[str, ...]] = {}
        for action_id, keys in read.keys.items():
            try:
                wanted = _checked(keys)
            except UserError as error:
                raise DataError(f"{action_id[:80]}: {error}", path=place) from error
            if action_id in self.defaults:
                fresh[action_id] = wanted
            else:
                unknown[action_id] = wanted
        self.changed, self._unknown = fresh, unknown
        self._index()
        return list(unknown)

    def written(self) -> bytes:
        """The key file."""
        kept = {action_id: list(keys) for action_id, keys in sorted({**self._unknown, **self.changed}.items())}
        # Named fields are always written, so that a stranger can see what the file is.
        return msgspec.json.format(msgspec.json.encode(KeyFile(keys=kept)), indent=2) + b"\n"

    def _index(self) -> None:
        self._by_chord = {}
        for bound in sorted(self.defaults.values(), key=lambda each: each.id not in self.changed):
            for each in self.keys_of(bound.id):
                self._by_chord.setdefault((bound.scope, each), bound.id)


def keyless(text: str) -> str:
    """The same words where nobody knows the keys."""
    return _MARK.sub("", text) if "(@" in text else text


def named_in(text: str) -> list[str]:
    """The actions whose keys these words name."""
    return _MARK.findall(text)


def bounds_of(actions: Iterable[Action]) -> list[Bound]:
    """The keys of a table of actions."""
    return [Bound(each.id, each.scope, each.keys) for each in actions]


def key_map_of(bounds: Iterable[Bound]) -> KeyMap:
    """The usual keys of these actions, in one spelling."""
    return KeyMap({each.id: Bound(each.id, each.scope, _checked(each.keys)) for each in bounds})


def key_file(folder: Path | None = None) -> Path:
    """Where the person's keys are kept."""
    return (folder or settings_folder()) / "keys.json"


def read_keys(into: KeyMap, path: Path) -> list[str]:
    """Take in a key file; ``DataError`` if it is damaged, and then nothing has changed."""
    return into.take_in(read_bounded(path, _MOST_BYTES), path)


def write_keys(keys: KeyMap, path: Path) -> None:
    """Write the key file, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, keys.written())


def _checked(keys: Iterable[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(chord(each) for each in keys))
    if len(found) > _MOST_KEYS_EACH:
        raise UserError(f"an action has at most {_MOST_KEYS_EACH} keys")
    taken = FIXED & set(found)
    if taken:
        raise UserError(f"{', '.join(sorted(taken))} cannot be given away: Tab moves the focus and Esc leaves")
    return found
