"""The set of edge cases of a project: everything that somebody tagged as one, for ``workstation report cases``."""

from __future__ import annotations

from typing import Any

from workstation.app.sample_view import SampleView
from workstation.core.annotation import CommentState
from workstation.store.queries import Reads


def edge_case_rows(reads: Reads, *, settled: bool = False) -> list[dict[str, Any]]:
    """One row for each tag, by sample and time of tagging; those that are resolved only if ``settled``."""
    people = {each.id: each.name for each in reads.people()}
    found = []
    for sample in reads.samples():
        tags = [each for each in reads.comments(sample.id) if each.edge_case is not None]
        tags = [each for each in tags if settled or each.state is CommentState.OPEN]
        view = SampleView(reads, sample.id) if tags else None
        for each in sorted(tags, key=lambda tag: tag.id):
            assert view is not None
            found.append({
                "sample": sample.key, "what": view.name_of(each.target) if view.exists(each.target) else "deleted",
                "case": each.edge_case or "not in the guideline", "said": each.text, "id": each.target,
                "by": people.get(each.person, ""), "state": each.state.value,
            })  # fmt: skip
    return found
