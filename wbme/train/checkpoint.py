"""Checkpoints: the whole state of a training in one file, replaced atomically, read without code in it."""

import io
import pickle
from pathlib import Path
from typing import Any

import torch

from wbme.base.errors import ModelError
from wbme.base.paths import write_atomic

SCHEMA = 1


def save(path: Path, state: dict[str, Any], identity: dict[str, Any]) -> None:
    """Write ``state`` (tensors, numbers, text, lists, dictionaries) of the training that ``identity``
    describes. Raises StoreError where the disk refuses; what stood there stays."""
    buffer = io.BytesIO()
    torch.save({"schema": SCHEMA, "identity": identity, "state": state}, buffer)
    write_atomic(path, buffer.getvalue())


def load(path: Path, identity: dict[str, Any]) -> dict[str, Any] | None:
    """The state in ``path``, or None where there is no file.

    Raises ModelError for a damaged file, and for one of another training, naming what differs.
    """
    if not path.exists():
        return None
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
        schema, other, state = found["schema"], found["identity"], found["state"]
    except (
        OSError,
        RuntimeError,
        ValueError,
        EOFError,
        KeyError,
        TypeError,
        pickle.UnpicklingError,
    ) as error:
        raise ModelError(f"{path} is not a checkpoint of a training: remove it to start anew") from error
    if schema != SCHEMA or other != identity:
        keys = sorted({*other, *identity})
        told = [
            f"{key} {other.get(key)!r} for {identity.get(key)!r}"
            for key in keys
            if other.get(key) != identity.get(key)
        ]
        differs = ", ".join(told[:4]) or f"schema {schema} for {SCHEMA}"
        raise ModelError(f"{path} is of another training ({differs}): remove it or train elsewhere")
    return state
