"""The program of the adapter: JSON Lines in, JSON Lines out, and nothing of the workstation. It answers one box around
the pixels that are brighter than most, so that the way of the data can be seen without weights."""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

_BRIGHT = 200


def box(picture: dict[str, Any]) -> list[dict[str, Any]]:
    """Around every pixel whose three colours are bright; its score is how much of the box is."""
    width, height = picture["width"], picture["height"]
    data = base64.b64decode(picture["rgb"])
    bright = [
        (at % width, at // width)
        for at in range(width * height)
        if min(data[3 * at : 3 * at + 3]) >= _BRIGHT
    ]  # fmt: skip
    if not bright:
        return []
    left, top = min(x for x, _ in bright), min(y for _, y in bright)
    wide, high = max(x for x, _ in bright) - left + 1, max(y for _, y in bright) - top + 1
    score = len(bright) / (wide * high)
    return [{"left": left, "top": top, "width": wide, "height": high, "label": "bright", "score": score}]


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """One request, one answer."""
    if asked["do"] == "hello":
        return {"name": "bright-boxes", "version": "1.0", "labels": ["bright"]}
    if asked["do"] == "find":
        return {"found": [box(each) for each in asked["pictures"]]}
    return {"error": f"does not know how to {asked['do']}"}


def main() -> None:
    """Until it is told bye or nobody speaks any more."""
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["do"] == "bye":
            return
        sys.stdout.write(json.dumps({"id": asked["id"], **answer(asked)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
