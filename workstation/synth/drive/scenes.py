"""Which play belongs to which scene option of FX-DRIVE."""

from __future__ import annotations

from workstation.core.errors import UserError
from workstation.synth.drive.rig import DriveOptions
from workstation.synth.drive.script import Script, street_script


def script_of(options: DriveOptions) -> Script:
    """The script of a scene at its length."""
    if options.scene == "street":
        return street_script(options.length_s())
    raise UserError(f"there is no scene {options.scene!r}; there are: street")
