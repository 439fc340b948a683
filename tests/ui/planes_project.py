"""A small project of a recording, a scan and a form, in each of which the same thing is marked, for tests of panes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom

from strict_texts import pdf_of
from workstation.app.adding import add_files
from workstation.app.opening import new_project, open_project
from workstation.core.sample import StreamKind
from workstation.synth.ct import CtOptions, write_series

SAMPLE = "one"
SECOND = 1_000_000_000
ONTOLOGY = """
version: 1
name: Findings
language: en
modalities: [series, volume, document]
classes:
  finding:
    name: Finding
    definition: Whatever is worth a mark.
    colour: "#d62728"
    shapes: {series: [span], volume: [box], document: [box, text_span]}
"""


def planes_project(folder: Path) -> Path:
    """The marks: 2 to 4 s of the channel, a box on the fifth slice, a box on the second page."""
    (folder / "own.yaml").write_text(ONTOLOGY, encoding="utf-8")
    rows = [f"{i / 50:.2f},{np.sin(i / 20):.4f}" for i in range(500)]
    (folder / "pulse.csv").write_text("time_s,pressure [bar]\n" + "\n".join(rows) + "\n", encoding="utf-8")
    (folder / "form.pdf").write_bytes(pdf_of([[(50, 700, "Nodule")], [(50, 700, "Signed by Dr Weber")]]))
    write_series(folder / "scan", CtOptions(size=40, slices=20, spacing_mm=8.0, slice_mm=11.0), 2)
    slices = sorted((folder / "scan").glob("*.dcm"))
    project = new_project(folder / "project", ontology=str(folder / "own.yaml"), in_force=True, person="Ada")
    with open_project(project, kind="person", role="lead") as session:
        add_files(session, [folder / "pulse.csv"], sample=SAMPLE, stream="pulse", kind=StreamKind.SERIES, copy=True)
        add_files(session, slices, sample=SAMPLE, stream="scan", kind=StreamKind.VOLUME, copy=True)
        add_files(session, [folder / "form.pdf"], sample=SAMPLE, stream="form", kind=StreamKind.DOCUMENT, copy=True)
        session.open_sample(SAMPLE)
        entity = session.run("entity.add", sample=SAMPLE, class_id="finding")
        image = str(pydicom.dcmread(slices[4], stop_before_pixels=True).SOPInstanceUID)
        for stream, given in (
            ("pulse", {"kind": "span", "item": "pressure", "start_ns": 2 * SECOND, "end_ns": 4 * SECOND}),
            ("scan", {"item": image, "shape": {"kind": "box", "x": 12.0, "y": 10.0, "width": 14.0, "height": 12.0}}),
            ("form", {"item": "2", "shape": {"kind": "box", "x": 60.0, "y": 200.0, "width": 200.0, "height": 90.0}}),
        ):
            session.run("annotation.add", sample=SAMPLE, stream=stream, entity=entity, **given)
    return project
