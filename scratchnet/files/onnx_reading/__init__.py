"""ONNX files as models."""

from scratchnet.files.onnx_reading.importer import load_onnx

__all__ = ["load_onnx"]
