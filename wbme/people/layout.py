"""How the parts of the body lie on their textures; computed once, kept with the anatomy."""

import numpy as np
from numpy.typing import NDArray


def islands(triangles: NDArray, uv: NDArray) -> NDArray[np.uint8]:
    """Which sheet of the skin each triangle lies on, told by where MakeHuman's atlas puts the sheet."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    start, end = triangles.ravel(), np.roll(triangles, 1, axis=1).ravel()
    edges = coo_matrix((np.ones(len(start)), (start, end)), (len(uv), len(uv)))
    count, sheet = connected_components(edges, directed=False)
    kinds = np.empty(count, np.uint8)
    for k in range(count):
        u, v = (uv[sheet == k].min(0) + uv[sheet == k].max(0)) / 2
        if u > 0.64 and v > 0.2:
            kinds[k] = 0
        elif u > 0.8:
            kinds[k] = 1
        else:
            kinds[k] = 3 if u < 0.16 and 0.5 < v < 0.7 else 2
    return kinds[sheet[triangles[:, 0]]]


def repacked(uv: NDArray, triangles: NDArray, island: NDArray) -> NDArray[np.float32]:
    """The atlas laid out anew: the head takes the right half, with more room for the middle of the face."""
    kind = np.full(len(uv), 2)
    for k in (0, 1, 3):
        kind[triangles[island == k]] = k
    out = np.empty_like(uv)
    body = kind == 2
    out[body] = (uv[body] - [0.009, 0.009]) / [0.755, 0.97] * [0.455, 0.74] + [0.008, 0.25]
    head = kind == 0
    down, across = (uv[head, 0] - 0.641) / 0.353, (uv[head, 1] - 0.149) / 0.669
    out[head] = np.stack(
        [
            0.48 + 0.512 * _stretched(down, 0.64, 0.17, 2.4),
            0.008 + 0.984 * _stretched(across, 0.5, 0.14, 2.4),
        ],
        1,
    )
    mouth = kind == 1
    out[mouth] = (uv[mouth] - [0.758, 0.012]) / 0.17 * 0.17 + [0.01, 0.05]
    socket = kind == 3
    out[socket] = (uv[socket] - [0.012, 0.547]) + [0.22, 0.06]
    return out.astype(np.float32)


def _stretched(x: NDArray, centre: float, width: float, gain: float) -> NDArray:
    """A monotonic map of [0, 1] onto itself, steeper by 1 + ``gain`` about ``centre``."""
    from scipy.special import erf

    def cumulated(t: NDArray) -> NDArray:
        return t + gain * width * np.sqrt(np.pi) / 2 * erf((t - centre) / width)

    low, high = cumulated(np.array(0.0)), cumulated(np.array(1.0))
    return (cumulated(np.clip(x, 0, 1)) - low) / (high - low)


def texels(triangles: NDArray, uv: NDArray, size: int) -> dict[str, NDArray]:
    """Which triangle covers each texel, and where in it; texels within 4 of a sheet take its nearest."""
    from scipy.ndimage import distance_transform_edt

    place = np.stack([uv[:, 0] * size, (1 - uv[:, 1]) * size], 1)[triangles]
    owner = np.full((size, size), -1, np.int32)
    inside = np.zeros((size, size, 3), np.float32)
    for index, (a, b, c) in enumerate(place):
        x0, y0 = np.floor(np.minimum(np.minimum(a, b), c)).astype(int)
        x1, y1 = np.ceil(np.maximum(np.maximum(a, b), c)).astype(int)
        area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
        if area == 0:
            continue
        x, y = np.meshgrid(np.arange(x0, x1) + 0.5, np.arange(y0, y1) + 0.5)
        second = ((x - a[0]) * (c[1] - a[1]) - (y - a[1]) * (c[0] - a[0])) / area
        third = ((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) / area
        share = np.stack([1 - second - third, second, third], -1)
        here = (share >= -1e-4).all(-1)
        owner[y0:y1, x0:x1][here] = index
        inside[y0:y1, x0:x1][here] = share[here]
    far, (row, column) = distance_transform_edt(owner < 0, return_indices=True)
    texels = np.flatnonzero(far.ravel() <= 4)
    row, column = row.ravel()[texels], column.ravel()[texels]
    return {
        "texels": texels.astype(np.int32),
        "texel_triangle": owner[row, column],
        "barycentric": np.clip(inside[row, column], 0, 1),
    }
