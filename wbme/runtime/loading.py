"""``load``: a network, by the backend's name; ``available``: which backends this environment has."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from wbme.base.errors import ModelError
from wbme.runtime.backend import Backend, Layout, Options

# Name -> module and class. The module imports its heavy library, so it is imported only when asked for.
BACKENDS = {
    "torch": "wbme.runtime.torch_backend:TorchBackend",
    "onnxruntime": "wbme.runtime.onnxruntime_backend:OnnxRuntimeBackend",
    "openvino": "wbme.runtime.openvino_backend:OpenVinoBackend",
}


@dataclass(frozen=True)
class BackendInfo:
    """A backend of this environment: its library's version ("" where it is not installed) and devices."""

    name: str
    version: str
    devices: tuple[str, ...]


def _backend(name: str) -> Any:
    if name not in BACKENDS:
        raise ModelError(f"no backend is called {name!r}; known are {', '.join(BACKENDS)}")
    module, attribute = BACKENDS[name].split(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ImportError as error:
        raise ModelError(
            f"the backend {name!r} cannot be imported ({error}); install it with 'pip install {name}'"
        ) from error


def load(
    source: str | Path | Callable[..., Any],
    backend: str = "openvino",
    *,
    layout: Layout = "native",
    u8: bool = False,
    threads: int | None = None,
    dtype: Literal["fp32", "auto"] = "fp32",
) -> Backend:
    """Load a network: OpenVINO reads .tflite, .onnx, .xml; ONNX Runtime .onnx; torch takes a ``nn.Module``.

    The module is put into evaluation mode. torch's own file formats are not read, because they unpickle.

    layout: how image tensors are given and returned: "native" as the network has them, "nchw", or "nhwc".
        An image tensor is floating, of rank 4, with 1, 3 or 4 channels; others stay as they are.
    u8: image tensors are given and returned as uint8 N x H x W x C, for a network whose own are in [0, 1]:
        x = u / 255 and u = round(255 clip(y, 0, 1)), halves to even, computed inside the backend.
    threads: CPU threads of one call; None leaves the choice to the backend.
    dtype: "fp32" computes exactly; "auto" lets OpenVINO compute in bfloat16 where the processor has it.
    Raises ModelError when the file is missing, broken or not one that the backend reads.
    """
    kind = _backend(backend)
    options = Options(layout, u8, threads, dtype)
    if not isinstance(source, str | Path):
        if backend != "torch":
            raise ModelError(
                f"{backend} reads files ({', '.join(kind.suffixes)}), not {type(source).__name__}"
            )
        return kind(source, options)
    path = Path(source)
    if path.suffix.lower() not in kind.suffixes:
        others = ", ".join(kind.suffixes) or "a torch.nn.Module, not files"
        raise ModelError(f"{path} is not a file that {backend} loads; it takes {others}")
    if not path.is_file():
        raise ModelError(f"there is no network file {path}")
    return kind(path, options)


def available() -> list[BackendInfo]:
    """Every known backend with its version and devices."""
    found = []
    for name in BACKENDS:
        try:
            version, devices = _backend(name).info()
        except ModelError:
            version, devices = "", []
        found.append(BackendInfo(name, version, tuple(devices)))
    return found
