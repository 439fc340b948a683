"""Going to records from a list: selected, with the playhead where they are, brought into view by every pane."""

from __future__ import annotations

from collections.abc import Sequence

from workstation.app.walking import nearest, shows_at
from workstation.core.findings import Finding
from workstation.core.timebase import TimeRange
from workstation.ui.workbench import Workbench


def go_to(bench: Workbench, ids: Sequence[str], *, cause: str, time_ns: int | None = None) -> None:
    """Select these and go to them: to ``time_ns`` where it is given, else to where they show if they do not now."""
    view = bench.view
    if view is None:
        return
    there = [each for each in ids if view.exists(each)]
    if there and set(bench.selected) != set(there):
        bench.select(there, cause=cause)
    if len(there) == 1 and there[0] in view.links:
        show_ends(bench, there[0])
    seek_to(bench, there, time_ns)
    if there:
        bench.reveal(there)


def show_ends(bench: Workbench, link: str) -> None:
    """Have the panes of a link's ends in sight beside each other."""
    from workstation.app.end_cards import kinds_of_ends

    if bench.view is not None:
        bench.panes_wanted.emit(kinds_of_ends(bench.view, link))


def seek_to(bench: Workbench, ids: Sequence[str], time_ns: int | None = None) -> None:
    """Move the playhead to where these are, if they are not shown now."""
    view = bench.view
    if view is None:
        return
    if time_ns is None and not any(shows_at(view, each, bench.clock.time_ns) for each in ids):
        places = [nearest(view, each, bench.clock.time_ns) for each in ids]
        time_ns = min((each for each in places if each is not None), default=None)
    if time_ns is not None:
        bench.clock.pause()
        bench.clock.seek(time_ns)


def go_to_finding(bench: Workbench, finding: Finding, *, cause: str) -> None:
    """Look at a finding: all its sides selected and in view, in panes beside each other, at the best moment for it."""
    from workstation.app.findings_shown import best_moment, shown, streams_of, stretch

    view = bench.view
    if view is None:
        return
    what = shown(view, finding)
    bench.look_at(finding.fingerprint)
    there = [item.id for item in finding.items if view.exists(item.id)]
    bench.select(there, cause=cause)
    bench.panes_wanted.emit(tuple(streams_of(view, what)))
    moment = best_moment(view, what, bench.clock.time_ns)
    if moment is not None:
        bench.clock.pause()
        bench.clock.seek(moment)
    bench.reveal(there)
    span = stretch(view, what)
    seen = bench.window
    if span is not None and seen is not None and not (seen.start_ns <= span.start_ns and span.end_ns <= seen.end_ns):
        whole = bench.clock.span
        wide = max(span.duration_ns, min(seen.duration_ns, whole.duration_ns))
        start_ns = span.start_ns - (wide - span.duration_ns) // 2
        start_ns = max(whole.start_ns, min(start_ns, whole.end_ns - wide))
        bench.show_window(TimeRange(start_ns, start_ns + wide))


def decide(bench: Workbench, findings: Sequence[Finding], decision: str, *, reason: str = "", cause: str = "") -> bool:
    """Say what these findings are, as one step; whether it was taken. What is refused is told."""

    def act() -> bool:
        with bench.together("Decide on findings") as run:
            for each in findings:
                run("finding.decide", fingerprint=each.fingerprint, rule=each.rule, decision=decision,
                    reason=reason, cause=cause)  # fmt: skip
        return True

    return bool(bench.attempt(act))


def fix(bench: Workbench, findings: Sequence[Finding]) -> bool:
    """Run what the rules of these findings suggest, as one step that can be taken back, and note them as fixed."""
    fixable = [(each, each.fix) for each in findings if each.fix is not None]

    def act() -> bool:
        with bench.together(fixable[0][1].title if len(fixable) == 1 else "Fix findings") as run:
            for each, mend in fixable:
                run(mend.command, **mend.arguments)
                run("finding.decide", fingerprint=each.fingerprint, rule=each.rule, decision="fixed")
        return True

    return bool(fixable) and bool(bench.attempt(act))


def looked_at(bench: Workbench) -> Finding | None:
    """The finding that is looked at, if it is still found."""
    found = (each for each in bench.checks.findings if each.fingerprint == bench.finding)
    return next(found, None) if bench.finding is not None else None
