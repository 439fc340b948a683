"""A job of pre-labelling: which models over which streams, stored as they come, gone on with where it stopped.

Called by ``workstation prelabel`` and the window. ``plan`` and ``store`` belong to the thread that owns the session;
``chunks_of`` may run on any, and touches neither session nor store. What it ran on is remembered as derived data:
deleting that loses time, never work. What a model has proposed before is not proposed again, even if it was rejected.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec.structs import replace as with_fields

from workstation.app.class_maps import ClassMap, class_map
from workstation.app.known_models import model_called
from workstation.app.label_options import BY_LOOKS, model_of_looks, options_of, other_language_of, speaker_of_job
from workstation.app.labellers import Assignment, Call, Chunk, Labeller, LinkTo, labeller_for
from workstation.app.model_devices import here, is_graph, verdict_of
from workstation.app.session import Session
from workstation.commands.transaction import Transaction
from workstation.core.annotation import Annotation, Source, SourceKind, State
from workstation.core.errors import UserError
from workstation.core.ids import IdSource, SampleId
from workstation.core.ontology_compile import CompiledOntology
from workstation.core.proposals import CALLED
from workstation.core.rights import ActorKind
from workstation.core.sample import Sample, Stream
from workstation.prelabel.api import BadOutput, Task
from workstation.prelabel.lanes import Lanes, LocalLanes
from workstation.prelabel.providers import Verdict, known_devices, provider_name
from workstation.prelabel.shelf import Shelf, ShelvedModel
from workstation.prelabel.speech_text import SAID
from workstation.prelabel.worker import CPU

AREA = "prelabel"
KEPT_AREA = "prelabel-found"
_LAYER = "main"
_LEAN = {Task.VAD: 0, Task.SPEAKER_EMBED: 1, Task.ASR: 2}
"""Models of speech: each leans on those before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants pre-labelled."""

    models: tuple[str, ...]
    samples: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    every: int = 1
    tracker: str = "none"
    """What joins boxes of a film into tracks: ``bytetrack``, ``deepsort`` or ``none``."""
    layer: str = _LAYER
    pinned: tuple[str, ...] = ()
    again: bool = False
    threads: int = 0
    speakers: int = 0
    """How many speak in each sound; 0 where nobody knows."""
    frames: int = 10
    """Over how many of the next frames a mask is carried."""
    trusted: tuple[str, ...] = ()
    """Models that may run code of their own."""


class LastRun(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was chosen last in a project: where the next choice begins."""

    models: tuple[str, ...] = ()
    streams: tuple[str, ...] = ()
    every: int = 1
    tracker: str = "none"
    speakers: int = 0
    frames: int = 10


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """How far one assignment came."""

    model: str
    stream: str
    position: int = 0
    done: int = 0
    total: int = 0
    group: str = ""
    device: str = ""
    fault: str = ""

    @property
    def finished(self) -> bool:
        return self.total > 0 and self.done >= self.total


@dataclass(slots=True)
class Progress:
    """One assignment of a plan, as it is known to the owner of the session."""

    assignment: Assignment
    sample: SampleId
    sample_key: str
    source: Source
    layer: str
    device: str
    mark: Mark
    unmapped: tuple[str, ...] = ()
    proposed: int = 0
    known: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    _seen: set[bytes] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be done, and what will not, with the reason."""

    work: tuple[Progress, ...]
    left_out: tuple[str, ...]


def plan(session: Session, shelf: Shelf, wish: Wish, *, cancelled: Callable[[], bool] = lambda: False) -> Plan:
    """Prove the models, and pair them with streams. Raises for a model or sample that is not there."""
    models = _models(shelf, wish)
    samples = _samples(session, wish.samples)
    ontology = session.store.ontology()
    if ontology is None:
        raise UserError("no version of the ontology is in force, so nothing can be proposed: lock one first")
    work: list[Progress] = []
    left_out: list[str] = []
    machine = here()
    known_devices(wish.pinned, machine.offered)
    for model in models:
        shelf.check(model)
        if model.manifest.task is Task.REID:
            _proven(model, machine, wish, cancelled)
            continue  # it serves the tracker of the others
        labeller = labeller_for(model.manifest.task, model.manifest.family)
        known = _Known(
            session=session, wish=wish, model=model, models=tuple(models), ontology=ontology, labeller=labeller,
            verdict=_proven(model, machine, wish, cancelled), classes=class_map(model.manifest, ontology),
        )  # fmt: skip
        for sample in samples:
            reason = session.why_locked(sample.id)
            if reason is not None:
                left_out.append(f"{sample.key}: {reason}")
                continue
            work += [
                _planned(known, sample, stream)
                for stream in session.store.streams(sample.id)
                if stream.kind in labeller.kinds and (not wish.streams or stream.key in wish.streams)
            ]
    return Plan(tuple(_without_echoes(work)), tuple(dict.fromkeys(left_out)))


def _without_echoes(work: Sequence[Progress]) -> list[Progress]:
    """Without what would say the same stretch of speech again: a voice detector, or what tells voices apart, named
    beside a model that leans on it and makes labels of the same class of it."""
    left = []
    for each in work:
        more = next((other for other in work if _is_echo(each, other)), None)
        if more is None:
            left.append(each)
        else:
            more.notes.append(f"{each.source.name} listens for it and proposes nothing of its own")
    return left


def _is_echo(one: Progress, other: Progress) -> bool:
    tasks = [each.assignment.model.manifest.task for each in (one, other)]
    if one.assignment.stream.id != other.assignment.stream.id or not set(tasks) <= _LEAN.keys():
        return False
    said = [each.assignment.classes.get(SAID) for each in (one, other)]
    return _LEAN[tasks[0]] < _LEAN[tasks[1]] and said[0] is not None and said[0] == said[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is the same for all streams of one model."""

    session: Session
    wish: Wish
    model: ShelvedModel
    models: tuple[ShelvedModel, ...]
    ontology: CompiledOntology
    labeller: Labeller
    verdict: Verdict
    classes: ClassMap


def _planned(known: _Known, sample: Sample, stream: Stream) -> Progress:
    session, wish, model, classes = known.session, known.wish, known.model, known.classes
    options = options_of(wish, model, known.models)
    job = _job(model, stream.id, options, wish.layer)
    mark = _mark(session, sample.id, job, model, stream.key, again=wish.again)
    if mark.finished and known.labeller.follows_labels:  # there may be new labels to start from
        mark = with_fields(mark, position=0, done=0, total=0)
    said = classes.known.get(SAID)
    assignment = Assignment(
        job=job, model=model, providers=tuple(dict.fromkeys((known.verdict.provider, CPU))),
        project=session.project.path, sample=sample.id, stream=stream, classes=classes.known, options=options,
        position=mark.position, threads=wish.threads,
        kept=_kept(session, sample.id, job) if mark.position else (),
        beside=tuple(each for each in known.models if each is not model), layer=wish.layer,
        trusted=model.manifest.id in wish.trusted, other_language=other_language_of(known.ontology, said),
        speaker=speaker_of_job(known.ontology, known.models, classes.known, SAID),
    )  # fmt: skip
    return Progress(
        assignment=assignment, sample=sample.id, sample_key=sample.key,
        source=_source(model, known.verdict, options), layer=wish.layer, mark=mark,
        device=known.verdict.words if is_graph(model) else provider_name(CPU),
        unmapped=classes.unmapped,
    )  # fmt: skip


def chunks_of(assignment: Assignment, *, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Chunk]:
    """What the model finds, as it comes. What a model answers that cannot be read is a ``UserError`` of the job."""
    try:
        manifest = assignment.model.manifest
        yield from labeller_for(manifest.task, manifest.family).chunks(assignment, cancelled)
    except BadOutput as problem:
        raise UserError(
            f"{assignment.model.manifest.id} over {assignment.stream.key}: it answers what cannot be read: {problem}. "
            "What was found before that is kept"
        ) from problem


def store(session: Session, progress: Progress, chunk: Chunk) -> int:
    """Put a chunk's proposals into the project in one step, and remember how far it is; answers how many were new."""
    seen = _seen(session, progress)
    fresh = [call for call in chunk.calls if _print_of(call) not in seen]
    if fresh:
        _write(session, progress, fresh)
    seen.update(_print_of(call) for call in fresh)
    progress.proposed += len(fresh)
    progress.known += len(chunk.calls) - len(fresh)
    progress.left_out.update(chunk.left_out)
    progress.notes += chunk.notes
    if chunk.kept:
        with session.store.derived() as derived:
            name = _part_name(progress.assignment.job, progress.mark.position)
            derived.put(KEPT_AREA, name, chunk.kept, progress.sample)
    _remember(
        session, progress, with_fields(progress.mark, position=chunk.position, done=chunk.done, total=chunk.total)
    )
    return len(fresh)


def store_fault(session: Session, progress: Progress, reason: str) -> None:
    """Remember why it stopped, for who looks later; it goes on from the same place."""
    _remember(session, progress, with_fields(progress.mark, fault=reason))


def run(
    session: Session, planned: Plan, *, lanes: Lanes | None = None,
    tell: Callable[[Progress], None] = lambda _progress: None,
) -> list[str]:  # fmt: skip
    """All of a plan on this thread; answers why parts of it failed. For the command line and scripts."""
    faults: list[str] = []
    for progress in planned.work:
        if progress.mark.finished:
            continue
        try:
            for _, chunk in (lanes or LocalLanes()).run(chunks_of, [progress.assignment]):
                store(session, progress, chunk)
                tell(progress)
        except UserError as problem:
            store_fault(session, progress, str(problem))
            faults.append(f"{progress.sample_key}/{progress.assignment.stream.key}: {problem}")
    return faults


def marks(session: Session, sample: SampleId) -> Mapping[str, Mark]:
    """What ran on a sample, by job."""
    stored = session.store.derived_values(AREA, sample)
    return {key: found for key, value in stored.items() if (found := _read_mark(value)) is not None}


# --- inside ---------------------------------------------------------------------------------------------------


def _models(shelf: Shelf, wish: Wish) -> list[ShelvedModel]:
    """Those asked for, and for the tracker that compares looks one that tells them, if any is there."""
    models = [model_called(shelf, name) for name in dict.fromkeys(wish.models)]
    named = model_of_looks(models)
    if not [each for each in models if each is not named]:
        raise UserError(
            f"{named.manifest.id} tells things apart by their looks and finds none: name a detector with it"
            if named
            else "name at least one model; `workstation models list` shows them"
        )
    if named is not None and wish.tracker != BY_LOOKS:
        raise UserError(f"{named.manifest.id} serves the tracker that compares looks: say --tracker {BY_LOOKS}")
    if named is None and wish.tracker == BY_LOOKS:
        there = model_of_looks(shelf.models()[0])
        models += [] if there is None else [there]
    return models


def _samples(session: Session, keys: Sequence[str]) -> list[Sample]:
    samples = list(session.store.samples())
    for key in keys:
        if all(each.key != key for each in samples):
            raise UserError(f"there is no sample {key[:80]!r}")
    return [each for each in samples if not keys or each.key in keys]


def _proven(model: ShelvedModel, machine: Any, wish: Wish, cancelled: Callable[[], bool]) -> Verdict:
    if not is_graph(model):
        return Verdict(provider=CPU, milliseconds=0.0, attempts=())
    try:
        return verdict_of(model, machine, pinned=wish.pinned, cancelled=cancelled)
    except BadOutput as problem:
        raise UserError(f"{model.manifest.id} answers what cannot be read: {problem}; it is not run") from problem


def _source(model: ShelvedModel, verdict: Verdict, options: Mapping[str, Any]) -> Source:
    manifest = model.manifest
    return Source(
        kind=SourceKind.MODEL, name=manifest.id, version=manifest.version, weights_sha256=manifest.weights_sha256,
        parameters={**manifest.thresholds, **options}, device=provider_name(verdict.provider),
    )  # fmt: skip


def _job(model: ShelvedModel, stream: str, options: Mapping[str, Any], layer: str) -> str:
    said = msgspec.json.encode(
        [
            model.manifest.id,
            model.manifest.weights_sha256 or f"version {model.manifest.version}",
            dict(model.manifest.thresholds),
            dict(options),
            stream,
            layer,
        ]
    )
    return hashlib.sha256(said).hexdigest()[:32]


def _mark(session: Session, sample: SampleId, job: str, model: ShelvedModel, stream: str, *, again: bool) -> Mark:
    found = None if again else marks(session, sample).get(job)
    if found is not None:
        return with_fields(found, fault="")
    return Mark(model=model.manifest.id, stream=stream, group=f"prelabel-{IdSource().new()}")


def _kept(session: Session, sample: SampleId, job: str) -> tuple[bytes, ...]:
    """What earlier chunks of the job kept, in their order."""
    stored = session.store.derived_values(KEPT_AREA, sample)
    return tuple(stored[name] for name in sorted(stored) if name.startswith(f"{job}/"))


def _part_name(job: str, position: int) -> str:
    return f"{job}/{position:012}"


# Made here, once: msgspec crashes where two threads learn a new type at the same time.
_READ = msgspec.json.Decoder(Mark)


def _read_mark(value: bytes) -> Mark | None:
    try:
        return _READ.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None  # written by another version: it begins anew, and finds what is there already


def _remember(session: Session, progress: Progress, mark: Mark) -> None:
    progress.mark = with_fields(mark, device=progress.device)
    with session.store.derived() as derived:
        derived.put(AREA, progress.assignment.job, msgspec.json.encode(progress.mark), progress.sample)


def _write(session: Session, progress: Progress, calls: Sequence[Call]) -> None:
    """As the model, on the word of the person who runs it: the gate then lets proposals through and nothing else."""
    actor = with_fields(session.actor, kind=ActorKind.MODEL, tool=f"prelabel {progress.source.name}")
    label = f"Propose {len(calls)} labels with {progress.source.name}"
    made = {(each.class_id, each.name): str(each.id) for each in session.store.entities(progress.sample)}
    with session.store.transaction(label, actor=actor, group=progress.mark.group, sample=progress.sample) as tx:
        for call in calls:
            said = dict(call.parameters) | ({CALLED: call.called[:200]} if call.called else {})
            source = progress.source
            if said:
                source = with_fields(source, parameters={**source.parameters, **said})
            given = {
                "sample": progress.sample, "state": State.PROPOSED, "layer": progress.layer, "source": source,
                **call.arguments,
            }  # fmt: skip
            shown = None if call.entity is None else _entity(session, progress, tx, call.entity, made)
            if shown is not None and call.link is None:
                given["entity"] = shown
            label = session.registry.find(call.command).run(tx, given, sample=progress.sample)
            if shown is not None and call.link is not None:
                _join(session, progress, tx, call.link, str(label), shown)


def _join(session: Session, progress: Progress, tx: Transaction, link: LinkTo, label: str, entity: str) -> None:
    """Propose that a label and an entity belong together; a person says whether."""
    given = {
        "sample": progress.sample, "type_id": link.type_id, "state": State.PROPOSED, "layer": progress.layer,
        "ends": {link.role: [f"annotation:{label}"], link.entity_role: [f"entity:{entity}"]},
        "rationale": link.evidence, "confidence": link.confidence, "source": progress.source,
    }  # fmt: skip
    session.registry.find("link.add").run(tx, given, sample=progress.sample)


def _entity(
    session: Session, progress: Progress, tx: Transaction, wanted: tuple[str, str], made: dict[tuple[str, str], str]
) -> str:
    """The one of that class and name in the sample."""
    if wanted not in made:
        class_id, name = wanted
        add = session.registry.find("entity.add")
        made[wanted] = str(
            add.run(tx, {"sample": progress.sample, "class_id": class_id, "name": name}, sample=progress.sample)
        )
    return made[wanted]


def _seen(session: Session, progress: Progress) -> set[bytes]:
    """What this model, with these weights, has said of the stream before."""
    if progress._seen is None:
        progress._seen = {
            _print_of_stored(session, each)
            for each in session.store.annotations(progress.sample, stream=progress.assignment.stream.id)
            if each.source.kind is SourceKind.MODEL
            and each.source.name == progress.source.name
            and each.source.weights_sha256 == progress.source.weights_sha256
            and each.layer == progress.layer
        }
    return progress._seen


def _print_of(call: Call) -> bytes:
    """What makes it the same proposal again, and not another one."""
    given = call.arguments
    if "keyframes" in given:
        shown = [each for each in given["keyframes"] if each.get("shape")]
        times = [each["time_ns"] for each in given["keyframes"]]
        return msgspec.json.encode(["track", min(times), max(times) + 1, _place(shown[0]["shape"])])
    text = " ".join(word["text"] for word in given["words"]) if "words" in given else given.get("text")
    return msgspec.json.encode([given.get("class_id"), given.get("start_ns"), text, _place(given.get("shape") or {})])


def _print_of_stored(session: Session, annotation: Annotation) -> bytes:
    if annotation.track is not None:
        shapes = [each.shape for each in session.store.keyframes(annotation.id) if each.shape is not None]
        first = _place(msgspec.to_builtins(shapes[0]) if shapes else {})
        return msgspec.json.encode(["track", annotation.start_ns, annotation.end_ns, first])
    place = _place(msgspec.to_builtins(annotation.shape) if annotation.shape is not None else {})
    return msgspec.json.encode([annotation.class_id, annotation.start_ns, annotation.text, place])


def _place(shape: Mapping[str, Any]) -> list[Any]:
    """Where a shape lies, whatever its kind, as commands take it and as records keep it."""
    return [shape.get(name) for name in ("x", "y", "width", "height", "center", "of", "parts")]
