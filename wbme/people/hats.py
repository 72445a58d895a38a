"""Hats: beanie, cap, bucket hat and straw hat over the skull at rest, and the hair that they press flat."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wbme.geometry.parsing import INDEX
from wbme.people import body
from wbme.people.hair import grid_triangles
from wbme.people.mesh import Mesh
from wbme.people.scalp import Skull
from wbme.people.variety import tables

Array = NDArray[np.float64]
_COLUMNS, _ROWS = 96, 22
_AZIMUTHS = np.linspace(-180, 180, _COLUMNS, endpoint=False)


def _rim(azimuth: Array, front: float, back: float) -> Array:
    """Elevation of a hat's lower edge: degrees above the skull's centre."""
    ahead = 0.5 + 0.5 * np.cos(np.radians(azimuth))
    return back + (front - back) * ahead


def _crown(skull: Skull, rim: Array, gap: Callable[[Array], Array], round_: float = 1.0) -> Array:
    """Rows from the rim to the top, R x C x 3; ``gap``: metres off the scalp over the way up (0 to 1)."""
    t = np.linspace(0, 1, _ROWS)[:, None]
    elevation = rim + (90 - rim) * t**round_
    points, _ = skull.at(_AZIMUTHS, elevation)
    out = points - skull.centre
    out /= np.linalg.norm(out, axis=2, keepdims=True)
    sheet = points + out * gap(t)[..., None]
    for _ in range(6):  # no bump of the skull shows through
        sheet[1:-1] = (sheet[:-2] + 2 * sheet[1:-1] + sheet[2:]) / 4
        sheet[1:] = (np.roll(sheet[1:], 1, 1) + 2 * sheet[1:] + np.roll(sheet[1:], -1, 1)) / 4
    sheet[-1] = sheet[-1].mean(0)
    return sheet


def _brim(edge: Array, centre: Array, reach: Array, drop: Array, ahead: float = 0.0) -> Array:
    """A rim of cloth, rows outwards from ``edge`` C x 3: ``reach`` C metres out and ``drop`` C down, and back
    below so that it has two sides. ``ahead``: how far it points to the front, 0 to 1, instead of outwards."""
    out = (edge - centre) * [1, 0, 1]
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    out = (1 - ahead) * out + ahead * np.array([0, 0, 1.0])
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    rows = []
    for s, under in ((0, 0), (0.25, 0), (0.5, 0), (0.75, 0), (1, 0), (1, 1), (0.5, 1), (0, 1)):
        fall = drop * s**1.4 + 0.0022 * under
        rows.append(edge + out * (reach * s)[:, None] - np.array([0, 1.0, 0]) * fall[:, None])
    return np.stack(rows)


def make(skull: Skull, kind: str, rng: np.random.Generator) -> list[Mesh]:
    """The meshes of a hat at rest. kind: "beanie", "cap", "bucket" or "straw"."""
    colours = tables()["hats" if kind != "straw" else "straws"]
    colour = np.clip(np.array(colours[int(rng.integers(len(colours)))]) * rng.uniform(0.92, 1.06), 0.03, 0.95)
    front, back = {"beanie": (27, -14), "cap": (29, 4), "bucket": (27, 0), "straw": (31, 12)}[kind]
    rim = _rim(_AZIMUTHS, front, back)
    ahead = np.cos(np.radians(_AZIMUTHS))
    if kind == "beanie":
        sheet = _crown(
            skull,
            rim,
            lambda t: (
                0.010 + 0.013 * np.sin(np.pi * t * 0.5) + 0.010 * np.clip(-ahead, 0, 1) * np.sin(np.pi * t)
            ),
        )
        up = np.linspace(-0.1, 1, 8)[:, None, None]
        low, high = sheet[0], sheet[5]
        out = (low - skull.centre) * [1, 0, 1]
        out /= np.linalg.norm(out, axis=1, keepdims=True)
        knit = 0.0011 * np.cos(np.arange(_COLUMNS) * np.pi)[:, None] * out
        cuff = (
            low + (high - low) * up + out * (0.0045 * np.sin(np.pi * np.clip(0.08 + 0.9 * up, 0, 1)) ** 0.4)
        )
        return [_mesh("hat", sheet, colour), _mesh("cuff", cuff + knit, colour * 0.96)]
    if kind == "cap":
        sheet = _crown(skull, rim, lambda t: 0.010 + 0.008 * np.sin(np.pi * t * 0.5) + 0 * ahead)
        here = np.sort(np.flatnonzero(ahead > 0.5))
        share = np.clip((ahead[here] - 0.5) / 0.5, 0, 1) ** 0.8
        visor = _brim(
            sheet[0, here] + [0, 0.004, 0], skull.centre, 0.066 * share, 0.016 * share + 0.002, 0.75
        )
        ball = _brim(
            sheet[-1] + 0.007 * _ring(), skull.centre, np.full(_COLUMNS, 0.001), np.full(_COLUMNS, 0.004)
        )
        meshes = [_mesh("hat", sheet, colour), _mesh("visor", visor, colour * 0.92, wrap=False)]
        return [*meshes, _mesh("knob", ball, colour * 0.92)]
    if kind == "bucket":
        sheet = _crown(
            skull, rim, lambda t: 0.010 + 0.020 * np.clip(t * 3, 0, 1) * (1 - 0.35 * t) + 0 * ahead
        )
        brim = _brim(sheet[0], skull.centre, np.full(_COLUMNS, 0.042), np.full(_COLUMNS, 0.034))
        return [_mesh("hat", sheet, colour), _mesh("brim", brim, colour * 0.97)]
    sheet = _crown(skull, rim, lambda t: 0.010 + 0.022 * np.clip(t * 2.5, 0, 1) + 0 * ahead)
    wave = 1 + 0.06 * np.sin(np.radians(2 * _AZIMUTHS) + rng.uniform(0, 6.28))
    brim = _brim(sheet[0], skull.centre, 0.085 * wave, 0.018 + 0.010 * (wave - 1) * 10)
    out = (sheet[0] - skull.centre) * [1, 0, 1]
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    ribbon = np.stack([sheet[0] + (sheet[4] - sheet[0]) * s + out * 0.0025 for s in np.linspace(0, 0.9, 4)])
    band = np.array(tables()["colours"][int(rng.integers(len(tables()["colours"])))])
    return [_mesh("hat", sheet, colour), _mesh("brim", brim, colour), _mesh("ribbon", ribbon, band * 0.8)]


def _ring() -> Array:
    a = np.radians(_AZIMUTHS)
    return np.stack([np.sin(a), 0 * a, np.cos(a)], 1)


def _mesh(part: str, sheet: Array, colour: Array, wrap: bool = True) -> Mesh:
    points = sheet.reshape(-1, 3).astype(np.float32)
    triangles = grid_triangles(len(sheet), sheet.shape[1], wrap=wrap)
    normals = body.normals(points, triangles)
    count = len(points)
    return Mesh(
        part, "cloth", points, normals, points, np.zeros((count, 2), np.float32), triangles,
        np.full(count, INDEX["hat"], np.uint8), np.tile(np.float32(np.clip(colour, 0, 1)), (count, 1)),
        smooth=np.full(count, 0.6, np.float32),
    )  # fmt: skip


def pressed(points: NDArray[np.float32], skull: Skull, hat: list[Mesh]) -> NDArray[np.float32]:
    """Hair N x 3 at rest, laid flat where ``hat`` covers it."""
    sheet = hat[0].positions.reshape(_ROWS, _COLUMNS, 3).astype(float)
    d = points.astype(float) - skull.centre
    radius = np.linalg.norm(d, axis=1)
    azimuth = np.degrees(np.arctan2(d[:, 0], d[:, 2]))
    elevation = np.degrees(np.arcsin(np.clip(d[:, 1] / np.maximum(radius, 1e-6), -1, 1)))
    rim = sheet[0] - skull.centre
    rim_elevation = np.degrees(np.arcsin(rim[:, 1] / np.linalg.norm(rim, axis=1)))
    lowest = np.interp(azimuth, _AZIMUTHS, rim_elevation, period=360)
    scalp = np.linalg.norm(skull.at(azimuth, elevation)[0] - skull.centre, axis=1)
    above = np.clip((elevation - lowest + 7) / 7, 0, 1)  # it begins to lie down just below the hat
    most = scalp + 0.0045 + (1 - above) * 0.05
    scale = np.where(above > 0, np.minimum(most / np.maximum(radius, 1e-6), 1), 1)
    return (skull.centre + d * scale[:, None]).astype(np.float32)


def flattened(meshes: list[Mesh], skull: Skull, hat: list[Mesh]) -> list[Mesh]:
    """The hair's meshes under a hat; their normals turn with them."""
    made = []
    for mesh in meshes:
        points = pressed(mesh.positions, skull, hat)
        moved = np.abs(points - mesh.positions).max() > 0
        made.append(
            replace(mesh, positions=points, normals=body.normals(points, mesh.triangles)) if moved else mesh
        )
    return made
