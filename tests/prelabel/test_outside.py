"""Programs that models run in, badly behaved ones above all: each is a script that the test writes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from workstation.core.errors import UserError
from workstation.prelabel.api import AdapterSpec
from workstation.prelabel.outside import Outside

HELLO = "import sys, json\nprint(json.dumps({'id': 1, 'name': 'm', 'version': '2', 'labels': ['car']}), flush=True)\n"
READ = "sys.stdin.readline(); sys.stdin.readline()\n"
PICTURE = np.zeros((4, 6, 3), np.uint8)


def program(folder: Path, text: str, seconds: float = 20.0) -> Outside:
    (folder / "it.py").write_text(text)
    spec = AdapterSpec(name="it", task="detect", command=("{python}", "-I", "{here}/it.py"), seconds=seconds)
    return Outside(spec, folder)


def test_pictures_arrive_whole_and_texts_are_answered_in_code_points(tmp_path: Path) -> None:
    text = HELLO + (
        "import base64\nsys.stdin.readline()\n"
        "for line in sys.stdin:\n"
        "    asked = json.loads(line)\n"
        "    if asked['do'] == 'bye': break\n"
        "    if 'texts' in asked:\n"
        "        found = [[{'start': 1, 'stop': len(each), 'label': 'car', 'score': 1}] for each in asked['texts']]\n"
        "    else:\n"
        "        p = asked['pictures'][0]; raw = base64.b64decode(p['rgb'])\n"
        "        found = [[{'left': raw[0], 'top': raw[-1], 'width': p['width'], 'height': p['height'],\n"
        "                   'label': 'car', 'score': 0.5}]]\n"
        "    print(json.dumps({'id': asked['id'], 'found': found}), flush=True)\n"
    )
    picture = PICTURE.copy()
    picture[0, 0, 0], picture[-1, -1, -1] = 7, 9
    with program(tmp_path, text) as found:
        ((box,),) = found.pictures([picture])
        ((part,),) = found.texts(["🚗 car"])
    assert (box.left, box.top, box.width, box.height, box.score) == (7, 9, 6, 4, 0.5)
    assert (part.start, part.stop) == (1, 5)


@pytest.mark.parametrize(("answer", "said"), [
    ("'{\"id\": 2, \"found\": []}'", "must hold 1 lists"),
    ("'{\"id\": 2, \"found\": [[1]]}'", "must be objects"),
    ("'{\"id\": 9, \"found\": [[]]}'", "does not belong to request 2"),
    ("'no json'", "is no JSON"),
    ("'[' * 100000", "is no JSON"),
    ("'{\"id\": 2, \"error\": \"no memory left\"}'", "no memory left"),
    ("json.dumps({'id': 2, 'found': [[dict(left=0, top=0, width=float('nan'), height=1, label='a', score=1)]]})",
     "finite number"),
    ("json.dumps({'id': 2, 'found': [[dict(left=0, top=0, width=-4, height=1, label='a', score=1)]]})", "is none"),
    ("json.dumps({'id': 2, 'found': [[dict(left=0, top=0, width=4, height=1, label='', score=1)]]})", "a label"),
    ("json.dumps({'id': 2, 'found': [[dict(left=0, top=0, width=4, height=1, label='a', score=3)]]})", "0 and 1"),
])  # fmt: skip
def test_what_it_answers_wrongly_is_one_clear_sentence(tmp_path: Path, answer: str, said: str) -> None:
    text = HELLO + READ + f"print({answer}, flush=True)\nsys.stdin.readline()\n"
    with program(tmp_path, text) as found, pytest.raises(UserError, match="the program of it: .*") as problem:
        found.pictures([PICTURE])
    assert said in str(problem.value)


def test_one_that_dies_leaves_its_last_words(tmp_path: Path) -> None:
    text = HELLO + READ + "print('out of memory on device 0', file=sys.stderr, flush=True)\nsys.exit(3)\n"
    with program(tmp_path, text) as found, pytest.raises(UserError, match=r"ended .*: out of memory on device 0"):
        found.pictures([PICTURE])


def test_one_that_is_silent_is_ended(tmp_path: Path) -> None:
    """Also where it does not even read what is sent, which is more than a pipe holds."""
    never = HELLO + "import threading\nthreading.Event().wait()\n"
    large = np.zeros((400, 400, 3), np.uint8)
    with program(tmp_path, never, seconds=1.0) as found, pytest.raises(UserError, match="did not answer within"):
        found.pictures([large])


def test_one_that_says_no_hello_or_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="says no name"):
        program(tmp_path, "import json\nprint(json.dumps({'id': 1}), flush=True)\n")
    with pytest.raises(UserError, match="cannot be started"):
        Outside(AdapterSpec(name="it", task="detect", command=("/nowhere/at/all",)), tmp_path)
    assert sys.executable
