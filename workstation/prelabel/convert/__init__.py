"""Graphs of other makers turned into ONNX files, without their libraries. Called when a model is installed."""
