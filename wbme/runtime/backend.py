"""What every backend offers, and what they share: tensor specs, options, input checks, image tensors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from wbme.base.errors import ModelError

Layout = Literal["nchw", "nhwc", "native"]


@dataclass(frozen=True)
class TensorSpec:
    """One input or output as the caller sees it.

    ``shape`` holds None for a free dimension and ``dtype`` is NumPy's name; either is None as a whole where
    the network does not declare it (a torch module).
    """

    name: str
    shape: tuple[int | None, ...] | None = None
    dtype: str | None = None

    def __str__(self) -> str:
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape or ())
        return f"{self.dtype or 'any type'} {f'[{sizes}]' if self.shape is not None else 'of any shape'}"


class Backend(Protocol):
    """A loaded network. Calls of one backend from several threads run one after the other.

    ``name`` is the backend's name in ``load``; ``outputs`` is empty where the network declares none (a torch
    module). Calling takes the input arrays in the order of ``inputs`` and returns the outputs as new arrays;
    it raises ModelError, in one sentence, for a wrong number, type or shape of arrays.
    """

    name: str
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]: ...


@dataclass(frozen=True)
class Options:
    """The options of ``load``, checked."""

    layout: Layout = "native"
    u8: bool = False
    threads: int | None = None
    dtype: Literal["fp32", "auto"] = "fp32"

    def __post_init__(self) -> None:
        for name, value, known in (
            ("layout", self.layout, ("nchw", "nhwc", "native")),
            ("dtype", self.dtype, ("fp32", "auto")),
        ):
            if value not in known:
                raise ModelError(f"{name}={value!r} is not known to wbme.runtime.load; use one of {known}")
        if self.threads is not None and (not isinstance(self.threads, int) or self.threads < 1):
            raise ModelError(
                f"threads={self.threads!r} must be 1 or more, or None for the backend's own choice"
            )

    def layout_for(self, own: Literal["nchw", "nhwc"]) -> Literal["nchw", "nhwc"]:
        """The layout in which the caller gives and gets an image tensor that the network has as ``own``."""
        if self.u8:
            return "nhwc"
        return own if self.layout == "native" else self.layout


def image_layout(
    shape: Sequence[int | None] | None, default: Literal["nchw", "nhwc"]
) -> Literal["nchw", "nhwc"] | None:
    """The layout of an image tensor (rank 4; 1, 3 or 4 channels; no side of 1 pixel), else None.

    ``default`` decides where either axis could hold the channels.
    """
    if shape is None or len(shape) != 4:
        return None
    first = shape[1] in (1, 3, 4) and 1 not in shape[2:]
    last = shape[3] in (1, 3, 4) and 1 not in shape[1:3]
    if first and last:
        return default
    if first or last:
        return "nchw" if first else "nhwc"
    return None


def permutation(source: str, target: str) -> list[int] | None:
    """Axes that bring a tensor of layout ``source`` to ``target``; None where they are equal."""
    return None if source == target else [source.index(axis) for axis in target]


def check(network: str, specs: list[TensorSpec], arrays: Sequence[Any]) -> None:
    """Raise ModelError where ``arrays`` do not fit ``specs``; ``network`` is how the sentence calls it."""
    if len(arrays) != len(specs):
        names = ", ".join(spec.name for spec in specs)
        raise ModelError(f"{network} takes {len(specs)} input(s) ({names}), but got {len(arrays)}")
    for spec, array in zip(specs, arrays, strict=True):
        if not isinstance(array, np.ndarray):
            raise ModelError(
                f"input {spec.name} of {network} must be a NumPy array, but is {type(array).__name__}"
            )
        fits = spec.dtype is None or array.dtype == spec.dtype
        if spec.shape is not None:
            fits = fits and array.ndim == len(spec.shape)
            fits = fits and all(
                want in (None, got) for want, got in zip(spec.shape, array.shape, strict=False)
            )
        if not fits:
            raise ModelError(
                f"input {spec.name} of {network} must be {spec}, but is {array.dtype} {list(array.shape)}"
            )


def demand_image(network: str, found: bool) -> None:
    """Raise ModelError where ``u8`` is asked of a network without an image input."""
    if not found:
        raise ModelError(
            f"{network} has no image input (floating, rank 4, 1, 3 or 4 channels), so u8 cannot be offered"
        )


def reason(error: Exception) -> str:
    """The last line of a library's message, short enough for one sentence."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[-1].split(" Please ")[0][:200].rstrip(" .:")
