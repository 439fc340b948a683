"""Actions on links: link mode (``R``: pick, pick, the key of the relation), moving an end, walks from end to end, and
the field that selects by words."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from workstation.ui.actions.action import NO_LABEL_SELECTED, READ_ONLY, Hands, action, needs_sample, needs_selection

LINK = "Link"


@runtime_checkable
class BeginsLinks(Protocol):
    """The line of link mode."""

    def begin(self) -> None: ...
    def begin_move(self, link: str) -> None: ...


@runtime_checkable
class SelectsByWords(Protocol):
    """A panel with a field for a query."""

    def focus_query(self) -> None: ...


def _may_link(hands: Hands) -> str | None:
    return READ_ONLY if hands.bench.session.read_only else needs_sample(hands)


def _chosen_link(hands: Hands) -> str | None:
    """The selected link, or the only one that what is selected hangs in."""
    bench = hands.bench
    if bench.view is None:
        return None
    links = [each for each in bench.selected if each in bench.view.links]
    if not links:
        near = bench.view.related(bench.selected) if bench.selected else ()
        links = list(dict.fromkeys(link.id for each in near for link in bench.view.links_of(each)))
    return links[0] if len(links) == 1 else None


def _needs_link(hands: Hands) -> str | None:
    reason = _may_link(hands)
    if reason is not None:
        return reason
    if not hands.bench.selected:
        return NO_LABEL_SELECTED
    return None if _chosen_link(hands) is not None else "select a single link, or what hangs in one only"


def _needs_what_lacks(hands: Hands) -> str | None:
    reason = _may_link(hands)
    view = hands.bench.view
    if reason is not None or view is None:
        return reason
    ontology = view.ontology
    if ontology is None or not any(each.absence and each.retired is None for each in ontology.link_types.values()):
        return "the ontology has no relation for absences"
    chosen = [each for each in hands.bench.selected if each in view.annotations or each in view.entities]
    return None if chosen else NO_LABEL_SELECTED


@action("link.add", title="Link", keys="R", menu=LINK, icon="link", enabled=_may_link)
def link(hands: Hands) -> None:
    """Pick two or more, in any pane, then the key of the relation; only legal ones are offered, others say why not."""
    mode: object = hands.frame.pane("link_mode")
    if isinstance(mode, BeginsLinks):
        mode.begin()


@action("link.retarget", title="Move an end of the link", keys="Shift+R", menu=LINK, enabled=_needs_link)
def retarget(hands: Hands) -> None:
    """Pick what an end of the selected link shall stand on instead; only where the ontology lets it stand."""
    mode: object = hands.frame.pane("link_mode")
    chosen = _chosen_link(hands)
    if isinstance(mode, BeginsLinks) and chosen is not None:
        mode.begin_move(chosen)


@action(
    "link.absent", title="State an absence…", keys="Ctrl+Shift+A", menu=LINK, icon="absent", enabled=_needs_what_lacks
)
def absent(hands: Hands) -> None:
    """Say that what is selected has no counterpart in a stream or modality, and why; that completes it."""
    hands.frame.open_dialog("absence")


def _may_choose(hands: Hands) -> str | None:
    return READ_ONLY if hands.bench.session.read_only else None


@action("link.relations", title="Relations of the project…", menu=LINK, enabled=_may_choose)
def relations(hands: Hands) -> None:
    """Which relations people make in this project, and which one counts most and leads the reports."""
    hands.frame.open_dialog("relations")


def _walk_ends(hands: Hands, step: int) -> None:
    from workstation.app.walking import next_end
    from workstation.ui.actions.session import stop_at

    bench = hands.bench
    if bench.view is not None:
        stop = next_end(bench.view, bench.selected, bench.clock.time_ns, step)
        stop_at(bench, stop, "The selection is linked to nothing.")


@action("link.next_end", title="Next linked label", keys="Alt+PgDn", menu=LINK, enabled=needs_selection, repeats=True)
def end_on(hands: Hands) -> None:
    """Go to the next label that links relate the selection to, in whatever pane; the playhead follows."""
    _walk_ends(hands, 1)


@action("link.previous_end", title="Previous linked label", keys="Alt+PgUp", menu=LINK, enabled=needs_selection,
        repeats=True)  # fmt: skip
def end_back(hands: Hands) -> None:
    """The same way back."""
    _walk_ends(hands, -1)


@action("link.menu", title="What it is linked to…", menu=LINK, enabled=needs_selection)
def label_menu(hands: Hands) -> None:
    """The menu of the selected label: everything it is linked to, to go there. Also a right click on a label, and the
    menu key in its pane.
    """
    hands.frame.open_label_menu(hands.pane)


@action("view.link_lines", title="Lines between panes", menu="View", enabled=needs_sample)
def turn_lines(hands: Hands) -> None:
    """Draw the links of what is pointed at or selected as lines from pane to pane, or draw none."""
    hands.bench.tell("Lines between panes are drawn." if hands.frame.turn_lines() else "No lines between panes.")


@action("edit.select_where", title="Select by words…", keys="Ctrl+F", menu="Edit", enabled=needs_sample)
def select_where(hands: Hands) -> None:
    """Type what to select, as class:car state:draft stream:front_camera; Enter selects all that fit."""
    hands.frame.show_pane("inspector")
    panel: object = hands.frame.pane("inspector")
    if isinstance(panel, SelectsByWords):
        panel.focus_query()
