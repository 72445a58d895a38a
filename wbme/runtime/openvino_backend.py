"""OpenVINO: .tflite, .onnx and IR files on the CPU, with the image conversions inside its graph."""

import functools
import threading
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as ops
from openvino.preprocess import PrePostProcessor

from wbme.base.errors import ModelError
from wbme.runtime.backend import Options, TensorSpec, check, demand_image, image_layout, reason


@functools.cache
def _core() -> ov.Core:
    return ov.Core()


class OpenVinoBackend:
    """See ``wbme.runtime.load``."""

    name = "openvino"
    suffixes = (".tflite", ".onnx", ".xml")

    def __init__(self, path: Path, options: Options):
        self._label = path.name
        core = _core()
        settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if options.threads:
            settings["INFERENCE_NUM_THREADS"] = options.threads
        try:
            model = core.read_model(path)
            # Without a hint OpenVINO computes in bfloat16 on processors that have it. What a graph in int8
            # leaves in float is work on single pixels, to which bfloat16 adds conversions and no speed.
            int8 = any(op.get_type_name() == "FakeQuantize" for op in model.get_ops())
            has = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
            self.precision = "bf16" if options.dtype == "auto" and has and not int8 else "fp32"  # of floats
            settings["INFERENCE_PRECISION_HINT"] = self.precision.replace("fp32", "f32")
            own = "nhwc" if path.suffix.lower() == ".tflite" else "nchw"
            compiled = core.compile_model(_convert_images(model, options, self._label, own), "CPU", settings)
        except RuntimeError as error:
            raise ModelError(f"OpenVINO cannot load {path}: {reason(error)}; export it again") from error
        self._ports = compiled.outputs
        self._request = compiled.create_infer_request()
        self._lock = threading.Lock()
        self.inputs = [_spec(port, f"input{i}") for i, port in enumerate(compiled.inputs)]
        self.outputs = [_spec(port, f"output{i}") for i, port in enumerate(compiled.outputs)]

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """Run the network; see ``Backend``."""
        check(self._label, self.inputs, arrays)
        feed = [np.ascontiguousarray(array) for array in arrays]
        try:
            with self._lock:
                result = self._request.infer(feed, share_inputs=True)
        except RuntimeError as error:
            raise ModelError(f"OpenVINO cannot run {self._label} on these inputs: {reason(error)}") from error
        return [result[port] for port in self._ports]

    @staticmethod
    def info() -> tuple[str, list[str]]:
        """Version, and the devices that OpenVINO sees."""
        core = _core()
        names = [str(core.get_property(device, "FULL_DEVICE_NAME")) for device in core.available_devices]
        return ov.__version__.split("-")[0], names


def _spec(port: Any, unnamed: str) -> TensorSpec:
    shape = port.partial_shape
    sizes = None
    if shape.rank.is_static:
        sizes = tuple(dim.get_length() if dim.is_static else None for dim in shape)
    name = port.any_name if port.names else unnamed
    return TensorSpec(name, sizes, np.dtype(port.element_type.to_dtype()).name)


def _convert_images(model: ov.Model, options: Options, label: str, default: Any) -> ov.Model:
    """``model`` with its image tensors offered in the caller's layout, and as uint8 where asked."""

    def to_levels(output: Any) -> Any:
        unit = ops.clamp(ops.convert(output, "f32"), 0.0, 1.0)
        return ops.round(ops.multiply(unit, np.float32(255)), "half_to_even").output(0)

    def adopt(port: Any, step: Any) -> bool:
        own = image_layout(_spec(port, "").shape, default) if port.element_type.is_real() else None
        if own:
            step.model().set_layout(ov.Layout(own.upper()))
            step.tensor().set_layout(ov.Layout(options.layout_for(own).upper()))
            if options.u8:
                step.tensor().set_element_type(ov.Type.u8)
        return own is not None

    steps = PrePostProcessor(model)
    inputs = [steps.input(i) for i, port in enumerate(model.inputs) if adopt(port, steps.input(i))]
    outputs = [steps.output(i) for i, port in enumerate(model.outputs) if adopt(port, steps.output(i))]
    if options.u8:
        demand_image(label, bool(inputs))
        for step in inputs:
            step.preprocess().convert_element_type(ov.Type.f32).scale(255.0)
        for step in outputs:
            step.postprocess().custom(to_levels)
    return steps.build()
