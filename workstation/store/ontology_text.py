"""The ontology of a text, parsed once: a project that is made or opened asks for the same one up to eight times.

Called by whatever reads an ontology version's text, or a text that may become one. Parsing a starter ontology takes
about 30 ms, most of it the strict reading of YAML.
"""

from __future__ import annotations

from functools import lru_cache

from workstation.core.ontology import Ontology
from workstation.core.ontology_parse import parse_ontology
from workstation.store.yaml import load_yaml


@lru_cache(maxsize=16)
def ontology_of_text(text: str, source: str) -> Ontology:
    """The ontology, which is a value and may be shared; a ``DataError`` that names ``source`` for the first fault."""
    return parse_ontology(load_yaml(text, source=source), source=source)
