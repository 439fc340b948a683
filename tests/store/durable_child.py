"""A project's life for the layer under the files: made, edited, backed up, closed, opened again, migrated.

``python durable_child.py FOLDER edits`` or ``… migrate``. Acknowledges on standard output, like ``editing_child.py``;
the layer writes the acknowledgements into its log between the writes.
"""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

from editing_child import edits, say
from projects import LEAD, ONTOLOGY, add_sample

from workstation.store.db import Connection
from workstation.store.migrations import migrate
from workstation.store.project import create_project, open_project_folder


def add_colour(connection: Connection) -> None:
    """A migration that touches every row."""
    connection.execute("ALTER TABLE sample ADD COLUMN colour TEXT")
    connection.execute("UPDATE sample SET colour = 'blue'")


def work(folder: Path, name: str, steps: int) -> None:
    """One session."""
    with open_project_folder(folder, LEAD, backup_interval_s=1e9) as project:
        assert project.backups is not None
        for number, stored in enumerate(islice(edits(project, name), steps)):
            say(stored)
            if number % 12 == 6:
                project.backups.request()
            if number % 12 == 8:
                project.backups.wait_for_attempts(number // 12 + 1, 60)
                say(f"snapshot {number}")
    say(f"closed {name}")


def main() -> None:
    """The whole life."""
    folder = Path(sys.argv[1])
    create_project(folder, name="p-0", actor=LEAD, ontology_text=ONTOLOGY)
    say("created")
    if sys.argv[2] == "edits":
        work(folder, "1", 50)
        work(folder, "2", 30)
        return
    with open_project_folder(folder, LEAD) as project:
        for number in range(20):
            add_sample(project.store, f"s{number}", notes="n" * 1000)
            say(f"add s{number}")
    migrate(folder / "project.db", folder / "backups", now_ms=lambda: 1, steps={1: add_colour}, target=2)
    say("migrated")


if __name__ == "__main__":
    main()
