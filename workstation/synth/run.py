"""The small command line of the generators, for development."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from workstation.core.errors import UserError
from workstation.synth import batch, clip, ct, pictures, robot, shop, talk
from workstation.synth.drive.fixture import drive
from workstation.synth.drive.rig import SCENES as DRIVE_SCENES
from workstation.synth.drive.rig import DriveOptions
from workstation.synth.drive.variants import VARIANTS as DRIVE_VARIANTS
from workstation.synth.truth import Truth, Variant

GOAL_S = 60


def main(arguments: Sequence[str]) -> int:
    """Parses, makes, says how long it took; 2 if what was asked for does not exist."""
    parser = argparse.ArgumentParser(
        prog="python -m workstation.synth", description="Make a generated fixture with exact truth."
    )
    parser.add_argument("fixture", choices=sorted(_MAKERS), nargs="?")
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path("out"), help="where to; made if missing (default: out)"
    )
    parser.add_argument("--variant", default="clean", help="clean, a planted error, or NAME@SIZE")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, help="drive: length")
    parser.add_argument("--cameras", type=int, default=3, help="drive: 1, 3, 6 or 12")
    parser.add_argument("--lidars", type=int, default=1, help="drive: 1 to 3")
    parser.add_argument("--scale", type=float, default=1.0, help="drive: picture size by this factor")
    parser.add_argument("--scene", default="street", help="drive: street, long, indoor or drone")
    parser.add_argument("--list", action="store_true", help="list the variants and stop")
    parser.add_argument(
        "--timings", action="store_true", help="make every fixture once, somewhere else, and print how long each took"
    )
    options = parser.parse_args(arguments)
    if options.timings:
        return _timings()
    if options.fixture is None:
        parser.error("name a fixture, or ask for --timings")
    if options.list:
        for variant in VARIANTS[options.fixture].values():
            size = f" ({variant.size:g} {variant.unit})" if variant.unit else ""
            sys.stdout.write(f"{variant.name:24} {variant.about}{size}\n")
        return 0
    start = time.perf_counter()
    try:
        made = _MAKERS[options.fixture](options)
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    seconds = time.perf_counter() - start
    counts = f"{len(made.sample['streams'])} streams, {len(made.planted)} planted"
    sys.stdout.write(f"{made.variant_folder}: {counts}, {seconds:.1f} s\n")

    return 0


def _timings() -> int:
    """Each fixture at its full size against the minute it may take; 1 if one takes longer."""
    late = 0
    for name in (*sorted(set(_MAKERS) - {"drive"}), *(f"drive {scene}" for scene in DRIVE_SCENES)):
        with tempfile.TemporaryDirectory(prefix="workstation-synth-") as folder:
            fixture, _, scene = name.partition(" ")
            words = [fixture, folder, *(("--scene", scene) if scene else ())]
            start, used = time.perf_counter(), _cpu_s()
            with contextlib.redirect_stdout(io.StringIO()):
                main(words)
            took, used = time.perf_counter() - start, _cpu_s() - used
        late += took > GOAL_S
        sys.stdout.write(
            f"{name:14} {took:6.1f} s  ({used:.0f} s of CPU; goal {GOAL_S} s{', MISSED' if took > GOAL_S else ''})\n"
        )
        sys.stdout.flush()
    return int(late > 0)


def _cpu_s() -> float:
    """Of this process and of the workers that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _drive(options: argparse.Namespace) -> Truth:
    chosen = DriveOptions(
        scene=options.scene, seconds=options.seconds, cameras=options.cameras, lidars=options.lidars,
        scale=options.scale,
    )  # fmt: skip
    return drive(options.folder, seed=options.seed, variant=options.variant, options=chosen)


_MAKERS: dict[str, Callable[[argparse.Namespace], Truth]] = {
    "drive": _drive,
    "talk": lambda o: talk.talk(o.folder, seed=o.seed, variant=o.variant),
    "clip": lambda o: clip.clip(o.folder, seed=o.seed, variant=o.variant),
    "ct": lambda o: ct.ct(o.folder, seed=o.seed, variant=o.variant),
    "scene": lambda o: pictures.scene(o.folder, seed=o.seed, variant=o.variant),
    "robot": lambda o: robot.robot(o.folder, seed=o.seed, variant=o.variant),
    "shop": lambda o: shop.shop(o.folder, seed=o.seed, variant=o.variant),
    "batch": lambda o: batch.batch(o.folder, seed=o.seed, variant=o.variant),
}
VARIANTS: dict[str, dict[str, Variant]] = {
    "drive": DRIVE_VARIANTS,
    "talk": talk.VARIANTS,
    "clip": clip.VARIANTS,
    "ct": ct.VARIANTS,
    "scene": pictures.VARIANTS,
    "robot": robot.VARIANTS,
    "shop": shop.VARIANTS,
    "batch": batch.VARIANTS,
}
