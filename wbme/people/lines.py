"""Line drawing: contours and creases of a G-buffer, traced to smooth tapered strokes, and feature curves.

Which edges: DeCarlo et al., Suggestive Contours for Conveying Shape (2003), in image space. Saito and
Takahashi, Comprehensible Rendering of 3-D Shapes (1990), drew them from depth and normal discontinuities.
"""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d
from skimage.morphology import skeletonize

from wbme.geometry.parsing import EYES, INDEX, MOUTH
from wbme.people import pen
from wbme.people.camera import Camera
from wbme.people.clumps import LOCKS
from wbme.people.gbuffer import GBuffer
from wbme.people.mesh import MATERIALS, Curve
from wbme.people.sheet import Lines

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

NOTHING = 255
_ALL = slice(None)
KINDS = ("", "silhouette", "occlusion", "border", "hair")
CURVES = ("jaw", "ear", "ear fold", "hair", "crease", "fold")  # brows are facial.py's
_ROUND = np.array([[-2, 0], [2, 0], [0, -2], [0, 2]]).T  # neighbours of a pixel
_TOLERANCE = 0.006  # metres that a visible curve may lie behind the surface


def edges(gbuffer: GBuffer, pixel: float) -> Bytes:
    """Kind of edge (index into KINDS, 0 none) at each pixel, on the nearer of the two surfaces it parts.

    ``pixel``: metres that a pixel covers at the person's distance.
    """
    group = _groups(gbuffer)
    beyond = lashes_beyond(gbuffer, round(0.007 / pixel))
    group[beyond] = NOTHING
    depth = np.where(np.isfinite(gbuffer.depth) & ~beyond, gbuffer.depth, 1e3).astype(np.float32)
    kinds, sure = np.zeros(group.shape, np.uint8), np.zeros(group.shape, bool)
    hair = group == MATERIALS.index("hair")
    calm, lash = _calm(gbuffer, round(0.006 / pixel)), lashes(gbuffer) & ~beyond
    nose = gbuffer.label == INDEX["nose"]  # its holes have no contour
    ear = np.isin(gbuffer.label, (INDEX["l_ear"], INDEX["r_ear"]))  # curves stand for its folds
    # Where single hairs stand out of the hair, or it grows out of the skin, there is no line.
    size = max(round(0.0028 / pixel), 2)
    massed = cv2.morphologyEx(hair.astype(np.uint8), cv2.MORPH_OPEN, np.ones((size, size), np.uint8)) > 0
    rooted = hair & (gbuffer.smooth > 0.9)
    mass = gbuffer.clump // LOCKS
    for axis in (0, 1):
        one, two = ((_ALL, slice(None, -1)), (_ALL, slice(1, None)))
        if axis == 0:
            one, two = one[::-1], two[::-1]
        differs = group[one] != group[two]
        # How far each point lies off the other's tangent plane: zero along one smooth surface.
        step = gbuffer.position[two] - gbuffer.position[one]
        off = np.maximum(
            np.abs(np.einsum("hwc,hwc->hw", gbuffer.normal[one], step)),
            np.abs(np.einsum("hwc,hwc->hw", gbuffer.normal[two], step)),
        )
        empty = (group[one] == NOTHING) | (group[two] == NOTHING)
        both_hair = hair[one] & hair[two]
        least = np.where(both_hair, 0.014, 0.007) + 2.5 * pixel
        jump = ~empty & (off > 0.35 * least)
        strand = both_hair & (mass[one] != mass[two]) & (np.minimum(mass[one], mass[two]) > 0)
        kind = np.where(differs, KINDS.index("border"), 0).astype(np.uint8)
        kind[jump & (~differs | (off > least))] = KINDS.index("occlusion")
        kind[(jump & both_hair) | strand] = KINDS.index("hair")
        kind[differs & empty] = KINDS.index("silhouette")
        kind[(rooted[one] | rooted[two]) & ~empty & (off < 0.012)] = 0
        kind[((hair & ~massed)[one] | (hair & ~massed)[two]) & ~empty] = 0
        kind[(lash[one] | lash[two] | (nose[one] & nose[two] & (off < 0.014))) & ~empty] = 0
        kind[ear[one] & ear[two] & ~differs] = 0
        kind[(calm[one] | calm[two]) & ~empty] = 0
        # Two masses lie about as near: a border that keeps to one of them does not flicker.
        near = np.where(strand, mass[one] > mass[two], depth[one] <= depth[two])
        for side, here in ((one, near), (two, ~near)):
            view = kinds[side]
            rank = np.where(here, kind, 0)
            view[...] = np.where(rank == 0, view, np.where(view == 0, rank, np.minimum(view, rank)))
            sure[side] |= here & ((off > least) & jump | strand)
    # A weak jump counts where it goes on from a clear one (Canny's hysteresis).
    weak = np.isin(kinds, (KINDS.index("occlusion"), KINDS.index("hair")))
    _, names = cv2.connectedComponents(weak.astype(np.uint8), connectivity=8)
    known = np.unique(names[sure & weak])
    kinds[weak & ~np.isin(names, known)] = 0
    return kinds


def _groups(gbuffer: GBuffer) -> Bytes:
    """Material, or 100 + part for cloth and what is worn: what is drawn as one piece."""
    group = gbuffer.material.copy()
    group[np.isin(group, [MATERIALS.index(name) for name in ("eye", "mouth")])] = MATERIALS.index("skin")
    group[lashes(gbuffer)] = MATERIALS.index("skin")
    worn = np.isin(group, [MATERIALS.index(name) for name in ("cloth", "metal", "glass")])
    return np.where(worn, 100 + np.minimum(gbuffer.part, 100), group).astype(np.uint8)


def lashes(gbuffer: GBuffer) -> NDArray[np.bool_]:
    return (gbuffer.material == MATERIALS.index("hair")) & (gbuffer.label != INDEX["hair"])


def lashes_beyond(gbuffer: GBuffer, reach: int) -> NDArray[np.bool_]:
    """Lashes that stand out over the outline of the face by itself; ``reach``: samples between the lids that
    lashes may cover."""
    lash = lashes(gbuffer)
    if not lash.any():
        return lash
    row, column = np.flatnonzero(lash.any(1)), np.flatnonzero(lash.any(0))
    part = tuple(slice(max(at[0] - 2 * reach, 0), at[-1] + 2 * reach + 1) for at in (row, column))
    face = ((gbuffer.part[part] != NOTHING) & ~lash[part]).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * max(reach, 1) + 1,) * 2)
    lash[part] &= cv2.morphologyEx(face, cv2.MORPH_CLOSE, kernel) == 0
    return lash


def _calm(gbuffer: GBuffer, reach: int) -> NDArray[np.bool_]:
    """Where facial.py draws: no contour of eyeballs, lids, lashes, lips or teeth."""
    drawn = np.isin(gbuffer.label, [*EYES, *MOUTH]) | lashes(gbuffer)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    return cv2.dilate(drawn.astype(np.uint8), kernel) > 0


def trace(mask: NDArray[np.bool_], shortest: float) -> list[tuple[NDArray[np.int64], bool, bool, bool]]:
    """Centre lines of a mask: (N x 2 pixels row, column; is its start free, is its end free, is it a ring).

    Spurs and lone pieces shorter than ``shortest`` pixels are dropped.
    """
    thin = skeletonize(np.pad(mask, 1))
    _, names, stats, _ = cv2.connectedComponentsWithStats(thin.astype(np.uint8), connectivity=8)
    thin &= (stats[:, cv2.CC_STAT_AREA] >= shortest)[names]
    width = thin.shape[1]
    for last in (False, True):
        lines = _walk(thin)
        short = [x for x in lines if not x[3] and len(x[0]) < shortest / 2]
        spurs = [line for line, free, end, _ in short if free != end]
        if last or not spurs:
            break
        flat = thin.ravel()
        for line in spurs:
            flat[line[1:-1]] = False
        thin = skeletonize(flat.reshape(thin.shape))
    kept = [x for x in lines if len(x[0]) >= shortest or not (x[1] or x[2] or x[3])]
    return [(np.stack(np.divmod(np.array(c), width), 1) - 1, a, b, ring) for c, a, b, ring in kept]


def _walk(thin: NDArray[np.bool_]) -> list[tuple[list[int], bool, bool, bool]]:
    """The lines of a skeleton (its border is empty) between its ends and forks, as flat indices."""
    width = thin.shape[1]
    pixels = np.flatnonzero(thin.ravel())
    # Straight neighbours first, so that a walk does not cut the corners of a staircase.
    around = np.array([1, -1, width, -width, width + 1, width - 1, -width + 1, -width - 1])
    near = thin.ravel()[pixels[:, None] + around]
    # A diagonal neighbour that is also reached over a straight one is no branch of its own.
    near[:, 4:] &= ~(near[:, [0, 1, 0, 1]] | near[:, [2, 2, 3, 3]])
    links = {
        p: [p + step for step, there in zip(around.tolist(), row, strict=True) if there]
        for p, row in zip(pixels.tolist(), near.tolist(), strict=True)
    }
    lines, used = [], set()

    def follow(p: int, q: int) -> list[int]:
        line = [p, q]
        used.add((p, q))
        while len(links[q]) == 2 and q != line[0]:
            p, q = q, links[q][0] if links[q][1] == p else links[q][1]
            line.append(q)
            if len(line) > len(links) + 1:
                break
        used.add((line[-1], line[-2]))
        return line

    nodes = [p for p in links if len(links[p]) != 2]
    seen = set(nodes)
    for p in nodes:
        for q in links[p]:
            if (p, q) not in used:
                line = follow(p, q)
                seen.update(line)
                lines.append((line, len(links[p]) == 1, len(links[line[-1]]) == 1, False))
    for p, linked in links.items():
        if p not in seen and linked:
            line = follow(p, linked[0])
            seen.update(line)
            lines.append((line, False, False, line[0] == line[-1]))
    return lines


def draw(
    gbuffer: GBuffer, curves: Iterable[Curve], camera: Camera, style: Lines, weight: float, light: NDArray
) -> Floats:
    """Ink coverage, final H x W in [0, 1], of contours and curves.

    ``weight``: pixels of a line of weight 1 in the final picture. ``light``: unit direction in the scene;
    lines on the far side of it are heavier, as a pen would press.
    """
    fine = gbuffer.depth.shape[1] / camera.size[0]
    finite = gbuffer.depth[np.isfinite(gbuffer.depth)]
    canvas = pen.Canvas(camera.size)
    if not finite.size:
        return canvas.coverage()
    pixel = metres_per_pixel(gbuffer, camera)
    kinds = edges(gbuffer, pixel)
    unit, light = weight * fine, camera.view[:2, :3].T @ (camera.view[:2, :3] @ light)
    strokes = []
    for line, free, end, ring in trace(kinds > 0, style.shortest * unit):
        at = tuple(line.T)
        if ring and len(line) < 4 * style.shortest * unit and np.all(kinds[at] == KINDS.index("hair")):
            continue  # where one mass of hair just comes through another
        force = np.array([0.0, *(getattr(style, kind) for kind in KINDS[1:])])[kinds[at]]
        force[gbuffer.material[at] == MATERIALS.index("metal")] *= 0.5  # two sides of one wire
        force = np.where(kinds[at] == KINDS.index("hair"), force * _press(gbuffer, line), force)
        away = gbuffer.normal[at] @ light
        force = force * np.clip(1 - 0.28 * away, 0.7, 1.3)
        points = _fair(line[:, ::-1] + 0.5, unit, ring) / fine
        force = gaussian_filter1d(force, 8 * unit, mode="wrap" if ring else "nearest")
        strokes.append((points, force, free, end))
    strokes += _curves(gbuffer, curves, camera, style, kinds > 0, fine, style.shortest * weight)
    for points, force, free, end in sorted(strokes, key=lambda stroke: float(stroke[1].mean())):
        share = min(style.taper, 18 * weight / max(pen.along(points)[-1], 1))
        width = weight * force * pen.tapered(len(points), share * free, share * end, 0.15)
        canvas.stroke(points, width)
    return canvas.coverage()


def _press(gbuffer: GBuffer, line: NDArray) -> NDArray:
    """How hard the pen presses between two masses of hair: more where one lies well over the other, and
    towards their points; hardly at the roots, where they part, nor across the ends, which lie on others."""
    height, width = gbuffer.depth.shape
    at = tuple(line.T)
    row = np.clip(line[:, :1] + _ROUND[0], 0, height - 1)
    column = np.clip(line[:, 1:] + _ROUND[1], 0, width - 1)
    step = np.ptp(np.minimum(gbuffer.depth[row, column], gbuffer.depth[at][:, None] + 0.03), axis=1)
    along = gbuffer.uv[..., 1][at]
    root, end = np.clip((along - 0.02) / 0.2, 0, 1), np.clip((0.985 - along) / 0.1, 0, 1)
    return np.clip(0.7 + step / 0.02, 0.7, 1.3) * (0.2 + 0.8 * root) * end


def _fair(points: NDArray, unit: float, ring: bool) -> NDArray:
    """Without the steps of the pixels; corners, which a wide filter would cut, stay."""
    close, wide = pen.smooth(points, 1.1 * unit, ring), pen.smooth(points, 4.5 * unit, ring)
    off = np.sqrt(((wide - close) ** 2).sum(1, keepdims=True)) / unit
    return wide + np.clip(off - 0.7, 0, 1) * (close - wide)


def _curves(
    gbuffer: GBuffer,
    curves: Iterable[Curve],
    camera: Camera,
    style: Lines,
    drawn: NDArray,
    fine: float,
    shortest: float,
) -> list[tuple[NDArray, NDArray, bool, bool]]:
    """The visible runs of feature curves, as strokes; what a contour already shows is left out, and what is
    ``shortest`` final pixels or less."""
    height, width = gbuffer.depth.shape
    reach = 2 * round(4.5 * fine * max(camera.size) / 512) + 1
    near = cv2.dilate(drawn.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0
    close = cv2.dilate(drawn.astype(np.uint8), np.ones((2 * (reach // 5) + 1,) * 2, np.uint8)) > 0
    strokes = []
    for curve in curves:
        if curve.kind not in CURVES or len(curve.points) < 2:
            continue
        points = camera.project(curve.points)
        count = int(np.clip(pen.along(points[:, :2])[-1], 8, 400))
        columns = np.column_stack([points, curve.width])
        line = pen.spline(columns, count, curve.closed)
        column, row = np.moveaxis(np.floor(line[:, :2] * fine).astype(int), -1, 0)
        inside = (column >= 0) & (row >= 0) & (column < width) & (row < height)
        column, row = np.clip(column, 0, width - 1), np.clip(row, 0, height - 1)
        behind = line[:, 2] - gbuffer.depth[row, column]  # -inf before nothing
        seen = inside & (behind < _TOLERANCE) & (behind > -3 * _TOLERANCE)
        # A line that a contour takes over runs on into it.
        taken = close if curve.kind == "ear fold" else near  # which lies beside the ear's own outline
        alone = maximum_filter1d((seen & ~taken[row, column]).astype(np.uint8), 2 * (reach // 4) + 5) > 0
        ends = np.flatnonzero(np.diff(np.concatenate([[0], (seen & alone).astype(int), [0]])))
        for start, stop in zip(ends[::2], ends[1::2], strict=True):
            part = line[start:stop]
            if pen.along(part[:, :2])[-1] > shortest:
                strokes.append((part[:, :2], part[:, 3] * getattr(style, curve.kind.split()[0]), True, True))
    return strokes


def metres_per_pixel(gbuffer: GBuffer, camera: Camera) -> float:
    """Size of a G-buffer pixel at the person's median distance, in metres."""
    finite = gbuffer.depth[np.isfinite(gbuffer.depth)]
    fine = gbuffer.depth.shape[1] / camera.size[0]
    return float(np.median(finite)) / camera.pixels_per_radian / fine if finite.size else 1e-3
