"""The whole play of the generated street at thumbnail size: half a minute of work, so every test takes this one."""

from __future__ import annotations

from workstation.synth.drive.rig import DriveOptions

LONG_DRIVE = DriveOptions(cameras=1, scale=0.25, seconds=18.2, camera_rate_hz=10, workers=1)
