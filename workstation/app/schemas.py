"""The published JSON Schemas: records, commands, the ontology's file, the native form."""

from __future__ import annotations

from typing import Any

import msgspec

from workstation.app.manual import commands_chapter
from workstation.commands.registry import load_registry
from workstation.core.errors import UserError
from workstation.core.ontology_form import ontology_schema
from workstation.core.records import RECORD_TYPES, SCHEMA_VERSION
from workstation.formats.native import native_schema


def record_schema() -> dict[str, Any]:
    """One alternative per kind of record."""
    refs, components = msgspec.json.schema_components(list(RECORD_TYPES.values()), ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A record of a project, schema version {SCHEMA_VERSION}",
        "x-kinds": {kind.value: ref["$ref"] for kind, ref in zip(RECORD_TYPES, refs, strict=True)},
        "anyOf": list(refs),
        "$defs": components,
    }


def commands_manual() -> str:
    """The chapter of the manual that lists every command."""
    return commands_chapter(load_registry())


def schema_of(what: str) -> dict[str, Any]:
    """The schema of that name."""
    makers = {
        "records": record_schema,
        "commands": lambda: load_registry().schema(),
        "ontology": ontology_schema,
        "native": native_schema,
    }
    if what not in makers:
        raise UserError(f"there is no schema of {what!r}; there are {', '.join(makers)}")
    return makers[what]()
