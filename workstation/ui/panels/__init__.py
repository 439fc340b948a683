"""Panels: lists and forms beside the panes."""
