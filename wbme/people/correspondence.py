"""Where each pixel of a deformed drawing lies in the photo of the same person: exact, from the geometry."""

import numpy as np
from numpy.typing import NDArray

from wbme.people import gbuffer
from wbme.people.camera import Camera
from wbme.people.context import Context, read
from wbme.people.gbuffer import GBuffer

Floats = NDArray[np.float64]

UNIT = 16  # steps a pixel, of what is stored
_NEAR = 0.006  # metres that the photo's surface may lie off, beside what its pixels' size explains
_SPREAD = 6.0  # pixels within which the samples of one pixel land that show one surface


def before(context: Context, camera: Camera) -> NDArray[np.float32]:
    """Where the samples of the G-buffer drawn last, of ``deform.deformed``, lay before: H x W x 3, scene."""
    size = (camera.size[0] * gbuffer.SCALE, camera.size[1] * gbuffer.SCALE)
    _, textures = context.target("gbuffer", size, gbuffer.TARGETS, depth=True)
    return np.ascontiguousarray(read(textures[3])[..., :3])


def dense(
    drawn: GBuffer, places: NDArray[np.float32], photo: GBuffer, camera: Camera
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """For each pixel of a drawing x, y in the photo (H x W x 2, whole numbers are pixel centres), and whether
    that place is seen there (H x W).

    ``drawn``: the drawing's G-buffer, ``places``: its samples before the deformation, ``photo``: the G-buffer
    of the photo's ``camera``. A pixel's place is the mean of those of its samples, or where a border runs
    through it the place of one.
    """
    fine = gbuffer.SCALE
    solid = np.isfinite(drawn.depth)
    at = camera.project(places)
    column, line = np.moveaxis(np.floor(at[..., :2] * fine).astype(int), -1, 0)
    height, width = photo.depth.shape
    inside = solid & (column >= 0) & (line >= 0) & (column < width) & (line < height) & (at[..., 2] > 0)
    column, line = np.clip(column, 0, width - 1), np.clip(line, 0, height - 1)
    # A slanted surface lies off its neighbour by a pixel's size over the cosine.
    pixel = at[..., 2] / (camera.pixels_per_radian * fine)
    way = photo.position[line, column] - camera.eye.astype(np.float32)
    way /= np.maximum(np.linalg.norm(way, axis=-1, keepdims=True), 1e-6)
    facing = np.maximum(-(photo.normal[line, column] * way).sum(-1), 0.15)
    off = np.linalg.norm(photo.position[line, column] - places, axis=-1)
    seen = inside & np.isfinite(photo.depth[line, column]) & (off < _NEAR + 1.5 * pixel / facing)
    samples = [(slice(y, None, fine), slice(x, None, fine)) for y in range(fine) for x in range(fine)]
    stack = np.stack([at[s][..., :2] for s in samples])
    whole = np.stack([solid[s] for s in samples])
    one = whole.argmax(0)
    first = np.take_along_axis(stack, one[None, ..., None], 0)[0]
    near = whole & (np.abs(stack - first).max(-1) < _SPREAD)
    mean = (stack * near[..., None]).sum(0) / np.maximum(near.sum(0), 1)[..., None]
    valid = np.stack([seen[s] for s in samples]) & near
    return (mean - 0.5).astype(np.float32), valid.sum(0) * 2 > np.maximum(near.sum(0), 1)


def stored(places: NDArray[np.float32], valid: NDArray[np.bool_], size: int) -> NDArray[np.uint16]:
    """``places`` in sixteenths of a pixel, and 65535 where they are not ``valid``: H x W x 2."""
    steps = np.rint(np.clip(places, 0, size - 1) * UNIT).astype(np.uint16)
    return np.where(valid[..., None], steps, np.uint16(65535))
