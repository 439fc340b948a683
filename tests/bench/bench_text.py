"""Text: 100,000 words with 10,000 spans scrolled in the text pane's canvas, beside Qt's own text edit.

Goal: 16.7 ms p95 a step of scrolling, painted; laying out and painting from nothing included. The yardstick is a
``QTextEdit`` that holds the same words with the same spans as underlined formats, scrolled by the same steps.

    xvfb-run -a env PYTHONPATH=. python tests/bench/bench_text.py
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTextEdit, QWidget

from workstation.app.session import Session
from workstation.app.sample_view import SampleView
from workstation.app.text_marks import Marks
from workstation.app.text_source import Choice, sheet_of
from workstation.core.ids import SampleId
from workstation.store.project import create_project
from workstation.ui.application import make_application
from workstation.ui.panes.text_canvas import TextCanvas

WORDS, SPANS, LINKS, GOAL_MS = 100_000, 10_000, 500, 16.7
STEPS = 250
