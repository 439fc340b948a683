"""The one import of OpenCV. Its wheel points Qt at its own plug-ins through the environment; here that is undone.

``from workstation.media.opencv import cv2``. Only names that OpenCV 4.10 and 5 share may be used.
"""

from __future__ import annotations

import os

_TOUCHED = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR", "OPENCV_LOG_LEVEL")
_before = {name: os.environ.get(name) for name in _TOUCHED}
# What is wrong with a file is said in our own sentence, not on the terminal. Read once, while importing.
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")

import cv2  # noqa: E402  (the environment must be prepared first)

for _name, _value in _before.items():
    if _value is None:
        os.environ.pop(_name, None)
    else:
        os.environ[_name] = _value

__all__ = ["cv2"]
