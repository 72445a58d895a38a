"""Duplicate pictures: a perceptual hash, and groups of equal or nearly equal hashes."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray


def dhash(rgb: NDArray[np.float32]) -> int:
    """64-bit difference hash of ``rgb`` (float32 H x W x 3 in [0, 1]): is a pixel brighter than its left one?

    The luma of BT.601 is averaged to 8 rows of 9 pixels, and the 64 comparisons along the rows, read from the
    top left, are the bits from the highest down (Krawetz, "Kind of like that", 2013). Scaling, recompression
    and changes of brightness move few bits; a mirror image moves most.
    """
    import cv2

    small = cv2.resize(rgb, (9, 8), interpolation=cv2.INTER_AREA) @ np.array(
        [0.299, 0.587, 0.114], np.float32
    )
    return int.from_bytes(np.packbits(small[:, 1:] > small[:, :-1]).tobytes(), "big")


def groups(hashes: Sequence[Hashable], distance: int = 0) -> list[list[int]]:
    """Indices of ``hashes`` that belong together, as sorted groups of two or more, in order of first index.

    At ``distance`` 0 only equal values (of any kind: SHA-256 digests, hashes) belong together. Above it the
    values are 64-bit integers, and those that differ in at most ``distance`` bits are linked; a group is all
    that links reach. Comparing N values takes N^2 / 2 steps: 10,000 take about a second.
    """
    root = list(range(len(hashes)))

    def find(i: int) -> int:
        while root[i] != i:
            root[i] = i = root[root[i]]
        return i

    if distance == 0:
        first: dict[Hashable, int] = {}
        root = [first.setdefault(value, i) for i, value in enumerate(hashes)]
    else:
        bits = np.array(hashes, np.uint64)
        for i in range(len(bits) - 1):
            for j in np.flatnonzero(np.bitwise_count(bits[i + 1 :] ^ bits[i]) <= distance):
                low, high = sorted((find(i), find(i + 1 + int(j))))
                root[high] = low
    found: dict[int, list[int]] = {}
    for i in range(len(hashes)):
        found.setdefault(find(i), []).append(i)
    return [group for group in found.values() if len(group) > 1]
