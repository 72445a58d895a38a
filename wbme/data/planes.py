"""Files of a data set: planes as PNG, without colour management, because labels are no colours; points."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import MediaError, StoreError
from wbme.base.paths import write_atomic


def read(path: Path, channels: int) -> NDArray[np.uint8]:
    """The PNG at ``path`` as uint8: H x W for one channel, H x W x 3 (RGB) or H x W x 4 (RGBA).

    Raises MediaError, one sentence, for a file that is missing, damaged or of other channels.
    """
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise MediaError(f"cannot read {path}: {error.strerror}; make the set again") from error
    found = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
    if found is None or found.dtype != np.uint8:
        raise MediaError(f"{path} is no readable 8-bit PNG; make the set again")
    count = 1 if found.ndim == 2 else found.shape[2]
    if count != channels:
        raise MediaError(f"{path} has {count} channels instead of {channels}; make the set again")
    return found if channels == 1 else np.ascontiguousarray(found[..., [2, 1, 0, 3][:channels]])


def write(path: Path, plane: NDArray[Any]) -> Path:
    """Write H x W, H x W x 3 (RGB) or H x W x 4 (RGBA) as PNG: uint8, or floating point in [0, 1].

    The whole file or none; equal arrays give equal bytes. Raises StoreError where the disk refuses.
    """
    u8 = plane if plane.dtype == np.uint8 else np.rint(np.clip(plane, 0, 1) * 255).astype(np.uint8)
    bgr = u8 if u8.ndim == 2 else u8[..., [2, 1, 0, 3][: u8.shape[2]]]
    _, data = cv2.imencode(".png", np.ascontiguousarray(bgr), [cv2.IMWRITE_PNG_COMPRESSION, 3])
    return write_atomic(path, data.tobytes())


def read_arrays(path: Path, shapes: dict[str, tuple[int, ...]], again: str) -> dict[str, NDArray[Any]]:
    """The arrays of ``shapes`` in the npz at ``path``; -1 stands for any length.

    Raises StoreError where one is missing, damaged or of another shape; ``again`` says how to make it anew.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            found = {name: stored[name] for name in shapes}
    except Exception as error:  # NumPy and its zip reader have no common base for what they raise
        raise StoreError(f"{path} holds no readable landmarks; {again}") from error
    for name, shape in shapes.items():
        if found[name].ndim != len(shape) or any(
            n not in (-1, m) for n, m in zip(shape, found[name].shape, strict=True)
        ):
            raise StoreError(f"{path} holds {name} of shape {found[name].shape} instead of {shape}; {again}")
    return found
