"""``demo``: a project with something in it, for a first look."""

from __future__ import annotations

from pathlib import Path

import click

from workstation.app.shots import Shot
from workstation.cli.acting import to_read
from workstation.cli.output import json_option, print_json
from workstation.cli.windows import Windows

SCENES = (
    "drive", "street", "indoor", "fable", "meeting", "ecg", "road", "ultrasound", "pick", "ride", "talk", "clip",
    "ct", "robot", "scene", "shop", "mixed", "batch",
)  # fmt: skip


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--scene", type=click.Choice(SCENES), default="drive", show_default=True, help="What it shows.")
@click.option("--at", metavar="SECONDS", help="Print what every stream has at this session time.")
@click.option(
    "--sheet",
    metavar="PNG",
    type=click.Path(path_type=Path),
    help="Draw a picture of that moment, or of the scene's own without --at.",
)
@click.option(
    "--show", is_flag=True, help="Open the window on it; without a display, draw the window into pictures beside it."
)
@json_option
@click.pass_obj
def demo(
    windows: object, folder: Path | None, scene: str, at: str | None, sheet: Path | None, show: bool, as_json: bool
) -> int:
    """Make a demo project in FOLDER, and show a moment of it.

    Without FOLDER it is made among your documents. A demo that is there already is left as it is, with what you did
    in it. It appears whole or not at all, and needs no network.
    """
    from workstation.app.demo import make_demo, usual_folder
    from workstation.cli.moments import print_sample, seconds_ns

    made = make_demo(folder or usual_folder(scene), scene=scene)
    if as_json:
        print_json({"folder": str(made.folder), "scene": scene, "sample": made.scene.sample, "new": made.new})
    else:
        click.echo(f"{'Made' if made.new else 'There already:'} {made.folder} ({made.scene.title})")
    result = 0
    with to_read(made.folder) as session:
        if at is not None:
            result = print_sample(session, made.scene.sample, at, as_json=as_json)
        if sheet is not None:
            from workstation.app.contact_sheet import write_contact_sheet

            write_contact_sheet(session, made.scene.sample, seconds_ns(at or made.scene.moment_s), sheet)
            if not as_json:
                click.echo(f"Drawn: {sheet}")
    if show and isinstance(windows, Windows):
        return _show(windows, made.folder, at or "") or result
    return result


def _show(windows: Windows, project: Path, at: str) -> int:
    """The window, or what it would look like."""
    if windows.available():
        click.echo("Opening the window; close it to go on.")
        return windows.show(project)
    click.echo("There is no display here, so the window is drawn into files:")
    for workspace, theme in (("label", "dark"), ("sync", "light")):
        output = project.with_name(f"{project.name}-{workspace}.png")
        shot = Shot(project=project, output=output, at=at, workspace=workspace, theme=theme)
        width_px, height_px = windows.picture(shot)
        click.echo(f"  {output}  {width_px} × {height_px}  workspace {workspace}, {theme}")
    return 0
