"""A group of verbs in which one is meant when none is named: ``history my-drive`` is ``history list my-drive``."""

from __future__ import annotations

from typing import Any

import click


class DefaultGroup(click.Group):
    """``default`` names the command that gets the arguments when the first is no command of the group."""

    def __init__(self, *args: Any, default: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.default = default

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command named first, or the default one with everything."""
        if args and args[0] not in self.commands:
            args = [self.default, *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """An option first (``history --json my-drive``) belongs to the default command too."""
        if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
            args = [self.default, *args]
        return super().parse_args(ctx, args)
