"""What is worn on the head: glasses and ear-rings, as thin tubes on the body at rest."""

import numpy as np
from numpy.typing import NDArray

from wbme.geometry.parsing import INDEX
from wbme.people import body
from wbme.people.hair import grid_triangles
from wbme.people.mesh import Mesh
from wbme.people.scalp import ears, unit
from wbme.people.variety import tables

Floats = NDArray[np.float64]

FRAMES = ("round", "square", "aviator", "browline")


def tube(
    path: Floats, radius: float | Floats, closed: bool = False, sides: int = 7
) -> tuple[Floats, NDArray]:
    """A round tube along N x 3 points: vertices and triangles."""
    tangent = np.roll(path, -1, 0) - np.roll(path, 1, 0) if closed else np.gradient(path, axis=0)
    tangent = unit(tangent)
    side = np.cross(tangent, np.where(np.abs(tangent[:, 1:2]) < 0.9, [[0.0, 1.0, 0.0]], [[0.0, 0.0, 1.0]]))
    side = unit(side)
    up = np.cross(side, tangent)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    r = np.broadcast_to(radius, len(path))[:, None, None]
    ring = path[:, None] + r * (np.cos(angle)[:, None] * side[:, None] + np.sin(angle)[:, None] * up[:, None])
    rows = len(path) + closed
    triangles = grid_triangles(rows, sides, wrap=True)
    if closed:
        triangles = np.where(triangles >= len(path) * sides, triangles - len(path) * sides, triangles)
    return ring.reshape(-1, 3), triangles[:, ::-1]


def _mesh(part: str, material: str, label: str, colour: tuple, shapes: list[tuple[Floats, NDArray]]) -> Mesh:
    points = np.concatenate([p for p, _ in shapes]).astype(np.float32)
    starts = np.cumsum([0, *(len(p) for p, _ in shapes)])
    triangles = np.concatenate([t + s for (_, t), s in zip(shapes, starts, strict=False)]).astype(np.int32)
    return Mesh(
        part, material, points, body.normals(points, triangles), points,
        np.zeros((len(points), 2), np.float32), triangles, np.full(len(points), INDEX[label], np.uint8),
        np.tile(np.float32(colour), (len(points), 1)), smooth=np.full(len(points), 0.9, np.float32),
    )  # fmt: skip


def glasses(person: body.Body, rng: np.random.Generator) -> tuple[str, list[Mesh]]:
    """A name such as "round" and the meshes of frame and clear lenses, on the head at rest."""
    colours = tables()["frames"]
    kind, colour = str(rng.choice(FRAMES)), colours[int(rng.integers(len(colours)))]
    mean, rest = body.mean(), person.vertices.astype(float)
    base = person.anatomy
    left, right = (person.joints[base.bones.index(n)].astype(float) for n in ("eye.L", "eye.R"))
    middle = (left + right) / 2
    eye = mean[base.groups["helper-l-eye"]].mean(0)
    near = (np.abs(mean[:, 1] - eye[1]) < 0.022) & (np.abs(mean[:, 0]) > 0.012) & (np.abs(mean[:, 0]) < 0.045)
    near[14000:] = False  # the skin only
    front = rest[near & (mean[:, 2] > 0.08), 2].max() + 0.007
    apart = (left - right)[0] / 2
    wide, high, power = {
        "round": (0.0215, 0.0205, 2.0), "square": (0.0250, 0.0175, 4.0), "aviator": (0.0255, 0.0210, 2.5),
        "browline": (0.0245, 0.0185, 3.0),
    }[kind]  # fmt: skip
    # Radius of the rims: wire of 1.6 to 3 mm, others of 2 to 5.6 mm.
    thin = float(rng.uniform(*((0.0008, 0.0015) if kind == "aviator" else (0.0010, 0.0028))))
    t = np.linspace(0, 2 * np.pi, 56, endpoint=False)
    c, s = np.cos(t), np.sin(t)
    frame, lenses = [], []
    ear = rest[ears()]
    for side in (1, -1):
        x = side * (apart + 0.0025) + side * wide * np.sign(c) * np.abs(c) ** (2 / power)
        y = middle[1] - 0.005 + high * np.sign(s) * np.abs(s) ** (2 / power)
        if kind == "aviator":
            x, y = x - side * 0.002 * s, y - 0.003 * (1 - s) * (0.5 + 0.5 * side * c)
        z = front - 0.35 * np.maximum(np.abs(x) - 0.03, 0) ** 1.15
        rim = np.stack([x, y, z], 1)
        weight = thin * (1 + 0.9 * np.clip(s, 0, 1)) if kind == "browline" else thin
        frame.append(tube(rim, weight, closed=True))
        centre = rim.mean(0, keepdims=True)
        fan = np.stack([np.full(56, 56), np.arange(56), (np.arange(56) + 1) % 56], 1)
        lenses.append((np.concatenate([rim, centre]), fan if side > 0 else fan[:, ::-1]))
        own = ear[ear[:, 0] * side > 0]
        hook = np.array(
            [side * np.abs(own[:, 0]).min() + side * 0.004, own[:, 1].max() - 0.006, own[:, 2].mean()]
        )
        hinge = rim[np.argmax(side * rim[:, 0])] + [side * 0.002, 0.004, -0.001]
        bend = np.linspace(0, 1, 14)[:, None]
        temple = hinge + (hook - hinge) * bend
        temple[:, 0] += side * 0.006 * np.sin(np.pi * bend[:, 0]) ** 0.7
        tail = hook + np.linspace(0, 1, 5)[1:, None] * np.array([-side * 0.002, -0.018, -0.022])
        corner = np.stack([rim[np.argmax(side * rim[:, 0])], hinge])
        frame += [tube(np.concatenate([temple, tail]), thin * 1.05), tube(corner, thin)]
    inner = apart + 0.0025 - wide
    u = np.linspace(-1, 1, 9)
    arch = np.stack([u * inner, middle[1] + 0.0 + 0.004 * (1 - u**2), front + 0.003 * (1 - u**2)], 1)
    frame.append(tube(arch, thin))
    if kind == "aviator":
        frame.append(tube(arch + np.array([0, 0.010, 0]), thin))
    return kind, [
        _mesh("glasses", "metal", "eye_g", colour, frame),
        _mesh("lenses", "glass", "eye_g", (0.92, 0.95, 0.96), lenses),
    ]


def earrings(person: body.Body, rng: np.random.Generator) -> tuple[str, list[Mesh]]:
    """A name, "hoop", "drop" or "stud", and the meshes of a pair of ear-rings at rest."""
    kind = str(rng.choice(["hoop", "drop", "stud"]))
    colour = ((0.80, 0.64, 0.30), (0.74, 0.74, 0.76))[int(rng.integers(2))]
    ear, shapes = person.vertices[ears()].astype(float), []
    t = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    size, stout = float(np.exp(rng.uniform(np.log(0.008), np.log(0.024)))), float(rng.uniform(1.0, 1.8))
    for side in (1, -1):
        own = ear[ear[:, 0] * side > 0]
        lobe = own[np.argmin(own[:, 1])] + [side * 0.003, 0.004, 0.002]
        if kind == "hoop":
            ring = np.stack([0.25 * size * np.sin(t) * side, size * np.cos(t) - size, size * np.sin(t)], 1)
            shapes.append(tube(lobe + ring, 0.0011 * stout, closed=True))
        elif kind == "drop":
            shapes += [tube(lobe - np.array([[0, 0, 0], [0, 1.4 * size, 0]]), 0.0005), _ball(lobe, 0.0018)]
            shapes.append(_ball(lobe - [0, 1.4 * size + 0.003, 0], 0.0038 * stout))
        else:
            shapes.append(_ball(lobe, 0.0030 * stout))
    return kind, [_mesh("ear-rings", "metal", "ear_r", colour, shapes)]


def _ball(centre: Floats, radius: float) -> tuple[Floats, NDArray]:
    t = np.linspace(0.02, np.pi - 0.02, 9)
    path = np.stack([0 * t, -np.cos(t) * radius, 0 * t], 1)
    return tube(centre + path, np.sin(t) * radius, sides=10)
