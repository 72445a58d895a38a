"""A rendered person who stands in a room, from head to feet: for the tests of what reshapes bodies."""

import functools

import cv2
import numpy as np

from wbme.base.seeds import generator
from wbme.people import camera, context, gbuffer, lights, person, photo, views


@functools.cache
def drawn() -> np.ndarray:
    """The person alone, 384 x 384 x 4 in [0, 1]."""
    model = person.sample(5, 9).shoot(0, "full")
    rng = generator(5, "view", 9, 0)
    seen = camera.sample(rng, model, "full", (384, 384))
    light = lights.metered(lights.sample(rng), views.luminance(model))
    samples = gbuffer.draw(context.get(), model, seen, light)
    return (photo.shade(context.get(), model, seen, light, samples).rgba / 255).astype(np.float32)


def room(height: int, width: int) -> np.ndarray:
    """Papered walls and a tiled floor, H x W x 3."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    below = np.maximum(y - 0.68 * height, 1e-3)
    tiles = (np.floor(3 * (x - width / 2) / below) + np.floor(6 * height / below)) % 2
    shade = np.where(y > 0.68 * height, 0.45 + 0.15 * tiles, 0.65 + 0.08 * (x // 16 % 2))
    return cv2.GaussianBlur(np.dstack([shade, 0.95 * shade, 0.85 * shade]).astype(np.float32), (0, 0), 0.8)


def scene(*lefts: int, width: int = 384) -> np.ndarray:
    """A room, 384 x ``width`` x 3, with the person at each of ``lefts`` pixels from the left."""
    picture, figure = room(384, width), drawn()
    for left in lefts:
        part = picture[:, max(left, 0) : left + 384]
        shown = figure[:, max(-left, 0) : max(-left, 0) + part.shape[1]]
        part += shown[..., 3:] * (shown[..., :3] - part)
    return picture
