"""Checkpoints: the whole state of a training in one file, replaced atomically, read without code in it."""

import io
import zipfile
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

    Raises ModelError for a damaged file, and for one of another training or kind, naming what differs.
    """
    if not path.exists():
        return None
    found, again = None, "remove it to start anew"
    try:
        with zipfile.ZipFile(path) as members:
            damaged = members.testzip()
        if not damaged:
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch and its unpickler have no common base for what they raise
        raise ModelError(f"{path} is not a checkpoint of a training: {again}") from error
    keys = list(map(str, found)) if isinstance(found, dict) else []
    lacking = [key for key in ("schema", "identity", "state") if key not in keys]
    if lacking:
        holds = f" but holds {', '.join(keys[:4])}" if keys else ""
        raise ModelError(
            f"{path} is not a checkpoint of a training, it lacks {', '.join(lacking)}{holds}: {again}"
        )
    schema, other, state = found["schema"], found["identity"], found["state"]
    other = other if isinstance(other, dict) else {}
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
