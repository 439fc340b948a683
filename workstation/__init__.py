"""Workstation: an offline desktop workstation for multimodal annotation."""

__version__ = "0.1.0.dev0"
