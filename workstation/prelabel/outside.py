"""Models that run in a program of their own, in whatever language: one JSON object a line in, one a line out.

The program is started with pipes and hears, one line each::

    {"id": 1, "do": "hello", "api": 1}
    {"id": 2, "do": "find", "pictures": [{"width": 640, "height": 480, "rgb": "<base64, row by row>"}]}
    {"id": 3, "do": "find", "texts": ["The red car …"]}
    {"id": 4, "do": "bye"}

and answers each with its ``id``::

    {"id": 1, "name": "my-model", "version": "1.2", "labels": ["car"]}
    {"id": 2, "found": [[{"left": 10, "top": 20, "width": 50, "height": 40, "label": "car", "score": 0.8}]]}
    {"id": 3, "found": [[{"start": 4, "stop": 11, "label": "car", "score": 0.9}]]}
    {"id": 2, "error": "no memory left"}

What is not so is an error that names the program and the line; a program that is silent too long is ended. What it
writes to its error output is kept for the message. Used by ``app/model_plugins.py``.
"""

from __future__ import annotations

import base64
import json
import math
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from workstation.core.errors import UserError
from workstation.prelabel.api import AdapterSpec, FoundBox, FoundText, Pixels

API = 1
_LONGEST_LINE = 64 << 20
_MOST_FOUND = 100_000
_KEPT_LINES = 20
_BYE_S = 2.0


@dataclass(frozen=True, slots=True)
class Hello:
    """What a program says of itself."""

    name: str
    version: str
    labels: tuple[str, ...]


class Outside:
    """A running program. Use it in a ``with`` block: it is ended at the end, whatever happened."""

    def __init__(self, spec: AdapterSpec, folder: Path) -> None:
        self.spec = spec
        places = {"{python}": sys.executable, "{here}": str(folder)}
        command = [_filled(each, places) for each in spec.command]
        self._said: deque[str] = deque(maxlen=_KEPT_LINES)
        self._answers: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._numbers = 0
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder
            )
        except OSError as error:
            raise UserError(f"the program of {spec.name} cannot be started ({error.strerror}: {command[0]})") from error
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._readers = (
            threading.Thread(target=self._hear, args=(self._process.stdout,), name=f"outside {spec.name}", daemon=True),
            threading.Thread(target=self._keep, args=(self._process.stderr,), name=f"errors {spec.name}", daemon=True),
        )
        for each in self._readers:
            each.start()
        try:
            self.hello = self._greet()
        except BaseException:
            self.close()
            raise

    # --- asking -------------------------------------------------------------------------------------------------

    def pictures(self, pictures: Sequence[Pixels]) -> list[list[FoundBox]]:
        """What is in each picture."""
        sent = [
            {"width": each.shape[1], "height": each.shape[0], "rgb": base64.b64encode(each.tobytes()).decode()}
            for each in pictures
        ]
        found = self._found({"do": "find", "pictures": sent}, len(pictures))
        return [[self._box(each) for each in held] for held in found]

    def texts(self, texts: Sequence[str]) -> list[list[FoundText]]:
        """What is in each text."""
        found = self._found({"do": "find", "texts": list(texts)}, len(texts))
        return [
            [self._part(each, len(text)) for each in held] for held, text in zip(found, texts, strict=True)
        ]  # fmt: skip

    def _greet(self) -> Hello:
        answer = self._ask({"do": "hello", "api": API})
        labels = answer.get("labels", [])
        name, version = answer.get("name"), answer.get("version", "")
        if not isinstance(name, str) or not name or not isinstance(version, str):
            raise self._wrong("its hello says no name")
        if not isinstance(labels, list) or not all(isinstance(each, str) for each in labels):
            raise self._wrong("its labels are no list of texts")
        return Hello(name, version, tuple(labels))

    def _found(self, asked: dict[str, Any], pieces: int) -> list[list[dict[str, Any]]]:
        found = self._ask(asked).get("found")
        if not isinstance(found, list) or len(found) != pieces:
            raise self._wrong(f"'found' must hold {pieces} lists, one for each piece")
        for held in found:
            if not isinstance(held, list) or len(held) > _MOST_FOUND:
                raise self._wrong(f"each of 'found' must be a list of at most {_MOST_FOUND}")
            if not all(isinstance(each, dict) for each in held):
                raise self._wrong("what is found must be objects")
        return found

    def _ask(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._numbers += 1
        line = json.dumps({"id": self._numbers, **asked}, ensure_ascii=False).encode() + b"\n"
        assert self._process.stdin is not None
        expired = threading.Event()
        late = threading.Timer(self.spec.seconds, self._end, (expired,))  # writing waits as well if nobody reads
        late.start()
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
            answer = self._answers.get()
        except OSError:
            answer = None
        finally:
            late.cancel()
            late.join()
        if answer is None:
            raise self._ended(expired)
        return self._read(answer)

    def _read(self, line: bytes) -> dict[str, Any]:
        if len(line) > _LONGEST_LINE:
            raise self._wrong("its answer is longer than a line may be")
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise self._wrong(f"its answer is no JSON: {line[:80]!r}") from error
        if not isinstance(found, dict) or found.get("id") != self._numbers:
            raise self._wrong(f"its answer does not belong to request {self._numbers}: {line[:80]!r}")
        if "error" in found:
            raise self._wrong(str(found["error"])[:300])
        return found

    # --- reading ------------------------------------------------------------------------------------------------

    def _box(self, found: dict[str, Any]) -> FoundBox:
        left, top, width, height = (self._number(found, each) for each in ("left", "top", "width", "height"))
        if width <= 0 or height <= 0:
            raise self._wrong(f"a box of {width:g} by {height:g} is none")
        label, score = self._label(found)
        return FoundBox(left=left, top=top, width=width, height=height, label=label, score=score)

    def _part(self, found: dict[str, Any], length: int) -> FoundText:
        start, stop = found.get("start"), found.get("stop")
        if type(start) is not int or type(stop) is not int or not 0 <= start < stop <= length:
            raise self._wrong(f"a part from {start!r} to {stop!r} does not lie in a text of {length} characters")
        label, score = self._label(found)
        return FoundText(start=start, stop=stop, label=label, score=score)

    def _label(self, found: dict[str, Any]) -> tuple[str, float]:
        label, score = found.get("label"), self._number(found, "score")
        if not isinstance(label, str) or not label or len(label) > 200:
            raise self._wrong("what is found needs a label")
        if not 0.0 <= score <= 1.0:
            raise self._wrong(f"a score lies between 0 and 1, {score:g} does not")
        return label, score

    def _number(self, found: dict[str, Any], name: str) -> float:
        value = found.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self._wrong(f"{name!r} must be a finite number, not {str(value)[:40]}")
        return float(value)

    # --- the program --------------------------------------------------------------------------------------------

    def _hear(self, pipe: IO[bytes]) -> None:
        for line in iter(lambda: pipe.readline(_LONGEST_LINE + 1), b""):
            self._answers.put(line)
            if len(line) > _LONGEST_LINE:
                break
        self._answers.put(None)

    def _keep(self, pipe: IO[bytes]) -> None:
        for line in iter(lambda: pipe.readline(2000), b""):
            self._said.append(line.decode("utf-8", "replace").rstrip())

    def _end(self, expired: threading.Event) -> None:
        expired.set()
        self._process.kill()

    def _ended(self, expired: threading.Event) -> UserError:
        if expired.is_set():
            return self._wrong(f"it did not answer within {self.spec.seconds:g} s and was ended")
        self._process.kill()
        code = self._process.wait()
        self._readers[1].join(_BYE_S)
        last = f": {self._said[-1][:300]}" if self._said else ""
        return self._wrong(f"it has ended (code {code}){last}")

    def _wrong(self, what: str) -> UserError:
        return UserError(f"the program of {self.spec.name}: {what}")

    def close(self) -> None:
        """Say bye, and end it if it does not go."""
        pipe = self._process.stdin
        try:
            if pipe is not None and self._process.poll() is None:
                pipe.write(b'{"id": 0, "do": "bye"}\n')
                pipe.flush()
                pipe.close()
                self._process.wait(_BYE_S)
        except (OSError, subprocess.TimeoutExpired):
            self._process.kill()
        self._process.wait()
        for each in self._readers:
            each.join()
        for held in (pipe, self._process.stdout, self._process.stderr):
            _close(held)

    def __enter__(self) -> Outside:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is None:
        return
    try:
        pipe.close()
    except BrokenPipeError:
        return  # what was still to be written to a program that is gone


def _filled(part: str, places: dict[str, str]) -> str:
    for name, value in places.items():
        part = part.replace(name, value)
    return part
