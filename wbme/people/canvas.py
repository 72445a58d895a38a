"""The skin's texels as a surface to paint on: where each lies on the mean person, and which label it has."""

import numpy as np
from numpy.typing import NDArray

from wbme.geometry.parsing import INDEX
from wbme.people import landmarks
from wbme.people.anatomy import TEXTURE, Anatomy


class Canvas:
    """Texels of the skin: where they lie on the mean person, and how far from places on the face."""

    def __init__(self, anatomy: Anatomy, rest: NDArray[np.float32]) -> None:
        self.anatomy = anatomy
        part = anatomy.parts["skin"]
        corners = rest[part.source][part.triangles[anatomy.texel_triangle]]
        self.place = np.einsum("tkx,tk->tx", corners, anatomy.barycentric)
        self.island = anatomy.island[anatomy.texel_triangle]
        self.points = landmarks.surface(anatomy, rest)
        self.head = np.flatnonzero(self.island == 0)
        self.front = self.head[self.place[self.head, 2] > self.points[[127, 356], 2].mean() - 0.03]
        self.meeting = [dense(rest[anatomy.groups[f"lip-{name}"]]) for name in ("upper", "lower")]
        self.rims = {
            name: rest[anatomy.groups[name]]
            for name in ("lash-upper-L", "lash-upper-R", "lash-lower-L", "lash-lower-R")
        }

    def soft(self, name: str, sigma: float) -> NDArray[np.float32]:
        """The mask ``name`` blurred by ``sigma`` texels, on all texels."""
        from scipy.ndimage import gaussian_filter

        flat = np.zeros(TEXTURE * TEXTURE, np.float32)
        flat[self.anatomy.texels] = self.anatomy.masks[name]
        return gaussian_filter(flat.reshape(TEXTURE, TEXTURE), sigma).ravel()[self.anatomy.texels]

    def spot(self, *centres: int | NDArray, radius: float, stretch: tuple = (1, 1, 1)) -> NDArray[np.float32]:
        """A soft spot, 1 at each centre (landmark or point), on the texels of the front of the head."""
        scale = np.float32(radius) * np.array(stretch, np.float32)
        total = np.zeros(len(self.front), np.float32)
        for centre in centres:
            at = self.points[centre] if isinstance(centre, int) else centre
            total += np.exp(-(((self.place[self.front] - at) / scale) ** 2).sum(1))
        return np.minimum(total, 1)


def dense(row: NDArray) -> NDArray:
    """120 places along a polyline N x 3."""
    along = np.linspace(0, len(row) - 1, 120)
    return np.stack([np.interp(along, np.arange(len(row)), c) for c in row.T], 1)


def noise(place: NDArray, cell: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Smooth noise of deviation about 1 at points N x 3, metres, with features of about ``cell`` metres."""
    from scipy.ndimage import map_coordinates

    lattice = rng.normal(size=(24, 24, 24)).astype(np.float32)
    # Turned out of the axes, so that no row of the lattice lines up with the face.
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0].astype(np.float32)
    at = (place @ turn / np.float32(cell)).T
    return map_coordinates(lattice, at, order=1, mode="grid-wrap") * np.float32(1.8)


def labels(canvas: Canvas, anatomy: Anatomy) -> NDArray[np.uint8]:
    """The parsing label of each texel."""
    x, y, z = canvas.place.T
    points = canvas.points
    label = np.select([canvas.island == 1, canvas.island == 3, canvas.island == 2], [11, 4, 19], 1)
    label[(canvas.island == 3) & (x < 0)] = INDEX["r_eye"]
    # Neck: below the planes through both corners of the jaw and the chin, and the nape below the ears.
    right, left, chin = points[172], points[397], points[152] - [0, 0.004, 0]
    plane = np.cross(left - right, chin - right)
    plane = plane / np.linalg.norm(plane) * np.sign(plane[1])
    above = (canvas.place - right) @ plane
    nape = (z < points[234, 2] - 0.01) & (y < points[132, 1] - 0.005)
    under = (above < -0.002) & (y < points[132, 1])
    label[(canvas.island == 0) & (under | nape)] = INDEX["neck"]
    throat = _throat(canvas)
    label[(canvas.island == 2) & (y > throat)] = INDEX["neck"]
    ears = anatomy.masks["ears"] > 0.5
    label[ears & (x > 0)], label[ears & (x <= 0)] = INDEX["l_ear"], INDEX["r_ear"]
    nose = points[
        [168, 193, 245, 188, 174, 198, 49, 64, 98, 97, 2, 326, 327, 294, 279, 420, 399, 412, 465, 417]
    ]
    front = canvas.front
    label[front[_inside(canvas.place[front, :2], nose[:, :2]) & (label[front] == 1)]] = INDEX["nose"]
    lips = anatomy.masks["lips"] > 0.45
    line = np.interp(x, points[[78, 13, 308], 0], points[[78, 13, 308], 1])
    label[lips & (y >= line)], label[lips & (y < line)] = INDEX["u_lip"], INDEX["l_lip"]
    return label.astype(np.uint8)


def _throat(canvas: Canvas) -> NDArray:
    """Height of the neck's lower end for each texel: lower in front, at the notch, than behind."""
    z = canvas.place[:, 2]
    back, front = canvas.points[234, 2] - 0.10, canvas.points[152, 2]
    share = np.clip((z - back) / (front - back), 0, 1)
    return canvas.points[152, 1] - 0.045 - 0.045 * share


def _inside(points: NDArray, polygon: NDArray) -> NDArray[np.bool_]:
    x, y = points.T
    inside = np.zeros(len(points), bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        inside ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0 + 1e-12) + x0)
    return inside
