"""Readers per modality: what a file holds at an instant, exactly. No Qt, nothing about annotations."""
