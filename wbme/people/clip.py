"""A rendered clip: a person who turns the head and begins to smile, with the exact motion of every pixel."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.base.seeds import generator
from wbme.people import (
    camera,
    context,
    correspondence,
    expression,
    gbuffer,
    lights,
    person,
    photo,
    poses,
    views,
)
from wbme.people.camera import Camera
from wbme.people.gbuffer import GBuffer
from wbme.people.mesh import Model
from wbme.people.rig import Pose

_RIM = 2  # pixels beside a border of what is seen that show a mixture of both sides


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a clip, H x W. ``rgba``: uint8 sRGB, straight alpha, over nothing. ``flow``: float32
    H x W x 2, where each pixel lay in the picture before, as x and y to add to its place, for a camera and a
    background that stand still; ``seen``: bool, whether both pictures show it. The first has none of both:
    zeros."""

    rgba: NDArray[np.uint8]
    flow: NDArray[np.float32]
    seen: NDArray[np.bool_]


def turning(
    seed: int, number: int, *, frames: int = 8, side: int = 256, step: float = 3.0
) -> Iterator[Frame]:
    """The ``number``-th person of a seed, a portrait of ``side`` x ``side`` pixels: the head turns by
    ``step`` degrees a picture about its middle pose, a smile comes, the eyes stay with the viewer; camera and
    light stand still.

    The motion is that of the surface, from the places of its vertices in both pictures. A pixel within two of
    a border of what both show is not ``seen``: outlines lie there. Raises ParameterError for fewer than two
    frames.
    """
    if frames < 2:
        raise ParameterError(f"a clip of {frames} pictures shows no motion: give 2 or more")
    gl, someone = context.get(), person.sample(seed, number)
    rest = someone.pose(0, "portrait", stance="relaxed", expression="calm")
    models = [someone.posed(_turned(rest, k, frames, step)) for k in range(frames)]
    rng = generator(seed, "clip", number)
    seen = camera.sample(rng, models[frames // 2], "portrait", (side, side))
    light = lights.metered(lights.sample(rng), views.luminance(models[0]))
    before: tuple[Model, GBuffer] | None = None
    for model in models:
        samples = gbuffer.draw(gl, model, seen, light)
        rgba = photo.shade(gl, model, seen, light, samples).rgba
        flow, both = np.zeros((side, side, 2), np.float32), np.zeros((side, side), bool)
        if before:
            flow, both = _motion(gl, seen, light, before, model, samples)
        before = model, samples
        yield Frame(rgba, flow, both)


def _turned(rest: Pose, k: int, frames: int, step: float) -> Pose:
    """The posture of the ``k``-th of so many pictures."""
    yaw, share = step * (k - (frames - 1) / 2), k / (frames - 1)
    turns = dict(rest.rotations)
    for bone, part in poses.NECK.items():
        nod, _, lean = turns.get(bone, (0.0, 0.0, 0.0))
        turns[bone] = (nod, yaw * part, lean)
    faces = expression.named("joy", share)
    return replace(rest, rotations=turns, expression=faces, gaze=(-0.75 * yaw, 0.0))


def _motion(
    gl: context.Context, seen: Camera, light: lights.Light, before: tuple[Model, GBuffer], model: Model,
    samples: GBuffer,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:  # fmt: skip
    """Flow and what is seen in both of ``model``, whose G-buffer ``samples`` is, and the one ``before``."""
    old, older = before
    pairs = zip(model.meshes, old.meshes, strict=True)
    tracked = replace(model, meshes=[replace(mesh, rest=was.positions) for mesh, was in pairs])
    there = gbuffer.draw(gl, tracked, seen, light)
    places, valid = correspondence.dense(there, correspondence.before(gl, seen), older, seen)
    here, was = (views.labels(one.label) > 0 for one in (samples, older))
    # A background that stands still.
    empty = ~(here | was)
    column, row = np.meshgrid(*(np.arange(n, dtype=np.float32) for n in valid.shape[::-1]))
    flow = np.where(here[..., None], places - np.dstack([column, row]), np.float32(0))
    inside = (valid & here).astype(np.uint8), empty.astype(np.uint8)
    disc = np.ones((2 * _RIM + 1,) * 2, np.uint8)
    # Beyond the picture lies what the pixel at its edge shows.
    kept = [cv2.erode(one, disc, borderType=cv2.BORDER_REPLICATE) > 0 for one in inside]
    return flow.astype(np.float32), kept[0] | kept[1]
