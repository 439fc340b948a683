"""Kinds of errors that can be planted, by what they are about."""
