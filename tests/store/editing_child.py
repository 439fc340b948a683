"""A process that edits a project and says on standard output what is stored, to be killed by the tests.

``python editing_child.py FOLDER BACKUP_SECONDS`` reads lines: each ``go NAME COUNT`` makes a child of its own that
opens the project and edits until it is killed, starting its names with ``NAME``. Every acknowledgement is one line,
written after the transaction returned: ``add KEY``, ``count N`` (one record changed again and again), ``name N`` (the
project's name, which writes a mirror), ``many PREFIX`` (two hundred records in one transaction).
With ``annotate`` instead of the seconds, the edits go through ``workstation annotate`` and its own acknowledgements.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import msgspec
from projects import LEAD

from workstation.cli.main import main as run_command_line
from workstation.core.errors import UserError
from workstation.core.ids import SampleId
from workstation.core.sample import Sample
from workstation.store.project import ProjectFolder, open_project_folder

MANY = 200
LINES = 2000
COUNTER = "counter"


def say(text: str) -> None:
    """One whole line, at once: a kill leaves the line or nothing of it."""
    os.write(1, text.encode() + b"\n")


def edits(project: ProjectFolder, name: str) -> Iterator[str]:
    """Edit for ever; each value is what has just been stored."""
    store = project.store
    counter = store.sample_by_key(COUNTER)
    if counter is None:
        with store.transaction("Counter") as tx:
            counter = Sample(id=SampleId(tx.new_id()), key=COUNTER, notes="0")
            tx.put(counter)
    for number in count():
        key = f"{name}-{number}"
        with store.transaction("Add") as tx:
            tx.put(Sample(id=SampleId(tx.new_id()), key=key, notes="n" * (number % 7 * 900)))
        yield f"add {key}"
        counter = msgspec.structs.replace(counter, notes=str(int(counter.notes) + 1))
        with store.transaction("Count") as tx:
            tx.put(counter)
        yield f"count {counter.notes}"
        if number % 2 == 0:
            settings = store.project()
            assert settings is not None
            with store.transaction("Rename the project") as tx:
                tx.put(msgspec.structs.replace(settings, name=key))
            yield f"name {key}"
        if number % 9 == 4:
            with store.transaction("Many") as tx:
                tx.put_many(Sample(id=SampleId(tx.new_id()), key=f"{key}/{part}") for part in range(MANY))
            yield f"many {key}"


def edit_until_killed(folder: Path, name: str, backup_s: float) -> None:
    """Edit and say so; a refusal is said too, and ends it in order."""
    try:
        with open_project_folder(folder, LEAD, backup_interval_s=backup_s) as project:
            say(f"open {name}")
            for stored in edits(project, name):
                say(stored)
                if backup_s == 0.0 and project.backups is not None:
                    project.backups.request()  # one snapshot after the other, so that kills fall into them
                for report in project.take_reports():
                    say(f"mirror {report.sentence}")
    except UserError as error:
        say(f"refused {error}")


def annotate_until_killed(folder: Path, name: str, counted: int) -> None:
    """The same through the command line: line ``n`` adds ``NAME-n`` when odd, else counts on."""
    script = folder.parent / f"script-{name}.jsonl"
    with script.open("w", encoding="utf-8") as out:
        for line in range(1, LINES + 1):
            step = {"do": "sample.add", "key": f"{name}-{line}", "notes": "n" * (line % 7 * 900)}
            if line % 2 == 0:
                step = {"do": "sample.set", "sample": COUNTER, "notes": str(counted + line // 2)}
            out.write(json.dumps(step) + "\n")
    run_command_line(["annotate", str(folder), str(script), "--json", "--role", "lead"])


def main() -> None:
    """Fork one editor per line: the imports are paid for once."""
    folder, how = Path(sys.argv[1]), sys.argv[2]
    for line in sys.stdin:
        _, name, counted = line.split()
        pid = os.fork()
        if pid == 0:
            if how == "annotate":
                annotate_until_killed(folder, name, int(counted))
            else:
                edit_until_killed(folder, name, float(how))
            os._exit(0)
        say(f"pid {pid}")
        os.waitpid(pid, 0)
        say("ended")


if __name__ == "__main__":
    main()
