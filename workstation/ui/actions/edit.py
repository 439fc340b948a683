"""Actions that edit through commands of the registry: undo and redo, and what is done to the selection.

An action that has the id of a command stands for it; all other commands are made into actions by ``commands.py`` beside
the table, and ask for their arguments in a form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import msgspec

from workstation.ui.actions.action import READ_ONLY, Hands, action, needs_sample, needs_selection
from workstation.ui.actions.proposals import fresh_after, go_on_to
from workstation.ui.told import Tone

if TYPE_CHECKING:
    from workstation.app.sample_view import SampleView
    from workstation.app.session import UndoResult
    from workstation.core.annotation import Annotation
    from workstation.core.sample import Stream
    from workstation.ui.workbench import Workbench

EDIT, LABEL = "Edit", "Label"
_MOST_SELECTED = 1000
"""So many labels that come back at once are selected; of a job taken back and done again nobody wants them all."""


# --- taking back ------------------------------------------------------------------------------------------------


def _arrive(bench: Workbench, result: UndoResult | None, done: str, nothing: str) -> None:
    """Go to the place that was changed and say what it was."""
    from workstation.core.selection import SelectionState

    if result is None:
        bench.tell(nothing)
        return
    view = bench.view
    if result.sample is not None and (view is None or view.id != result.sample):
        bench.open_sample(result.sample)
    if result.time_ns is not None and bench.view is not None:
        bench.clock.pause()
        bench.clock.seek(result.time_ns)
    if bench.view is not None:
        ids = _come_back(result, bench.view) or result.selection
        state = SelectionState(ids=ids, active=ids[-1] if ids else None)
        bench.selection.restore(state, exists=bench.view.exists, cause="window")
    bench.tell(f"{done}: {result.label}.")


def _come_back(result: UndoResult, view: SampleView) -> tuple[str, ...]:
    """What is there again: labels, else links, else things; of a great many it is not said."""
    from workstation.core.records import RecordKind

    for kind in (RecordKind.ANNOTATION, RecordKind.LINK, RecordKind.ENTITY):
        found = sorted(each for each in result.changes.added.get(kind, ()) if view.exists(each))
        if found:
            return tuple(found) if len(found) <= _MOST_SELECTED else ()
    return ()


def _why_not_undo(hands: Hands) -> str | None:
    if hands.bench.session.read_only:
        return READ_ONLY
    return None


@action("edit.undo", title="Undo", keys="Ctrl+Z", menu=EDIT, icon="undo", repeats=True, enabled=_why_not_undo)
def undo(hands: Hands) -> None:
    """Take back my last step on the open sample, go back to where it was, and say what it was. What is being drawn goes
    first: its last point, or the shape that waits for its class."""
    if hands.bench.hand.waiting:
        hands.bench.hand.give_up_drawn()
        hands.bench.tell("What waited for its class is given up; redo (@edit.redo) brings it back.")
        return
    hands.bench.hand.forget_given_up()
    _arrive(hands.bench, hands.bench.session.undo(), "Took back", "There is nothing of yours to take back here.")


@action("edit.redo", title="Redo", keys=("Ctrl+Shift+Z", "Ctrl+Y"), menu=EDIT, icon="redo", repeats=True,
        enabled=_why_not_undo)  # fmt: skip
def redo(hands: Hands) -> None:
    """Do again what was taken back last, and go there."""
    if hands.bench.hand.draw_again():
        return
    _arrive(hands.bench, hands.bench.session.redo(), "Did again", "There is nothing to do again.")


# --- the selection ----------------------------------------------------------------------------------------------


def _editable(needs: Callable[[Hands], str | None]) -> Callable[[Hands], str | None]:
    def why_not(hands: Hands) -> str | None:
        return READ_ONLY if hands.bench.session.read_only else needs(hands)

    return why_not


def _annotations(hands: Hands) -> list[Annotation]:
    view = hands.bench.view
    return [] if view is None else [view.annotations[each] for each in hands.bench.selected if each in view.annotations]


def _proposed_links(hands: Hands) -> list[str]:
    view = hands.bench.view
    links = {} if view is None else view.links
    return [each for each in hands.bench.selected if each in links and links[each].state.value == _PROPOSED]


def _needs_proposal(hands: Hands) -> str | None:
    proposed = _proposed_links(hands) or any(each.state.value == _PROPOSED for each in _annotations(hands))
    return needs_selection(hands) or (None if proposed else "no proposal is selected")


def _needs_something_to_keep(hands: Hands) -> str | None:
    return None if hands.bench.hand.likely is not None else _needs_proposal(hands)


@action("annotation.delete", title="Delete", keys="Delete", menu=EDIT, icon="delete",
        enabled=_editable(needs_selection))  # fmt: skip
def delete(hands: Hands) -> None:
    """Delete what is selected, as one step. Where links end at it, it asks what becomes of them."""
    bench, view = hands.bench, hands.bench.view
    if view is None:
        return
    chosen = _annotations(hands)
    links = [each for each in bench.selected if each in view.links]
    things = [each for each in bench.selected if each in view.entities and not chosen]
    if any(True for each in chosen for link in view.links_of(each.id) if link.id not in links):
        hands.frame.open_dialog("delete")
        return
    if things and not links:
        hands.frame.open_dialog("command entity.delete")
        return
    count = len(chosen) + len(links)
    with bench.together("Delete" if count == 1 else f"Delete {count}") as run:
        if links:
            run("link.remove", links=links)
        if chosen:
            run("annotation.delete", annotations=[each.id for each in chosen])


@action("annotation.accept", title="Accept proposal", keys="Enter", menu=LABEL,
        enabled=_editable(_needs_something_to_keep))  # fmt: skip
def accept(hands: Hands) -> None:
    """Take the selected proposals, labels and links, over as done. Labels that a link says are one thing become one;
    where their things differ in more than that, it shows first what would go where. A shape that waits with a class
    is kept."""
    likely = hands.bench.hand.likely
    if likely is not None:
        from workstation.ui.class_keys import give_class

        give_class(hands.bench, likely)
        return
    from workstation.ui.actions.entities import accept_links

    chosen = [each.id for each in _annotations(hands) if each.state.value == _PROPOSED]
    if chosen:
        following = fresh_after(hands, chosen)
        hands.bench.run("annotation.accept", annotations=chosen)
        _go_on(hands, chosen, following, "accepted")
    accept_links(hands, _proposed_links(hands))


@action("annotation.reject", title="Reject proposal", keys="Backspace", menu=LABEL,
        enabled=_editable(_needs_proposal))  # fmt: skip
def reject(hands: Hands) -> None:
    """Refuse the selected proposals; they are kept as rejected, and no rule proposes them again."""
    chosen = [each.id for each in _annotations(hands) if each.state.value == _PROPOSED]
    links = _proposed_links(hands)
    following = fresh_after(hands, chosen)

    def act() -> bool:
        with hands.bench.together("Reject proposal" if len(chosen) + len(links) == 1 else "Reject proposals") as run:
            if chosen:
                run("annotation.reject", annotations=chosen)
            if links:
                run("link.reject", links=links)

        return True

    done = hands.bench.attempt(act)
    if chosen:
        _go_on(hands, chosen, following, "rejected")
    if done and links and not chosen:
        from workstation.ui.actions.entities import go_to_next_proposal

        go_to_next_proposal(hands, links[-1])


def _go_on(hands: Hands, done: Sequence[str], following: str | None, how: str) -> None:
    """Once these are judged, say so; from the list of proposals to the next one."""
    view = hands.bench.view
    if view is None or any(
        each in view.annotations and view.annotations[each].state.value == _PROPOSED for each in done
    ):
        return
    what = view.name_of(done[0]) if len(done) == 1 else f"{len(done)} proposals"
    go_on_to(hands, following, f"{what} {how}.")


@action("edit.select_all", title="Select all on the stream", keys="Ctrl+A", menu=EDIT, enabled=needs_sample)
def select_all(hands: Hands) -> None:
    """Select every label on the stream last worked on, or of the sample if there is none."""
    bench, view = hands.bench, hands.bench.view
    if view is None:
        return
    stream = bench.focused_stream
    found = view.annotations.values() if stream is None else view.annotations_of(stream)
    ids = [each.id for each in found if bench.sight.visible((view.class_of(each), each.entity, each.stream, each.id))]
    bench.select(ids, cause="window")
    bench.tell(f"{len(ids)} selected.")


@action("edit.select_alike", title="Select all of the same class", menu=EDIT, enabled=needs_selection)
def select_alike(hands: Hands) -> None:
    """Select every label of the sample that has the class of a selected one."""
    bench, view = hands.bench, hands.bench.view
    if view is None:
        return
    classes = {view.class_of(each) for each in _annotations(hands)}
    ids = [each.id for each in view.annotations.values() if view.class_of(each) in classes]
    bench.select(ids, cause="window", active=bench.selection.state.active)
    bench.tell(f"{len(ids)} selected.")


# --- copy and paste ---------------------------------------------------------------------------------------------

_PROPOSED = "proposed"
_MIME = "application/x-workstation-labels"
_STEP_PX = 12.0
_IN_PIXELS = frozenset({"box", "point", "polygon", "polyline", "keypoints"})


class _Copied(msgspec.Struct, frozen=True):
    """On the clipboard: which labels, and where the playhead stood."""

    ids: tuple[str, ...]
    time_ns: int


@runtime_checkable
class Pastes(Protocol):
    """A pane that puts copied labels on the item it shows, as cameras do with tracks; false: it is not for it to do."""

    def paste(self, ids: tuple[str, ...], copied_ns: int) -> bool: ...


@action("edit.copy", title="Copy", keys="Ctrl+C", menu=EDIT, enabled=needs_selection)
def copy(hands: Hands) -> None:
    """Remember the selected shapes, to be put on another frame, sweep or camera."""
    from PySide6.QtCore import QMimeData
    from PySide6.QtGui import QGuiApplication

    ids = tuple(each.id for each in _annotations(hands))
    if not ids:
        hands.bench.tell("No label is selected that could be copied.", Tone.REFUSED)
        return
    data = QMimeData()
    data.setData(_MIME, msgspec.json.encode(_Copied(ids, hands.bench.clock.time_ns)))
    QGuiApplication.clipboard().setMimeData(data)
    hands.bench.tell(f"Copied {len(ids)}.")


@action("annotation.copy", title="Paste", keys="Ctrl+V", menu=EDIT, enabled=_editable(needs_sample))
def paste(hands: Hands) -> None:
    """Put what was copied here: at the playhead, on the stream last worked on if it is of the same kind. A track comes
    as the shape it had where it was copied: on a picture as a keyframe or track of the same thing, elsewhere as a track
    of its own; the whole track comes with Shift."""
    _paste(hands, whole=False)


@action("edit.paste_whole", title="Paste whole tracks", keys="Ctrl+Shift+V", menu=EDIT,
        enabled=_editable(needs_sample))  # fmt: skip
def paste_whole(hands: Hands) -> None:
    """Put what was copied here, tracks with all their keyframes."""
    _paste(hands, whole=True)


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.json.Decoder(_Copied)


def _paste(hands: Hands, *, whole: bool) -> None:
    from PySide6.QtGui import QGuiApplication

    bench, view = hands.bench, hands.bench.view
    data = bytes(QGuiApplication.clipboard().mimeData().data(_MIME).data())
    if not data or view is None:
        bench.tell("Nothing is copied.", Tone.REFUSED)
        return
    copied = _READ.decode(data)
    pane: object = hands.pane
    if not whole and isinstance(pane, Pastes) and pane.paste(copied.ids, copied.time_ns):
        return
    chosen = [view.annotations[each] for each in copied.ids if each in view.annotations]
    made: list[str] = []
    with bench.together("Paste" if len(chosen) == 1 else f"Paste {len(chosen)}") as run:
        for annotation in chosen:
            alone = None if whole else _shape_alone(bench, annotation, copied.time_ns)
            if alone is None:
                where = _whither(bench, annotation, copied.time_ns)
                made += run("annotation.copy", annotations=[annotation.id], **where)
            else:
                made.append(run("track.add", **alone))
    bench.select(made, cause="window")


def _shape_alone(bench: Workbench, annotation: Annotation, copied_ns: int) -> dict[str, object] | None:
    """What makes the shape that a track had where it was copied, put where the playhead is now; ``None`` for what is
    no track, or showed nothing there."""
    from workstation.core.geometry import kind_of
    from workstation.core.translation import translated

    view = bench.view
    source = None if view is None or annotation.stream is None else view.streams.get(annotation.stream)
    if view is None or source is None or annotation.track is None:
        return None
    target = _target(bench, source)
    there_ns, here_ns = _item_ns(bench, source, copied_ns), _item_ns(bench, target, bench.clock.time_ns)
    shape = None if there_ns is None else view.moment(annotation, there_ns).shape
    if shape is None or here_ns is None:
        return None
    if (target, here_ns) == (source, there_ns) and kind_of(shape).value in _IN_PIXELS:
        shape = translated(shape, (_STEP_PX, _STEP_PX))
    keyframe = {"time_ns": here_ns, "shape": shape}
    class_id = view.class_of(annotation)
    return {"stream": target.id, "class_id": class_id, "keyframes": (keyframe,), "frame": annotation.frame}


def _target(bench: Workbench, source: Stream) -> Stream:
    """The stream last worked on if it is of the same kind, else the one that was copied from."""
    assert bench.view is not None
    focused = bench.view.streams.get(bench.focused_stream or "")
    return focused if focused is not None and focused.kind is source.kind else source


def _item_ns(bench: Workbench, stream: Stream, session_ns: int) -> int | None:
    """The own time of the frame or sweep that shows at a moment; ``None`` where nothing does."""
    from workstation.app.units import units_of

    assert bench.readers is not None
    units = units_of(stream, bench.readers.reader(stream))
    index = -1 if units is None else units.at_or_before(session_ns)
    return None if units is None or index < 0 else units.own_ns(index)


def _whither(bench: Workbench, annotation: Annotation, copied_ns: int) -> dict[str, object]:
    from workstation.core.geometry import kind_of

    view = bench.view
    source = None if view is None or annotation.stream is None else view.streams.get(annotation.stream)
    if view is None or source is None:
        return {}
    target = _target(bench, source)
    there_ns = target.time_map.first_stream_at(bench.clock.time_ns + 1)
    by_ns = there_ns - source.time_map.first_stream_at(copied_ns + 1)
    same_place = by_ns == 0 and target is source
    flat = annotation.shape is not None and kind_of(annotation.shape).value in _IN_PIXELS
    aside = {"by": [_STEP_PX, _STEP_PX]} if same_place and flat else {}
    return {"stream": target.id, "by_ns": by_ns, **aside}


@runtime_checkable
class Propagates(Protocol):
    """What can carry the selected shapes on to its next item; some panes can."""

    def propagate(self) -> None: ...


@action("edit.propagate", title="Carry on to the next", keys="Ctrl+D", menu=EDIT, enabled=_editable(needs_selection),
        repeats=True)  # fmt: skip
def propagate(hands: Hands) -> None:
    """Put the selected shapes on the next frame or sweep of the focused pane and go there."""
    candidates: tuple[object, ...] = (hands.pane, hands.frame.pane("camera"))
    for pane in candidates:
        if isinstance(pane, Propagates):
            pane.propagate()
            return
    hands.bench.tell("No open pane can carry shapes on; open the camera.", Tone.REFUSED)
