"""Light and the character's skin, given to a drawing below its lines as a recipe says."""

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.color.metering import Seen
from wbme.color.relight import relight
from wbme.color.transfer import BY_TONE, LEAST, Side, transfer
from wbme.data.rendered import Layers
from wbme.geometry.parsing import EYES, FACE_SKIN, SKIN
from wbme.synth.composite import UNDER
from wbme.synth.recipes import Light

F32 = NDArray[np.float32]
_CLEAR = 0.05  # coverage by drawn eyes, brows and mouth below which the fill of a face is seen


def lit(base: F32, photo: F32, labels: NDArray[np.uint8], how: Light) -> F32:
    """``base`` (H x W x 3 sRGB) with its light made even as ``how`` says, measured in ``photo`` by
    ``labels``; as it is where no light can be measured: no skin is seen, or it is black or burnt out."""
    if how.method == "none":
        return base
    skin, eyes = (np.isin(labels, list(part)) for part in (SKIN, EYES))
    try:
        seen = Seen(np.clip(photo, 0, 1), skin, eyes, labels > 0)
    except ParameterError:
        return base
    return relight(how.method, base, seen, strength=how.strength)


def worn(base: F32, layers: Layers, amount: float) -> F32:
    """``base`` with the skin of everybody, face and body, moved ``amount`` of the way to the character's as
    its ``palette`` shows it on the face; eyes, brows and mouth that are ``drawn`` stay."""
    shown = np.where(layers.toon > 0, layers.toon, layers.labels)
    clear = 1 - layers.drawn[..., 3]
    for number in range(1, len(layers.boxes) + 1) if amount > 0 else ():
        own = layers.heads == number
        face = own & np.isin(layers.toon, list(FACE_SKIN)) & (clear > 1 - _CLEAR)
        face &= layers.palette[..., 3] > 0.95
        if np.count_nonzero(face) >= LEAST:
            source = Side(layers.palette[..., :3], face, drawn=True)
            base = _moved(base, own, shown, clear, source, amount)
    return base


def painted(base: F32, labels: NDArray[np.uint8], colour: str, amount: float) -> F32:
    """``base`` with all skin of ``labels`` moved ``amount`` of the way to a ``colour`` such as "#8fb0e6"."""
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)
    source = Side(np.broadcast_to(rgb, (8, 8, 3)).copy(), np.ones((8, 8), np.float32))
    everybody = labels > 0
    return _moved(base, everybody, labels, np.ones(labels.shape, np.float32), source, amount)


def _moved(
    base: F32, own: NDArray[np.bool_], labels: NDArray[np.uint8], clear: F32, source: Side, amount: float
) -> F32:
    skin, along = ((own & np.isin(labels, list(part))).astype(np.float32) for part in (SKIN, UNDER))
    if np.count_nonzero(skin * clear) < LEAST:
        return base
    soft = np.clip(cv2.GaussianBlur(along, (0, 0), 0.7), 0, 1) * clear
    target = Side(base, skin * clear, None, soft)
    return transfer(BY_TONE, target, source, strength=amount)
