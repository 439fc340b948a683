"""How a camera turned from picture to picture, worked out of a whole film from where patches of it went.

Called by ``app/sync_signals.py`` for ``workstation sync imu``. Driving on moves the picture as well, near things more
than far ones, and a camera ahead of the axle drives sideways in a turn: what is near then goes the way a turn would
take it, by an amount that changes with the street, and the turn seems to come sooner or later than it did. So the turn
is taken from what no distance can explain. Whatever its distance, a point can only go along the line that leads away
from where the camera moves to; how it moves *across* that line is the turn. That place is not known, but it wanders
slowly, and the whole film tells where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from workstation.sync.delay import Floats
from workstation.sync.patches import Followed

_FEWEST_PATCHES = 4
_ROUNDS = 20
_SETTLED_RAD = 1e-5
_CHUNK = 1000
"""Pictures whose patches are laid out at a time."""
_REACH = 4.0
_FLOOR_RAD = 3e-4
"""No patch is followed better than this: a tenth of a pixel of a picture 320 wide."""
_SHARP, _SHARPEST = 20.0, 2.0
_CROWD = 3.0
"""Patches overlap: so many say what one says."""
_PULL_RAD = 0.3
"""How far from straight ahead a vehicle moves, a camera before its axle in a turn included."""
_WANDER_RAD = 0.055
"""How far that wanders in a second: as the root of time."""
_LONGEST_STEP_RAD = 0.2
_WEAK = 1e-2


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """How a camera looks out of its vehicle; directions are in the camera's frame: x right, y down, z into it."""

    rays: Callable[[Floats], Floats]
    """Pixels (n, 2) of the pictures that are followed to unit vectors (n, 3), NaN off the lens."""
    up: Floats
    """(3,) the axis of the turn that is asked for."""
    ahead: Floats
    """(3,) where the vehicle goes."""


@dataclass(frozen=True, slots=True, eq=False)
class FilmTurns:
    """From each picture to the next: by how much the camera turned to the left about its vehicle's axis, in rad, NaN
    where too little was to be followed; and how far below the middle of the picture that was seen, in px."""

    turned_rad: Floats
    below_px: Floats


def plain_sight(width_px: int, height_px: int) -> Sight:
    """Of a camera that nothing is known of: it looks ahead over the hood, 53° wide."""
    middle = np.array([width_px, height_px]) / 2

    def rays(pixels: Floats) -> Floats:
        found = np.column_stack([(pixels - middle) / width_px, np.ones(len(pixels))])
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float64)

    return Sight(rays=rays, up=np.array([0.0, -1.0, 0.0]), ahead=np.array([0.0, 0.0, 1.0]))


def film_turns(steps: Sequence[Followed | None], step_s: Floats, sight: Sight, middle_px: Floats) -> FilmTurns:
    """Of every step (n,) from one picture to the next; ``middle_px`` (2,) is the middle of the pictures."""
    if not len(steps):
        return FilmTurns(np.zeros(0), np.zeros(0))
    chunks = [_laid_out(steps[first : first + _CHUNK], sight, middle_px) for first in range(0, len(steps), _CHUNK)]
    turns = np.concatenate([each.begin for each in chunks])
    away = np.tile(-sight.ahead / np.linalg.norm(sight.ahead), (len(steps), 1))
    home = away.copy()
    slack = _WANDER_RAD * np.sqrt(np.clip(step_s[1:] / 2 + step_s[:-1] / 2, 1e-3, 1.0))
    for _ in range(_ROUNDS):
        facts = _joined([_facts(each, turns[each.at(i)], away[each.at(i)]) for i, each in enumerate(chunks)])
        moved = _smoothest(facts, away, home, slack)
        turning = np.einsum("fij,fj->fi", facts.inverse, facts.pull - np.einsum("fij,fj->fi", facts.cross, moved))
        turns += turning
        away += np.einsum("fkj,fk->fj", facts.across, moved)
        away /= np.linalg.norm(away, axis=1, keepdims=True)
        if float(np.abs(turning).max()) < _SETTLED_RAD:
            break
    found = -(turns @ (sight.up / np.linalg.norm(sight.up)))
    enough = np.concatenate([(each.weights > 0).sum(axis=1) for each in chunks]) >= _FEWEST_PATCHES
    rows = [_told_at(each, turns[each.at(i)], away[each.at(i)], sight.up) for i, each in enumerate(chunks)]
    below = np.concatenate(rows) - middle_px[1]
    return FilmTurns(np.where(enough, found, np.nan), np.where(enough & np.isfinite(below), below, 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class _Chunk:
    """Patches of some steps in one block: (f, p) of steps and patches, of weight 0 where a step has fewer."""

    before: Floats
    """(f, p, 3) unit vectors."""
    after: Floats
    weights: Floats
    rows_px: Floats
    begin: Floats
    """(f, 3) the turn to begin with: by which the middle of the picture went with most patches."""

    def at(self, number: int) -> slice:
        """Where its steps are among all, as chunk ``number``."""
        return slice(number * _CHUNK, number * _CHUNK + len(self.begin))


def _laid_out(steps: Sequence[Followed | None], sight: Sight, middle_px: Floats) -> _Chunk:
    most = max([1, *(len(each.sharpness) for each in steps if each is not None)])
    before = np.zeros((len(steps), most, 3))
    before[..., 2] = 1.0
    after, weights, rows = before.copy(), np.zeros((len(steps), most)), np.zeros((len(steps), most))
    begin = np.zeros((len(steps), 3))
    straight = sight.rays(middle_px[None])[0]
    for number, each in enumerate(steps):
        if each is None or not len(each.sharpness):
            continue
        one, two = sight.rays(each.before_px), sight.rays(each.after_px)
        seen = np.isfinite(one).all(axis=1) & np.isfinite(two).all(axis=1)
        count = int(np.count_nonzero(seen))
        if not count:
            continue
        before[number, :count], after[number, :count] = one[seen], two[seen]
        weights[number, :count] = np.minimum(each.sharpness[seen] / _SHARP, _SHARPEST)
        rows[number, :count] = (each.before_px[seen, 1] + each.after_px[seen, 1]) / 2
        shift = np.median(each.after_px[seen] - each.before_px[seen], axis=0)
        there = sight.rays(middle_px[None] + shift)[0]
        if np.isfinite(there).all() and np.isfinite(straight).all():
            begin[number] = np.cross(straight, there)
    return _Chunk(before, after, weights, rows, begin)


@dataclass(frozen=True, slots=True, eq=False)
class _Facts:
    """What the patches of each step say of its turn and of where the camera moves to, about where both are held now:
    the turn is left out of the second, as far as it follows from it."""

    inverse: Floats
    """(f, 3, 3) of what is known of the turn."""
    pull: Floats
    """(f, 3)"""
    cross: Floats
    """(f, 3, 2) what the two have to do with each other."""
    known: Floats
    """(f, 2, 2) of the move, the turn left free."""
    asked: Floats
    """(f, 2)"""
    across: Floats
    """(f, 2, 3) the two directions in which the move may change."""


def _joined(parts: Sequence[_Facts]) -> _Facts:
    names = ("inverse", "pull", "cross", "known", "asked", "across")
    return _Facts(*(np.concatenate([getattr(each, name) for each in parts]) for name in names))


def _facts(chunk: _Chunk, turns: Floats, away: Floats) -> _Facts:
    off, by_turn, by_move, across = _beside(chunk, turns, away)
    weights = _robust(chunk, off)
    slopes = np.concatenate([by_turn, by_move], axis=-1)
    normal = np.einsum("fpi,fp,fpj->fij", slopes, weights, slopes)
    wish = -np.einsum("fpi,fp,fp->fi", slopes, weights, off)
    normal[:, :3, :3] += np.eye(3) * _WEAK
    inverse = np.linalg.inv(normal[:, :3, :3])
    cross = normal[:, :3, 3:]
    through = np.einsum("fji,fjk->fik", cross, inverse)
    return _Facts(
        inverse=inverse, pull=wish[:, :3], cross=cross, known=normal[:, 3:, 3:] - through @ cross,
        asked=wish[:, 3:] - np.einsum("fij,fj->fi", through, wish[:, :3]), across=across,
    )  # fmt: skip


def _beside(chunk: _Chunk, turns: Floats, away: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """(f, p) how far each patch went beside the line that leads away from where the camera moves to; (f, p, 3) and
    (f, p, 2) how that changes with the turn and with the move; (f, 2, 3) the directions of the latter."""
    stood = np.einsum("fij,fpj->fpi", _rotations(turns), chunk.before)
    # Two directions across each ray. Rays straight down or up need another first one than the rest.
    steep = np.abs(stood[..., 1:2]) > 0.9
    right = np.cross(stood, np.where(steep, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]))
    right /= np.linalg.norm(right, axis=-1, keepdims=True)
    frame = np.stack([right, np.cross(stood, right)], axis=-2)
    went = np.einsum("fpij,fpj->fpi", frame, chunk.after - stood)
    along = np.einsum("fpij,fj->fpi", frame, away)
    size = np.linalg.norm(along, axis=-1) + 1e-6
    along /= size[..., None]
    side = np.stack([-along[..., 1], along[..., 0]], axis=-1)
    off = (side * went).sum(axis=-1)
    by_turn = np.einsum("fpi,fpik->fpk", side, np.einsum("fpij,fpjk->fpik", frame, _cross_matrices(stood)))
    turned = np.stack([-frame[..., 1, :], frame[..., 0, :]], axis=-2)
    slope = np.einsum("fpi,fpij->fpj", went, turned) - off[..., None] * np.einsum("fpi,fpij->fpj", along, frame)
    first = np.cross(np.where(np.abs(away[:, 1:2]) < 0.9, [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]), away)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    across = np.stack([first, np.cross(away, first)], axis=1)
    return off, by_turn, np.einsum("fpj,fkj->fpk", slope / size[..., None], across), across


def _robust(chunk: _Chunk, off: Floats) -> Floats:
    """(f, p) what each patch counts; one that moves by itself nothing."""
    there = chunk.weights > 0
    ordered = np.sort(np.where(there, np.abs(off), np.inf), axis=1)
    middle = np.take_along_axis(ordered, (np.maximum(there.sum(axis=1), 1) // 2)[:, None].clip(0, off.shape[1] - 1), 1)
    spread = np.maximum(1.4826 * np.where(np.isfinite(middle), middle, 0.0), _FLOOR_RAD)
    share = np.clip(1 - (off / (_REACH * spread)) ** 2, 0.0, None) ** 2
    found: Floats = share * chunk.weights / spread**2 / _CROWD
    return found


def _smoothest(facts: _Facts, away: Floats, home: Floats, slack: Floats) -> Floats:
    """(f, 2) how the move changes in each step, so that it follows the patches and wanders little: a chain of small
    systems, solved from the one end to the other and back."""
    across = facts.across
    tight = 1 / slack**2
    middle = facts.known + np.eye(2) / _PULL_RAD**2
    wish = facts.asked + np.einsum("fkj,fj->fk", across, home - away) / _PULL_RAD**2
    apart = np.diff(away, axis=0)
    middle[1:] += np.eye(2) * tight[:, None, None]
    middle[:-1] += np.eye(2) * tight[:, None, None]
    wish[1:] -= np.einsum("fkj,fj->fk", across[1:], apart) * tight[:, None]
    wish[:-1] += np.einsum("fkj,fj->fk", across[:-1], apart) * tight[:, None]
    beside = -np.einsum("fkj,flj->fkl", across[:-1], across[1:]) * tight[:, None, None]
    for number in range(1, len(middle)):
        through = np.linalg.solve(middle[number - 1].T, beside[number - 1]).T
        middle[number] -= through @ beside[number - 1]
        wish[number] -= through @ wish[number - 1]
    moved = np.zeros_like(wish)
    moved[-1] = np.linalg.solve(middle[-1], wish[-1])
    for number in range(len(middle) - 2, -1, -1):
        moved[number] = np.linalg.solve(middle[number], wish[number] - beside[number] @ moved[number + 1])
    found: Floats = np.clip(moved, -_LONGEST_STEP_RAD, _LONGEST_STEP_RAD)
    return found


def _told_at(chunk: _Chunk, turns: Floats, away: Floats, up: Floats) -> Floats:
    """(f,) the row of the picture that tells the turn: the mean over patches, by how much each says of it."""
    off, by_turn, _, _ = _beside(chunk, turns, away)
    said = _robust(chunk, off) * (by_turn @ up) ** 2
    total = said.sum(axis=1)
    none: Floats = np.full(len(said), np.nan)
    found: Floats = np.divide((said * chunk.rows_px).sum(axis=1), total, out=none, where=total > 0)
    return found


def _cross_matrices(vectors: Floats) -> Floats:
    """(…, 3) to (…, 3, 3): what a vector is multiplied by to be crossed with each."""
    x, y, z = np.moveaxis(vectors, -1, 0)
    none = np.zeros_like(x)
    rows = ((none, -z, y), (z, none, -x), (-y, x, none))
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _rotations(turns: Floats) -> Floats:
    """(f, 3) rotation vectors to (f, 3, 3)."""
    angle = np.linalg.norm(turns, axis=-1)[:, None, None]
    cross = _cross_matrices(turns)
    squared = 0.5 * np.sinc(angle / 2 / np.pi) ** 2
    found: Floats = np.eye(3) + np.sinc(angle / np.pi) * cross + squared * (cross @ cross)
    return found
