"""What the window can do: actions, one module per theme. Found by ``table.py``, never imported by name."""
