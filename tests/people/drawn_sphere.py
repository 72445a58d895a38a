"""A round head, ray-traced into a G-buffer: features, hair and shoulders at known places, without OpenGL."""

import numpy as np

from wbme.geometry.landmarks import LEFT_EYE, LIPS_INNER, LIPS_OUTER, RIGHT_EYE
from wbme.geometry.parsing import INDEX
from wbme.people.camera import Camera
from wbme.people.gbuffer import GBuffer
from wbme.people.mesh import MATERIALS, Curve, Mesh, Model

CENTRE, RADIUS = np.array([0.0, 1.5, 0.0]), 0.1
EYES = ((-0.035, 1.52), (0.035, 1.52))  # right and left, x and y
TALL = 0.007  # half an open eye's height, metres


def camera(size: int = 192) -> Camera:
    return Camera((size, size), CENTRE + np.array([0, 0, 1.2]), CENTRE, 120.0)


def _on_head(x, y):
    x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
    d = np.stack([x, y], -1) - CENTRE[:2]
    return np.stack([x, y, np.sqrt(np.maximum(RADIUS**2 - (d**2).sum(-1), 0))], -1).astype(np.float32)


def model(open_eyes=(True, True)) -> Model:
    """The head with its landmarks, irises and brows; a shut eye's lids meet."""
    points = np.tile(_on_head(0, 1.5), (468, 1))
    turn = np.arange(16) * np.pi / 8
    irises = np.zeros((2, 5, 3), np.float32)
    curves = []
    for eye, (loop, (x, y)) in enumerate(zip((RIGHT_EYE, LEFT_EYE), EYES, strict=True)):
        side = -1 if eye == 0 else 1
        tall = TALL if open_eyes[eye] else 0.0
        points[list(loop)] = _on_head(x + side * 0.016 * np.cos(turn), y + tall * np.sin(turn))
        irises[eye] = _on_head(x + np.array([0, 1, 0, -1, 0]) * 0.006, y + np.array([0, 0, 1, 0, -1]) * 0.006)
        ring = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        brow = _on_head(x + 0.02 * np.cos(ring), y + 0.02 + 0.003 * np.sin(ring))
        curves.append(Curve("brow", brow, np.ones(24, np.float32), True))
    turn = np.arange(20) * np.pi / 10
    points[list(LIPS_OUTER)] = _on_head(-0.025 * np.cos(turn), 1.45 + 0.01 * np.sin(turn))
    points[list(LIPS_INNER)] = _on_head(-0.022 * np.cos(turn), 1.45)
    for number, x, y in ((234, -0.09, 1.5), (454, 0.09, 1.5), (50, -0.05, 1.475), (280, 0.05, 1.475)):
        points[number] = _on_head(x, y)
    for number, x in (
        (59, -0.012),
        (60, -0.009),
        (20, -0.006),
        (141, -0.003),
        (94, 0),
        (370, 0.003),
        (250, 0.006),
    ):
        points[number] = _on_head(x, 1.478)
    head = np.eye(4, dtype=np.float32)
    head[:3, 3] = 0, 1.52, 0.09
    nothing = np.zeros((0, 3), np.float32)
    mesh = Mesh("skin", "skin", nothing, nothing, nothing, nothing[:, :2], np.zeros((0, 3), np.int32),
                np.zeros(0, np.uint8), nothing)  # fmt: skip
    return Model([mesh], curves, points, irises, head, {}, {})


def gbuffer(view: Camera, skin=(0.8, 0.6, 0.5), hair: bool = True, open_eyes=(True, True)) -> GBuffer:
    """What ``view`` sees of the head (hair above 1.55 m) before a wall of cloth below 1.4 m."""
    width, height = view.size[0] * 2, view.size[1] * 2
    x, y = np.meshgrid(
        (np.arange(width) + 0.5) / 2 - view.size[0] / 2, view.size[1] / 2 - (np.arange(height) + 0.5) / 2
    )
    way = np.stack([x, y, np.full_like(x, -view.pixels_per_radian)], -1) / view.pixels_per_radian
    offset = view.eye - CENTRE
    a, b = (way**2).sum(-1), way @ offset
    inside = b**2 - a * (offset @ offset - RADIUS**2)
    ball = inside > 0
    t = np.where(ball, (-b - np.sqrt(np.maximum(inside, 0))) / a, np.inf)
    wall = ~ball & ((view.eye + way * 1.25)[..., 1] < 1.4)
    t = np.where(wall, 1.25, t)
    solid = np.isfinite(t)
    position = np.where(solid[..., None], view.eye + way * np.where(solid, t, 0)[..., None], 0)
    normal = np.where(ball[..., None], (position - CENTRE) / RADIUS, np.array([0, 0, 1.0]) * wall[..., None])
    label = np.where(ball, INDEX["skin"], np.where(wall, INDEX["cloth"], 0)).astype(np.uint8)
    material = np.where(ball, MATERIALS.index("skin"), np.where(wall, MATERIALS.index("cloth"), 255))
    part = np.where(ball, 0, np.where(wall, 1, 255))
    albedo = np.where(ball[..., None], skin, np.array([0.2, 0.3, 0.6]) * wall[..., None])
    for number, (ex, ey), is_open in zip((INDEX["r_eye"], INDEX["l_eye"]), EYES, open_eyes, strict=True):
        eye = ball & (((position[..., 0] - ex) / 0.016) ** 2 + ((position[..., 1] - ey) / TALL) ** 2 < 1)
        label[eye & is_open], albedo[eye & is_open] = number, (0.3, 0.2, 0.1)
    lip = ball & ((position[..., 0] / 0.025) ** 2 + ((position[..., 1] - 1.45) / 0.01) ** 2 < 1)
    label[lip] = np.where(position[lip, 1] > 1.45, INDEX["u_lip"], INDEX["l_lip"])
    albedo[lip] = 0.7, 0.3, 0.3
    top = ball & (position[..., 1] > 1.55) & hair
    label[top], material[top], part[top], albedo[top] = (
        INDEX["hair"],
        MATERIALS.index("hair"),
        2,
        (0.2, 0.1, 0.05),
    )
    tangent = np.where(top[..., None], np.array([0, -1.0, 0]), 0)
    return GBuffer(
        depth=np.where(solid, t, np.inf).astype(np.float32), position=position.astype(np.float32),
        normal=normal.astype(np.float32), albedo=albedo.astype(np.float32), label=label,
        part=part.astype(np.uint8), material=material.astype(np.uint8), tangent=tangent.astype(np.float32),
        uv=np.full((*label.shape, 2), 0.5, np.float32),
        smooth=np.zeros(label.shape, np.float32), shadow=np.ones(label.shape, np.float32),
        clump=np.zeros(label.shape, np.int16),
    )  # fmt: skip
