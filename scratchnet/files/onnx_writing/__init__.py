"""Models as ONNX files."""

from scratchnet.files.onnx_writing.exporter import export_onnx

__all__ = ["export_onnx"]
