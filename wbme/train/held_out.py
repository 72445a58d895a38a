"""Checks on pairs that are never trained on, in numbers and as a sheet to look at."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from wbme.base.errors import ParameterError
from wbme.data.pairs import Pairs
from wbme.geometry.parsing import SKIN
from wbme.metrics import structure
from wbme.nets import layered
from wbme.nets.student import MULTIPLE, Student
from wbme.runtime.export import Drawing, control_values, make_card

MOST = 8  # pairs that are checked
SHOWN = 3  # pairs on the sheet

F32 = NDArray[np.float32]


class HeldOut:
    """The first ``most`` pairs of the split ``val``, each cut to multiples of ``multiple``.

    ``controls`` are those of the card that differ from the usual. Raises ParameterError where there is none.
    """

    def __init__(
        self,
        pairs: Pairs,
        controls: Mapping[str, Any] | None = None,
        *,
        multiple: int = MULTIPLE,
        most: int = MOST,
    ):
        self.controls = controls
        rows = [row for row in pairs.rows if row["split"] == "val"][:most]
        if not rows:
            raise ParameterError(f"{pairs.folder} has no pair to validate on: compose more identities")
        self.pairs = []
        for row in rows:
            found = pairs.load(row, ("src", "tgt", "labels"))
            found.setdefault("labels", np.zeros(found["src"].shape[:2], np.uint8))
            high, wide = (size // multiple * multiple for size in found["labels"].shape)
            self.pairs.append({name: plane[:high, :wide] for name, plane in found.items()})

    @property
    def count(self) -> int:
        """How many pairs are checked."""
        return len(self.pairs)

    def drawings(self, network: nn.Module) -> list[F32]:
        """What ``network`` draws of each photograph, H x W x 3 in [0, 1]: a student as its graph is exported,
        any other network of the photograph alone."""
        if isinstance(network, Student):
            drawing = Drawing(network, network.condition())
            return [draw(drawing, pair["src"], pair["labels"], self.controls) for pair in self.pairs]
        with torch.inference_mode():
            return [_picture(network(_tensor(pair["src"])).clamp(0, 1)) for pair in self.pairs]

    def scores(self, drawings: Iterable[F32]) -> dict[str, float]:
        """Means over the pairs: PSNR (dB) of drawing and of the photograph itself against the target, line
        F1, share of flat pixels of drawing and target. ``drawings``: one of each pair."""
        rows = []
        for pair, drawn in zip(self.pairs, drawings, strict=True):
            target = pair["tgt"]
            rows.append(
                {
                    "psnr": structure.distance(drawn, target)[1],
                    "psnr_photo": structure.distance(pair["src"], target)[1],
                    "line_f1": structure.line_f1(structure.lines(drawn), structure.lines(target)).f1,
                    "flat": structure.flat_share(drawn),
                    "flat_target": structure.flat_share(target),
                }
            )
        return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}

    def sheet(self, drawings: Sequence[F32]) -> F32:
        """A row for each of the first pairs: photograph, drawing, target. H x W x 3 in [0, 1]."""
        shown = zip(self.pairs[:SHOWN], drawings, strict=False)
        rows = [np.hstack([pair["src"], drawn, pair["tgt"]]) for pair, drawn in shown]
        wide = max(row.shape[1] for row in rows)
        padded = [np.pad(r, ((0, 0), (0, wide - r.shape[1]), (0, 0)), constant_values=1) for r in rows]
        return np.vstack(padded)


def _tensor(rgb: F32) -> torch.Tensor:
    """H x W x 3 as 1 x 3 x H x W."""
    return torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1), np.float32))[None]


def _picture(image: torch.Tensor) -> F32:
    """1 x 3 x H x W as H x W x 3."""
    return np.ascontiguousarray(image[0].permute(1, 2, 0).numpy())


@torch.inference_mode()
def draw(
    drawing: Drawing, rgb: F32, labels: NDArray[np.uint8], controls: Mapping[str, Any] | None = None
) -> F32:
    """What the exported graph draws of ``rgb`` (H x W x 3 in [0, 1], multiples of 8), in [0, 1].

    A tone lies on the skin that ``labels`` (H x W) show; ``controls`` are those that the card changes.
    """
    card, skin = make_card("training", drawing.net, controls), np.isin(labels, list(SKIN))
    image = _tensor(rgb)
    changes: dict[str, float] = {}
    if card["controls"] and skin.sum() > 50:
        base = drawing(image, *control_values(card, **layered.BASE_ALONE).values())
        level = float(np.median(layered.luma(base)[0, 0].numpy()[skin]))
        changes = {"phase": layered.phase_of(level, card["controls"]["levels"])}
    return _picture(drawing(image, *control_values(card, **changes).values()))
