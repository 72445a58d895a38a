"""Trials as tasks of a Ray cluster. All its machines must see project and workspace under the same paths."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wbme.base.errors import ExperimentError
from wbme.lab import pool
from wbme.lab.pool import Start

_ANSWER_SECONDS = 5.0


@contextmanager
def connected(address: str) -> Iterator[tuple[Start, int]]:
    """A way to start trials on the Ray cluster at ``address`` (``host:port``, or ``auto``), and how many
    processors it has.

    ExperimentError where Ray is not installed or the cluster does not answer.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ModuleNotFoundError as error:
        raise ExperimentError("--ray needs Ray: pip install 'wbme[cluster]'") from error
    try:
        _probe(address)
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        words = " ".join(str(error).split())[:200]
        raise ExperimentError(
            f"no Ray cluster answers at {address} ({words}): start one with 'ray start --head'"
        ) from error
    remote = ray.remote(num_cpus=1, max_retries=0)(_task)
    try:
        processors = max(int(ray.cluster_resources().get("CPU", 1)), 1)
        yield lambda file: _Task(ray, remote.remote(str(file), pool.here())), processors
    finally:
        ray.shutdown()


def _probe(address: str) -> None:
    """OSError where nothing listens at ``address``: Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_SECONDS):
            pass


def _task(file: str, environment: dict[str, str]) -> int:
    """Runs on a machine of the cluster; the process of the trial ends when this task is cancelled."""
    if not Path(file).is_file():
        raise FileNotFoundError(f"this machine does not see {file}: share the workspace")
    return pool.command(Path(file), environment).wait()


class _Task:
    def __init__(self, ray: Any, waiting: Any):
        self._ray = ray
        self._waiting = waiting

    def ended(self) -> str | None:
        done, _ = self._ray.wait([self._waiting], timeout=0)
        if not done:
            return None
        try:
            return f"its process ended with code {self._ray.get(done[0])} (killed, or out of memory)"
        except Exception as error:  # a task may raise whatever its machine raised
            return f"its task ended with {type(error).__name__}: {str(error).strip().splitlines()[-1][:200]}"

    def interrupt(self) -> None:
        self._ray.cancel(self._waiting, force=True)

    def stop(self) -> None:
        """Nothing is left to do: the process of the trial ends with its task."""
