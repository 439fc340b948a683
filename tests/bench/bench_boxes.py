"""What boxes cost beside the model: prepare, decode, track, keyframes, masks, flow; and with weights, what they find.

Goal I1: the pipeline reaches 90 % of cores ÷ (model + prepare + decode) CPU, so all but the model must be small.
Run by hand: ``python tests/bench/bench_boxes.py [--models FOLDER] [--film FILE] [--frames N] [--sheet PNG]``.
The folder holds ``nanodet.onnx``, ``centernet.onnx`` and ``ssd.onnx`` anywhere below it, as ``convert/known.py`` makes
them; and, for the comparison with OpenCV, ``frozen_inference_graph.pb`` with its ``.pbtxt``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from workstation.media.opencv import cv2
from workstation.prelabel.api import Arrays, FoundBox, ModelCard, Pixels, Task
from workstation.prelabel.appearance import with_colours
from workstation.prelabel.coco_names import COCO_80, COCO_90
from workstation.prelabel.families import families, family_named, usual_input
from workstation.prelabel.flow import carried
from workstation.prelabel.keyframes import calm_keyframes, keyframes
from workstation.prelabel.masks import Stroke, box_to_mask, crop_of
from workstation.prelabel.tracking import label_of, tracker_named, without_strays

RNG = np.random.default_rng(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--film", type=Path)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--sheet", type=Path, help="draw every tenth frame with its tracks into this picture")
    wanted = parser.parse_args()
    beside_the_model()
    tracks()
    masks()
    if wanted.models is None or wanted.film is None:
        print("real weights: not run (give --models and --film)")
        return
    for name, labels in (("nanodet", COCO_80), ("centernet", COCO_80), ("ssd", COCO_90)):
        path = next(wanted.models.rglob(f"{name}.onnx"), None)
        if path is None:
            print(f"{name}: not run, {name}.onnx is not below {wanted.models}")
        else:
            real(name, path, labels, wanted)
    against_opencv(wanted)


def took(work: Callable[[], Any], times: int = 20) -> float:
    """Milliseconds of CPU, the median."""
    work()
    spent = []
    for _ in range(times):
        begun = time.process_time()
        work()
        spent.append(time.process_time() - begun)
    return 1e3 * float(np.median(spent))


def card(family: str, labels: tuple[str, ...] = COCO_80) -> ModelCard:
    return ModelCard(id=family, task=Task.DETECT, family=family, labels=labels, input=usual_input(family))


def answer(family: str) -> dict[str, np.ndarray]:
    """Outputs of the usual sizes with about 200 candidates above the threshold."""

    def boxes(count: int) -> np.ndarray:
        return np.concatenate([RNG.uniform(50, 590, (count, 2)), RNG.uniform(20, 120, (count, 2))], axis=1)

    def shares(count: int, classes: int = 80) -> np.ndarray:
        scores = RNG.uniform(0, 0.05, (count, classes))
        scores[RNG.integers(0, count, 200), RNG.integers(0, classes, 200)] = RNG.uniform(0.4, 0.9, 200)
        return scores

    match family:
        case "yolo-v8":
            made = {"o": np.concatenate([boxes(8400), shares(8400), RNG.normal(size=(8400, 32))], axis=1).T[None],
                    "p": RNG.normal(size=(1, 32, 160, 160))}  # fmt: skip
        case "yolo-v5":
            made = {"o": np.concatenate([boxes(25200), np.ones((25200, 1)), shares(25200)], axis=1)[None]}
        case "yolox":
            made = {"o": np.concatenate([RNG.normal(size=(8400, 4)), np.ones((8400, 1)), shares(8400)], axis=1)[None]}
        case "nanodet":
            made = {}
            for cells in (2704, 676, 169):
                made |= {f"s{cells}": shares(cells)[None], f"d{cells}": RNG.normal(size=(1, cells, 44))}
        case "centernet":
            made = {"heat": shares(128 * 128).reshape(1, 128, 128, 80), "sides": RNG.uniform(5, 60, (1, 128, 128, 4))}
        case "ssd":
            logits = np.full((1, 1917, 91), -6.0)
            logits[0, RNG.integers(0, 1917, 200), RNG.integers(1, 91, 200)] = 1.0
            made = {"b": RNG.normal(size=(1, 1917, 1, 4)), "l": logits}
        case _:
            logits = np.full((1, 300, 80), -6.0)
            logits[0, np.arange(200), RNG.integers(0, 80, 200)] = 1.0
            made = {"boxes": boxes(300)[None] / 640, "logits": logits}
    return {name: values.astype(np.float32) for name, values in made.items()}


def beside_the_model() -> None:
    picture = RNG.integers(0, 255, (1080, 1920, 3), np.uint8)
    for name, family in families().items():
        model = card(name, COCO_90 if name == "ssd" else COCO_80)
        outputs, ready = answer(name), family.prepare(model, [picture])
        found = family.decode(model, outputs, ready)[0]
        prepare = took(partial(family.prepare, model, [picture]))
        decode = took(partial(family.decode, model, outputs, ready))
        kind = "boxes with masks" if found and found[0].mask is not None else "boxes"
        print(f"{name:8} of a 1080p picture: prepare {prepare:5.1f} ms, decode {decode:5.1f} ms: {len(found)} {kind}")


def tracks() -> None:
    for name in ("bytetrack", "deepsort"):
        for things in (10, 50):
            tracker, spent = tracker_named(name), list[float]()
            places, speeds = RNG.uniform(0, 1800, (things, 2)), RNG.normal(0, 3, (things, 2))
            looks = RNG.normal(size=(things, 128)).astype(np.float32)
            for _ in range(300):
                places += speeds
                boxes = [FoundBox(left=x, top=y, width=60, height=40, label="car", score=0.9 if RNG.random() > 0.2 else
                                  0.3, features=look if name == "deepsort" else None)
                         for (x, y), look in zip(places.tolist(), looks, strict=True)]  # fmt: skip
                begun = time.process_time()
                tracker.step(boxes)
                spent.append(time.process_time() - begun)
            print(f"{name}: {things} things, {1e3 * np.mean(spent):.2f} ms a frame, "
                  f"last hundred ÷ first hundred {np.mean(spent[-100:]) / np.mean(spent[:100]):.2f}")  # fmt: skip
    way = np.cumsum(RNG.normal(0, 2, (10_000, 4)), axis=0)
    spent_ms = took(lambda: keyframes(range(10_000), way, deviation_px=4), 1)
    print(f"keyframes of a track of 10,000 frames: {spent_ms:.0f} ms, "
          f"{len(keyframes(range(10_000), way, deviation_px=4).places)} kept of a random walk at 4 px")  # fmt: skip


def masks() -> None:
    picture = RNG.integers(0, 60, (1080, 1920, 3), np.uint8)
    picture[300:700, 600:1100] += 120
    crop = crop_of(picture, (550.0, 250.0, 600.0, 500.0))
    stroke = Stroke(np.array([[700.0, 400.0], [900.0, 500.0]]), 8, plus=True)
    found = box_to_mask(picture, crop, [stroke])
    print(f"a stroke at a box of 600 × 500: {took(lambda: box_to_mask(picture, crop, [stroke]), 3):.0f} ms; "
          f"its mask one frame on by flow: {took(lambda: carried(found, picture, picture), 3):.0f} ms")  # fmt: skip


def session(path: Path) -> Callable[[Arrays], dict[str, np.ndarray]]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    opened = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [one.name for one in opened.get_outputs()]
    return lambda feeds: dict(zip(names, opened.run(None, dict(feeds)), strict=True))


def film(path: Path, count: int) -> Iterator[Pixels]:
    import av

    with av.open(str(path)) as container:
        for frame in islice(container.decode(video=0), count):
            yield frame.to_ndarray(format="rgb24")


def real(name: str, path: Path, labels: tuple[str, ...], wanted: argparse.Namespace) -> None:
    family, run = family_named(name), session(path)
    model = replace(card(name, labels), thresholds={"score": 0.2})
    trackers = {one: tracker_named(one) for one in ("bytetrack", "deepsort")}
    spent = dict.fromkeys(("prepare", "model", "decode", "bytetrack", "colours and deepsort"), 0.0)
    kept: dict[str, list[list[FoundBox]]] = {one: [] for one in trackers}
    tiles, count = [], 0
    for picture in film(wanted.film, wanted.frames):
        times = [time.process_time()]
        ready = family.prepare(model, [picture])
        times.append(time.process_time())
        outputs = run(ready.feeds)
        times.append(time.process_time())
        boxes = family.decode(model, outputs, ready)[0]
        times.append(time.process_time())
        kept["bytetrack"].append(trackers["bytetrack"].step(boxes))
        times.append(time.process_time())
        kept["deepsort"].append(trackers["deepsort"].step(with_colours(picture, boxes)))
        times.append(time.process_time())
        for part, ms in zip(spent, np.diff(times), strict=True):
            spent[part] += 1e3 * float(ms)
        if wanted.sheet is not None and count % 10 == 0 and len(tiles) < 9:
            tiles.append(drawn(picture, kept["bytetrack"][-1]))
        count += 1
    print(f"{name} over {count} frames, CPU ms a frame: "
          + ", ".join(f"{part} {ms / count:.2f}" for part, ms in spent.items())
          + f"; the model is {spent['model'] / (sum(spent.values()) - spent['colours and deepsort']):.0%}"
            " of it with bytetrack")  # fmt: skip
    for one, frames in kept.items():
        summary(f"{name}, {one}", without_strays(frames))
    if wanted.sheet is not None and tiles:
        rows = [np.hstack(tiles[at : at + 3]) for at in range(0, len(tiles) - len(tiles) % 3, 3)]
        cv2.imwrite(str(wanted.sheet.with_stem(f"{wanted.sheet.stem}-{name}")), np.vstack(rows)[..., ::-1])


def summary(title: str, frames: list[list[FoundBox]]) -> None:
    """How many tracks, how long, and how many keyframes are left to edit."""
    by_track: dict[int, list[tuple[int, FoundBox]]] = {}
    for number, boxes in enumerate(frames):
        for box in boxes:
            if box.track is not None:
                by_track.setdefault(box.track, []).append((number, box))
    seen = kept = calm = 0
    for found in by_track.values():
        edges = np.array([(b.left, b.top, b.left + b.width, b.top + b.height) for _, b in found])
        allowed = max(2.0, 0.06 * float(np.median(edges[:, 2:] - edges[:, :2])))
        times = [at * 100_000_000 for at, _ in found]
        kept += len(keyframes(times, edges, deviation_px=allowed).places)
        calm += len(calm_keyframes(times, edges)[0].places)
        seen += len(found)
    longest = sorted(by_track.values(), key=len, reverse=True)[:5]
    names = ", ".join(f"{label_of(box for _, box in found)} {len(found)}" for found in longest)
    print(f"  {title}: {len(by_track)} tracks, {seen} boxes, {kept} keyframes at 6 % of the side, "
          f"{calm} once smoothed; longest: {names}")  # fmt: skip


def drawn(picture: Pixels, boxes: list[FoundBox]) -> np.ndarray:
    canvas = picture.copy()
    for box in boxes:
        if box.track is not None:
            colour = tuple(int(one) for one in np.random.default_rng(box.track).integers(80, 255, 3))
            corner = int(box.left), int(box.top)
            cv2.rectangle(canvas, corner, (int(box.left + box.width), int(box.top + box.height)), colour, 3)
            cv2.putText(canvas, str(box.track), corner, cv2.FONT_HERSHEY_SIMPLEX, 1.0, colour, 2)
    return np.asarray(cv2.resize(canvas, (640, round(640 * picture.shape[0] / picture.shape[1]))))


def against_opencv(wanted: argparse.Namespace) -> None:
    """The same weights through OpenCV's own reader and its own decoder."""
    frozen = next(wanted.models.rglob("frozen_inference_graph.pb"), None)
    ours = next(wanted.models.rglob("ssd.onnx"), None)
    text = next(wanted.models.rglob("ssd_mobilenet_v2*.pbtxt"), None)
    if frozen is None or ours is None or text is None:
        print("SSD against OpenCV: not run, its graph or description is missing")
        return
    net, family, run = cv2.dnn.readNetFromTensorflow(str(frozen), str(text)), family_named("ssd"), session(ours)
    model, worst, compared = replace(card("ssd", COCO_90), thresholds={"score": 0.3, "iou": 0.6}), 0.0, 0
    for picture in islice(film(wanted.film, wanted.frames), 0, None, max(wanted.frames // 5, 1)):
        height, width = picture.shape[:2]
        net.setInput(cv2.dnn.blobFromImage(picture, 1.0, (300, 300), swapRB=False))
        theirs = np.asarray(net.forward())[0, 0]
        theirs = theirs[theirs[:, 2] >= 0.3]
        ready = family.prepare(model, [picture])
        found = family.decode(model, run(ready.feeds), ready)[0]
        for row in theirs:
            left, top, right, bottom = np.clip(row[3:], 0, 1) * (width, height, width, height)
            same = [box for box in found if box.label == COCO_90[int(row[1]) - 1] and abs(box.score - row[2]) < 2e-3]
            off = [max(abs(box.left - left), abs(box.top - top), abs(box.left + box.width - right),
                       abs(box.top + box.height - bottom)) for box in same]  # fmt: skip
            worst, compared = max(worst, min(off, default=np.inf)), compared + 1
        if len(theirs) != len(found):
            print(f"  SSD: OpenCV finds {len(theirs)} boxes, we find {len(found)}")
    print(f"SSD against OpenCV's decoder: {compared} boxes, worst edge {worst:.3f} px off")


if __name__ == "__main__":
    main()
