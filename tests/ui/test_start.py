"""What a start pays for: the empty window loads nothing that is needed only for pictures, sounds, tables or shapes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys
from workstation.ui.application import make_application
app = make_application()
from workstation.app.settings import Settings
from workstation.ui.main_window import MainWindow
window = MainWindow(Settings())
window.show()
heavy = ("numpy", "scipy", "cv2", "av", "pyarrow", "shapely", "PIL", "onnxruntime", "sqlite3")
print("loaded:", *[name for name in heavy if name in sys.modules])
window.close()
"""


def test_the_empty_window_loads_no_heavy_library(tmp_path: Path) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "WORKSTATION_HOME": str(tmp_path)}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, env=environment, timeout=120
    )
    assert done.stdout.splitlines()[-1].split() == ["loaded:"]


ON_A_PROJECT = """
import sys
import threading
from pathlib import Path
from workstation.app.ahead import load_ahead
load_ahead()
import dataclasses
ours = {name: module for name, module in sys.modules.items() if name.startswith("workstation.")}
print("dear:", *[name for name, each in ours.items() if vars(each).get("dataclass") is dataclasses.dataclass])
late, this = [], threading.get_ident()
def note(event, given):
    if event == "import" and threading.get_ident() == this:  # what other threads load may come when it likes
        late.append(given[0])
sys.addaudithook(note)
OURS = [["workstation", name] for name in ("app", "commands", "qa", "store")]  # readers come with their files
print("qt:", *[name for name in sys.modules if name.startswith("PySide6")])
from workstation.ui.application import make_application
app = make_application()
from workstation.app.settings import Settings
from workstation.ui.main_window import MainWindow
window = MainWindow(Settings())
window.show()
assert window.open_project(Path(sys.argv[1])), window.status.said
print("late:", *[name for name in late if name.split(".")[:2] in OURS])
window.close()
"""


def test_what_a_project_needs_is_loaded_before_qt(demo_project: Path, tmp_path: Path) -> None:
    """PySide6 reads the source of whatever is imported after it: what is named as late belongs into ``app/ahead.py``.
    What is named as dear takes its ``dataclass`` from ``core/values.py``.
    """
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "WORKSTATION_HOME": str(tmp_path / "home")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", ON_A_PROJECT, str(demo_project)],
        capture_output=True, text=True, check=True, env=environment, timeout=120,
    )  # fmt: skip
    assert [line.split() for line in done.stdout.splitlines()[-3:]] == [["dear:"], ["qt:"], ["late:"]]
