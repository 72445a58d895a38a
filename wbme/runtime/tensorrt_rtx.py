"""TensorRT, and TensorRT for RTX, which builds without a GPU: an engine from an ONNX graph, and its runs.

Both libraries have the same interface; engines of one are not read by the other. Building with TensorRT for
RTX needs no driver, so an engine can be made and looked at anywhere; running one needs an NVIDIA GPU.
"""

import importlib.util
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wbme.base.errors import ModelError
from wbme.base.paths import write_atomic
from wbme.runtime.backend import TensorSpec, check, reason

LIBRARIES = {"tensorrt": "TensorRT", "tensorrt_rtx": "TensorRT for RTX"}
Size = tuple[int, int]


@dataclass(frozen=True)
class Engine:
    """A built engine. ``inputs`` are those of the network as parsed, ``layers`` its layers by kind before the
    builder fuses them; ``megabytes`` the file, ``seconds`` the build."""

    library: str
    version: str
    path: Path
    megabytes: float
    seconds: float
    inputs: tuple[TensorSpec, ...]
    layers: dict[str, int]


def installed() -> list[str]:
    """Names of the libraries of ``LIBRARIES`` that are installed here."""
    return [name for name in LIBRARIES if importlib.util.find_spec(name)]


def lacking() -> str:
    """What an engine lacks to run here, as half a sentence; "" where there is an NVIDIA GPU."""
    import torch

    return "" if torch.cuda.is_available() else "torch sees no NVIDIA GPU on this machine"


def build(source: Path, path: Path, library: str, *, smallest: Size, usual: Size, largest: Size) -> Engine:
    """Build an engine from the ONNX file ``source`` and write it to ``path``.

    The image (the input of rank 4) may have any (height, width) from ``smallest`` to ``largest`` and is
    tuned for ``usual``, one picture at a time. Precision is the graph's own (strongly typed): float32, with
    TF32 where the GPU has it. Raises ModelError where the library cannot be imported, cannot parse the graph
    or cannot build it, StoreError where the file cannot be written.
    """
    trt, logger = _library(library)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger)
    if not source.is_file():
        raise ModelError(f"there is no network file {source}; export the model again")
    if not parser.parse_from_file(str(source)):  # with the weights that lie in files beside it
        why = reason(RuntimeError(parser.get_error(0).desc() if parser.num_errors else "no reason given"))
        raise ModelError(f"{LIBRARIES[library]} cannot parse {source}: {why}; export it again")
    config, profile = builder.create_builder_config(), builder.create_optimization_profile()
    inputs = [network.get_input(k) for k in range(network.num_inputs)]
    for tensor in inputs:
        if len(tensor.shape) == 4:
            ranges = [(1, tensor.shape[1], *size) for size in (smallest, usual, largest)]
            profile.set_shape(tensor.name, *ranges)
    config.add_optimization_profile(profile)
    begin = time.perf_counter()
    built = builder.build_serialized_network(network, config)
    if built is None:
        raise ModelError(f"{LIBRARIES[library]} cannot build {source} for {largest}: ask for less")
    seconds, data = time.perf_counter() - begin, bytes(built)
    write_atomic(path, data)
    kinds = [str(network.get_layer(k).type).rsplit(".", 1)[-1] for k in range(network.num_layers)]
    return Engine(
        library=LIBRARIES[library],
        version=trt.__version__,
        path=path,
        megabytes=len(data) / 1e6,
        seconds=seconds,
        inputs=tuple(_spec(trt, t.name, t.dtype, t.shape) for t in inputs),
        layers=dict(Counter(kinds).most_common()),
    )


class TensorRtBackend:
    """An engine file on the GPU, as a ``Backend``: arrays go there and back with each call, as frames do.

    Raises ModelError where the library or a GPU is missing, or the engine was made by another version.
    """

    name = "tensorrt"

    def __init__(self, path: Path, library: str):
        import torch

        trt, logger = _library(library)
        if lacking():
            raise ModelError(f"{path} cannot run: {lacking()}; run it beside one")
        engine = trt.Runtime(logger).deserialize_cuda_engine(path.read_bytes())
        if engine is None:
            raise ModelError(f"{path} is no engine of {LIBRARIES[library]} {trt.__version__}; build it again")
        self._label, self._torch, self._engine = path.name, torch, engine
        self._context = engine.create_execution_context()
        self._stream = torch.cuda.Stream()
        self._lock = threading.Lock()
        specs: dict[Any, list[TensorSpec]] = {trt.TensorIOMode.INPUT: [], trt.TensorIOMode.OUTPUT: []}
        for name in (engine.get_tensor_name(k) for k in range(engine.num_io_tensors)):
            spec = _spec(trt, name, engine.get_tensor_dtype(name), engine.get_tensor_shape(name))
            specs[engine.get_tensor_mode(name)].append(spec)
        self.inputs, self.outputs = specs.values()

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """Run the network; see ``Backend``."""
        check(self._label, self.inputs, arrays)
        torch, context = self._torch, self._context
        with self._lock, torch.cuda.stream(self._stream):
            held = [torch.from_numpy(np.ascontiguousarray(array)).to("cuda") for array in arrays]
            for spec, tensor in zip(self.inputs, held, strict=True):
                if not context.set_input_shape(spec.name, tuple(tensor.shape)):
                    wanted = f"{spec.name} of {list(tensor.shape)}"
                    raise ModelError(f"{self._label} was not built for {wanted}: build it for that")
                context.set_tensor_address(spec.name, tensor.data_ptr())
            results = []
            for spec in self.outputs:
                shape, kind = tuple(context.get_tensor_shape(spec.name)), getattr(torch, str(spec.dtype))
                results.append(torch.empty(shape, dtype=kind, device="cuda"))
                context.set_tensor_address(spec.name, results[-1].data_ptr())
            if not context.execute_async_v3(self._stream.cuda_stream):
                raise ModelError(f"{self._label} failed on the GPU; build the engine again on this machine")
            self._stream.synchronize()
            return [result.cpu().numpy() for result in results]


def _library(name: str) -> tuple[Any, Any]:
    """The module, and a logger that keeps quiet: what fails is said by ModelError."""
    if name not in LIBRARIES:
        raise ModelError(f"no engine library is called {name!r}; known are {', '.join(LIBRARIES)}")
    try:
        trt = importlib.import_module(name)
    except (ImportError, OSError) as error:
        raise ModelError(
            f"{LIBRARIES[name]} cannot be imported ({reason(error)}); install it with "
            f"'pip install {name.replace('tensorrt_rtx', 'tensorrt-rtx-cu13')}'"
        ) from error
    return trt, trt.Logger(trt.Logger.INTERNAL_ERROR)


def _spec(trt: Any, name: str, kind: Any, shape: Any) -> TensorSpec:
    sizes = tuple(None if size < 0 else int(size) for size in shape)
    return TensorSpec(name, sizes, np.dtype(trt.nptype(kind)).name)
