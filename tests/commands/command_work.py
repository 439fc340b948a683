"""For the command tests: a drive with five streams, and the commands run as the window runs them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workstation.commands.registry import load_registry
from workstation.core.annotation import Annotation, Entity, Keyframe, Link, Word
from workstation.core.ids import AnnotationId
from workstation.core.ontology_compile import CompiledOntology, compile_ontology
from workstation.core.ontology_parse import parse_ontology
from workstation.core.records import RECORD_TYPES
from workstation.core.rights import Actor
from workstation.core.sample import OntologyVersion
from workstation.store.store import Store
from workstation.store.yaml import load_yaml

DRIVING = Path(__file__).parents[2] / "resources" / "ontologies" / "driving" / "ontology.yaml"
MS = 1_000_000
_KINDS = {cls: kind for kind, cls in RECORD_TYPES.items()}


def compiled(version: OntologyVersion) -> CompiledOntology:
    return compile_ontology(parse_ontology(load_yaml(version.text, source="ontology.yaml"), source="ontology.yaml"))


@dataclass
class Work:
    """A store, and the commands over it: one command is one step, done by ``actor``."""

    store: Store
    lead: Actor
    ids: dict[str, str]
    actor: Actor | None = None

    def run(self, command_id: str, /, **arguments: Any) -> Any:
        command = load_registry().find(command_id)
        with self.store.transaction(command.title, actor=self.actor) as tx:
            if command.right is not None:
                tx.allow(command.right)
            return command.run(tx, arguments)

    def get(self, cls: type, record_id: str) -> Any:
        found = self.store.get(_KINDS[cls], record_id)
        assert found is not None, f"{cls.__name__} {record_id} is gone"
        return found

    def gone(self, cls: type, record_id: str) -> bool:
        return self.store.get(_KINDS[cls], record_id) is None

    def annotation(self, record_id: str) -> Annotation:
        return self.get(Annotation, record_id)  # type: ignore[no-any-return]

    def entity(self, record_id: str) -> Entity:
        return self.get(Entity, record_id)  # type: ignore[no-any-return]

    def link(self, record_id: str) -> Link:
        return self.get(Link, record_id)  # type: ignore[no-any-return]

    def keyframes(self, track: str) -> list[Keyframe]:
        return self.store.keyframes(AnnotationId(track))

    def words(self, turn: str) -> list[Word]:
        return self.store.words(AnnotationId(turn))

    def box(self, x: float = 100, *, stream: str = "front", **more: Any) -> str:
        shape = {"kind": "box", "x": x, "y": 50, "width": 40, "height": 30}
        given = {"class_id": "car", "start_ns": 0, "shape": shape, **more}
        return str(self.run("annotation.add", sample="drive-1", stream=stream, **given))

    def span(self, start_ms: int, end_ms: int, **more: Any) -> str:
        given = {"class_id": "horn", "stream": "mic", **more}
        return str(
            self.run(
                "annotation.add", sample="drive-1", kind="span", start_ns=start_ms * MS, end_ns=end_ms * MS, **given
            )
        )

    def track(self, *moments: tuple[int, float], **more: Any) -> str:
        keyframes = [
            {"time_ns": ms * MS, "shape": {"kind": "box", "x": x, "y": 0, "width": 10, "height": 10}}
            for ms, x in moments
        ]
        given = {"class_id": "car", "stream": "front", **more}
        return str(self.run("track.add", sample="drive-1", keyframes=keyframes, **given))
