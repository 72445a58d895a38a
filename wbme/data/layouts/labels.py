"""Person masks and parsing maps of published sets, as masks in [0, 1] and as the labels of this project.

The classes of both sets name a face and skin but no brows, eyes, nose, lips, ears or neck: the face becomes
``skin``, all other skin (the neck too) ``body_skin``, what is worn or carried ``cloth``.
"""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import MediaError
from wbme.geometry.parsing import INDEX
from wbme.media import decoding

# Of DeepFashion-MultiModal, whose classes are numbered: all that is not named here is worn or carried.
_DEEPFASHION = {0: "background", 7: "hat", 8: "eye_g", 13: "hair", 14: "skin", 15: "body_skin"}
_DEEPFASHION |= {20: "neck_l", 22: "ear_r"}  # necklace, earrings
_CLASSES = 24
# Of SHHQ: the colour of each class; black is the background.
_SHHQ = {
    (0, 0, 0): "background",
    (127, 255, 212): "hat",  # headwear
    (255, 0, 0): "hair",
    (213, 140, 88): "cloth",  # glove
    (0, 100, 0): "eye_g",
    (255, 250, 250): "cloth",  # tops
    (255, 250, 205): "cloth",  # dress
    (220, 220, 220): "cloth",  # coat
    (160, 140, 88): "cloth",  # socks
    (211, 211, 211): "cloth",  # pants
    (144, 238, 144): "body_skin",
    (150, 26, 181): "cloth",  # scarf
    (250, 235, 215): "cloth",  # skirt
    (16, 78, 139): "skin",  # face
    (245, 222, 179): "cloth",  # shoes
    (255, 140, 0): "cloth",  # bag
    (50, 205, 50): "cloth",  # accessories
}


def mask(path: Path) -> NDArray[np.float32]:
    """The person mask at ``path``, H x W in [0, 1]: white is person. MediaError where it is no picture."""
    return np.divide(_samples(path, "L"), 255, dtype=np.float32)


def parsing(path: Path, layout: str) -> NDArray[np.uint8]:
    """The parsing map at ``path`` of a set of that ``layout`` as labels of ``geometry.parsing``, uint8 H x W.

    DeepFashion-MultiModal stores numbers of classes, SHHQ colours. Raises MediaError where it is no picture,
    or holds a class that the set does not have.
    """
    if layout == "deepfashion":
        numbers = _samples(path, "")
        if numbers.ndim != 2 or numbers.max(initial=0) >= _CLASSES:
            raise MediaError(f"{path.name} is no map of classes 0 to {_CLASSES - 1}; copy it again")
        table = [INDEX[_DEEPFASHION.get(number, "cloth")] for number in range(_CLASSES)]
        return np.array(table, np.uint8)[numbers]
    rgb = _samples(path, "RGB").astype(np.uint32)
    codes = rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2]
    known = {r << 16 | g << 8 | b: INDEX[name] for (r, g, b), name in _SHHQ.items()}
    colours, where = np.unique(codes, return_inverse=True)
    strange = [f"{int(c):06x}" for c in colours if int(c) not in known]
    if strange:
        raise MediaError(f"{path.name} holds the colour {strange[0]}, which is no class; copy it again")
    return np.array([known[int(c)] for c in colours], np.uint8)[where.reshape(codes.shape)]


def _samples(path: Path, mode: str) -> NDArray[Any]:
    """The samples of the picture at ``path`` in Pillow's ``mode``; '' leaves numbers as they are stored."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MediaError(f"cannot open {path.name}: {error.strerror}; check its permissions") from error
    image, _ = decoding.open_picture(io.BytesIO(data), path, len(data), decoding.LIMITS)
    with image:
        try:
            # The numbers of a palette are the classes; its colours are only for the eye.
            return np.asarray(image.convert(mode) if mode else image)
        except Exception as error:  # a decoder that is fed with damaged bytes may raise anything
            raise MediaError(f"{path.name} is damaged or cut short ({error}); copy it again") from error
