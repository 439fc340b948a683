"""Dialogs: what asks before it acts."""
