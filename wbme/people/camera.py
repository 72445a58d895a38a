"""A pinhole camera in the scene of a person, and the choice of one.

The scene is in metres: x to the picture's right, y up, z towards the viewer. Pixels: x right, y down, the
first pixel's centre at (0.5, 0.5).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from wbme.base.errors import ParameterError
from wbme.people.mesh import Model

FRAMINGS = ("portrait", "half", "full")
NEAR, FAR = 0.1, 30.0
SENSOR = 36.0  # mm, the longer side of a "full frame"


@dataclass(frozen=True, eq=False)
class Camera:
    """``size`` (W, H) in pixels; ``eye`` and ``target`` in metres; ``focal`` in mm of a sensor 36 mm wide
    (the longer side of the picture); ``roll`` in degrees, clockwise; ``framing`` names the intent."""

    size: tuple[int, int]
    eye: NDArray[np.float64]
    target: NDArray[np.float64]
    focal: float = 70.0
    roll: float = 0.0
    framing: str = "portrait"

    @property
    def view(self) -> NDArray[np.float64]:
        """4 x 4: scene -> camera, which looks along its -z (OpenGL)."""
        back = self.eye - self.target
        back = back / np.linalg.norm(back)
        angle = np.radians(self.roll)
        right = np.cross((0.0, 1.0, 0.0), back)
        right /= np.linalg.norm(right)
        up = np.cross(back, right)
        right, up = np.cos(angle) * right + np.sin(angle) * up, np.cos(angle) * up - np.sin(angle) * right
        matrix = np.eye(4)
        matrix[:3, :3] = right, up, back
        matrix[:3, 3] = -matrix[:3, :3] @ self.eye
        return matrix

    @property
    def pixels_per_radian(self) -> float:
        """The focal length in pixels."""
        return max(self.size) * self.focal / SENSOR

    @property
    def projection(self) -> NDArray[np.float64]:
        """4 x 4: camera -> clip space of OpenGL (y up, z in [-1, 1])."""
        matrix = np.zeros((4, 4))
        matrix[0, 0] = 2 * self.pixels_per_radian / self.size[0]
        matrix[1, 1] = 2 * self.pixels_per_radian / self.size[1]
        matrix[2, 2], matrix[2, 3] = -(FAR + NEAR) / (FAR - NEAR), -2 * FAR * NEAR / (FAR - NEAR)
        matrix[3, 2] = -1
        return matrix

    def project(self, points: ArrayLike) -> NDArray[np.float64]:
        """Scene points (... x 3) -> x, y in pixels and depth in metres (along the axis)."""
        points = np.asarray(points, float)
        view = self.view
        seen = points @ view[:3, :3].T + view[:3, 3]
        depth = -seen[..., 2]
        scale = self.pixels_per_radian / np.maximum(depth, 1e-6)
        x = self.size[0] / 2 + scale * seen[..., 0]
        y = self.size[1] / 2 - scale * seen[..., 1]
        return np.stack([x, y, depth], -1)

    def row(self) -> dict[str, Any]:
        """The camera as plain values."""
        return {
            "framing": self.framing,
            "focal": round(float(self.focal), 3),
            "roll": round(float(self.roll), 3),
            "eye": np.round(self.eye, 5).tolist(),
            "target": np.round(self.target, 5).tolist(),
        }


def towards(azimuth: ArrayLike, elevation: ArrayLike) -> NDArray[np.float64]:
    """Unit vectors of directions in degrees: azimuth from the viewer (0) to the picture's right (90) and
    elevation up; ... x 3."""
    a, e = np.radians(azimuth), np.radians(elevation)
    return np.stack([np.sin(a) * np.cos(e), np.sin(e) + 0 * a, np.cos(a) * np.cos(e)], axis=-1)


def sample(rng: Generator, model: Model, framing: str, size: tuple[int, int] = (512, 512)) -> Camera:
    """A camera on ``model``: 35 to 100 mm, mostly near eye level and within 20 degrees of the front.

    In a portrait the face is 160 to 260 pixels wide of 512 (head and shoulders); ``half`` reaches from the
    head to the hips and ``full`` to the feet. Raises ParameterError for another ``framing``.
    """
    if framing not in FRAMINGS:
        raise ParameterError(f"no framing is called {framing!r}; choose one of {', '.join(FRAMINGS)}")
    focal = (
        float(np.exp(rng.uniform(np.log(42), np.log(100)))) if framing == "portrait" else rng.uniform(35, 70)
    )
    azimuth, elevation = np.clip(rng.normal(0, [11, 5]), -26, [26, 14])
    roll = float(np.clip(rng.normal(0, 2.0), -5, 5))
    everything = np.concatenate([mesh.positions for mesh in model.meshes])
    face = model.landmarks
    middle = (face.max(0) + face.min(0)) / 2
    top, low = everything[:, 1].max(), everything[:, 1].min()
    if framing == "portrait":
        width = face_width(face) / rng.uniform(160, 260) * 512  # metres that the picture is wide at the face
        target = middle + width * np.array([rng.normal(0, 0.05), 0, 0])
        margin = rng.uniform(0.02, 0.12) if rng.random() < 0.85 else rng.uniform(-0.06, 0.02)
        target[1] = max(top + (margin - 0.5) * width, face[:, 1].min() - 0.06 * width)
        target[1] = min(target[1], face[:, 1].min() + 0.42 * width)
    else:
        hips = float(np.mean([p[1] for n, p in model.joints.items() if "hip" in n or "pelvis" in n] or [low]))
        bottom = low if framing == "full" else max(hips, low) + rng.uniform(-0.02, 0.2)
        height = top - bottom
        width = height * rng.uniform(1.04, 1.18)
        target = np.array(
            [middle[0] * 0.5 + rng.normal(0, 0.05) * width, (top + bottom) / 2, middle[2] * 0.5]
        )
        elevation *= 0.5
    distance = width * focal / SENSOR
    eye = target + distance * towards(azimuth, elevation)
    return Camera(size, eye, target, focal, roll, framing)


def face_width(landmarks: NDArray) -> float:
    """Distance between the sides of the face (landmarks 234 and 454 of 468), in the unit of ``landmarks``."""
    return float(np.linalg.norm(landmarks[234] - landmarks[454]))
