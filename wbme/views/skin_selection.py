"""The faces behind chosen pixels: where in every face the chosen skin lies."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from wbme.views.overlay import contact_sheet
from wbme.views.skin import Study, coloured
from wbme.views.skin_faces import SkinFace, region
from wbme.views.style import INK, font

_LINE = 22  # height of the line above the faces, pixels


def faces_behind(
    found: Study, chosen: NDArray[np.intp], *, most: int = 9, width: int = 520
) -> NDArray[np.float32]:
    """Faces with the pixels ``chosen`` (indices into ``found.pixels``) in colour and all else pale.

    Below each stands its name and the share of its skin that was chosen, of the skin that has a hue. All
    faces in their order; of more than ``most`` those with the largest shares, group by group in turn, and a
    line that says so. H x W x 3 in [0, 1], about ``width`` wide and of the same size for every choice.
    """
    taken = np.zeros(len(found.pixels), bool)
    taken[chosen] = True
    part = shares(found, taken)
    order = _best(found, part, most) if len(part) > most else list(range(len(part)))
    tiles, labels = [], []
    for index in order:
        own = (found.owner == index) & coloured(found.pixels)
        mask = region(found.faces[index], feather=found.settings.feather, erode=found.settings.erode)
        tiles.append(_highlighted(found.faces[index], mask, found.pixels[own], taken[own]))
        labels.append(f"{part[index]:.0%}  {found.faces[index].name}")
    columns = min(len(tiles), 3)
    sheet = contact_sheet(tiles, columns, labels, cell=width // max(columns, 2))
    if len(part) <= most:
        return sheet
    line = Image.new("RGB", (sheet.shape[1], _LINE), "white")
    text = f"{most} of {len(part)} faces: the largest shares, group by group"
    ImageDraw.Draw(line).text((12, _LINE / 2), text, INK, font(13), "lm")
    return np.concatenate([np.asarray(line, np.float32) / 255, sheet])


def shares(found: Study, taken: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The share of each face's skin, of that which has a hue, that is ``taken`` (one a row of
    ``found.pixels``); 0 for a grey face."""
    weights = found.pixels["weight"] * coloured(found.pixels)
    count = len(found.faces)
    whole = np.bincount(found.owner, weights, minlength=count)
    return np.asarray(np.bincount(found.owner, weights * taken, minlength=count) / np.maximum(whole, 1e-12))


def _best(found: Study, part: NDArray[np.float64], most: int) -> list[int]:
    """The best face of every group, then the second best, and so on."""
    rank = np.zeros(len(part), int)
    for name in found.names:
        members = np.array(found.members(name))
        rank[members[np.argsort(-part[members], kind="stable")]] = np.arange(len(members))
    return [int(index) for index in np.lexsort((-part, rank))[:most]]


def _highlighted(
    face: SkinFace, mask: NDArray[np.float32], pixels: NDArray[np.void], taken: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """The face in colour where the skin under ``mask`` is ``taken``; a pixel follows the nearest of the
    measured ``pixels``."""
    pale = 0.28 * face.rgb.mean(axis=2, keepdims=True) + 0.68
    if not len(pixels):
        return np.asarray(np.repeat(pale, 3, axis=2), np.float32)
    unknown = np.ones(face.rgb.shape[:2], np.uint8)
    unknown[pixels["row"], pixels["column"]] = 0
    _, label = cv2.distanceTransformWithLabels(unknown, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    follows = np.zeros(int(label.max()) + 1, np.float32)
    follows[label[pixels["row"], pixels["column"]]] = taken
    cover = (cv2.GaussianBlur(follows[label], (0, 0), 0.8) * mask)[..., None]
    return np.asarray(cover * face.rgb + (1 - cover) * pale, np.float32)
