"""How much memory a network needs: measured in a fresh process, which nothing else has filled before.

``python -m wbme.runtime.memory`` is that process: the task as JSON on its standard input, ``Memory`` as JSON
on its output.
"""

import importlib
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wbme.base.errors import ModelError, WbmeError
from wbme.runtime.loading import BACKENDS, load


@dataclass(frozen=True)
class Memory:
    """Resident memory in MB (10^6 bytes): ``library``, with the backend imported and no network loaded yet,
    and ``peak``, of the whole process at its highest."""

    library: float
    peak: float


def measure(
    source: Path,
    backend: str,
    shapes: list[list[int]],
    *,
    dtype: str = "fp32",
    threads: int | None = None,
    calls: int = 2,
) -> Memory:
    """Memory of a process that loads a network and calls it ``calls`` times on inputs of these ``shapes``,
    float32 and filled with 0.5, with so many ``threads`` (None: as the backend likes).

    ``source`` is a file that the backend reads; for torch it is a model folder (``wbme.runtime.export``).
    Raises ModelError where the network cannot be loaded or run, or the system has no /proc, as Linux has.
    """
    task = {"source": str(source), "backend": backend, "shapes": shapes, "dtype": dtype, "calls": calls}
    task["threads"] = threads
    command = [sys.executable, "-m", __name__]
    done = subprocess.run(command, input=json.dumps(task), capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        raise ModelError(f"the memory of {source} on {backend} could not be measured: {lines[-1]}")
    return Memory(**json.loads(done.stdout.splitlines()[-1]))


def _resident(field: str) -> float:
    """``field`` of this process's memory, in MB. The peak of getrusage would include the parent process's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{field}:"))) * 1024 / 1e6


def _run(task: dict[str, Any]) -> Memory:
    backend, source = task["backend"], Path(task["source"])
    importlib.import_module(BACKENDS[backend].split(":")[0])
    library = _resident("VmRSS")
    network: Any = source
    if backend == "torch":
        from wbme.runtime import export

        network, _ = export.drawing(source)
    run = load(network, backend, dtype=task["dtype"], threads=task["threads"])
    arrays = [np.full(shape, 0.5, np.float32) for shape in task["shapes"]]
    for _ in range(task["calls"]):
        run(*arrays)
    return Memory(library, _resident("VmHWM"))


if __name__ == "__main__":
    try:
        print(json.dumps(asdict(_run(json.load(sys.stdin)))))
    except (WbmeError, OSError) as error:
        sys.exit(str(error))
