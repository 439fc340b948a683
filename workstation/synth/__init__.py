"""Generated scenes with exact truth and planted errors."""
