"""Which streams have pictures, which clouds: asked by actions and panes at a start, so it imports nothing heavy."""

from __future__ import annotations

from workstation.core.sample import StreamKind

PICTURE_KINDS = frozenset({StreamKind.VIDEO, StreamKind.IMAGE, StreamKind.VOLUME})
"""Kinds of streams that a camera pane shows."""
CLOUD_KINDS = (StreamKind.CLOUD, StreamKind.RADAR)
"""Kinds of streams that a view into space shows, the one that leads first."""
