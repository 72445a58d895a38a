"""What a person is made of: textured triangle meshes, in metres, and feature curves on them.

Axes: x to the right of the picture (the person's left), y up, z towards the viewer.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MATERIALS = ("skin", "eye", "mouth", "hair", "cloth", "metal", "glass")


@dataclass(frozen=True, eq=False)
class Mesh:
    """One part. ``part`` tells it from its neighbours in line drawing.

    positions, normals, rest: V x 3 float32; ``rest`` is where the vertex lies on the mean person at rest, so
    that procedural texture moves with the surface. uv: V x 2 in [0, 1], v up. triangles: T x 3 int32,
    counter-clockwise from outside. labels: V uint8 (wbme.geometry.parsing); a triangle takes that of its
    last vertex.
    albedo: V x 3 sRGB in [0, 1], multiplied by ``texture``'s colour.
    texture: S x S x 4 uint8 sRGB with coverage, or None. label_map: S x S uint8 over the same uv; where it is
    not 0 it overrides ``labels``. tangents: V x 3 direction of the strands (hair), or None.
    ``smooth`` V float32 in [0, 1]: how much the lines between faces of this part are held back in a drawing.
    ``clump`` V int32, 0 to 2040: 8 times the number of its mass of hair plus that of its lock; 0 is none.
    """

    part: str
    material: str
    positions: NDArray[np.float32]
    normals: NDArray[np.float32]
    rest: NDArray[np.float32]
    uv: NDArray[np.float32]
    triangles: NDArray[np.int32]
    labels: NDArray[np.uint8]
    albedo: NDArray[np.float32]
    texture: NDArray[np.uint8] | None = None
    label_map: NDArray[np.uint8] | None = None
    tangents: NDArray[np.float32] | None = None
    smooth: NDArray[np.float32] | None = None
    clump: NDArray[np.int32] | None = None


@dataclass(frozen=True, eq=False)
class Curve:
    """A line that an artist would draw. points: N x 3 metres, on the surface; width: N, relative (1 is
    the sheet's line), tapered at the ends. kind: crease, jaw, ear, ear fold, brow, hair or fold."""

    kind: str
    points: NDArray[np.float32]
    width: NDArray[np.float32]
    closed: bool = False


@dataclass(frozen=True, eq=False)
class Model:
    """A posed person, ready to be drawn.

    landmarks: 468 x 3 metres, mediapipe's order. irises: 2 x 5 x 3 (right eye first: centre, then the rim).
    head: 4 x 4, the head's frame in the scene (its origin between the eyes). joints: named positions.
    facts: what is known of the person, plain values for a row (monk, skin albedo, age, hair style ...).
    """

    meshes: list[Mesh]
    curves: list[Curve]
    landmarks: NDArray[np.float32]
    irises: NDArray[np.float32]
    head: NDArray[np.float32]
    joints: dict[str, NDArray[np.float32]]
    facts: dict[str, object] = field(default_factory=dict)
