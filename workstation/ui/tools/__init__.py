"""Tools: what the pointer does in a pane. One module per family; gestures know no widgets."""
