"""User edits as plain functions over a transaction."""
