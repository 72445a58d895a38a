"""A layered student in two halves: the network once a picture, the tones and lines above it each time."""

import hashlib
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from wbme.base.errors import ModelError
from wbme.runtime import export
from wbme.runtime.backend import TensorSpec, check

_ROOM = 256 << 20  # bytes of layers that are remembered


class Remembered:
    """A model folder as a ``Backend`` for pictures N x H x W x 3 (float32 in [0, 1], sides that are multiples
    of the card's), whose inputs are those of its exported graph.

    What the network makes of a picture, base and ink logit, is remembered for the last ones, up to 256 MB of
    it: under other controls only ink OVER tone(base) is computed anew (``wbme.nets.layered``), in torch,
    which is what the graph would draw to rounding. Raises ModelError where the folder holds no layered
    student.
    """

    name = "torch"

    def __init__(self, folder: str | Path):
        student, card = export.load_model(Path(folder))
        if student.head != "layered":
            raise ModelError(
                f"the student in {folder} has a {student.head} head: lines and tones need layers"
            )
        self.drawing = export.Drawing(student, export.condition(student, card))
        self.inputs = [TensorSpec(name) for name in ("image", *card["controls"])]
        self.outputs: list[TensorSpec] = []
        self._known: OrderedDict[bytes, Tensor] = OrderedDict()

    def __call__(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """The drawing N x H x W x 3 in [0, 1]."""
        check("the layered student", self.inputs, arrays)
        with torch.inference_mode():
            layers = self.layers(arrays[0])
            drawn = self.drawing.head(layers, *map(torch.from_numpy, arrays[1:]))
        return [np.ascontiguousarray(drawn.permute(0, 2, 3, 1).numpy())]

    def layers(self, rgb: np.ndarray) -> Tensor:
        """What the network makes of ``rgb`` (N x H x W x 3): N x 4 x H x W, base and ink logit."""
        seen = np.ascontiguousarray(rgb, np.float32)
        key = hashlib.blake2b(seen, digest_size=16, key=repr(seen.shape).encode()[:64]).digest()
        if key not in self._known:
            with torch.inference_mode():
                image = torch.from_numpy(seen).permute(0, 3, 1, 2).contiguous()
                self._known[key] = self.drawing.net(image, None)
        self._known.move_to_end(key)
        while len(self._known) > 1 and sum(one.nbytes for one in self._known.values()) > _ROOM:
            self._known.popitem(last=False)
        return self._known[key]
