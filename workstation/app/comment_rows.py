"""Comments and questions of a sample as rows, open ones first. Without Qt; for the panels of review and inspector."""

from __future__ import annotations

from workstation.app.rows import Cell, Column, Row
from workstation.app.sample_view import SampleView
from workstation.core.annotation import Comment, CommentState
from workstation.store.queries import Reads

COLUMNS = (
    Column(title="Comment", stretch=True),
    Column(title="About", width=14, spare=2),
    Column(title="Who", width=10, spare=3),
    Column(title="State", width=9, spare=1),
)


def comment_rows(reads: Reads, view: SampleView, *, targets: frozenset[str] | None = None) -> list[Row]:
    """All, or those about some records; the open ones first, each group in the order of writing."""
    people = {each.id: each.name for each in reads.people()}
    found = [each for each in reads.comments(view.id) if targets is None or each.target in targets]
    found.sort(key=lambda each: (each.state is not CommentState.OPEN, each.id))
    return [_row(view, each, people.get(each.person, "")) for each in found]


def first_open_comment(reads: Reads, view: SampleView) -> Comment | None:
    """What a returned sample opens on."""
    found = (each for each in reads.comments(view.id) if each.state is CommentState.OPEN)
    return min(found, key=lambda each: each.id, default=None)


def _row(view: SampleView, comment: Comment, who: str) -> Row:
    is_open = comment.state is CommentState.OPEN
    about = "the sample" if comment.target == view.id else view.name_of(comment.target)
    addressed = f" (to {comment.addressed_to})" if comment.addressed_to else ""
    kind = "question" if comment.question else "comment" if comment.edge_case is None else "edge_case"
    text = comment.text if comment.edge_case is None else f"Edge case: {comment.text}"
    return Row(
        key=comment.id,
        ids=(comment.target,) if view.exists(comment.target) else (),
        group=f"{comment.state.value} {kind}",
        enabled=is_open,
        cells=(
            Cell(text=text, icon="help" if comment.question else "comment", tip=f"{text}{addressed}"),
            Cell(text=about),
            Cell(text=who),
            Cell(text=comment.state.value, tone="warning" if is_open else "quiet"),
        ),
    )
