"""FX-DRIVE from one call: media once, then any variant over the same media."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from workstation.synth.drive.delivery import bundle_of
from workstation.synth.drive.media import make_media
from workstation.synth.drive.rig import DriveOptions
from workstation.synth.drive.scenes import script_of
from workstation.synth.drive.variants import VARIANTS
from workstation.synth.truth import Truth, chosen, deliver, shared_media


def drive(folder: Path, *, seed: int = 0, variant: str = "clean", options: DriveOptions | None = None) -> Truth:
    """Makes FX-DRIVE in ``folder``; ``variant`` is a name of ``VARIANTS``, with ``@size`` if another size is wanted."""
    options = options or DriveOptions()
    chosen(VARIANTS, variant)  # refuse a wrong name before a minute of work
    stamp = {"fixture": "drive", "seed": seed, "options": {k: v for k, v in asdict(options).items() if k != "workers"}}
    knowledge = shared_media(folder, stamp, lambda media: make_media(media, seed, options))
    return deliver(folder, bundle_of(script_of(options), options, knowledge), VARIANTS, variant)
