"""Readers per modality; no Qt, nothing about annotations."""
