"""The rules that come with the program, one module per subject."""
