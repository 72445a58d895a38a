"""Make ``wbme/people/marks.npz``, what is known of MakeHuman's mesh beyond its own files:

    python tests/people/make_marks.py    (some seconds, needs EGL)

Rows of vertices (roots of the lashes, edges of the lips, ears, neck), where lashes and teeth lie on their
textures, and the 468 points of the face mesh: they are fitted to a frontal picture of the mean person, each
becomes three vertices and weights. Points of the eyes are then laid along the rims of the lids, those inside
the lips along their edges.
"""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import ConvexHull, cKDTree
from scipy.spatial.distance import cdist

from wbme.base.paths import write_atomic
from wbme.color.tones import MONK
from wbme.geometry import landmarks as names
from wbme.people import anatomy, body, camera, context, gbuffer, lights, photo, rig
from wbme.people.canvas import Canvas
from wbme.people.skin import Complexion
from wbme.perception import faces

FILE = Path(anatomy.__file__).with_name(anatomy.MARKS)


def frontal(model, size: int = 1024) -> tuple[np.ndarray, camera.Camera]:
    """A picture of the face from straight ahead, H x W x 3 in [0, 1], and its camera."""
    target = model.head[:3, 3].astype(float)
    shot = camera.Camera((size, size), target + np.array([0, 0, 2.2]), target, focal=240)
    context_ = context.get()
    light = lights.neutral()
    done = photo.shade(context_, model, shot, light, gbuffer.draw(context_, model, shot, light))
    rgba = done.rgba.astype(np.float32) / 255
    return rgba[..., :3] * rgba[..., 3:] + 0.7 * (1 - rgba[..., 3:]), shot


def points(base: anatomy.Anatomy) -> tuple[np.ndarray, np.ndarray]:
    """vertex 468 x 3 and weight 468 x 3 of the face mesh's points."""
    # Brows in the colour of the skin: they are painted where the points are, so that seen ones would drift.
    skin_colour = tuple(int(MONK[2].hex[i : i + 2], 16) / 255 for i in (1, 3, 5))
    mean = body.build(body.BodySpec(complexion=Complexion(monk=3, moles=0, hair=skin_colour)))
    posed = mean.pose(rig.Pose())
    picture, shot = frontal(posed.model)
    (face,) = faces.detect(picture, max_faces=1)
    part = mean.anatomy.parts["skin"]
    head = part.source[part.triangles[mean.anatomy.island == 0]]
    vertex, weight = cast(shot.project(posed.vertices), head, face.landmarks[:, :2] + 0.5)
    even(base, vertex, weight)
    groups = rows(base)
    for side, loop in (("R", names.RIGHT_EYE), ("L", names.LEFT_EYE)):
        upper, lower = groups[f"lash-upper-{side}"], groups[f"lash-lower-{side}"]
        for point, end in ((loop[8], 0), (loop[0], -1)):
            vertex[point], weight[point] = (upper[end], lower[end], lower[end]), (0.5, 0.5, 0)
        lay(vertex, weight, loop[7:0:-1], upper, np.arange(1, 8) / 8)
        lay(vertex, weight, loop[9:], lower, np.arange(1, 8) / 8)
    lay(vertex, weight, names.LIPS_INNER[:11], groups["lip-upper"], np.arange(11) / 10)
    lay(vertex, weight, names.LIPS_INNER[:10:-1], groups["lip-lower"], np.arange(1, 10) / 10)
    return vertex.astype(np.int16), weight.astype(np.float16)


def even(base: anatomy.Anatomy, vertex: np.ndarray, weight: np.ndarray) -> None:
    """Make the points symmetric in place: each and the mirror of its partner come to their middle."""
    points = (body.mean()[vertex] * weight[..., None]).sum(1)
    # Depth counts little: at the rim of the face it is the least certain.
    apart = cdist(points * [-1, 1, 0.2], points * [1, 1, 0.2]) ** 2
    partner = linear_sum_assignment(apart + apart.T)[1]
    middle = (points + points[partner] * [-1, 1, 1]) / 2
    middle = (middle + middle[partner] * [-1, 1, 1]) / 2
    canvas = Canvas(base, body.mean())
    near = canvas.head[cKDTree(canvas.place[canvas.head]).query(middle)[1]]
    skin = base.parts["skin"]
    vertex[:] = skin.source[skin.triangles[base.texel_triangle[near]]]
    weight[:] = base.barycentric[near]


def cast(places: np.ndarray, triangles: np.ndarray, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest triangle that faces the viewer at each pixel, and the barycentric place in it; beside the
    face, the place closest to the pixel."""
    a, b, c = (places[triangles[:, k]] for k in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    front = area < 0  # anticlockwise, with y down
    triangles, a, b, c, area = triangles[front], a[front], b[front], c[front], area[front]
    chosen, weights = [], []
    for x, y in pixels:
        second = ((x - a[:, 0]) * (c[:, 1] - a[:, 1]) - (y - a[:, 1]) * (c[:, 0] - a[:, 0])) / area
        third = ((b[:, 0] - a[:, 0]) * (y - a[:, 1]) - (b[:, 1] - a[:, 1]) * (x - a[:, 0])) / area
        share = np.clip(np.stack([1 - second - third, second, third], 1), 0, None)
        inside = share.sum(1) < 1 + 1e-9
        share /= share.sum(1, keepdims=True)
        at = a * share[:, :1] + b * share[:, 1:2] + c * share[:, 2:]
        rank = np.where(inside, at[:, 2], 1e3 + np.hypot(at[:, 0] - x, at[:, 1] - y))
        best = rank.argmin()
        chosen.append(triangles[best])
        weights.append(share[best])
    return np.array(chosen), np.array(weights)


def lay(vertex: np.ndarray, weight: np.ndarray, points: tuple, row: np.ndarray, shares: np.ndarray) -> None:
    """Lay ``points`` along a row of vertices, at ``shares`` of its length on the mean person."""
    step = np.linalg.norm(np.diff(body.mean()[row], axis=0), axis=1)
    along = np.concatenate([[0], np.cumsum(step)])
    at = np.interp(shares * along[-1], along, np.arange(len(row)))
    start = np.minimum(at.astype(int), len(row) - 2)
    for point, i, share in zip(points, start, at - start, strict=True):
        vertex[point], weight[point] = (row[i], row[i + 1], row[i + 1]), (1 - share, share, 0)


def border(triangles: NDArray, island: NDArray, one: int, other: int) -> NDArray[np.int32]:
    """Edges, E x 2 vertices, between triangles of two islands."""
    pairs = []
    for kind in (one, other):
        own = triangles[island == kind]
        edges = np.sort(np.concatenate([own[:, [0, 1]], own[:, [1, 2]], own[:, [2, 0]]]), axis=1)
        pairs.append(np.unique(edges, axis=0))
    both, counts = np.unique(np.concatenate(pairs), axis=0, return_counts=True)
    return both[counts == 2].astype(np.int32)


def lips(edges: NDArray, positions: NDArray) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The inner edges of the upper and the lower lip, each from the right corner of the mouth to the left,
    given the ring of edges E x 2 where they meet."""
    near: dict[int, list[int]] = {}
    for a, b in edges:
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)
    right, left = (pick(near, key=lambda i: positions[i, 0]) for pick in (min, max))
    ways = [np.array(_walk(near, right, first, [left]), np.int32) for first in near[right]]
    low, high = sorted(ways, key=lambda way: positions[way, 1].mean())
    return high, low


def lashes(base: anatomy.Anatomy) -> tuple[NDArray[np.float32], dict[str, NDArray[np.int32]]]:
    """The four ribbons of lashes: uv of the part's points (u along the lid from the nose, v 0 at the root),
    and the row of roots of each, from the nose outwards."""
    part, skin, positions = base.parts["eyelashes"], base.parts["skin"], base.positions
    rims = np.unique(border(skin.source[skin.triangles], base.island, 0, 3))
    half = len(part.triangles) // 2  # a quad's second triangle adds its last corner
    quads = part.source[np.concatenate([part.triangles[:half], part.triangles[half:, 2:]], 1)]
    source = np.unique(quads)
    place = np.searchsorted(source, quads)
    edges = np.concatenate([place[:, [k, (k + 1) % 4]] for k in range(4)])
    graph = coo_matrix((np.ones(len(edges)), edges.T), (len(source),) * 2).tocsr()
    graph = graph + graph.T  # 2 on an inner edge, 1 on the border
    count, ribbon = connected_components(graph, directed=False)
    far = cKDTree(positions[rims]).query(positions[source])[0]
    uses = np.bincount(place.ravel(), minlength=len(source))
    uv = np.zeros((len(source), 2), np.float32)
    rows = {}
    for k in range(count):
        own = np.flatnonzero(ribbon == k)
        at = positions[source[own]].mean(0)
        corners = own[uses[own] == 1]
        side = sorted(corners, key=lambda i: far[i])[:2]
        outline = {i: [j for j in graph[i].indices if graph[i, j] == 1] for i in own}
        root = min(
            (_walk(outline, side[0], first, corners) for first in outline[side[0]]), key=lambda r: -len(r)
        )
        if abs(positions[source[root[0]], 0]) > abs(positions[source[root[-1]], 0]):
            root = root[::-1]
        column = {i: n for n, i in enumerate(root)}
        row, depth = root, 0
        while row:
            for i in row:
                uv[i] = column[i] / (len(root) - 1), depth / 4
            following = []
            for i in row:
                for j in graph[i].indices:
                    if j not in column:
                        column[j] = column[i]
                        following.append(j)
            # Along the row first, or a neighbour's neighbour would take a wrong column.
            row, depth = following, depth + 1
        rows[f"{'L' if at[0] > 0 else 'R'}{at[1]:.6f}"] = source[root].astype(np.int32)
    named = {}
    for letter in "LR":
        low, high = sorted((key for key in rows if key[0] == letter), key=lambda key: float(key[1:]))
        named |= {f"lash-lower-{letter}": rows[low], f"lash-upper-{letter}": rows[high]}
    low = ribbon[np.searchsorted(source, [named["lash-lower-L"][0], named["lash-lower-R"][0]])]
    uv[:, 0] = uv[:, 0] / 2 + np.isin(ribbon, low) / 2  # upper ones left in the texture, lower ones right
    return uv[np.searchsorted(source, part.source)], named


def _walk(border: dict, start: int, first: int, corners: NDArray) -> list[int]:
    """From ``start`` along the border by way of ``first`` to the next corner."""
    path = [start, first]
    while path[-1] not in corners:
        path.append(next(i for i in border[path[-1]] if i != path[-2]))
    return path


def arch(points: NDArray) -> NDArray[np.float32]:
    """uv of a row of teeth: u around the arch, v upwards."""
    low, high = points.min(0), points.max(0)
    around = np.arctan2(points[:, 0], points[:, 2] - (low[2] + 0.35 * (high[2] - low[2])))
    return np.stack([0.5 + around / (1.6 * np.pi), (points[:, 1] - low[1]) / (high[1] - low[1])], 1).astype(
        np.float32
    )


def ear(base: anatomy.Anatomy) -> dict[str, dict[str, NDArray[np.int32]]]:
    """For each side the free edge of the ear and a line inside it, as rows of vertices from top to lobe."""
    part = base.parts["skin"]
    corner = base.barycentric.argmax(1)
    marked = base.masks["ears"] > 0.5
    vertex = part.source[part.triangles[base.texel_triangle[marked], corner[marked]]]
    found = {}
    for side, sign in (("R", -1), ("L", 1)):
        own = np.unique(vertex[sign * base.positions[vertex, 0] > 0])
        flat = base.positions[own][:, [2, 1]]
        hull = ConvexHull(flat).vertices  # anticlockwise, z to the right
        start = np.argmax(flat[hull] @ [0.0, 1.0])
        ring = np.roll(hull, -start)
        lobe = int(np.argmin(flat[ring] @ [-0.35, 1.0]))
        rim = ring[: lobe + 1]
        middle = flat.mean(0)
        inner = cKDTree(flat).query(middle + 0.55 * (flat[rim] - middle))[1]
        inner = inner[np.concatenate([[True], np.diff(inner) != 0])]
        found[side] = {"ear": own[rim], "inner ear": own[inner]}
    return found


def neck(base: anatomy.Anatomy, ears: dict) -> dict[str, list[NDArray[np.int32]]]:
    """For each side the tendon from behind the ear to the breastbone, and the collar bone."""
    body = base.groups["body"]
    first = np.array(base.bones)[base.bone[body, 0]]
    body = body[[name.startswith(("neck", "clavicle", "spine01", "shoulder")) for name in first]]
    joint = dict(zip(base.bones, base.joints(base.positions), strict=True))
    tree = cKDTree(base.positions[body])
    notch = joint["clavicle.L"] * [0, 1, 1] + [0, 0.015, 0.09]
    found = {}
    for side, sign in (("R", -1), ("L", 1)):
        ear = base.positions[ears[side]["ear"][-1]]
        tendon = np.linspace(
            ear + np.array([0, -0.05, -0.015]), notch + np.array([sign * 0.012, 0.008, 0]), 9
        )
        shoulder = joint[f"upperarm01.{side}"]
        bone = np.linspace(
            notch + np.array([sign * 0.03, 0.0, 0]), shoulder * [0.8, 1, 1] + [0, 0.05, 0.04], 8
        )
        rows = [body[tree.query(line)[1]] for line in (tendon[2:-2], bone)]
        found[side] = [row[np.concatenate([[True], np.diff(row) != 0])] for row in rows]
    return found


def rows(base: anatomy.Anatomy) -> dict[str, np.ndarray]:
    """The named rows of vertices."""
    skin = base.parts["skin"]
    corners = skin.source[skin.triangles]
    high, low = lips(border(corners, base.island, 0, 1), base.positions)
    found = {"lip-upper": high, "lip-lower": low} | lashes(base)[1]
    ears = ear(base)
    for side in "RL":
        found |= {f"{kind}-{side}": row for kind, row in ears[side].items()}
        found |= dict(zip((f"tendon-{side}", f"collar bone-{side}"), neck(base, ears)[side], strict=True))
    return found


def main() -> None:
    base = anatomy.load()
    found = {f"group/{name}": row.astype(np.int16) for name, row in rows(base).items()}
    for name in ("upper-teeth", "lower-teeth"):
        found[f"part/{name}/uv"] = arch(base.positions[base.parts[name].source])
    found["part/eyelashes/uv"] = lashes(base)[0]
    vertex, weight = points(base)
    found |= {"landmark_vertex": vertex, "landmark_weight": weight}
    packed = io.BytesIO()
    np.savez_compressed(packed, **found)
    write_atomic(FILE, packed.getvalue())
    print(f"{FILE}: {', '.join(found)}")


if __name__ == "__main__":
    main()
