"""What panes draw, as scenes and items that know no session."""
