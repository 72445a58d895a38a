"""Groups: two to four people before one camera, who hide one another, as a photo and as characters draw them.

Each person is drawn alone and laid over those behind: exact as long as nobody reaches through another. They
cast no shadow on each other. A character of its own proportions draws groups in the people's.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from wbme.base.paths import write_atomic
from wbme.base.seeds import generator
from wbme.geometry.parsing import INDEX
from wbme.people import context, gbuffer, lights, person, photo, toon, views
from wbme.people.camera import SENSOR, Camera, towards
from wbme.people.mesh import Model
from wbme.people.views import Plan

Bytes = NDArray[np.uint8]
_LAYERS = ("palette", "oracle", "ink", "drawn")
_STANCES = ("relaxed", "contrapposto", "hand on hip", "hands low", "folded", "clasped", "peace", "waving")


def placed(model: Model, degrees: float, shift: NDArray) -> Model:
    """``model`` turned about the vertical to the person's left, set on the ground and moved by ``shift``."""
    turn = Rotation.from_euler("y", degrees, degrees=True).as_matrix().astype(np.float32)
    low = min(float(mesh.positions[:, 1].min()) for mesh in model.meshes)
    move = np.array([shift[0], -low, shift[2]], np.float32)

    def at(points: NDArray) -> NDArray:
        return (points @ turn.T + move).astype(np.float32)

    meshes = [
        replace(
            mesh, positions=at(mesh.positions), normals=mesh.normals @ turn.T,
            tangents=None if mesh.tangents is None else mesh.tangents @ turn.T,
        )
        for mesh in model.meshes
    ]  # fmt: skip
    frame = np.eye(4, dtype=np.float32)
    frame[:3, :3], frame[:3, 3] = turn, move
    return replace(
        model, meshes=meshes, curves=[replace(c, points=at(c.points)) for c in model.curves],
        landmarks=at(model.landmarks), irises=at(model.irises), head=frame @ model.head,
        joints={name: at(joint) for name, joint in model.joints.items()},
    )  # fmt: skip


@dataclass(eq=False)
class _Stack:
    """Pictures of people laid over one another, the farthest first. H x W; RGBA with straight alpha."""

    rgba: dict[str, Bytes]
    grey: dict[str, Bytes]
    labels: Bytes
    person: Bytes

    def lay(self, number: int, rgba: dict[str, Bytes], grey: dict[str, Bytes], labels: Bytes) -> None:
        """Person ``number`` (from 1) before all that is there: a drawing's palette covers what is drawn below
        it, the photo all else."""
        for pictures, mine in ((self.rgba, rgba), (self.grey, grey)):
            for name in pictures:
                character, _, layer = name.partition("/")
                cover = rgba[f"{character}/palette" if layer else "photo"][..., 3:].astype(np.float32) / 255
                pictures[name] = (_inked if layer == "ink" else _over)(pictures[name], mine[name], cover)
        here = labels != INDEX["background"]
        self.labels[here], self.person[here] = labels[here], number


def _over(below: Bytes, above: Bytes, cover: NDArray[np.float32]) -> Bytes:
    """``above`` on ``below``: RGBA by its own alpha, with ``cover`` (H x W x 1) hiding what is below; other
    pictures mixed by ``cover``."""
    if above.ndim == 2 or above.shape[2] == 3:
        share = cover[..., 0] if above.ndim == 2 else cover
        return np.rint(above * share + below * (1 - share)).astype(np.uint8)
    a, b = (picture[..., 3:] / np.float32(255) for picture in (above, below))
    b = b * (1 - np.maximum(cover, a))
    total = a + b
    mixed = (above[..., :3] * a + below[..., :3] * b) / np.maximum(total, 1e-4)
    colour = np.where(total > 0, mixed, below[..., :3])
    return np.rint(np.concatenate([colour, total * 255], -1)).astype(np.uint8)


def _inked(below: Bytes, above: Bytes, cover: NDArray[np.float32]) -> Bytes:
    """Lines H x W (0 is none) of both: those below only where nothing covers them."""
    return np.maximum(above, np.rint(below * (1 - cover[..., 0])).astype(np.uint8))


def _camera(rng: np.random.Generator, models: list[Model], size: int) -> Camera:
    """A camera that holds all faces of a group, down to the chests, the hips or the feet."""
    framing = str(rng.choice(["portrait", "half", "full"], p=[0.4, 0.4, 0.2]))
    points = np.concatenate([mesh.positions for model in models for mesh in model.meshes])
    chins = [float(model.landmarks[152, 1]) for model in models]
    hips = [float(model.joints["pelvis.L"][1]) for model in models]
    low = {"portrait": min(chins) - 0.18, "half": min(hips), "full": float(points[:, 1].min())}[framing]
    shown = points[points[:, 1] > low]
    width = max(*np.ptp(shown[:, :2], axis=0).tolist()) * float(rng.uniform(1.04, 1.15))
    target = (shown.max(0) + shown.min(0)).astype(float) / 2
    focal = float(rng.uniform(35, 70))
    azimuth, elevation = np.clip(rng.normal(0, [8, 3]), -18, 18)
    eye = target + width * focal / SENSOR * towards(azimuth, elevation)
    return Camera((size, size), eye, target, focal, float(np.clip(rng.normal(0, 1.5), -4, 4)), framing)


def _gathered(plan: Plan, rng: np.random.Generator, number: int, people: list[int]) -> list[Model]:
    """Two to four of ``people`` side by side, the inner ones a step behind, turned to the middle."""
    count = min(int(rng.integers(2, 5)), len(people))
    models = []
    for place, who in enumerate(rng.choice(people, count, replace=False).tolist()):
        x = (place - (count - 1) / 2) * float(rng.uniform(0.38, 0.5))
        back = -0.3 * (place % 2) + float(rng.normal(0, 0.06))
        model = person.sample(plan.seed, who).shoot(1000 + number, "half", stance=str(rng.choice(_STANCES)))
        made = placed(model, -18 * x + float(rng.normal(0, 8)), np.array([x, 0, back]))
        models.append(replace(made, facts={"identity": f"p{who:04d}", **made.facts}))
    return models


def finished(plan: Plan, number: int) -> dict[str, Any] | None:
    """The row of a group that is there and made by this plan, or None."""
    try:
        row = json.loads((_home(plan, number) / "row.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return row if isinstance(row, dict) and row.get("recipe") == plan.recipe else None


def _home(plan: Plan, number: int) -> Path:
    return Path(plan.folder, "people", "groups", f"g{number + 1:04d}")


def render(plan: Plan, number: int, people: list[int]) -> dict[str, Any]:
    """Draw and write group ``number`` of some of ``people`` (numbers of persons): people/groups/ID/{photo,
    labels,person,albedo,shading}.png and points.npz, characters/NAME/groups/ID/. Returns the row, whose
    "people" are in the order of ``person``'s 1, 2 ... and of the points' first axis."""
    rng, gl, name = generator(plan.seed, "group", number), context.get(), _home(plan, number).name
    models = _gathered(plan, rng, number, people)
    seen = _camera(rng, models, plan.size)
    light = lights.metered(lights.sample(rng), float(np.mean([views.luminance(one) for one in models])))
    order = sorted(range(len(models)), key=lambda k: -float(seen.project(models[k].landmarks)[:, 2].mean()))
    stack, depths = None, []
    for k in order:
        samples = gbuffer.draw(gl, models[k], seen, light)
        depths.append(samples.depth)
        picture = photo.shade(gl, models[k], seen, light, samples)
        rgba, grey = {"photo": picture.rgba}, {"albedo": picture.albedo, "shading": picture.shading}
        for character in plan.characters:
            drawn = toon.draw(models[k], seen, light, samples, character)
            rgba |= {
                f"{character.name}/{layer}": getattr(drawn, layer) for layer in _LAYERS if layer != "ink"
            }
            grey[f"{character.name}/ink"] = drawn.ink
        if stack is None:
            empty = np.zeros((plan.size, plan.size), np.uint8)
            stack = _Stack(dict(rgba), dict(grey), views.labels(samples.label), empty)
            stack.person[stack.labels != INDEX["background"]] = k + 1
        else:
            stack.lay(k + 1, rgba, grey, views.labels(samples.label))
    assert stack is not None
    nearest = np.min(depths, axis=0)
    points = [_points(model, seen, nearest) for model in models]
    row = {
        "schema": views.SCHEMA, "id": name, "split": "train", "size": plan.size, "seed": plan.seed,
        "identity": "+".join(sorted(model.facts["identity"] for model in models)),
        "facts": {"framing": seen.framing}, "people": [model.facts for model in models],
        "camera": seen.row(), "light": light.row(), "generator": views.generator_digest(),
        "characters": [character.name for character in plan.characters], "recipe": plan.recipe,
    }  # fmt: skip
    folder = Path(plan.folder)
    flat = {**stack.rgba, **stack.grey, "labels": stack.labels, "person": stack.person}
    for key, pixels in flat.items():
        if "/" in key:
            owner, layer = key.split("/")
            views.png(folder / "characters" / owner / "groups" / name / f"{layer}.png", pixels)
        else:
            views.png(_home(plan, number) / f"{key}.png", pixels)
    stacked = {key: np.stack([p[key] for p in points]) for key in points[0]}
    write_atomic(_home(plan, number) / "points.npz", views.npz(**stacked))
    write_atomic(_home(plan, number) / "row.json", json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")
    return row


def _points(model: Model, seen: Camera, nearest: NDArray[np.float32]) -> dict[str, NDArray]:
    """Landmarks (468 x 2) and irises (2 x 5 x 2) of one face in pixels, whole numbers being pixel centres,
    and which landmarks neither the person nor another hides."""
    points = seen.project(model.landmarks)
    column, line = np.floor(points[:, :2] * gbuffer.SCALE).astype(int).T
    inside = (column >= 0) & (column < nearest.shape[1]) & (line >= 0) & (line < nearest.shape[0])
    front = nearest[np.clip(line, 0, len(nearest) - 1), np.clip(column, 0, nearest.shape[1] - 1)]
    visible = inside & (points[:, 2] <= front + 2 * views.HIDDEN)
    irises = seen.project(model.irises)[..., :2] - 0.5
    return {
        "landmarks": (points[:, :2] - 0.5).astype(np.float32),
        "irises": irises.astype(np.float32),
        "visible": visible,
    }
