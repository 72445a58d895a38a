"""A trained student as a teacher: what it draws of a photograph, in the two layers that pairs are made of."""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wbme.apps.stylizer import Stylizer, coverage
from wbme.perception.faces import detect
from wbme.runtime.export import model_folder

F32 = NDArray[np.float32]
_NO_INK = 20.0  # a line threshold above every logit


@dataclass(frozen=True)
class StudentTeacher:
    """Pairs of it are self-trained: a next student learns what this one (``model``: a model folder or the
    name of a shipped one) already does, on photographs that no renderer made."""

    model: str

    def __call__(self, rgb: F32) -> tuple[F32, F32]:
        """Base H x W x 3, sRGB in [0, 1], and ink H x W in [0, 1] of a picture H x W x 3; all ink is base
        where the model's head is plain. Raises ModelError for what is no model."""
        faces = detect(rgb, irises=False)
        drawn = _open(self.model).picture(rgb, faces)
        if not _open(self.model).layered:
            return drawn, np.zeros(rgb.shape[:2], np.float32)
        base = _open(self.model, _NO_INK).picture(rgb, faces)
        colour = np.asarray(_open(self.model).controls["ink_colour"], np.float32)
        return base, coverage(drawn, base, colour).astype(np.float32)


@functools.cache
def _open(model: str, threshold: float | None = None) -> Stylizer:
    """Once a process, which is where pairs are composed."""
    controls = {} if threshold is None else {"line_threshold": threshold}
    return Stylizer(model_folder(model), threads=1, controls=controls)
