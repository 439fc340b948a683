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
