"""``new``, ``add``, ``open``, ``info`` and ``relink``: projects as a whole and the files in them."""

from __future__ import annotations

from pathlib import Path

import click

from workstation.cli.acting import acting, project_argument, to_read, to_write
from workstation.cli.output import json_option, print_facts, print_json, print_rows, progress_printer
from workstation.cli.windows import Windows

STREAM_KINDS = (
    "image", "video", "audio", "cloud", "radar", "series", "text", "document", "volume", "trajectory", "map", "turns",
)  # fmt: skip


@click.command()
@click.argument("project", type=click.Path(path_type=Path))
@click.option("--profile", default="general", show_default=True, help="The kind of work, such as driving.")
@click.option(
    "--ontology", metavar="FILE|NAME", help="An ontology file, or a starter's name; the profile's own if any."
)
@click.option("--name", default="", help="The project's name; the folder's when left out.")
@click.option("--person", metavar="NAME", help="Who leads the project; you when left out.")
@json_option
def new(project: Path, profile: str, ontology: str | None, name: str, person: str | None, as_json: bool) -> None:
    """Make a project in the folder PROJECT, which you then lead.

    A starter ontology comes locked, so labelling can begin; a file of your own comes in as a draft.
    """
    from workstation.app.opening import new_project

    made = new_project(project, name=name, profile=profile, ontology=ontology, person=person)
    with to_read(made) as session:
        from workstation.app.describing import describe

        facts = describe(session)
    if as_json:
        print_json(facts)
        return
    click.echo(f"Made {made}.")
    print_facts({key: facts[key] for key in ("name", "profile", "ontology", "people")})


@click.command()
@project_argument
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--sample", metavar="KEY", help="The sample the files belong to; made if it is new. Not for a folder.")
@click.option("--stream", metavar="KEY", help="Take all files as one stream of this name, not as one stream each.")
@click.option(
    "--kind", type=click.Choice(STREAM_KINDS), help="What the files hold; guessed from their names if not given."
)
@click.option("--stream-role", default="", help="What the stream is for, such as front camera.")
@click.option(
    "--recording", default="", help="The recording the files come from; another one's clock is another clock."
)
@click.option("--copy", is_flag=True, help="Copy the files into the project's media folder.")
@click.option("--yes", is_flag=True, help="For a folder: write what is proposed without asking.")
@click.option("--encoding", default="", metavar="NAME", help="How texts are written that are no UTF-8, such as cp1252.")
@click.option(
    "--option",
    multiple=True,
    metavar="NAME=VALUE",
    help="How to read what the files do not say, such as rate_hz=29.97 or stamp=header; a wrong name lists them.",
)
@click.option(
    "--invert",
    multiple=True,
    metavar="FRAME",
    help="For a folder: read the mounting of this frame the other way round.",
)
@acting
@json_option
def add(
    project: Path, files: tuple[Path, ...], sample: str | None, stream: str | None, kind: str | None, stream_role: str,
    recording: str, copy: bool, encoding: str, option: tuple[str, ...], yes: bool, invert: tuple[str, ...],
    person: str | None, role: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Add FILES to PROJECT as streams of a sample, or a whole folder as what it holds.

    Their place, size and SHA-256 are recorded; the files themselves are never changed.
    For a folder it is first said which file goes where, and which are skipped and why; it is written with --yes, or
    when you agree.
    """
    from workstation.cli.adding import add_folder, options_of

    options = options_of(option)
    if len(files) == 1 and files[0].is_dir() and stream is None:
        if sample is not None or kind is not None or stream_role or recording or copy:
            raise click.UsageError("a folder is grouped by what is in it; --sample and the like are for files")
        add_folder(
            project,
            files[0],
            yes=yes,
            invert=invert,
            encoding=encoding,
            options=options,
            person=person,
            role=role,
            as_json=as_json,
        )
        return
    if sample is None:
        raise click.UsageError("say which sample the files belong to: --sample KEY")
    if yes or invert:
        raise click.UsageError("--yes and --invert are for a folder")
    from workstation.app.adding import add_files
    from workstation.core.sample import StreamKind

    with to_write(project, person, role, tool="add") as session:
        added = add_files(
            session, files, sample=sample, stream=stream, kind=None if kind is None else StreamKind(kind),
            role=stream_role, recording=recording, copy=copy, encoding=encoding, options=options,
            progress=progress_printer("reading"),
        )  # fmt: skip
    rows = [
        {
            "stream": each.key, "kind": each.kind.value, "guessed": each.guessed, "reader": each.reader, "id": each.id,
            "files": [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in each.files],
        }
        for each in added
    ]  # fmt: skip
    if as_json:
        print_rows(rows, columns=(), as_json=True)
        return
    for each in added:
        how = "guessed from the name" if each.guessed else each.reader or "as given"
        size = sum(file.size for file in each.files)
        click.echo(
            f"{sample}/{each.key}  {each.kind.value} ({how})  {len(each.files)} file(s), {size:,} bytes  {each.id}"
        )


@click.command(name="open")
@project_argument
@click.option("--check", is_flag=True, help="Open no window: only check, and say how it stands.")
@acting
@json_option
@click.pass_obj
def open_(
    windows: object, project: Path, check: bool, person: str | None, role: str | None, as_json: bool
) -> int | None:
    """Open PROJECT in the window.

    Without a display, with --check or with --json: check it, and say how it stands and what waits for somebody.
    Another program that has it open keeps it; it is then looked at read-only.
    """
    if isinstance(windows, Windows) and windows.available() and not (check or as_json):
        return windows.show(project)
    from workstation.app.describing import describe, waiting
    from workstation.app.opening import open_or_watch

    session, holder = open_or_watch(project, person=person, role=role)
    with session:
        facts = {**describe(session), "waiting": waiting(session), "read_only": session.read_only, "held_by": holder}
    if as_json:
        print_json(facts)
        return None
    waits = facts.pop("waiting")
    print_facts(facts)
    if waits:
        click.echo("Waiting for somebody:")
        for name, count in waits.items():
            click.echo(f"  {count:>6}  {name}")
    else:
        click.echo("Nothing waits for anybody.")
    return None


@click.command()
@project_argument
@click.option("--sample", metavar="KEY", help="The streams of this sample, as measured from their files.")
@click.option(
    "--at", metavar="SECONDS", help="What every stream of the sample has at this session time, and how far off it is."
)
@click.option(
    "--provenance",
    is_flag=True,
    help="Per stream: origin, clock, consent or licence, hash, and whether the files still match.",
)
@click.option(
    "--calibration", is_flag=True, help="Every sensor's matrices with version and validity; pictures that have none."
)
@json_option
def info(
    project: Path, sample: str | None, at: str | None, provenance: bool, calibration: bool, as_json: bool
) -> int:  # fmt: skip
    """Say what PROJECT holds. With --provenance, ends with 1 when a file is missing or has changed.

    With --sample or --at, ends with 1 when a stream cannot be read; --provenance and --calibration then show only that
    sample.
    """
    from workstation.app.describing import describe, stream_provenance

    if calibration:
        from workstation.cli.moments import print_calibration

        with to_read(project) as session:
            print_calibration(session, sample, as_json=as_json)
        return 0
    if (sample is not None or at is not None) and not provenance:
        from workstation.cli.moments import print_sample

        with to_read(project) as session:
            return print_sample(session, sample, at, as_json=as_json)
    with to_read(project) as session:
        facts = describe(session)
        streams = list(stream_provenance(session, progress_printer("checking"), sample)) if provenance else []
    if as_json:
        print_json({**facts, **({"streams": streams} if provenance else {})})
    else:
        print_facts(facts)
        for stream in streams:
            click.echo("")
            print_facts(stream)
    return 1 if any(stream["trouble"] for stream in streams) else 0


@click.command()
@project_argument
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--dry-run", is_flag=True, help="Only say what would be found.")
@acting
@json_option
def relink(project: Path, folder: Path, dry_run: bool, person: str | None, role: str | None, as_json: bool) -> int:
    """Find media of PROJECT again under FOLDER, by content.

    For files that moved or were renamed. Ends with 1 if some stay missing.
    """
    from workstation.app.relinking import relink_media

    with to_write(project, person, role, tool="relink") as session:
        report = relink_media(session, folder, dry_run=dry_run, progress=progress_printer("searching"))
    if as_json:
        print_json(report)
    else:
        for found in report["relinked"]:
            click.echo(f"{found['stream']}: {found['old']} → {found['new']}")
        for missing in report["missing"]:
            click.echo(f"still missing: {missing}")
        click.echo("Nothing to relink." if not report["relinked"] and not report["missing"] else "")
    return 1 if report["missing"] else 0
