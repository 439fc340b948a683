"""Checks over a snapshot, and what they found."""
