"""Known errors, planted into a copy of a project to measure checks and people. Shares no code with the rules."""
