"""Values and rules: standard library, NumPy and msgspec only."""
