"""torch: a ``nn.Module`` run eagerly, where its parameters are."""

import inspect
import threading
from typing import Any

import numpy as np
import torch

from wbme.base.errors import ModelError
from wbme.runtime.backend import Options, TensorSpec, check, image_layout, permutation, reason


class TorchBackend:
    """See ``wbme.runtime.load``. Image tensors are found by the shapes of the arrays, call by call."""

    name = "torch"
    suffixes = ()

    def __init__(self, module: Any, options: Options):
        if not isinstance(module, torch.nn.Module):
            raise ModelError(f"torch takes a torch.nn.Module, not {type(module).__name__}")
        self._label = type(module).__name__
        self._module = module.eval()
        self._options = options
        self._seen = options.layout_for("nchw")
        first = next(module.parameters(), torch.empty(0))
        self._device, self._dtype = first.device, first.dtype
        self._lock = threading.Lock()
        names, self._required, self._more = _arguments(module)
        self.inputs = [TensorSpec(name) for name in names]
        self.outputs: list[TensorSpec] = []

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """Run the network; see ``Backend``."""
        # A forward(*args), as torch.compile makes it, names no inputs: any number goes, as it does after the
        # named ones of forward(image, *controls).
        if self.inputs:
            checked = arrays[: len(self.inputs)] if self._more else arrays
            check(self._label, self.inputs[: max(self._required, len(checked))], checked)
        if self._options.u8 and not any(map(self._is_u8, arrays)):
            got = ", ".join(f"{array.dtype} {list(array.shape)}" for array in arrays)
            raise ModelError(f"{self._label} with u8 needs an image as uint8 N x H x W x C, but got {got}")
        with self._lock, torch.inference_mode():
            threads = torch.get_num_threads()
            torch.set_num_threads(self._options.threads or threads)
            try:
                results = self._module(*map(self._enter, arrays))
                results = results if isinstance(results, tuple | list) else [results]
                return [self._leave(result) for result in results]
            except (RuntimeError, ValueError, TypeError, AssertionError, IndexError, AttributeError) as error:
                raise ModelError(
                    f"torch cannot run {self._label} on these inputs: {reason(error)}"
                ) from error
            finally:
                torch.set_num_threads(threads)

    @staticmethod
    def _is_u8(array: np.ndarray) -> bool:
        return array.dtype == np.uint8 and image_layout(array.shape, "nhwc") == "nhwc"

    def _enter(self, array: np.ndarray) -> torch.Tensor:
        # A copy: modules that work in place must not write into the caller's array.
        tensor = torch.from_numpy(np.array(array, order="C")).to(self._device)
        if self._options.u8:
            if self._is_u8(array):
                tensor = (tensor.permute(0, 3, 1, 2).float() / 255).to(self._dtype).contiguous()
        elif tensor.is_floating_point() and image_layout(tensor.shape, self._seen) == self._seen:
            axes = permutation(self._seen, "nchw")
            tensor = tensor.permute(axes).contiguous() if axes else tensor
        return tensor

    def _leave(self, tensor: torch.Tensor) -> np.ndarray:
        if tensor.is_floating_point() and image_layout(tensor.shape, "nchw") == "nchw":
            if self._options.u8:
                tensor = tensor.float().clamp(0, 1).mul(255).round().to(torch.uint8)
            axes = permutation("nchw", self._seen)
            tensor = tensor.permute(axes) if axes else tensor
        if tensor.dtype == torch.bfloat16:  # NumPy has no such type
            tensor = tensor.float()
        return np.array(tensor.cpu().numpy(), order="C")

    @staticmethod
    def info() -> tuple[str, list[str]]:
        """Version, and the devices that torch sees."""
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        return torch.__version__, ["cpu", *(torch.cuda.get_device_name(i) for i in range(count))]


def _arguments(module: torch.nn.Module) -> tuple[list[str], int, bool]:
    """Names of the positional arguments of ``forward``, how many of them it demands, and whether it takes
    more than those."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    every = list(inspect.signature(module.forward).parameters.values())
    entries = [entry for entry in every if entry.kind in kinds]
    more = any(entry.kind == inspect.Parameter.VAR_POSITIONAL for entry in every)
    return [entry.name for entry in entries], sum(entry.default is entry.empty for entry in entries), more
