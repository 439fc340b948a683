"""Generated scenes with exact truth and planted errors: fixtures of the tests, the demo, the program's own score."""
