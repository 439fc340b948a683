"""Dialogs: what is asked apart from the panes. Opened by name through ``catalogue.py``; none blocks the event loop."""
