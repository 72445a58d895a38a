"""Randomness from one seed: global generators for libraries, named generators for our own code."""

import random
import sys
import zlib

import numpy as np


def seed_everything(seed: int) -> None:
    """Seed ``random``, NumPy's global generator and, where it is already imported, torch."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A generator of its own for each purpose: adding one elsewhere does not change the others.

    ``names`` say what it is for, such as ``generator(seed, "cutface", index)``.
    """
    words = [zlib.crc32(n.encode()) if isinstance(n, str) else n for n in names]
    return np.random.default_rng([seed, *words])
