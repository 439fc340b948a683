"""A project of texts for tests: files written word for word, one sample, the dialogue ontology in force."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def text_project(folder: Path, texts: Mapping[str, str], *, ontology: str = "dialogue") -> Path:
    """``texts`` by file name, as ``report.md``; each becomes a stream called as the file without its ending."""
    from workstation.app.adding import add_files
    from workstation.app.opening import new_project, open_project

    project = new_project(folder / "texts", ontology=ontology, person="Ada")
    source = folder / "source"
    source.mkdir()
    with open_project(project, kind="person", role="lead") as session:
        for name, text in texts.items():
            path = source / name
            path.write_bytes(text.encode("utf-8"))
            add_files(
                session, (path,), sample="one", stream=path.stem, kind=None, role="", copy=True,
                progress=lambda *_: None,
            )  # fmt: skip
    return project
