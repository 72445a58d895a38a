"""Training of the parser: cross entropy and Dice, an encoder that moves slowly, exact resumption."""

import copy
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, nll_loss

from wbme.base.hashing import digest_json
from wbme.data.parser_crops import IGNORED, ParserCrops
from wbme.geometry.parsing import INDEX, LABELS
from wbme.metrics import parsing as metrics
from wbme.nets import mobilenet
from wbme.nets.parser import ParserNet
from wbme.train.parser_settings import ParserSettings
from wbme.train.steps import Loop

# What is rare or thin counts for more, pixel by pixel.
_WEIGHTS = torch.ones(len(LABELS))
for _weight, _names in {
    1.5: "eye_g body_skin", 2.5: "ear_r",
}.items():  # fmt: skip
    for _name in _names.split():
        _WEIGHTS[INDEX[_name]] = _weight


def begun() -> ParserNet:
    """A parser whose encoder has MobileNetV2's weights of ImageNet. AssetError where they cannot be had."""
    net = ParserNet()
    net.encoder.load_state_dict(mobilenet.pretrained().features[: len(net.encoder)].state_dict())
    return net


def losses(logits: Tensor, labels: Tensor, dice: float) -> dict[str, Tensor]:
    """Weighted cross entropy and ``dice`` times 1 - the mean Dice score of the labels in the batch (Milletari
    et al., arXiv 1606.04797). logits N x 20 x H/2 x W/2, labels N x H x W int64, 255 not counted: each cell
    learns what share of its four pixels has which label."""
    cells = logits.permute(0, 2, 3, 1).reshape(-1, len(LABELS)).log_softmax(1)
    pixels = [labels[:, i::2, j::2].reshape(-1) for i in (0, 1) for j in (0, 1)]
    weights = _WEIGHTS.to(logits.device)
    each = [nll_loss(cells, own, weights, ignore_index=IGNORED, reduction="sum") for own in pixels]
    known = torch.stack([own != IGNORED for own in pixels]).all(0)
    ones = [torch.where(own == IGNORED, 0, own)[:, None] for own in pixels]
    count = sum(weights[own[own != IGNORED]].sum() for own in pixels)
    parts = {"entropy": torch.stack(each).sum() / count}
    if dice:
        chance, wanted = cells.exp() * known[:, None], torch.zeros_like(cells)
        for own in ones:
            wanted.scatter_add_(1, own, known[:, None].to(cells.dtype) / 4)
        there = wanted.sum(0)
        score = 2 * (chance * wanted).sum(0) / (chance.sum(0) + there + 1.0)
        parts["dice"] = dice * (1 - score[there > 0].mean())
    return parts


def parsed(net: nn.Module, rgb: np.ndarray) -> np.ndarray:
    """Labels, H x W uint8, of rgb H x W x 3 in [0, 1] whose sides are multiples of 64."""
    device = next(net.parameters()).device
    with torch.inference_mode():
        image = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1), np.float32))[None].to(device)
        whole = interpolate(net(image), scale_factor=2.0, mode="bilinear", align_corners=False)
        return whole[0].argmax(0).to(torch.uint8).cpu().numpy()


class ParserTraining(Loop):
    """A training on ``crops`` whose checkpoint lives in ``folder``; ``checks`` are held-out examples (rgb,
    labels). ``start`` gives the first weights, ImageNet's and fresh ones where it is None.

    Raises ModelError for a checkpoint of another training.
    """

    _SAVE_SECONDS = 30.0
    _KEEP = 0.99

    def __init__(
        self, crops: ParserCrops, checks: list[tuple[np.ndarray, np.ndarray]], settings: ParserSettings,
        folder: Path, start: ParserNet | None = None,
    ):  # fmt: skip
        self.crops, self.checks = crops, checks
        torch.manual_seed(settings.seed)
        net = begun() if start is None else copy.deepcopy(start).requires_grad_(True)
        super().__init__(net, settings, folder, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
        inner = list(self.net.encoder.parameters())
        known = set(map(id, inner))
        outer = [p for p in self.net.parameters() if id(p) not in known]
        groups = [{"params": outer, "share": 1.0}, {"params": inner, "share": settings.encoder}]
        self.optimizer = torch.optim.AdamW(groups, settings.lr, weight_decay=1e-4)
        self._identity["views"] = digest_json([row for _, row in crops.views])
        self._started(start)
        self._restore()

    def _batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The batches that are left, the next one prepared while the network learns."""
        with ThreadPoolExecutor(1) as worker:
            waiting = worker.submit(self.crops.batch, self.step)
            for step in range(self.step, self.settings.steps):
                batch = waiting.result()
                if step + 1 < self.settings.steps:
                    waiting = worker.submit(self.crops.batch, step + 1)
                yield batch

    def _about(self) -> dict[str, Any]:
        rows = [row for _, row in self.crops.views]
        given = {k: self._identity[k] for k in ("views", "start", "side", "batch", "lr", "encoder", "seed")}
        people = len({(row.get("seed"), row["identity"]) for row in rows})
        return given | {
            "steps": self.step,
            "pictures": len(rows),
            "identities": people,
            "device": str(self.device),
        }

    def _check(self) -> None:
        if not self.checks:
            return
        counts = sum(metrics.confusion(parsed(self.average, rgb), true) for rgb, true in self.checks)
        found = metrics.ious(counts)
        self._report("held_out/iou", metrics.mean(found))
        for name in ("skin", "hair"):
            self._report(f"held_out/{name}", found.get(name, float("nan")))

    def _learn(self, batch: tuple[np.ndarray, np.ndarray]) -> None:
        pictures, labels = batch
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate() * group["share"]
        self.net.train()
        for part in self.net.encoder.modules():  # the statistics of photographs are better than of few crops
            if isinstance(part, nn.BatchNorm2d):
                part.eval()
        image = torch.from_numpy(pictures).to(self.device, memory_format=torch.channels_last)
        parts = losses(self.net(image), torch.from_numpy(labels).long().to(self.device), self.settings.dice)
        self._descend(parts)
