"""A head made of a few spheres: enough to test pictures without the data of people."""

import numpy as np
import pytest

from wbme.geometry.parsing import INDEX
from wbme.people.mesh import Mesh, Model


def sphere(part, material, label, centre, radius, colour, **more) -> Mesh:
    """A round mesh of about 1,000 triangles; label by name, colour sRGB in [0, 1]."""
    u, v = np.meshgrid(np.linspace(0, 1, 33), np.linspace(0, 1, 17))
    a, e = u.ravel() * 2 * np.pi, (v.ravel() - 0.5) * np.pi
    normals = np.stack([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)], 1).astype(np.float32)
    corner = (np.arange(16)[:, None] * 33 + np.arange(32)).ravel()
    triangles = np.concatenate([corner[:, None] + (0, 1, 34), corner[:, None] + (0, 34, 33)]).astype(np.int32)
    positions = (normals * radius + np.asarray(centre)).astype(np.float32)
    count = len(positions)
    return Mesh(
        part=part, material=material, positions=positions, normals=normals, rest=positions,
        uv=np.stack([u.ravel(), v.ravel()], 1).astype(np.float32), triangles=triangles,
        labels=np.full(count, INDEX[label], np.uint8),
        albedo=np.tile(np.asarray(colour, np.float32), (count, 1)), **more,
    )  # fmt: skip


@pytest.fixture(name="sphere")
def sphere_maker():
    return sphere


@pytest.fixture
def ball():
    """A model of given meshes (default: one head of skin), with points where the pictures look for them."""

    def make(*meshes: Mesh) -> Model:
        meshes = meshes or (sphere("skin", "skin", "skin", (0, 1.5, 0), 0.1, (0.8, 0.6, 0.5)),)
        landmarks = np.tile(np.array([0, 1.5, 0.1], np.float32), (468, 1))
        landmarks[[234, 454]] = [-0.1, 1.5, 0], [0.1, 1.5, 0]
        landmarks[[10, 152]] = [0, 1.58, 0.06], [0, 1.42, 0.06]
        irises = np.zeros((2, 5, 3), np.float32)
        rim = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [-1, 0, 0], [0, -1, 0]]) * 0.006
        for eye, x in zip(irises, (-0.03, 0.03), strict=True):
            eye[:] = rim + np.array([x, 1.52, 0.095])
        head = np.eye(4, dtype=np.float32)
        head[:3, 3] = 0, 1.52, 0.08
        facts = {"skin_lab": [70.0, 12.0, 18.0]}
        return Model(list(meshes), [], landmarks, irises, head, {"pelvis": np.array([0, 1.2, 0])}, facts)

    return make
