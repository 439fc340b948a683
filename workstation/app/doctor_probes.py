"""Tries, each in a child process, what could bring a program down: a window system, OpenGL, sound, the model runtime.

Called by ``doctor``. A child that crashes, hangs or is missing a library is an answer, not an accident.
The children's programs are texts: this process must not load what they load.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TIMEOUT_S = 60.0
_PACKAGE_PARENT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a child said: its last line as JSON, or why there is none."""

    facts: dict[str, Any]
    fault: str = ""


Ask = Callable[[str], Answer]

DISPLAY = """
import json
from PySide6.QtGui import QGuiApplication
app = QGuiApplication([])
screen = app.primaryScreen()
size = screen.size()
print(json.dumps({
    "platform": app.platformName(), "width": size.width(), "height": size.height(),
    "scale": screen.devicePixelRatio(), "screens": len(app.screens()),
}))
"""

# Draws a red picture and reads it back, which needs all that a 3-D view needs.
OPENGL = """
import json
import vtkmodules.vtkRenderingOpenGL2
from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow, vtkWindowToImageFilter
window = vtkRenderWindow()
window.SetOffScreenRendering(1)
window.SetSize(32, 32)
renderer = vtkRenderer()
renderer.SetBackground(1.0, 0.0, 0.0)
window.AddRenderer(renderer)
window.Render()
picture = vtkWindowToImageFilter()
picture.SetInput(window)
picture.ReadFrontBufferOff()
picture.Update()
pixel = [int(picture.GetOutput().GetScalarComponentAsDouble(16, 16, 0, i)) for i in range(3)]
lines = dict(line.split(":", 1) for line in window.ReportCapabilities().splitlines() if ":" in line)
print(json.dumps({
    "renderer": lines.get("OpenGL renderer string", "").strip(),
    "version": lines.get("OpenGL version string", "").strip(),
    "window": window.GetClassName(), "pixel": pixel,
}))
"""

SOUND = """
import json
try:
    import sounddevice
except OSError as error:
    print(json.dumps({"library": False, "reason": str(error)}))
else:
    outputs = [device["name"] for device in sounddevice.query_devices() if device["max_output_channels"] > 0]
    try:
        usual = sounddevice.query_devices(kind="output")["name"]
    except (sounddevice.PortAudioError, ValueError):
        usual = None
    print(json.dumps({"library": True, "outputs": outputs, "usual": usual}))
"""

MODELS = """
import json
import onnxruntime
print(json.dumps({
    "version": onnxruntime.__version__, "device": onnxruntime.get_device(),
    "providers": onnxruntime.get_available_providers(),
}))
"""

OPENCV = """
import json
import cv2
print(json.dumps({"version": cv2.__version__}))
"""

PLUGINS = """
import json
from workstation.app.plugins import find_plugins, load_plugins
found = load_plugins(find_plugins()).found
print(json.dumps({
    "plugins": [f"{plugin.id} {plugin.version}" for plugin in found.plugins],
    "problems": [problem.reason for problem in found.problems],
}))
"""


def ask_child(program: str) -> Answer:
    """Run the program in an interpreter of its own and take its last line as JSON."""
    environment = dict(os.environ)
    # The child must find this very package, also in a checkout that is not installed.
    environment["PYTHONPATH"] = os.pathsep.join(
        part for part in (str(_PACKAGE_PARENT), environment.get("PYTHONPATH", "")) if part
    )
    try:
        result = subprocess.run(
            [sys.executable, "-P", "-c", program],
            env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Answer(facts={}, fault=f"did not answer within {_TIMEOUT_S:.0f} s")
    except OSError as error:
        return Answer(facts={}, fault=f"no child process could be started: {error}")
    if result.returncode != 0:
        return Answer(facts={}, fault=_fault(result.returncode, result.stderr.decode(errors="replace")))
    try:
        facts = json.loads(result.stdout.decode(errors="replace").strip().splitlines()[-1])
    except (ValueError, IndexError):
        return Answer(facts={}, fault="gave no answer that could be read")
    return Answer(facts=facts)


def _fault(code: int, stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    if code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        # Qt explains an abort in its first lines, Python an error in its last.
        return f"crashed ({name})" + (f": {lines[0][:300]}" if lines else "")
    return lines[-1][:300] if lines else f"ended with {code}"
