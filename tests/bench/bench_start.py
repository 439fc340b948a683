"""U1: CPU and memory until the first painted window, empty and on the demo, beside a bare PySide6 window; and until
every pane shows its pictures.

    python tests/bench/bench_start.py [--runs 5]

Each run is a process of its own, told apart by what it opens; it ends when the window was painted once on the screen,
or, where it says *all*, when every pane in sight shows its pictures. CPU is user and system time of the whole process,
interpreter start included; memory is the peak.
Without a display the offscreen platform is used, for all alike. labelme's figure (1.5 s) is engineering.md's.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
LABELME_S = 1.5
GOALS = {"empty": (0.6, 200.0), "project": (1.0, 200.0)}
HEAVY = ("pyqtgraph", "vtkmodules", "cv2", "av", "scipy", "onnxruntime", "pyarrow", "sounddevice")

BARE = """
from PySide6.QtWidgets import QApplication, QMainWindow
app = QApplication(["bare"])
window = QMainWindow()
"""
OURS = """
from pathlib import Path
from workstation.ui.application import make_application
app = make_application()
from workstation.app.settings import settings_or_usual
from workstation.ui.main_window import MainWindow
window = MainWindow(settings_or_usual())
"""
AHEAD = (
    """
from workstation.app.ahead import load_ahead
load_ahead()
"""
    + OURS
)  # as ``workstation PROJECT`` does, in ``__main__``
END = """
import json, os, resource, sys
from PySide6.QtCore import QEvent, QObject, QTimer
window.show()
{then}
def told():
    used = resource.getrusage(resource.RUSAGE_SELF)
    # ru_maxrss would also count the process that started this one, before its program was loaded.
    peak = next((int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")), 0)
    print(json.dumps(dict(cpu_s=used.ru_utime + used.ru_stime, rss_mb=peak / 1024,
                          heavy=[name for name in {heavy!r} if name in sys.modules])), flush=True)
    os._exit(0)
def painted():
    if {all_shown} and not window.docks.settled():
        QTimer.singleShot(5, painted)
    else:
        told()
class Paints(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and watched is window and window.windowHandle().isExposed():
            QTimer.singleShot(0, painted)  # when what lies in it was painted too
        return False
paints = Paints()
window.installEventFilter(paints)
app.exec()
"""


def run(start: str, then: str, home: Path, *, all_shown: bool = False) -> dict[str, object]:
    """One process; what it said of itself."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment = {**kept, "WORKSTATION_HOME": str(home), "PYTHONPATH": str(ROOT)}
    environment["PYTHONPYCACHEPREFIX"] = str(home / "bytecode")  # as installed: nothing is compiled at a start
    if not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        environment["QT_QPA_PLATFORM"] = "offscreen"
    program = start + END.format(then=then, heavy=HEAVY, all_shown=all_shown)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment, timeout=120
    )
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    from workstation.app.demo import make_demo

    with tempfile.TemporaryDirectory() as folder:
        project = make_demo(Path(folder) / "drive").folder
        home = Path(folder) / "home"
        cases = {
            "bare": (BARE, ""),
            "empty": (OURS, ""),
            "project": (AHEAD, f"assert window.open_project(Path({str(project)!r}))"),
            "all": (AHEAD, f"assert window.open_project(Path({str(project)!r}))"),
        }
        bare_s = 0.0
        for name, (start, then) in cases.items():
            run(start, then, home)  # once for the file cache and the byte code
            found = [run(start, then, home, all_shown=name == "all") for _ in range(runs)]
            cpu = [float(str(each["cpu_s"])) for each in found]
            cpu_s, rss_mb = statistics.median(cpu), max(float(str(each["rss_mb"])) for each in found)
            bare_s = bare_s or cpu_s
            line = f"{name:8} CPU {cpu_s:5.2f} s (noise {min(cpu):.2f}–{max(cpu):.2f})  {rss_mb:6.1f} MB"
            line += f"  {cpu_s / bare_s:4.1f} × bare  {cpu_s / LABELME_S:4.2f} × labelme"
            if name in GOALS:
                goal_s, goal_mb = GOALS[name]
                met = cpu_s <= goal_s and rss_mb <= goal_mb
                line += f"  goal {goal_s} s, {goal_mb:.0f} MB: {'met' if met else 'NOT met'}"
                line += f"  heavy: {', '.join(map(str, found[-1]['heavy'])) or 'none'}"  # type: ignore[call-overload]
            print(line)


if __name__ == "__main__":
    main()
