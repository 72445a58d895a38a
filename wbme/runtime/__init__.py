"""Networks behind one Backend: load, run and time them with torch, ONNX Runtime or OpenVINO."""

from wbme.runtime.backend import Backend, TensorSpec
from wbme.runtime.loading import BackendInfo, available, load

__all__ = ["Backend", "BackendInfo", "TensorSpec", "available", "load"]
