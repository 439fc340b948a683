"""Estimators of clock offset and drift: signals in, a map with evidence and residual out."""
