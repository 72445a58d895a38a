"""Batches of crops from a pair set. Batch k is a function of the seed and k alone, so that training resumes
exactly; a thread prepares the next ones while the network works."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from torch import Tensor

from wbme.base.errors import ParameterError
from wbme.base.seeds import generator
from wbme.data import planes
from wbme.data.degrade import degraded
from wbme.data.lips import pale_lips
from wbme.data.pairs import CHANNELS, Pairs
from wbme.geometry.parsing import SKIN
from wbme.nets.layered import LUMA, phase_of

FACE_WIDTH = 224  # pixels: crops are scaled so that faces are about as wide
HEAD_SHARE = 0.7  # of the crops show a head
LEVELS = 6.0  # of the tones during training
_NAMES = ("src", "base", "ink", "labels")
_SKIN = np.isin(np.arange(256), list(SKIN))
_AHEAD = 3  # batches prepared in advance
Condition = Callable[[Mapping[str, Any]], Tensor]


@dataclass(frozen=True)
class Batch:
    """photo, base N x 3 x C x C sRGB in [0, 1]; ink N x 1 x C x C in [0, 1]; labels N x 1 x C x C uint8;
    phase N x 1 x 1 x 1, which puts a tone on the skin of the base; cond N x K, as what it is to be drawn
    (``Student.condition``), K 0 where nobody asks."""

    photo: Tensor
    base: Tensor
    ink: Tensor
    labels: Tensor
    phase: Tensor
    cond: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The same on ``device``, pictures with the channels last."""
        moved = {name: value.to(device, non_blocking=True) for name, value in vars(self).items()}
        for name in ("photo", "base"):
            moved[name] = moved[name].contiguous(memory_format=torch.channels_last)
        return Batch(**moved)


class Crops:
    """Random crops of a split of ``pairs``: ``crop`` x ``crop`` pixels, ``size`` of them a batch.

    Seven of ten show a head at about the width the student will see, the others anything; half are mirrored.
    Gain, channel gains, gamma and grey change photo and base alike; photos are degraded once more, and their
    lips paler by chance. Decoded pictures stay in memory as far as ``memory_mb`` allows (default: a
    third of what is free, 8 GB at most). ``condition`` tells the ``Batch.cond`` (1 x K) of a row. Raises
    ParameterError where the split is empty.
    """

    def __init__(
        self, pairs: Pairs, split: str, *, crop: int, size: int, seed: int, memory_mb: float | None = None,
        condition: Condition | None = None,
    ):  # fmt: skip
        self.pairs, self.crop, self.size, self.seed = pairs, crop, size, seed
        self._condition = condition or (lambda row: torch.zeros(1, 0))
        self.rows = [row for row in pairs.rows if row["split"] == split]
        if not self.rows:
            raise ParameterError(f"{pairs.folder} has no pair to {split} on: compose more identities")
        self._free = _room() if memory_mb is None else memory_mb * 1e6
        self._kept: dict[int, dict[str, NDArray[Any]]] = {}

    def _planes(self, index: int) -> dict[str, NDArray[Any]]:
        """src, base, ink, labels as uint8, and the faces' boxes. Labels that nobody knows are background."""
        if index in self._kept:
            return self._kept[index]
        row = self.rows[index]
        known = [name for name in _NAMES if row[name]]
        found = {name: planes.read(self.pairs.folder / row[name], CHANNELS[name]) for name in known}
        found.setdefault("labels", np.zeros(found["src"].shape[:2], np.uint8))
        points = self.pairs.load(row, ["landmarks"])["points"].reshape(-1, 468, 2)
        points = points[np.isfinite(points).all((1, 2))]
        # Left, top, right, bottom of each face, brows to chin.
        found["faces"] = np.concatenate([points.min(1), points.max(1)], 1)
        taken = sum(array.nbytes for array in found.values())
        if taken <= self._free:
            self._free -= taken
            self._kept[index] = found
        return found

    def _crop(self, index: int, rng: np.random.Generator) -> dict[str, NDArray[np.uint8]]:
        """One crop, uint8: src and base H x W x 3, ink and labels H x W."""
        found = self._planes(index)
        high, wide = found["labels"].shape
        faces = found["faces"]
        scale = np.exp(rng.normal(0, 0.25))
        centre = rng.uniform(0, 1, 2) * (wide, high)
        if len(faces) and rng.random() < HEAD_SHARE:
            left, top, right, bottom = faces[rng.integers(len(faces))]
            scale *= FACE_WIDTH / max(right - left, 1)
            spread = rng.uniform(-0.7, 0.7, 2) * (right - left, bottom - top)
            centre = np.array([left + right, top + bottom]) / 2 + spread
        scale = float(np.clip(scale, max(0.5, self.crop / min(high, wide)), 1.8))
        side = min(round(self.crop / scale), high, wide)
        x, y = (round(float(v)) for v in np.clip(centre - side / 2, 0, (wide - side, high - side)))
        fine = cv2.INTER_AREA if side > self.crop else cv2.INTER_CUBIC
        flip, out = rng.random() < 0.5, {}
        for name in _NAMES:
            part = found[name][y : y + side, x : x + side]
            how = cv2.INTER_NEAREST if name == "labels" else fine
            part = cv2.resize(part, (self.crop, self.crop), interpolation=how)
            out[name] = np.ascontiguousarray(part[:, ::-1]) if flip else part
        return out

    def _example(self, rng: np.random.Generator) -> tuple[dict[str, NDArray[Any]], float, Tensor]:
        """One crop, its pictures as float32 in [0, 1], its phase and its condition."""
        index = int(rng.integers(len(self.rows)))
        one: dict[str, NDArray[Any]] = self._crop(index, rng)
        one["src"], one["base"] = _recolour(one["src"], one["base"], rng)
        if rng.random() < 0.4:
            one["src"] = pale_lips(one["src"], one["labels"], rng)
        if rng.random() < 0.5:
            one["src"] = degraded(one["src"], rng, 0.7)
        one["ink"] = one["ink"].astype(np.float32) / 255
        # A quarter of the pixels is enough for a median.
        skin = one["base"][::2, ::2][_SKIN[one["labels"][::2, ::2]]]
        level = float(np.median(skin @ LUMA)) if len(skin) > 20 else rng.random()
        return one, phase_of(level, LEVELS), self._condition(self.rows[index])

    def batch(self, step: int) -> Batch:
        """Batch number ``step``, always the same."""
        rng = generator(self.seed, "crops", step)
        crops, phases, conditions = zip(*(self._example(rng) for _ in range(self.size)), strict=True)

        def stacked(name: str) -> Tensor:
            array = np.stack([one[name] for one in crops])
            return torch.from_numpy(array.transpose(0, 3, 1, 2) if array.ndim == 4 else array[:, None])

        phase = torch.tensor(phases, dtype=torch.float32)[:, None, None, None]
        planes = (stacked(name) for name in _NAMES)
        return Batch(*planes, phase, torch.cat(conditions))

    def batches(self, first: int, end: int) -> Iterator[Batch]:
        """Batches ``first`` up to ``end``, a few prepared in advance."""
        with ThreadPoolExecutor(1) as worker:
            steps = iter(range(first, end))
            waiting = [worker.submit(self.batch, step) for step in itertools.islice(steps, _AHEAD)]
            try:
                while waiting:
                    yield waiting.pop(0).result()
                    waiting += [worker.submit(self.batch, step) for step in itertools.islice(steps, 1)]
            finally:
                worker.shutdown(cancel_futures=True)


def _room() -> float:
    """Bytes for decoded pictures: to decode them again costs more than the rest of a batch."""
    return min(psutil.virtual_memory().available / 3, 8e9)


def _recolour(
    src: NDArray[np.uint8], base: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Both pictures under another light: gain 0.75 .. 1.15, channels +/- 12 %, gamma 0.8 .. 1.3, 6 % grey."""
    gains = rng.uniform(0.75, 1.15) * rng.uniform(0.88, 1.12, 3)
    gamma, grey = rng.uniform(0.8, 1.3), rng.random() < 0.06
    table = np.clip(np.arange(256)[:, None] / 255 * gains, 0, 1) ** gamma
    lit = [cv2.LUT(rgb, table.astype(np.float32)[None]) for rgb in (src, base)]
    if grey:
        lit = [np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, 2) for rgb in lit]
    return lit[0], lit[1]
