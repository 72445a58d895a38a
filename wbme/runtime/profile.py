"""How long a network takes: wall time as the user waits, CPU time as the machine works."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Timing:
    """Milliseconds of one call: median and 95th percentile of wall time, and mean CPU time of all threads."""

    calls: int
    p50: float
    p95: float
    cpu: float


def profile(
    call: Callable[..., object],
    *arrays: np.ndarray,
    seconds: float = 1.0,
    repeats: int | None = None,
    warmup: int = 3,
    least: int = 1,
) -> Timing:
    """Time ``call(*arrays)``, a Backend or any function, after ``warmup`` untimed calls.

    Makes ``repeats`` calls, or as many as ``seconds`` hold but no fewer than ``least``. CPU time is that of
    the whole process, so nothing else should run in it. Raises what the call raises.
    """
    for _ in range(warmup):
        call(*arrays)
    walls: list[float] = []
    cpu = time.process_time()
    start = time.perf_counter()
    wanted = repeats or least
    while len(walls) < max(wanted, 1) or (not repeats and time.perf_counter() - start < seconds):
        begin = time.perf_counter()
        call(*arrays)
        walls.append(1000 * (time.perf_counter() - begin))
    cpu = 1000 * (time.process_time() - cpu) / len(walls)
    p50, p95 = np.percentile(walls, [50, 95])
    return Timing(len(walls), float(p50), float(p95), cpu)
