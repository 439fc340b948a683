"""Which streams have pictures: asked by actions and panes before any picture is opened, so it imports nothing heavy."""

from __future__ import annotations

from workstation.core.sample import StreamKind

PICTURE_KINDS = frozenset({StreamKind.VIDEO, StreamKind.IMAGE, StreamKind.VOLUME})
"""Kinds of streams that a camera pane shows."""
