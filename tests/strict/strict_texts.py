"""A project of texts for tests: files written word for word, one sample, the dialogue ontology in force."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def text_project(folder: Path, texts: Mapping[str, str | bytes], *, ontology: str = "dialogue") -> Path:
    """``texts`` by file name, as ``report.md``; each becomes a stream called as the file without its ending."""
    from workstation.app.adding import add_files
    from workstation.app.opening import new_project, open_project

    project = new_project(folder / "texts", ontology=ontology, person="Ada")
    source = folder / "source"
    source.mkdir()
    with open_project(project, kind="person", role="lead") as session:
        for name, text in texts.items():
            path = source / name
            path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
            add_files(
                session, (path,), sample="one", stream=path.stem, kind=None, role="", copy=True,
                progress=lambda *_: None,
            )  # fmt: skip
    return project


def pdf_of(pages: list[list[tuple[int, int, str]]]) -> bytes:
    """A PDF of Helvetica at 20 points: on each page (x, y from below, words); a page without any is blank."""
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for i, lines in enumerate(pages):
        drawn = "\n".join(f"BT /F1 20 Tf {x} {y} Td ({words}) Tj ET" for x, y, words in lines).encode()
        fonts = "/Resources << /Font << /F1 3 0 R >> >>"
        page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents {5 + 2 * i} 0 R {fonts} >>"
        objects.append(page.encode())
        objects.append(f"<< /Length {len(drawn)} >>\nstream\n".encode() + drawn + b"\nendstream")
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    out += f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n".encode()
    return bytes(out)
