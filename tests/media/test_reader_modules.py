"""The list of readers by kind says what the modules say, and asking for one kind imports no other's modules."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import workstation.media
from workstation.core.sample import StreamKind
from workstation.media.base import ReaderSpec
from workstation.media.probe import READER_MODULES, ReaderShelf, built_in_readers


def in_the_modules() -> list[tuple[str, ReaderSpec]]:
    """Read from the folder: every module with readers, and they."""
    found = []
    for module in pkgutil.iter_modules(workstation.media.__path__):
        source = Path(workstation.media.__path__[0], f"{module.name}.py").read_text(encoding="utf-8")
        if "\nREADERS" in source:
            readers = importlib.import_module(f"workstation.media.{module.name}").READERS
            found += [(module.name, spec) for spec in readers]
    return found


def test_every_reader_is_listed_under_its_kind() -> None:
    truth = in_the_modules()
    assert [spec.name for spec in built_in_readers()] == [spec.name for _, spec in truth]
    for kind in StreamKind:
        assert [spec.name for spec in built_in_readers(kind)] == [spec.name for _, spec in truth if spec.kind is kind]
        assert set(READER_MODULES.get(kind, ())) == {module for module, spec in truth if spec.kind is kind}


def test_plugins_are_asked_only_when_the_program_has_no_such_reader() -> None:
    asked: list[str] = []
    sound = built_in_readers(StreamKind.AUDIO)[0]

    def plugins() -> list[ReaderSpec]:
        asked.append("now")
        return []

    shelf = ReaderShelf(plugins)
    assert shelf.named(StreamKind.AUDIO, sound.name) == sound
    assert asked == []
    assert shelf.named(StreamKind.AUDIO, "gramophone") is None
    assert asked == ["now"]
    assert len(shelf) == len(built_in_readers())


def test_a_sound_is_opened_without_the_readers_of_volumes_tables_and_films() -> None:
    program = (
        "import sys\n"
        "from workstation.core.sample import StreamKind\n"
        "from workstation.media.probe import built_in_readers\n"
        "built_in_readers(StreamKind.AUDIO)\n"
        "heavy = ('pyarrow', 'workstation.media.dicom', 'workstation.media.video')\n"
        "print([each for each in heavy if each in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
