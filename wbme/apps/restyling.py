"""A picture under one setting of the live controls after another: the network once, its head each time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from wbme.apps.stylizer import Stylizer
from wbme.apps.tiles import Rgb
from wbme.base.errors import ParameterError
from wbme.color.inputs import check_picture
from wbme.nets import layered
from wbme.perception.faces import Face
from wbme.runtime.remembered import Remembered

_CELL = 32  # sides that are multiples of it go through the network as they are


class Restyler:
    """A layered student in ``folder`` whose network is run once a picture.

    Raises ModelError for a folder that holds no such student.
    """

    def __init__(self, folder: str | Path):
        self.net = Remembered(folder)
        self.stylizer = Stylizer(folder, net=self.net)

    def subject(self, rgb: Rgb, faces: Sequence[Face] = ()) -> "Subject":
        """The picture (H x W x 3 sRGB in [0, 1]) with its faces, at its own size: cut at the right and lower
        border to multiples of 32 pixels. ParameterError where it is smaller than 64 x 64."""
        high, wide = (side // _CELL * _CELL for side in rgb.shape[:2])
        if min(high, wide) < 2 * _CELL:
            raise ParameterError(
                f"a picture of {rgb.shape[1]} x {rgb.shape[0]} is too small: give 64 x 64 or more"
            )
        seen = check_picture(rgb[:high, :wide])
        return Subject(self, seen, self.stylizer.skin_level(seen, faces))


@dataclass(frozen=True, eq=False)
class Subject:
    """A picture that is drawn again and again: ``rgb`` H x W x 3 in [0, 1] and the ``luma`` of its skin."""

    restyler: Restyler
    rgb: Rgb
    luma: float

    def draw(self, controls: Mapping[str, Any]) -> Rgb:
        """The drawing, H x W x 3 in [0, 1]; controls that are left out are the card's. ParameterError for one
        that cannot be."""
        return self.restyler.stylizer.under(controls).draw(self.rgb, [], self.luma, scale=1.0)

    def ink(self, threshold: float, gain: float) -> NDArray[np.float32]:
        """Coverage of the ink alone, H x W in [0, 1]."""
        with torch.inference_mode():
            logit = self.restyler.net.layers(self.rgb[None])[:, 3:]
            return np.asarray(layered.ink_alpha(logit, threshold, gain)[0, 0].numpy(), np.float32)
