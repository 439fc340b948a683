"""Actions on the session: samples and their work, and walks through what is labelled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from workstation.ui.actions.action import (
    HANDED_IN,
    NOT_HANDED_IN,
    READ_ONLY,
    Hands,
    action,
    needs_sample,
    needs_selection,
)
from workstation.ui.told import Tone

if TYPE_CHECKING:
    from workstation.app.walking import Stop
    from workstation.ui.workbench import Workbench

_HANDED_IN = frozenset({"submitted", "approved", "quarantined"})
NO_FINDING = "go to a finding first (@finding.next)"
SAMPLE, PLAY, VIEW, LINK, REVIEW, LABEL = "Sample", "Play", "View", "Link", "Review", "Label"


def _neighbour(bench: Workbench, step: int) -> str | None:
    keys = [sample.key for sample in bench.session.store.samples()]
    here = bench.view.sample.key if bench.view is not None else None
    if here not in keys:
        return keys[0] if keys else None
    index = keys.index(here) + step
    return keys[index] if 0 <= index < len(keys) else None


def _go(hands: Hands, step: int, said: str = "") -> None:
    """``said``: what was done before, told where there is no further sample to show."""
    key = _neighbour(hands.bench, step)
    if key is None:
        which = "This is the last sample." if step > 0 else "This is the first sample."
        hands.bench.tell(f"{said} {which}".lstrip(), Tone.NOTE)
    else:
        hands.bench.open_sample(key)


@action("sample.previous", title="Previous sample", keys="PgUp", menu=SAMPLE, icon="previous")
def previous_sample(hands: Hands) -> None:
    """Open the sample before this one."""
    _go(hands, -1)


@action("sample.next", title="Next sample", keys="PgDn", menu=SAMPLE, icon="next")
def next_sample(hands: Hands) -> None:
    """Open the sample after this one; it is made ready while this one is worked on."""
    _go(hands, 1)


def _may_edit(hands: Hands) -> str | None:
    if hands.bench.session.read_only:
        return READ_ONLY
    return needs_sample(hands)


def _may_submit(hands: Hands) -> str | None:
    return _may_edit(hands) or (HANDED_IN if _state(hands) in _HANDED_IN else None)


def _may_approve(hands: Hands) -> str | None:
    return _may_edit(hands) or (_why_unseen(hands) if _state(hands) == "submitted" else NOT_HANDED_IN)


def _why_unseen(hands: Hands) -> str | None:
    """Words are approved beside their picture or clip."""
    from workstation.app.media_shown import hidden_media, holds_words, why_barred

    bench = hands.bench
    if bench.view is None or bench.panes is None or not holds_words(bench.view):
        return None
    pane = hidden_media(bench.view, bench.panes, bench.sight.is_hidden)
    return None if pane is None else why_barred(pane, "approve")


def _state(hands: Hands) -> str:
    return "" if hands.bench.view is None else hands.bench.view.sample.state.value


@action("sample.submit", title="Submit and go on", keys="Ctrl+Enter", menu=SAMPLE, enabled=_may_submit)
def submit(hands: Hands) -> None:
    """Hand the sample in and open the next one; or list what is missing and go to it."""
    from workstation.app.submitting import missing_before_submitting

    bench = hands.bench
    if bench.view is None:
        return
    if missing_before_submitting(bench.session.store, bench.view.id):
        hands.frame.open_dialog("missing")
        return
    key, before = bench.view.sample.key, bench.session.store.head()
    bench.run("sample.submit")
    if bench.session.store.head() > before:
        bench.tell(f"Submitted {key}.")


@action("question.ask", title="Ask a question…", keys="U", menu=REVIEW, enabled=_may_edit)
def ask(hands: Hands) -> None:
    """Ask about the selection, or the sample if nothing is selected; your place is kept."""
    hands.frame.open_dialog("command question.ask")


@action("edge_case.tag", title="Tag as an edge case…", keys="Shift+U", menu=REVIEW, enabled=needs_selection)
def tag_edge_case(hands: Hands) -> None:
    """Say that the guideline does not settle what is selected: it is accepted with nothing else, and stands in the list
    of edge cases (panel Review, workstation report cases)."""
    hands.frame.open_dialog("command edge_case.tag")


@action("transport.go_to", title="Go to…", keys="G", menu=PLAY, enabled=needs_sample)
def go_to(hands: Hands) -> None:
    """Type a time, a frame or a sweep: 14.327, frame 430, sweep 143."""
    hands.frame.open_dialog("go_to")


# --- walks ------------------------------------------------------------------------------------------------------


def stop_at(bench: Workbench, stop: Stop | None, otherwise: str, *, select: bool = True) -> None:
    """Select what a walk has come to and go there; where it came to nothing, say ``otherwise``."""
    if stop is None:
        bench.tell(otherwise)
        return
    if select:
        bench.select(stop.ids, cause="window")
    if stop.time_ns is not None and (not select or not _in_view(bench, stop.ids)):
        bench.clock.pause()
        bench.clock.seek(stop.time_ns)
    if stop.text:
        bench.tell(stop.text)
    if stop.ids and select:
        bench.reveal(stop.ids)


def _in_view(bench: Workbench, ids: tuple[str, ...]) -> bool:
    from workstation.app.walking import shows_at

    view = bench.view
    return view is not None and bool(ids) and all(shows_at(view, each, bench.clock.time_ns) for each in ids)


def _walk_links(hands: Hands, step: int) -> None:
    from workstation.app.walking import next_link

    bench = hands.bench
    if bench.view is not None:
        stop = next_link(bench.view, bench.selected, step)
        if stop is not None:
            from workstation.ui.panels.going import show_ends

            show_ends(bench, stop.ids[0])
        stop_at(bench, stop, "The selection has no links.")


@action("link.next", title="Next link of the selection", keys="Alt+Right", menu=LINK, enabled=needs_selection,
        repeats=True)  # fmt: skip
def walk_on(hands: Hands) -> None:
    """Select the next link that the selection hangs in, and go where it is."""
    _walk_links(hands, 1)


@action("link.previous", title="Previous link of the selection", keys="Alt+Left", menu=LINK, enabled=needs_selection,
        repeats=True)  # fmt: skip
def walk_back(hands: Hands) -> None:
    """Select the link before this one, and go where it is."""
    _walk_links(hands, -1)


def _walk_keyframes(hands: Hands, step: int) -> None:
    from workstation.app.walking import next_keyframe

    bench = hands.bench
    if bench.view is not None:
        stop = next_keyframe(bench.view, bench.selected, bench.clock.time_ns, step)
        stop_at(bench, stop, "There is no further keyframe on what is selected.", select=False)


@action("keyframe.next", title="Next keyframe", keys="Ctrl+Right", menu="Track", enabled=needs_selection,
        repeats=True)  # fmt: skip
def keyframe_on(hands: Hands) -> None:
    """Go to the next keyframe of the selected track."""
    _walk_keyframes(hands, 1)


@action("keyframe.previous", title="Previous keyframe", keys="Ctrl+Left", menu="Track", enabled=needs_selection,
        repeats=True)  # fmt: skip
def keyframe_back(hands: Hands) -> None:
    """Go to the keyframe before."""
    _walk_keyframes(hands, -1)


def _walk_findings(hands: Hands, step: int) -> None:
    from workstation.app.finding_places import place_all
    from workstation.app.validation import kept_findings
    from workstation.app.walking import next_finding
    from workstation.ui.panels.going import go_to_finding

    bench = hands.bench
    if bench.view is None:
        return
    checked = bench.places is not None and bench.places.told
    if bench.places is not None and checked:
        findings = bench.places.all
    else:
        findings = place_all(bench.view, kept_findings(bench.session.store, bench.view.id))
    stop = next_finding(bench.view, findings, bench.selected, bench.clock.time_ns, step, bench.finding)
    bench.check_soon()
    known = "No finding is open in this sample." if checked else "This sample has not been checked yet; ask again soon."
    if stop is None:
        bench.look_at(None)
        bench.tell(known)
        return
    bench.tell(stop.text)
    found = next(each.finding for each in findings if each.finding.fingerprint == stop.finding)
    go_to_finding(bench, found, cause="window")


@action("finding.next", title="Next finding", keys="N", menu=REVIEW, enabled=needs_sample, repeats=True)
def finding_on(hands: Hands) -> None:
    """Select what the next open finding is about, and go there."""
    _walk_findings(hands, 1)


@action("finding.previous", title="Previous finding", keys="Shift+N", menu=REVIEW, enabled=needs_sample, repeats=True)
def finding_back(hands: Hands) -> None:
    """Select what the finding before is about, and go there."""
    _walk_findings(hands, -1)


def _needs_finding(hands: Hands) -> str | None:
    from workstation.ui.panels.going import looked_at

    if hands.bench.session.read_only:
        return READ_ONLY
    return needs_sample(hands) or (None if looked_at(hands.bench) is not None else NO_FINDING)


def _needs_fix(hands: Hands) -> str | None:
    from workstation.ui.panels.going import looked_at

    reason = _needs_finding(hands)
    finding = looked_at(hands.bench)
    if reason is None and finding is not None and finding.fix is None:
        return f"{finding.rule} suggests no command: {finding.suggestion or finding.text}"
    return reason


@action("finding.fix", title="Fix finding as suggested", keys="Ctrl+.", menu=REVIEW, enabled=_needs_fix)
def finding_fix(hands: Hands) -> None:
    """Run the command that the rule suggests for the finding that is looked at; Undo takes it back."""
    from workstation.ui.panels.going import fix, looked_at

    finding = looked_at(hands.bench)
    if finding is not None and finding.fix is not None and fix(hands.bench, [finding]):
        hands.bench.tell(f"{finding.fix.title}: done.")


@action("finding.decide", title="Decide on finding…", keys="Alt+N", menu=REVIEW, enabled=_needs_finding)
def finding_decide(hands: Hands) -> None:
    """Dismiss, confirm or waive the finding that is looked at, with a reason and its cause."""
    hands.frame.open_dialog("decide")


@action("finding.rules", title="Rules and their precision…", menu=REVIEW, enabled=needs_sample)
def finding_rules(hands: Hands) -> None:
    """How many findings of each rule people dismissed, which rules are noisy, and which could not judge."""
    hands.frame.open_dialog("rules")


@action("view.findings_in_place", title="Findings in place", menu=VIEW, enabled=needs_sample)
def turn_findings(hands: Hands) -> None:
    """Draw findings on what they are about, in every pane, or do not."""
    drawn = hands.frame.turn_findings()
    hands.bench.tell("Findings are drawn in place." if drawn else "Findings are in the list only.")


@action("view.reveal", title="Bring selection into view", keys="F", menu=VIEW, enabled=needs_selection)
def reveal(hands: Hands) -> None:
    """Every pane centres what is selected and what belongs to it; the playhead goes there if it is elsewhere."""
    from workstation.ui.panels.going import seek_to

    bench = hands.bench
    if bench.view is not None:
        seek_to(bench, bench.selected)
        bench.reveal(bench.selected)


# --- review -----------------------------------------------------------------------------------------------------


@action("sample.approve", title="Approve and go on", keys="A", scope="review", menu=REVIEW, enabled=_may_approve)
def approve(hands: Hands) -> None:
    """Approve the sample and open the next one (in the workspace Review)."""
    before, view = hands.bench.session.store.head(), hands.bench.view
    hands.bench.run("sample.approve")
    if hands.bench.session.store.head() > before and view is not None:
        hands.bench.tell(f"Approved {view.sample.key}.")
        _go(hands, 1, f"Approved {view.sample.key}.")


@runtime_checkable
class AsksReason(Protocol):
    """A pane that offers the reasons to return a sample."""

    def ask_reason(self) -> None: ...


@action("sample.return", title="Return with a reason…", keys="X", scope="review", menu=REVIEW, enabled=_may_edit)
def give_back(hands: Hands) -> None:
    """Send the sample back for a reason of one key; the reason is what it opens on (in the workspace Review)."""
    hands.frame.show_pane("review")
    pane: object = hands.frame.pane("review")
    if isinstance(pane, AsksReason):
        pane.ask_reason()
    else:
        hands.frame.open_dialog("command sample.return")


@action("sample.return_in_words", title="Return in other words…", menu=REVIEW, enabled=_may_edit)
def give_back_in_words(hands: Hands) -> None:
    """Send the sample back with a reason of your own."""
    hands.frame.open_dialog("command sample.return")
