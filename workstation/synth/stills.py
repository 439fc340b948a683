"""The twelve stages of FX-SCENE: what stands where in each picture, and what can be said about it.

A caption is written with its groundings inside: ``[the red car](car_red)``. ``pictures`` takes them apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from workstation.synth.backdrop import Backdrop, sky_panorama
from workstation.synth.diorama import Thing, looking, plain_backdrop, scenery, snap
from workstation.synth.lettering import Picture
from workstation.synth.mesh import Mesh
from workstation.synth.people import dog, pedestrian
from workstation.synth.props import apple, arm, book, bowl, cup, keyboard, room_shell, sitter, table
from workstation.synth.raster import View, shadow_points
from workstation.synth.scenery import WALLS, GroundPainter, house, tree
from workstation.synth.vehicles import vehicle

TOP = 0.74
"""Height of the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """One picture of the set."""

    key: str
    place: str
    """``table``, ``street``."""
    things: tuple[Thing, ...]
    captions: tuple[tuple[str, str], ...]
    """(slot, marked text): brief, relational, detailed."""
    relations: tuple[tuple[str, str, str], ...] = ()
    """(subject, predicate, object); those of place are checked against the geometry by a test."""
    probe: str | None = None
    near: str | None = None
    """The picture of which this is a near-duplicate."""


def on_table(key: str, label: str, thing: Mesh, x: float, y: float, *, yaw: float = 0.0, lift: float = 0.0) -> Thing:
    """A thing on the table top; ``y`` to the left."""
    return Thing(key=key, label=label, mesh=thing, x=x, y=y, z=TOP + lift, yaw=yaw, nearer_m=1.0)


def stills() -> tuple[Still, ...]:
    """All twelve."""
    return (*_first_three(), *_middle_five(), *_last_four())


def _first_three() -> tuple[Still, ...]:
    """Cups, two cars, an occlusion."""
    desk = Thing(key="table", label="table", mesh=table(1.5, 0.9))
    red, blue, grey = (
        vehicle("car", (184, 36, 40), "RD 1"),
        vehicle("car", (46, 84, 176), "BL 2"),
        vehicle("car", (120, 124, 130), "GR 3"),
    )
    return (
        Still(
            key="s01_cups",
            place="table",
            relations=(
                ("cup_1", "left of", "keyboard"),
                ("cup_2", "right of", "keyboard"),
                ("keyboard", "on", "table"),
            ),
            things=(
                desk,
                on_table("keyboard", "keyboard", keyboard(), -0.15, 0.0),
                on_table("cup_1", "cup", cup((196, 52, 46)), -0.12, 0.42, yaw=-1.3),
                on_table("cup_2", "cup", cup((60, 110, 180)), -0.1, -0.4, yaw=-1.8),
            ),
            captions=(
                ("brief", "[Two cups](cup_1,cup_2) and [a keyboard](keyboard)."),
                ("relational", "[The red cup](cup_1) stands to the left of [the keyboard](keyboard)."),
                (
                    "detailed",
                    (
                        "On [a wooden table](table) lie [a keyboard](keyboard) and, on either side of it, "
                        "[a red cup](cup_1) and [a blue cup](cup_2)."
                    ),
                ),
            ),
        ),
        Still(
            key="s02_two_cars",
            place="street",
            relations=(("car_red", "left of", "car_blue"),),
            things=(
                Thing(key="car_red", label="car", mesh=red, x=10.0, y=2.6, yaw=2.6),
                Thing(key="car_blue", label="sedan", mesh=blue, x=12.0, y=-2.8, yaw=3.5),
            ),
            captions=(
                ("brief", "[A red car](car_red) and [a blue sedan](car_blue)."),
                ("relational", "[The red car](car_red) is parked to the left of [the blue sedan](car_blue)."),
                (
                    "detailed",
                    (
                        "I see [a blue car](car_blue) ahead on the right, "
                        "and [the red car](car_red) stands across the street from it."
                    ),
                ),
            ),
        ),
        Still(
            key="s03_occluded",
            place="street",
            relations=(("car", "occluded by", "pedestrian"), ("pedestrian", "in front of", "car")),
            things=(
                Thing(key="car", label="car", mesh=grey, x=12.0, y=0.5, yaw=1.45),
                Thing(key="pedestrian", label="person", mesh=pedestrian(0.3), x=9.4, y=0.1, yaw=1.7),
            ),
            captions=(
                ("brief", "[A pedestrian](pedestrian) before [a grey car](car)."),
                ("relational", "[The pedestrian](pedestrian) hides part of [the grey car](car)."),
                (
                    "detailed",
                    "[Somebody in a red coat](pedestrian) walks past [a grey car](car) that is parked across the road.",
                ),
            ),
        ),
    )


def _middle_five() -> tuple[Still, ...]:
    """An empty table, a near-duplicate pair, a man with a cup, touching cars."""
    desk = Thing(key="table", label="table", mesh=table(1.5, 0.9))
    red = vehicle("car", (184, 36, 40), "RD 1")
    blue = vehicle("car", (46, 84, 176), "BL 2")
    mug = on_table("mug", "cup", cup((232, 232, 226)), -0.1, 0.2, yaw=-1.2)
    dish = on_table("bowl", "bowl", bowl((232, 232, 226)), -0.1, 0.2)
    holder = Thing(key="person", label="person", mesh=sitter(), x=0.72)
    cup_held = on_table("cup", "cup", cup((60, 140, 90)), 0.18, 0.18, yaw=-1.2, lift=0.2)
    hand_at = (0.18 - 0.72 + 0.05, 0.18 + 0.06, TOP + 0.26)
    hand = Thing(key="person", label="person", mesh=arm(hand_at), x=0.72, nearer_m=0.9)
    return (
        Still(
            key="s04_empty_table",
            place="table",
            probe="absent-object",
            things=(desk,),
            captions=(
                ("brief", "[An empty table](table)."),
                ("relational", "[A table](table) stands before a window."),
                ("detailed", "Nothing lies on [the wooden table](table) in the middle of the room."),
            ),
        ),
        Still(
            key="s05_mug",
            place="table",
            relations=(("mug", "on", "table"),),
            things=(desk, mug),
            captions=(
                ("brief", "[A white mug](mug)."),
                ("relational", "[A mug](mug) stands on [the table](table)."),
                ("detailed", "[A plain white mug](mug) is the only thing on [the wooden table](table)."),
            ),
        ),
        Still(
            key="s06_bowl",
            place="table",
            near="s05_mug",
            relations=(("bowl", "on", "table"),),
            things=(desk, dish),
            captions=(
                ("brief", "[A white bowl](bowl)."),
                ("relational", "[A bowl](bowl) stands on [the table](table)."),
                ("detailed", "[A shallow white bowl](bowl) is alone on [the wooden table](table)."),
            ),
        ),
        Still(
            key="s07_holding",
            place="table",
            relations=(("person", "holding", "cup"), ("person", "behind", "table")),
            things=(desk, holder, hand, cup_held),
            captions=(
                ("brief", "[A man](person) with [a cup](cup)."),
                ("relational", "[The man](person) holds [a green cup](cup) over [the table](table)."),
                (
                    "detailed",
                    "[A man in a blue shirt](person) sits behind [a table](table) and lifts [a green cup](cup).",
                ),
            ),
        ),
        Still(
            key="s08_touching",
            place="street",
            relations=(("car_1", "left of", "car_2"),),
            things=(
                Thing(key="car_1", label="car", mesh=blue, x=11.0, y=0.92, yaw=math.pi),
                Thing(key="car_2", label="car", mesh=red, x=11.0, y=-0.9, yaw=math.pi),
            ),
            captions=(
                ("brief", "[Two cars](car_1,car_2) side by side."),
                ("relational", "[A blue car](car_1) touches [a red one](car_2)."),
                (
                    "detailed",
                    "[A blue car](car_1) and [a red car](car_2) come towards us so close that their sides meet.",
                ),
            ),
        ),
    )


def _last_four() -> tuple[Still, ...]:
    """A dog, a floating cup, five things, a truck."""
    desk = Thing(key="table", label="table", mesh=table(1.5, 0.9))
    red = vehicle("car", (184, 36, 40), "RD 1")
    return (
        Still(
            key="s09_dog",
            place="street",
            relations=(("dog", "right of", "woman"),),
            things=(
                Thing(key="woman", label="person", mesh=pedestrian(0.4, coat=(70, 120, 90)), x=7.2, y=0.9, yaw=-2.2),
                Thing(key="dog", label="dog", mesh=dog(0.1), x=6.6, y=-0.5, yaw=-2.4),
            ),
            captions=(
                ("brief", "[A woman](woman) and [a dog](dog)."),
                ("relational", "[The dog](dog) waits to the right of [the woman](woman)."),
                (
                    "detailed",
                    "[A puppy](dog) with brown fur stands in the street beside [a woman in a green coat](woman).",
                ),
            ),
        ),
        Still(
            key="s10_ceiling",
            place="table",
            probe="against-expectation",
            relations=(("cup", "above", "table"),),
            things=(desk, on_table("cup", "cup", cup((196, 52, 46)), 0.1, 0.1, yaw=-1.2, lift=0.5)),
            captions=(
                ("brief", "[A red cup](cup) in mid-air."),
                ("relational", "[A cup](cup) hangs in the air above [the table](table)."),
                ("detailed", "High above [the empty wooden table](table) floats [a red cup](cup)."),
            ),
        ),
        Still(
            key="s11_five",
            place="table",
            relations=(("apple", "right of", "book"), ("bowl", "left of", "book")),
            things=(
                desk,
                on_table("book", "book", book((50, 90, 150)), -0.1, 0.1, yaw=0.4),
                on_table("apple", "apple", apple(), -0.2, -0.12),
                on_table("cup", "cup", cup((232, 190, 60)), 0.12, -0.35, yaw=-1.8),
                on_table("bowl", "bowl", bowl(), -0.05, 0.45),
            ),
            captions=(
                ("brief", "[A book](book), [an apple](apple), [a cup](cup) and [a bowl](bowl) on [a table](table)."),
                ("relational", "[The apple](apple) lies to the right of [the book](book)."),
                (
                    "detailed",
                    (
                        "On [the table](table) are [a blue bowl](bowl), [a blue book](book), [a red apple](apple) "
                        "and, behind them, [a yellow cup](cup)."
                    ),
                ),
            ),
        ),
        Still(
            key="s12_truck",
            place="street",
            relations=(("truck", "left of", "car"),),
            things=(
                Thing(
                    key="truck", label="truck", mesh=vehicle("truck", (60, 110, 160), "TK 4"), x=15.0, y=3.2, yaw=2.9
                ),
                Thing(key="car", label="car", mesh=red, x=10.0, y=-2.6, yaw=-0.2),
            ),
            captions=(
                ("brief", "[A truck](truck) and [a car](car)."),
                ("relational", "[The truck](truck) comes past [the red car](car) on its left."),
                ("detailed", "[A lorry with a blue cab](truck) drives towards us while [a red car](car) drives away."),
            ),
        ),
    )


class Studio:
    """The two places, built once, and a picture of any still."""

    def __init__(self, width: int, height: int, seed: int) -> None:
        rng = np.random.default_rng([seed, 91])
        self._table_view = looking(
            (-1.4, 0.05, 1.55), (0.15, 0.0, 0.92), width=width, height=height, focal_px=width * 0.9
        )
        shell = scenery([Thing(key="room", label="room", mesh=room_shell(), named=False)], floor=True)
        self._room = snap(self._table_view, [], background=plain_backdrop(self._table_view), packed=shell).image
        self._street_view = looking(
            (0.0, 0.0, 1.6), (10.0, 0.0, 1.15), width=width, height=height, focal_px=width * 0.95
        )
        self._street = _street(self._street_view, rng)

    def view(self, still: Still) -> View:
        """The camera of a still."""
        return self._table_view if still.place == "table" else self._street_view

    def background(self, still: Still) -> Picture:
        """What is behind its things."""
        return self._room if still.place == "table" else self._street


def _street(view: View, rng: np.random.Generator) -> Picture:
    painter = GroundPainter((-20, 120), (-50, 50), 0.05, rng)
    painter.rectangle(-20, 120, -8.0, 8.0, (168, 164, 158))
    painter.rectangle(-20, 120, -5.0, 5.0, (92, 93, 96))
    painter.roughen(rng, (-20, 120), (-8, 8), 3.0)
    for x in np.arange(-20, 120, 6.0):
        painter.rectangle(x, x + 3, -0.07, 0.07, (224, 224, 218))
    blocks = []
    for i in range(5):
        blocks += [
            house(
                12.0 + 13.0 * i,
                side * 9.0,
                -side * math.pi / 2,
                11.0,
                8.0,
                2 + (i + (side > 0)) % 3,
                WALLS[(i + 2 * (side > 0)) % len(WALLS)],
                None,
            )
            for side in (1, -1)
        ]
        blocks += [tree(14.0 + 15.0 * i, side * 6.2, 5.5, rng) for side in (1, -1)]
    for block in blocks:
        painter.shade(shadow_points(block.mesh.vertices)[:, :2])
    background = Backdrop(painter.finish(), sky_panorama(rng)).paint(view)
    packed = scenery([Thing(key="", label="", mesh=b.mesh, named=False) for b in blocks])
    # Everything stands behind the still's own things, so it is painted once.
    return snap(view, [], background=background, packed=packed).image
