"""``screenshot``: a picture of the real window, for manuals, reports and checks. Needs no display."""

from __future__ import annotations

import re
from pathlib import Path

import click

from workstation.app.shots import Shot
from workstation.cli.acting import project_argument
from workstation.cli.output import json_option, print_json
from workstation.cli.windows import Windows
from workstation.core.errors import UserError

_SIZE = re.compile(r"(\d{3,5})[x×](\d{3,5})")
_LARGEST_PX = 16_384


@click.command()
@project_argument
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The PNG file.")
@click.option("--at", default="", metavar="PLACE", help='Where the playhead stands: 4.0, "frame 430", "sweep 143".')
@click.option("--sample", default="", metavar="KEY", help="The sample; the first one when left out.")
@click.option("--workspace", default="label", show_default=True, help="label, link, sync, review or compare.")
@click.option("--select", multiple=True, metavar="ID", help='What is selected: an id, its beginning, or "car 17".')
@click.option("--pane", default="", metavar="KIND", help="Only this pane, as large as the window: camera, timeline …")
@click.option("--theme", default="dark", show_default=True, help="dark or light.")
@click.option("--size", default="1600x1000", show_default=True, metavar="WxH", help="Of the window, before scaling.")
@click.option("--scale", default=1.0, show_default=True, type=click.FloatRange(0.5, 4.0), help="Of letters and lines.")
@json_option
@click.pass_obj
def screenshot(
    windows: object, project: Path, output: Path, at: str, sample: str, workspace: str, select: tuple[str, ...],
    pane: str, theme: str, size: str, scale: float, as_json: bool,
) -> None:  # fmt: skip
    """Draw the window on PROJECT into a PNG file, without a display.

    The project is only looked at. Waits until every pane shows what was asked for.
    """
    if not isinstance(windows, Windows):
        raise UserError("no window is to be had here; run the program itself: workstation screenshot …")
    found = _SIZE.fullmatch(size.strip())
    if found is None or max(int(found[1]), int(found[2])) * scale > _LARGEST_PX:
        raise UserError(f"{size[:30]!r} is no size; write it like 1600x1000")
    shot = Shot(
        project=project, output=output, at=at, sample=sample, workspace=workspace, select=select, pane=pane,
        theme=theme, size_px=(int(found[1]), int(found[2])), scale=scale,
    )  # fmt: skip
    width_px, height_px = windows.picture(shot)
    if as_json:
        print_json({"file": str(output), "width_px": width_px, "height_px": height_px})
    else:
        click.echo(f"{output}  {width_px} × {height_px}")
