"""One view of a rendered set: a person seen once, as a photo and as each character draws it, with truth."""

import io
import json
import shutil
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wbme.base.assets import find
from wbme.base.errors import StoreError
from wbme.base.hashing import digest_json, sha256_bytes
from wbme.base.paths import write_atomic
from wbme.base.seeds import generator
from wbme.geometry.parsing import INDEX
from wbme.people import camera, context, correspondence, deform, gbuffer, lights, photo, toon
from wbme.people.mesh import Model
from wbme.people.sheet import Sheet

SCHEMA = 1
_SHARES = {"portrait": 0.75, "half": 0.18, "full": 0.07}
_LIDS = ((159, 145, 33, 133), (386, 374, 362, 263))  # upper, lower, corners: right eye, left eye
HIDDEN = 0.006  # metres of what may lie before a landmark that still counts as seen


@dataclass(frozen=True)
class Plan:
    """What a set is made of; the same plan gives the same bytes."""

    folder: str
    seed: int
    shots: int
    size: int
    characters: tuple[Sheet, ...]

    def name(self, number: int, shot: int) -> str:
        """The id of one view."""
        return f"{number * self.shots + shot + 1:04d}"

    @cached_property
    def recipe(self) -> str:
        """Digest of everything that decides a view's bytes, but for its number."""
        sheets = [character.model_dump() for character in self.characters]
        return digest_json([SCHEMA, generator_digest(), self.seed, self.shots, self.size, sheets])


@cache
def generator_digest() -> str:
    """Digest of what draws people: this room's source, shaders and data, and the asset it starts from."""
    home = Path(__file__).parent
    kinds = (".py", ".glsl", ".yaml", ".npz")
    files = sorted(file for file in home.rglob("*") if file.suffix in kinds)
    rows = [[file.relative_to(home).as_posix(), sha256_bytes(file.read_bytes())] for file in files]
    return digest_json([rows, find("human_shapes").sha256])


def framing(plan: Plan, number: int, shot: int) -> str:
    """How much of the person a view shows: three quarters are portraits."""
    rng = generator(plan.seed, "framing", number, shot)
    return str(rng.choice(list(_SHARES), p=list(_SHARES.values())))


def is_held_out(number: int) -> bool:
    """Whether a person's views are for validation: every eighth is."""
    return number % 8 == 7


def finished(plan: Plan, number: int, shot: int) -> dict[str, Any] | None:
    """The row of a view that is there and made by this plan, or None."""
    file = Path(plan.folder, "people", "views", plan.name(number, shot), "row.json")
    try:
        row = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    same = isinstance(row, dict) and row.get("recipe") == plan.recipe
    whole = all(_drawings(plan, c, plan.name(number, shot)).is_dir() for c in plan.characters)
    return row if same and whole else None


def render(plan: Plan, model: Model, number: int, shot: int) -> dict[str, Any]:
    """Draw and write one view; its folders appear whole, the one with its row last. Returns the row."""
    name, gl = plan.name(number, shot), context.get()
    rng = generator(plan.seed, "view", number, shot)
    seen = camera.sample(rng, model, framing(plan, number, shot), (plan.size, plan.size))
    light = lights.metered(lights.sample(rng), luminance(model))
    samples = gbuffer.draw(gl, model, seen, light)
    picture = photo.shade(gl, model, seen, light, samples)
    points, irises, visible = _points(model, seen, samples)
    row = {
        "schema": SCHEMA,
        "id": name,
        "identity": f"p{number:04d}",
        "shot": shot,
        "split": "val" if is_held_out(number) else "train",
        "size": plan.size,
        "seed": plan.seed,
        "facts": {**model.facts, "framing": seen.framing},
        "camera": seen.row(),
        "light": light.row(),
        "eyes_open": round(_aperture(model.landmarks), 4),
        "face_width": round(camera.face_width(points[:, :2]), 2),
        "characters": [character.name for character in plan.characters],
        "generator": generator_digest(),
        "recipe": plan.recipe,
    }
    part = Path(plan.folder, f".part-{name}")
    shutil.rmtree(part, ignore_errors=True)
    png(part / "view" / "photo.png", picture.rgba)
    png(part / "view" / "labels.png", labels(samples.label))
    png(part / "view" / "albedo.png", picture.albedo)
    png(part / "view" / "shading.png", picture.shading)
    write_atomic(part / "view" / "points.npz", npz(landmarks=points, irises=irises, visible=visible))
    write_atomic(part / "view" / "row.json", json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")
    for character in plan.characters:
        folder = part / "drawn" / character.name
        drawn, matched = _drawn(gl, model, seen, light, samples, character)
        for kind in ("palette", "oracle", "ink", "drawn"):
            png(folder / f"{kind}.png", getattr(drawn, kind))
        if matched:
            write_atomic(folder / "correspondence.npz", npz(**matched))
    place = Path(plan.folder, "people", "views", name)
    (place / "row.json").unlink(missing_ok=True)  # an older view is not finished beside new drawings
    for character in plan.characters:
        _move(part / "drawn" / character.name, _drawings(plan, character, name))
    _move(part / "view", place)
    shutil.rmtree(part)
    return row


def _drawn(
    gl: context.Context, model: Model, seen: camera.Camera, light: lights.Light, samples: gbuffer.GBuffer,
    character: Sheet,
) -> tuple[toon.Drawn, dict[str, NDArray]]:  # fmt: skip
    """The drawing of a view, and where the character's geometry is its own what ties it to the photo:
    ``places`` (see correspondence.stored), landmarks, irises and visible as in points.npz."""
    if character.deformation is None:
        return toon.draw(model, seen, light, samples, character), {}
    after = deform.deformed(model, character.deformation)
    own = deform.framed(seen, model, after)
    there = gbuffer.draw(gl, after, own, light)
    places, valid = correspondence.dense(there, correspondence.before(gl, own), samples, seen)
    points, irises, visible = _points(after, own, there)
    matched = {"places": correspondence.stored(places, valid, max(seen.size))}
    matched |= {"landmarks": points, "irises": irises, "visible": visible}
    return toon.draw(after, own, light, there, character), matched


def labels(samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Labels of pixels from those of 2 x 2 samples: the commonest, the smallest among equals."""
    four = np.stack([samples[y::2, x::2] for y in (0, 1) for x in (0, 1)])
    votes = (four[:, None] == four[None]).sum(0)
    best = votes.max(0)
    return np.where(votes == best, four, 255).min(0).astype(np.uint8)


def _drawings(plan: Plan, character: Sheet, name: str) -> Path:
    return Path(plan.folder, "characters", character.name, name)


def _points(model: Model, seen: camera.Camera, samples: gbuffer.GBuffer) -> tuple[NDArray, NDArray, NDArray]:
    """Landmarks (468 x 3) and irises (2 x 5 x 2) in pixels, whole numbers being pixel centres; z in the same
    unit, 0 at the face's mean depth and less towards the camera; and which landmarks nothing hides."""
    points, rims = seen.project(model.landmarks), seen.project(model.irises)
    height, width = samples.depth.shape
    column, line = (np.floor(points[:, :2] * gbuffer.SCALE).astype(int)).T
    inside = (column >= 0) & (column < width) & (line >= 0) & (line < height)
    column, line = np.clip(column, 0, width - 1), np.clip(line, 0, height - 1)
    farthest = cv2.dilate(np.where(np.isinf(samples.depth), 0, samples.depth), np.ones((3, 3), np.uint8))
    visible = inside & (points[:, 2] <= farthest[line, column] + HIDDEN)
    visible &= samples.label[line, column] != INDEX["hair"]
    scale = seen.pixels_per_radian / points[:, 2].mean()
    placed = np.column_stack([points[:, :2] - 0.5, (points[:, 2] - points[:, 2].mean()) * scale])
    return placed.astype(np.float32), (rims[..., :2] - 0.5).astype(np.float32), visible


def luminance(model: Model) -> float:
    """Relative luminance of the person's skin, from its L*."""
    return float(((model.facts["skin_lab"][0] + 16) / 116) ** 3)


def _aperture(landmarks: NDArray) -> float:
    """Distance of the lids over the width of the eye, mean of both: about 0.3 if open, 0 if shut."""
    ratio = [
        np.linalg.norm(landmarks[up] - landmarks[low]) / np.linalg.norm(landmarks[one] - landmarks[other])
        for up, low, one, other in _LIDS
    ]
    return float(np.mean(ratio))


def png(path: Path, picture: NDArray[np.uint8]) -> None:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=4)
    write_atomic(path, buffer.getvalue())


def npz(**arrays: NDArray) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # its dates are fixed, so equal arrays give equal bytes
    return buffer.getvalue()


def _move(source: Path, target: Path) -> None:
    """Put a whole folder in its place; what was there before is removed."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            old = target.with_name(f".old-{target.name}")
            shutil.rmtree(old, ignore_errors=True)
            target.rename(old)
            source.rename(target)
            shutil.rmtree(old)
        else:
            source.rename(target)
    except OSError as error:
        raise StoreError(f"cannot write {target}: {error.strerror}; free space or write elsewhere") from error
