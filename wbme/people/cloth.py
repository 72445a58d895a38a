"""Cloth: surfaces made of MakeHuman's tights and skirt, that can be cut along fields and follow the bones."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from wbme.people import anatomy, body

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cloth:
    """A piece of surface. blend: V x all-body-vertices (sparse, rows sum to 1); triangles: T x 3."""

    blend: sparse.csr_matrix
    triangles: Numbers

    def mean(self) -> Array:
        """Its vertices on the mean person's body."""
        return self.blend @ body.mean().astype(float)

    def clip(self, inside: Array) -> "Cloth":
        """What lies where the vertex field ``inside`` is positive, cut through the triangles there."""
        t = self.triangles
        keep = inside[t] > 0
        count = keep.sum(1)
        out = [t[count == 3]]
        cut_rows, new = [], len(inside)
        a, b, w = [], [], []

        def crossing(one: NDArray, other: NDArray) -> NDArray:
            first, second = np.minimum(one, other), np.maximum(one, other)
            share = inside[first] / (inside[first] - inside[second])
            a.append(first), b.append(second), w.append(share)
            nonlocal new
            numbers = np.arange(new, new + len(first))
            new += len(first)
            return numbers

        for kept, odd in ((1, True), (2, False)):  # the lone corner goes first
            some, inner = t[count == kept], keep[count == kept]
            lone = np.argmax(inner == odd, axis=1)
            rolled = np.take_along_axis(some, (lone[:, None] + np.arange(3)) % 3, 1)
            p, q, r = rolled.T
            pq, pr = crossing(p, q), crossing(p, r)
            if odd:
                cut_rows.append(np.stack([p, pq, pr], 1))
            else:
                cut_rows += [np.stack([pq, q, r], 1), np.stack([pq, r, pr], 1)]
        first, second, share = (np.concatenate(x) for x in (a, b, w))
        key = first * len(inside) + second
        _, chosen, back = np.unique(key, return_index=True, return_inverse=True)
        rename = np.concatenate([np.arange(len(inside)), len(inside) + back.ravel()])
        triangles = rename[np.concatenate([*out, *cut_rows])]
        first, second, share = first[chosen], second[chosen], share[chosen]
        edge = sparse.diags(1 - share) @ self.blend[first] + sparse.diags(share) @ self.blend[second]
        blend = sparse.vstack([self.blend, edge]).tocsr()
        used, triangles = np.unique(triangles, return_inverse=True)
        triangles = triangles.reshape(-1, 3)
        whole = (triangles[:, 0] != triangles[:, 1]) & (triangles[:, 1] != triangles[:, 2])
        whole &= triangles[:, 2] != triangles[:, 0]
        return Cloth(blend[used], triangles[whole])


def neighbours(triangles: Numbers, count: int) -> sparse.csr_matrix:
    """Rows average a vertex's neighbours."""
    e = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    e = np.concatenate([e, e[:, ::-1]])
    m = sparse.coo_matrix((np.ones(len(e)), (e[:, 0], e[:, 1])), (count, count)).tocsr()
    m.data[:] = 1
    return sparse.diags(1 / np.maximum(np.asarray(m.sum(1)).ravel(), 1)) @ m


@cache
def fabric(part: str) -> Cloth:
    """MakeHuman's ``tights`` or ``skirt``, split once and smoothed."""
    base = anatomy.load()
    piece = base.parts[part]
    numbers, triangles = np.unique(piece.source[piece.triangles], return_inverse=True)
    triangles = triangles.reshape(-1, 3)
    n = len(numbers)
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), 1)
    pairs, back = np.unique(edges, axis=0, return_inverse=True)
    ab, bc, ca = n + back.ravel().reshape(3, -1)
    a, b, c = triangles.T
    split = np.concatenate([np.stack(s, 1) for s in ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))])
    eye = sparse.identity(n, format="csr")
    blend = sparse.vstack([eye, (eye[pairs[:, 0]] + eye[pairs[:, 1]]) / 2]).tocsr()
    around = neighbours(split, blend.shape[0])
    for _ in range(2):
        blend = 0.5 * blend + 0.5 * (around @ blend)
    select = sparse.coo_matrix((np.ones(n), (np.arange(n), numbers)), (n, len(base.positions))).tocsr()
    return Cloth((blend @ select).tocsr(), split)


@cache
def limbs() -> tuple[Array, Array]:
    """Of every body vertex on the mean person: how far down its arm it is (0 shoulder, 1 wrist), and how much
    it belongs to an arm."""
    base, mean = anatomy.load(), body.mean()
    names = np.array(base.bones)
    arm = np.array([n.startswith(("upperarm", "lowerarm", "wrist", "finger", "shoulder")) for n in names])
    part = (base.weight * arm[base.bone]).sum(1)
    joints = dict(zip(base.bones, base.joints(mean), strict=True))
    chain = np.stack([joints[n] for n in ("upperarm01.L", "lowerarm01.L", "wrist.L")]).astype(float)
    p = mean * [1, 1, 1.0]
    p[:, 0] = np.abs(p[:, 0])
    lengths = np.linalg.norm(np.diff(chain, axis=0), axis=1)
    best, along = np.full(len(p), np.inf), np.zeros(len(p))
    start = 0.0
    for k in range(2):
        d = chain[k + 1] - chain[k]
        s = ((p - chain[k]) @ d) / (d @ d)
        s = np.clip(s, -0.3 if k == 0 else 0, 1.4 if k == 1 else 1)
        far = np.linalg.norm(p - chain[k] - s[:, None] * d, axis=1)
        along = np.where(far < best, (start + s * lengths[k]) / lengths.sum(), along)
        best, start = np.minimum(far, best), start + lengths[k]
    return along, part


def weights_of(blend: sparse.csr_matrix, count: int = 6) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Skin weights (bones V x count, weights) of vertices that are mixtures of body vertices."""
    base = anatomy.load()
    rows = np.repeat(np.arange(len(base.bone)), base.bone.shape[1])
    skin = sparse.coo_matrix(
        (base.weight.ravel(), (rows, base.bone.ravel())), (len(base.bone), len(base.bones))
    )
    dense = np.asarray((blend @ skin.tocsr()).todense())
    bone = np.argsort(-dense, axis=1, kind="stable")[:, :count]
    weight = np.take_along_axis(dense, bone, 1)
    return bone.astype(np.int32), (weight / weight.sum(1, keepdims=True)).astype(np.float32)


def borders(triangles: Numbers) -> list[Numbers]:
    """Closed loops of border vertices, in the order of the triangles."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    n = int(triangles.max()) + 1
    keys, back = edges[:, 0] * n + edges[:, 1], edges[:, 1] * n + edges[:, 0]
    free = edges[~np.isin(keys, back)]
    follow = dict(free.tolist())
    loops = []
    while follow:
        start, at = next(iter(follow.items()))
        loop = [start]
        del follow[start]
        while at != start and at in follow:
            loop.append(at)
            at = follow.pop(at)
        if len(loop) > 12:
            loops.append(np.array(loop))
    return loops
