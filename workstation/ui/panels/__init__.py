"""Panels: lists and forms beside the panes. Each is a ``Pane`` with one line in ``panes/catalogue.py``."""
