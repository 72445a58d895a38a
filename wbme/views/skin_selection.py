"""The faces behind chosen pixels: where in every face the chosen skin lies."""

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.views.overlay import contact_sheet
from wbme.views.skin import Study
from wbme.views.skin_faces import SkinFace


def faces_behind(
    found: Study, chosen: NDArray[np.intp], *, most: int = 9, width: int = 520
) -> NDArray[np.float32]:
    """Faces with the pixels ``chosen`` (indices into ``found.pixels``) in colour and all else pale.

    Below each stands its name and the share of its skin that was chosen. All faces in their order; of more
    than ``most`` those with the largest shares. H x W x 3 in [0, 1], about ``width`` wide and of
    the same size for every choice.
    """
    taken = np.zeros(len(found.pixels), bool)
    taken[chosen] = True
    shares = np.bincount(found.owner, found.pixels["weight"] * taken, minlength=len(found.faces))
    order = np.argsort(-shares, kind="stable")[:most] if len(shares) > most else np.arange(len(shares))
    tiles, labels = [], []
    for index in order:
        own = found.owner == index
        tiles.append(_highlighted(found.faces[index], found.pixels[own], taken[own]))
        labels.append(f"{shares[index]:.0%}  {found.faces[index].name}")
    columns = min(len(tiles), 3)
    return contact_sheet(tiles, columns, labels, cell=width // max(columns, 2))


def _highlighted(face: SkinFace, pixels: NDArray[np.void], taken: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The face in colour around its ``taken`` pixels. Those between the drawn pixels follow their neighbours
    by normalised convolution (Knutsson and Westin 1993)."""
    known, wanted = np.zeros(face.rgb.shape[:2], np.float32), np.zeros(face.rgb.shape[:2], np.float32)
    known[pixels["row"], pixels["column"]] = 1
    wanted[pixels["row"], pixels["column"]] = taken
    area = np.ptp(pixels["row"]) * np.ptp(pixels["column"]) + 1
    reach = max(0.9 * float(np.sqrt(area / len(pixels))), 0.6)
    known, wanted = (cv2.GaussianBlur(plane, (0, 0), reach) for plane in (known, wanted))
    share = np.where(known > 0.2 * known.max(), wanted / np.maximum(known, 1e-9), 0)
    cover = np.clip((share - 0.35) / 0.3, 0, 1)[..., None]
    pale = 0.28 * face.rgb.mean(axis=2, keepdims=True) + 0.68
    return np.asarray(cover * face.rgb + (1 - cover) * pale, np.float32)
