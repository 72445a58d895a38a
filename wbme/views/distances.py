"""FID and KID of drawings, where the user brings the weights of Inception."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.metrics import frechet
from wbme.nets.inception import FidInception

REFERENCE = "reference"


class Distances:
    """Inception's features of pictures by method, and what they say of each against those of ``REFERENCE``.
    ``path``: see ``nets.inception``."""

    def __init__(self, path: str | Path) -> None:
        self._net = FidInception(path)
        self._features: dict[str, list[NDArray[np.float32]]] = {}

    def add(self, name: str, rgb: NDArray[np.float32]) -> None:
        """Describe a picture (H x W x 3 sRGB in [0, 1]) of that method."""
        tensor = torch.from_numpy(np.ascontiguousarray(rgb, np.float32)).permute(2, 0, 1)[None]
        self._features.setdefault(name, []).append(self._net(tensor)[0].numpy())

    def table(self, references: Iterable[NDArray[np.float32]], seed: int = 0) -> pd.DataFrame:
        """A row a method: FID, mean KID over subsets with the middle 95 % of them, and how many pictures both
        are of. Raises ParameterError for fewer than two pictures on either side."""
        for rgb in references:
            self.add(REFERENCE, rgb)
        given = {name: np.stack(rows) for name, rows in self._features.items()}
        wanted = given.pop(REFERENCE, np.zeros((0, 0)))
        if len(wanted) < 2 or min(map(len, given.values())) < 2:
            raise ParameterError(f"FID and KID of {len(wanted)} references: compare two pictures or more")
        rows = []
        for name, own in given.items():
            told = frechet.kid(own, wanted, seed=seed)
            row = {"method": name, "FID": frechet.frechet(own, wanted), "KID": told.mean}
            row |= {"KID, low": told.low, "KID, high": told.high}
            rows.append(row | {"pictures": len(own), "references": len(wanted)})
        return pd.DataFrame(rows)
