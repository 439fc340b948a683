"""No module over 600 lines and no function over 80; part of the gate.

Whoever must exceed it writes the reason into the table below; a line that is no longer needed fails too.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

MODULE_LIMIT = 600
FUNCTION_LIMIT = 80
FOLDERS = ("workstation", "plugins", "tests", ".ci")
ROOT = Path(__file__).resolve().parent.parent

# "path" or "path::function" -> why it may be longer.
ALLOWED: dict[str, str] = {}


def oversized(path: Path, name: str) -> Iterator[tuple[str, str]]:
    """(key for the table, complaint) for everything in this file that is too long."""
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n")
    if lines > MODULE_LIMIT:
        yield name, f"{name}: {lines} lines, at most {MODULE_LIMIT}"
    for node in ast.walk(ast.parse(text, filename=name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size > FUNCTION_LIMIT:
                yield (
                    f"{name}::{node.name}",
                    f"{name}:{node.lineno}: {node.name} has {size} lines, at most {FUNCTION_LIMIT}",
                )


def complaints(root: Path, allowed: dict[str, str]) -> list[str]:
    """Everything too long that the table does not excuse, and every excuse nobody needs."""
    files = sorted(path for folder in FOLDERS for path in (root / folder).rglob("*.py"))
    found = dict(pair for path in files for pair in oversized(path, path.relative_to(root).as_posix()))
    needless = [
        f"{key}: no longer too long, take it off the list in .ci/sizes.py" for key in allowed if key not in found
    ]
    return [text for key, text in found.items() if key not in allowed] + needless


if __name__ == "__main__":
    problems = complaints(ROOT, ALLOWED)
    print("\n".join(problems) or "Every module and function is within its limit.")
    sys.exit(1 if problems else 0)
