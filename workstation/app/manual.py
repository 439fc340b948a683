"""The chapter of the manual that lists every command, written from the registry so that it cannot be wrong."""

from __future__ import annotations

from workstation.commands.registry import Command, Registry

_HEAD = """\
# Every command

What `workstation annotate`, scripts and the window can do to a project; each is one step that undo takes back.
Arguments in brackets may be left out.
Shapes are written as `{"kind": "box", "x": …}`; `workstation schema records` describes them all.
This chapter is written by `workstation schema commands --markdown`.
"""


def commands_chapter(registry: Registry) -> str:
    """The whole chapter, as Markdown."""
    parts = [_HEAD]
    group = ""
    for each in sorted(registry, key=lambda command: command.id):
        if each.id.partition(".")[0] != group:
            group = each.id.partition(".")[0]
            parts.append(f"## {group}\n")
        parts.append(_entry(each))
    return "\n".join(parts)


def _entry(each: Command) -> str:
    about = [f"**{each.title}**"]
    if each.shortcut:
        about.append(f"key `{each.shortcut}`")
    if each.right:
        about.append(f"right: {each.right.value}")
    lines = [f"### `{each.id}`", "", ", ".join(about) + ".", each.help]
    if each.arguments:
        lines.append("")
    for argument in each.arguments:
        name = f"`{argument.name}`" if argument.required else f"[`{argument.name}`]"
        lines.append(f"* {name}: {argument.help}")
    return "\n".join(lines) + "\n"
