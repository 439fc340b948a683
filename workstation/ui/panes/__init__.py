"""Panes: one modality each, on the one clock. A pane imports no other pane."""
