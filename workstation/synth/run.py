"""The small command line of the generators, for development."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from workstation.core.errors import UserError
from workstation.synth import batch, clip, ct, pictures, robot, shop, talk
from workstation.synth.drive.fixture import drive
from workstation.synth.drive.rig import DriveOptions
from workstation.synth.drive.variants import VARIANTS as DRIVE_VARIANTS
from workstation.synth.truth import Truth, Variant


def main(arguments: Sequence[str]) -> int:
    """Parses, makes, says how long it took; 2 if what was asked for does not exist."""
    parser = argparse.ArgumentParser(
        prog="python -m workstation.synth", description="Make a generated fixture with exact truth."
    )
    parser.add_argument("fixture", choices=sorted(_MAKERS))
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path("out"), help="where to; made if missing (default: out)"
    )
    parser.add_argument("--variant", default="clean", help="clean, a planted error, or NAME@SIZE")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, help="drive: length")
    parser.add_argument("--cameras", type=int, default=3, help="drive: 1, 3, 6 or 12")
    parser.add_argument("--scale", type=float, default=1.0, help="drive: picture size by this factor")
    parser.add_argument("--scene", default="street", help="drive: street, long, indoor or drone")
    parser.add_argument("--list", action="store_true", help="list the variants and stop")
    options = parser.parse_args(arguments)
    if options.list:
        for variant in _VARIANTS[options.fixture].values():
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


def _drive(options: argparse.Namespace) -> Truth:
    chosen = DriveOptions(scene=options.scene, seconds=options.seconds, cameras=options.cameras, scale=options.scale)
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
_VARIANTS: dict[str, dict[str, Variant]] = {
    "drive": DRIVE_VARIANTS,
    "talk": talk.VARIANTS,
    "clip": clip.VARIANTS,
    "ct": ct.VARIANTS,
    "scene": pictures.VARIANTS,
    "robot": robot.VARIANTS,
    "shop": shop.VARIANTS,
    "batch": batch.VARIANTS,
}
