"""Writing many pairs: by several processes, and to the same bytes wherever it was stopped."""

import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any, Protocol

import cv2
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.data import pairs
from wbme.synth.compose import Settings


class Maker(Protocol):
    """What makes pairs by number; it goes to other processes, so that it must be one that pickles."""

    @property
    def views(self) -> Sequence[Any]:
        """What pairs are made of."""

    def pair(self, number: int, settings: Settings) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Row and arrays, as ``data.pairs.write`` takes them, of the pair of that number."""


def write_set(
    folder: Path, maker: Maker, settings: Settings, count: int, workers: int = 2, first: int = 0
) -> Iterator[dict[str, Any]]:
    """Write ``count`` pairs from the number ``first`` on to ``folder`` and yield the row of each; those that
    stand there by the same recipe are kept.

    ``data.pairs.gather`` then makes a set of them. Raises ParameterError where there is no view.
    """
    if not maker.views or count < 1:
        raise ParameterError(
            f"{count} pairs of {len(maker.views)} views: give a source with views in it, ask for one or more"
        )
    recipe, numbers = settings.recipe(), range(first, first + count)
    todo = [n for n in numbers if not pairs.finished(folder, f"{n:05d}", recipe)]
    if workers < 2 or len(todo) < 8:
        yield from (_written(folder, maker, settings, n) for n in todo)
        return
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _begin, (folder, maker, settings))
    try:
        yield from pool.map(_work, todo)
    finally:  # after an error nothing more is begun
        pool.shutdown(cancel_futures=True)


def _written(folder: Path, maker: Maker, settings: Settings, number: int) -> dict[str, Any]:
    row, arrays = maker.pair(number, settings)
    return pairs.write(folder, row, arrays)


_given: list[Any] = []


def _begin(*given: Any) -> None:
    cv2.setNumThreads(1)  # or OpenCV's threads would compete with the other process for the same cores
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    _given[:] = given


def _leave_with_parent() -> None:
    """A killed parent tells nobody."""
    parent_process().join()
    os._exit(1)


def _work(number: int) -> dict[str, Any]:
    return _written(*_given, number)
