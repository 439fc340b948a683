"""The generated batch: a thousand light samples, two labels and a link in each. Called by ``demo.py``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from workstation.app.demo_generated import Labels, add_sample, copied, source_of, text_part, written
from workstation.app.session import Run, Session
from workstation.media.base import ReaderSpec
from workstation.media.probe import built_in_readers
from workstation.synth.truth import Truth

_AT_ONCE = 100
"""Samples made in one step."""
_FACTS = ("family", "condition", "language", "sound_condition", "session", "week")


def build(session: Session, made: Truth) -> None:
    """All samples, in the order of their keys."""
    streams: dict[str, list[dict[str, Any]]] = {}
    for stream in made.sample["streams"]:
        streams.setdefault(stream["item"], []).append(stream)
    marks = {each["stream"]: each for each in made.labels["annotations"]}
    readers = built_in_readers()
    samples = made.truth["samples"]
    made_labels: dict[str, tuple[str, str]] = {}
    for first in range(0, len(samples), _AT_ONCE):
        rows = samples[first : first + _AT_ONCE]
        with session.together(f"Build the demo, {rows[0]['key']} to {rows[-1]['key']}") as run:
            for row in rows:
                found = _sample(session, run, made, row, streams[row["key"]], marks, readers)
                made_labels |= {f"{row['key']}/{role}/label": (row["key"], each) for role, each in found.items()}
    with session.together("Build the demo, its links") as run:
        for link in made.labels["links"]:
            _link(run, made, link, made_labels)


def _sample(
    session: Session,
    run: Run,
    made: Truth,
    row: dict[str, Any],
    streams: list[dict[str, Any]],
    marks: dict[str, dict[str, Any]],
    readers: Sequence[ReaderSpec],
) -> dict[str, str]:
    """Answers the labels by role."""
    key = row["key"]
    media = session.project.media_folder / key
    texts = {each["role"]: str(each["value"]) for each in streams if each["kind"] == "text"}
    files = [
        (
            {**each, "key": each["role"]},
            [written(media / f"{each['role']}.txt", f"{each['value']}\n")]
            if each["kind"] == "text"
            else copied(made.folder / str(each["path"]), media),
        )
        for each in streams
    ]
    add_sample(session, run, key, files, readers)
    run("sample.set", sample=key, properties={name: str(row[name]) for name in _FACTS})
    labels = Labels(run, key, {**source_of(made), "parameters": {"person": row["person"]}})
    things = row["family"] in ("scene", "drive")
    entity = labels.entity("thing", row["class"]) if things else None
    for stream in streams:
        if stream["key"] in marks:
            _mark(labels, stream["role"], marks[stream["key"]], row, texts, entity)
    return {each["role"]: labels.ids[each["role"]] for each in streams if each["role"] in labels.ids}


def _link(run: Run, made: Truth, link: dict[str, Any], labels: dict[str, tuple[str, str]]) -> None:
    """As it was delivered: one that leads to another sample is kept aside, as an import would."""
    ends = [(each["role"], *labels[each["annotation"]]) for each in link["ends"]]
    if len(ends) < 2:
        return
    key = str(link["item"])
    same = link["type"] == "same-object"
    if any(sample != key for _, sample, _ in ends):
        named = [{"role": role, "kind": "annotation", "target": each.partition(":")[2]} for role, _, each in ends]
        strangers = ", ".join(sample for _, sample, _ in ends if sample != key)
        run(
            "parked.add", sample=key, origin=str(made.sample["fixture"]), kind="link",
            payload=json.dumps({"type_id": "same_object" if same else "describes", "ends": named}),
            problems=[f"joins a label of {strangers}, which is another sample"],
        )  # fmt: skip
        return
    targets: dict[str, Any] = (
        {"view": [each for _, _, each in ends]}
        if same
        else {"text" if role == "text" else "subject": each for role, _, each in ends}
    )
    run("link.add", sample=key, type_id="same_object" if same else "describes", ends=targets, state="draft",
        source=source_of(made))  # fmt: skip


def _mark(
    labels: Labels, role: str, mark: dict[str, Any], row: dict[str, Any], texts: dict[str, str], entity: str | None
) -> None:
    times = {"start_ns": mark["start_ns"], "end_ns": mark["end_ns"]}
    if role in texts:
        labels.mark(
            role, role, class_id=mark["class"], shape=text_part(texts[role], texts[role]),
            attributes={"language": row["language"]}, **times,
        )  # fmt: skip
    elif entity is not None:
        own = None if mark["class"] == row["class"] else mark["class"]
        labels.mark(role, role, entity=entity, class_id=own, shape=mark["shape"], **times)
    else:
        labels.mark(role, role, class_id=mark["class"], kind="span", **times)
