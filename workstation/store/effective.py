"""Which version of the ontology is in force, compiled once and kept until another one takes its place.

Asked by the gate before every transaction, and by everybody who reads labels against the ontology.
"""

from __future__ import annotations

from collections.abc import Callable

from workstation.core.ontology_compile import CompiledOntology, compile_ontology
from workstation.core.records import RecordKind
from workstation.core.sample import OntologyVersion
from workstation.store.db import Connection
from workstation.store.ontology_text import ontology_of_text
from workstation.store.rows import read

RulesOf = Callable[[OntologyVersion], CompiledOntology]


def compiled(version: OntologyVersion) -> CompiledOntology:
    """The checks of a version's text."""
    source = f"ontology version {version.number}"
    return compile_ontology(ontology_of_text(version.text, source))


class EffectiveOntology:
    """The locked version with the highest number, compiled once and kept until another one takes its place."""

    def __init__(self, rules_of: RulesOf = compiled) -> None:
        self._rules_of = rules_of
        self.digest: bytes | None = None
        self.number = 0
        self.rules: CompiledOntology | None = None

    def refresh(self, connection: Connection) -> None:
        """Look which version is in force now."""
        row = connection.execute(
            "SELECT t.seq, c.digest FROM ontology t CROSS JOIN change c ON c.seq = t.seq"
            " WHERE t.state = 'locked' ORDER BY t.number DESC LIMIT 1"
        ).fetchone()
        digest = None if row is None else row[1]
        if digest == self.digest:
            return
        self.digest, self.number, self.rules = None, 0, None
        if row is not None:
            payload, version = connection.execute(
                "SELECT payload, schema_version FROM change WHERE seq = ?", (row[0],)
            ).fetchone()
            record = read(RecordKind.ONTOLOGY, payload, version)
            if isinstance(record, OntologyVersion):
                self.number, self.rules = record.number, self._rules_of(record)
        self.digest = digest
