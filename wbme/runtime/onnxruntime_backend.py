"""ONNX Runtime: .onnx files on the CPU, with the image conversions added to the graph."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort

from wbme.base.errors import ModelError
from wbme.runtime.backend import Options, TensorSpec, check, demand_image, image_layout, permutation, reason

_FLOATS = {onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE}
_TYPES = {"float": "float32", "double": "float64"}


class OnnxRuntimeBackend:
    """See ``wbme.runtime.load``."""

    name = "onnxruntime"
    suffixes = (".onnx",)

    def __init__(self, path: Path, options: Options):
        self._label = path.name
        settings = ort.SessionOptions()
        settings.log_severity_level = 4
        if options.threads:
            settings.intra_op_num_threads = options.threads
            settings.inter_op_num_threads = 1
        converts = options.u8 or options.layout != "native"
        try:
            network = _convert_images(path, options) if converts else str(path)
            self._session = ort.InferenceSession(network, settings, providers=["CPUExecutionProvider"])
        except ModelError:
            raise
        # Neither library has a common base for what a broken file can raise.
        except Exception as error:
            raise ModelError(f"ONNX Runtime cannot load {path}: {reason(error)}; export it again") from error
        self._names = [node.name for node in self._session.get_inputs()]
        self._lock = threading.Lock()
        self.inputs = [_spec(node) for node in self._session.get_inputs()]
        self.outputs = [_spec(node) for node in self._session.get_outputs()]

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """Run the network; see ``Backend``."""
        check(self._label, self.inputs, arrays)
        feed = dict(zip(self._names, arrays, strict=True))
        try:
            with self._lock:
                return self._session.run(None, feed)
        except Exception as error:
            raise ModelError(
                f"ONNX Runtime cannot run {self._label} on these inputs: {reason(error)}"
            ) from error

    @staticmethod
    def info() -> tuple[str, list[str]]:
        """Version, and the execution providers of this build."""
        # Azure is a remote service, not a device of this machine.
        return ort.__version__, [p for p in ort.get_available_providers() if not p.startswith("Azure")]


def _spec(node: Any) -> TensorSpec:
    sizes = tuple(size if isinstance(size, int) else None for size in node.shape)
    kind = node.type.removeprefix("tensor(").removesuffix(")")
    return TensorSpec(node.name.removesuffix("@image"), sizes, _TYPES.get(kind, kind))


def _convert_images(path: Path, options: Options) -> bytes:
    """The network with its image tensors offered in the caller's layout, and as uint8 where asked.

    A tensor ``x`` keeps its name inside the graph; the one that the caller sees is called ``x@image``.
    """
    model = onnx.load(path)
    graph = model.graph
    opset = next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 0)
    if options.u8 and opset < 13:
        raise ModelError(f"{path} has ONNX opset {opset}, but u8 needs 13 or newer; export it again")
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants and _own_layout(value)]
    outputs = [value for value in graph.output if _own_layout(value)]
    if options.u8:
        demand_image(path.name, bool(inputs))
        scalars = {"@0": 0, "@1": 1, "@255": 255}
        graph.initializer.extend(
            onnx.numpy_helper.from_array(np.array(value, np.float32), name) for name, value in scalars.items()
        )
    before = [node for value in inputs for node in _convert(value, options, inward=True)]
    after = [node for value in outputs for node in _convert(value, options, inward=False)]
    nodes = [*before, *graph.node, *after]
    del graph.node[:]
    graph.node.extend(nodes)
    return model.SerializeToString()


def _own_layout(value: Any) -> Any:
    tensor = value.type.tensor_type
    if tensor.elem_type not in _FLOATS or not tensor.HasField("shape"):
        return None
    return image_layout([dim.dim_value or None for dim in tensor.shape.dim], "nchw")


def _convert(value: Any, options: Options, *, inward: bool) -> list[Any]:
    """Turn the graph's input or output ``value`` into what the caller sees; nodes that lead to or from it."""
    make, kinds = onnx.helper.make_node, onnx.TensorProto
    inner, tensor = value.name, value.type.tensor_type
    own, kind = _own_layout(value), tensor.elem_type
    seen = options.layout_for(own)
    steps: list[tuple[str, list[str], dict[str, Any]]] = []
    if options.u8:
        tensor.elem_type = kinds.UINT8
        steps.append(("Cast", [], {"to": kinds.FLOAT}))
        if inward:
            steps += [("Div", ["@255"], {}), ("Cast", [], {"to": kind})]
        else:
            steps += [("Clip", ["@0", "@1"], {}), ("Mul", ["@255"], {}), ("Round", [], {})]
            steps.append(("Cast", [], {"to": kinds.UINT8}))
    axes = permutation(seen, own) if inward else permutation(own, seen)
    if axes:
        # Bytes are the cheaper ones to transpose: first on the way in, last on the way out.
        steps.insert(0 if inward else len(steps), ("Transpose", [], {"perm": axes}))
        sizes = [onnx.TensorShapeProto.Dimension() for _ in axes]
        for size, axis in zip(sizes, permutation(own, seen) or [], strict=True):
            size.CopyFrom(tensor.shape.dim[axis])
        del tensor.shape.dim[:]
        tensor.shape.dim.extend(sizes)
    if not steps:
        return []
    value.name = f"{inner}@image"
    start, end = (value.name, inner) if inward else (inner, value.name)
    names = [start, *(f"{value.name}@{i}" for i in range(1, len(steps))), end]
    return [
        make(operator, [source, *more], [target], **attributes)
        for (operator, more, attributes), source, target in zip(steps, names, names[1:], strict=False)
    ]
