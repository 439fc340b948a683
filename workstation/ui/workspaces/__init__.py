"""Which panes stand where, per task."""
