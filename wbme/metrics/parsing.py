"""How well labels agree with the truth: intersection over union, and skin where there is none."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.geometry.parsing import LABELS, SKIN

U8 = NDArray[np.uint8]
_COUNT = len(LABELS)


def confusion(labels: U8, truth: U8) -> NDArray[np.int64]:
    """Pixels by true (row) and given (column) label, 20 x 20. Both H x W; where ``truth`` holds none of the
    20 labels a pixel does not count. Raises ParameterError where sizes differ or ``labels`` has others."""
    if labels.shape != truth.shape:
        raise ParameterError(f"labels {labels.shape} and truth {truth.shape} differ in size: resample one")
    known = truth < _COUNT
    if labels.max(initial=0) >= _COUNT:
        raise ParameterError(f"labels hold {labels.max()}: parsing knows 0 to {_COUNT - 1}")
    pairs = truth[known].astype(np.int64) * _COUNT + labels[known]
    return np.bincount(pairs, minlength=_COUNT**2).reshape(_COUNT, _COUNT)


def ious(counts: NDArray[np.int64]) -> dict[str, float]:
    """IoU = TP / (TP + FP + FN) of each label that the truth of a ``confusion`` (or a sum of them) has."""
    hit = np.diag(counts)
    union = counts.sum(0) + counts.sum(1) - hit
    there = counts.sum(1) > 0
    return {name: float(hit[k] / union[k]) for k, name in enumerate(LABELS) if there[k]}


def iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """IoU of two masks of equal shape; 1 where both are empty."""
    union = np.count_nonzero(one | other)
    return np.count_nonzero(one & other) / union if union else 1.0


def leak(labels: U8, skin: NDArray[np.bool_]) -> float:
    """Share of the pixels labelled as skin (``geometry.parsing.SKIN``) that lie outside the mask ``skin``: on
    hair, clothes or behind the person; 0 where nothing is labelled so."""
    found = np.isin(labels, list(SKIN))
    total = np.count_nonzero(found)
    return np.count_nonzero(found & ~skin) / total if total else 0.0


def mean(found: dict[str, float], without: Iterable[str] = ("background",)) -> float:
    """Mean IoU over labels, ``without`` some."""
    values = [value for name, value in found.items() if name not in set(without)]
    return float(np.mean(values)) if values else float("nan")
