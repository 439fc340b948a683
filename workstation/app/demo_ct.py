"""The generated chest series with its labels: the nodule in the volume and in the words. Called by ``demo.py``."""

from __future__ import annotations

import math
from typing import Any

from workstation.app.demo_generated import Labels, text_part
from workstation.core.errors import DataError
from workstation.synth.truth import Truth

_FRAME = "patient"
_CORNERS = 32


def label(labels: Labels, made: Truth) -> None:
    """The nodule slice by slice, its diameter and density, and the sentences that speak of it."""
    sphere, report = made.truth["sphere"], made.path("report").read_text(encoding="utf-8")
    x, y, z = sphere["center_lps_mm"]
    across = sphere["diameter_mm"]
    nodule = labels.entity("nodule", "nodule", name="nodule, right upper lobe", attributes={"side": sphere["side"]})
    labels.mark(
        "region", "series", entity=nodule, frame=_FRAME,
        shape={"kind": "cuboid", "center": [x, y, z], "size": [across, across, across]},
    )  # fmt: skip
    items = _instances(made)
    for number, ring in _outlines(made):
        labels.mark(
            f"outline/{number}", "series", entity=nodule, item=items[number], shape={"kind": "polygon", "outer": ring}
        )
    middle = items[round(sphere["slice"])]
    labels.mark(
        "diameter", "series", class_id="long_axis", frame=_FRAME, item=middle,
        shape={
            "kind": "measurement", "quantity": "long axis", "value": across, "unit": "mm",
            "points": [[x - across / 2, y, z], [x + across / 2, y, z]],
        },
    )  # fmt: skip
    labels.mark(
        "density", "series", class_id="density", frame=_FRAME, item=middle,
        shape={
            "kind": "measurement", "quantity": "mean density", "value": sphere["hu"], "unit": "HU",
            "points": [[x, y, z]],
        },
    )  # fmt: skip
    _words(labels, report, next(each for each in made.labels["annotations"] if each["id"] == "sentence"))


def _words(labels: Labels, report: str, said: dict[str, Any]) -> None:
    """What the report says, and how its one finding is measured in it: as delivered."""
    size_mm, side = float(said["attributes"]["size_mm"]), str(said["attributes"]["side"])
    sentences = {
        "finding_sentence": said["shape"]["quote"],
        "impression": next(line for line in report.splitlines() if f" of the {side} upper lobe, " in line),
        "recommendation": "Follow-up is advised.",
    }
    for class_id, quote in sentences.items():
        labels.mark(class_id, "report", class_id=class_id, shape=text_part(report, quote))
    for quote in ("No enlarged lymph nodes.", "No pleural effusion.", "The heart is of normal size."):
        labels.mark(f"negative/{quote}", "report", class_id="negative_statement", shape=text_part(report, quote))
    labels.mark(
        "size",
        "report",
        class_id="size_phrase",
        attributes={"value_mm": size_mm},
        shape=text_part(report, f"{size_mm / 10:g} cm"),
    )
    labels.mark("side", "report", class_id="side_phrase", attributes={"side": side}, shape=text_part(report, side))
    labels.link("finding", {"sentence": "finding_sentence", "region": ["region"]})
    labels.link("finding", {"sentence": "impression", "region": ["region"]})
    labels.link("measures", {"measurement": "diameter", "thing": "entity/nodule"})
    labels.link("measures", {"measurement": "density", "thing": "entity/nodule"})
    for phrase in ("size", "side"):
        labels.link("attribute_of", {"phrase": phrase, "finding": "entity/nodule"})


def _instances(made: Truth) -> list[str]:
    """The identifiers of the series' pictures, from the first to the last along the normal."""
    import pydicom

    placed = []
    for path in sorted(made.path("series").glob("*.dcm")):
        header = pydicom.dcmread(path, stop_before_pixels=True)
        placed.append((float(header.ImagePositionPatient[2]), str(header.SOPInstanceUID)))
    if not placed:
        raise DataError("the generated series has no pictures", path=made.path("series"))
    return [uid for _, uid in sorted(placed)]


def _outlines(made: Truth) -> list[tuple[int, list[list[float]]]]:
    """Where the sphere cuts each slice: (slice, ring in px of the picture)."""
    sphere, geometry = made.truth["sphere"], made.truth["geometry"]
    thickness, row_mm, column_mm = geometry["spacing_mm"]
    radius = sphere["diameter_mm"] / 2
    found = []
    for number in range(geometry["shape"][0]):
        away = abs(number - sphere["slice"]) * thickness
        if away >= radius:
            continue
        cut = math.sqrt(radius**2 - away**2)
        # The truth counts centres of voxels; pixels begin half a voxel earlier.
        middle = sphere["column"] + 0.5, sphere["row"] + 0.5
        turns = [2 * math.pi * i / _CORNERS for i in range(_CORNERS)]
        ring = [
            [round(middle[0] + cut / column_mm * math.cos(a), 3), round(middle[1] + cut / row_mm * math.sin(a), 3)]
            for a in turns
        ]
        found.append((number, ring))
    return found
