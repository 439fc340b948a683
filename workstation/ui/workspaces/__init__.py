"""Workspaces: which panes stand where for a task, as data (``catalogue.py``)."""
