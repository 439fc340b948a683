"""The raw side of FX-DRIVE's CAN: what the decoded table looked like on the bus, and the DBC that describes it.

Called by ``media``. The log has the form of ``candump -L``: ``(seconds) interface identifier#bytes``, one frame a line;
seconds count from session zero. Numbers are little-endian, as the DBC says.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

INTERFACE = "can0"
SPEED_ID, PEDALS_ID, STEERING_ID = 0x1A0, 0x220, 0x0C4
DBC = f"""VERSION "FX-DRIVE"

BU_: GATEWAY

BO_ {SPEED_ID} SPEED: 8 GATEWAY
 SG_ speed_kph : 0|16@1+ (0.01,0) [0|655.35] "km/h" Vector__XXX

BO_ {PEDALS_ID} PEDALS: 8 GATEWAY
 SG_ brake_pedal_pct : 0|16@1+ (0.1,0) [0|100] "%" Vector__XXX
 SG_ throttle_pct : 16|16@1+ (0.1,0) [0|100] "%" Vector__XXX
 SG_ brake_switch : 32|1@1+ (1,0) [0|1] "" Vector__XXX
 SG_ turn_signal_left : 33|1@1+ (1,0) [0|1] "" Vector__XXX

BO_ {STEERING_ID} STEERING: 8 GATEWAY
 SG_ steering_wheel_deg : 0|32@1- (0.01,0) [-1080|1080] "deg" Vector__XXX
"""


def candump(columns: Mapping[str, NDArray[Any]]) -> str:
    """The decoded columns as the frames that were on the bus, three messages at every time."""
    lines: list[str] = []
    rows = zip(*(columns[name].tolist() for name in _COLUMNS), strict=True)
    for time_ns, speed, brake, throttle, switch, left, steering in rows:
        stamp = f"({time_ns // 1_000_000_000:010d}.{time_ns % 1_000_000_000 // 1000:06d}) {INTERFACE}"
        flags = int(switch) | int(left) << 1
        for identifier, payload in (
            (STEERING_ID, struct.pack("<i4x", round(steering * 100))),
            (SPEED_ID, struct.pack("<H6x", round(speed * 100))),
            (PEDALS_ID, struct.pack("<HHB3x", round(brake * 10), round(throttle * 10), flags)),
        ):
            lines.append(f"{stamp} {identifier:03X}#{payload.hex().upper()}")
    return "\n".join(lines) + "\n"


_COLUMNS = (
    "time_ns",
    "speed_kph",
    "brake_pedal_pct",
    "throttle_pct",
    "brake_switch",
    "turn_signal_left",
    "steering_wheel_deg",
)
