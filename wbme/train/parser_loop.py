"""Training of the parser: cross entropy and Dice, an encoder that moves slowly, exact resumption."""

import copy
import math
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from wbme.base.errors import ModelError
from wbme.base.hashing import digest_json, sha256_bytes
from wbme.data.parser_crops import IGNORED, ParserCrops
from wbme.geometry.parsing import INDEX, LABELS
from wbme.metrics import parsing as metrics
from wbme.nets import mobilenet
from wbme.nets.parser import ParserNet
from wbme.runtime.export import fill
from wbme.train import checkpoint
from wbme.train.parser_settings import ParserSettings

Tell = Callable[[str, float, int], None]
_SAVE_SECONDS = 30.0
_TELL_STEPS = 25
# Small and thin parts count for more, pixel by pixel.
_WEIGHTS = torch.ones(len(LABELS))
for _weight, _names in {
    1.3: "l_ear r_ear l_brow r_brow l_eye r_eye u_lip l_lip", 1.6: "eye_g ear_r mouth neck_l",
}.items():  # fmt: skip
    for _name in _names.split():
        _WEIGHTS[INDEX[_name]] = _weight


@dataclass
class ParserTrained:
    """The averaged network, rows (name, value, step) of what was told, seconds, steps, and what a card
    says."""

    net: ParserNet
    history: list[tuple[str, float, int]]
    seconds: float
    steps: int
    about: dict[str, Any]


def begun() -> ParserNet:
    """A parser whose encoder has MobileNetV2's weights of ImageNet. AssetError where they cannot be had."""
    net = ParserNet()
    net.encoder.load_state_dict(mobilenet.pretrained().features[: len(net.encoder)].state_dict())
    return net


def losses(logits: Tensor, labels: Tensor, dice: float) -> dict[str, Tensor]:
    """Weighted cross entropy and ``dice`` times 1 - the mean Dice score of the labels in the batch (Milletari
    et al., arXiv 1606.04797). logits N x 20 x H x W, labels N x H x W int64, 255 not counted."""
    parts = {"entropy": cross_entropy(logits, labels, _WEIGHTS.to(logits.device), ignore_index=IGNORED)}
    if dice:
        few, true = logits[..., ::2, ::2], labels[..., ::2, ::2]
        known = (true != IGNORED)[:, None]
        chance = few.softmax(1) * known
        wanted = torch.zeros_like(chance).scatter_(1, true.clamp(max=len(LABELS) - 1)[:, None], 1.0) * known
        there = wanted.sum((0, 2, 3))
        score = 2 * (chance * wanted).sum((0, 2, 3)) / (chance.sum((0, 2, 3)) + there + 1.0)
        parts["dice"] = dice * (1 - score[there > 0].mean())
    return parts


def parsed(net: nn.Module, rgb: np.ndarray) -> np.ndarray:
    """Labels, H x W uint8, of rgb H x W x 3 in [0, 1] whose sides are multiples of 64."""
    device = next(net.parameters()).device
    with torch.inference_mode():
        image = torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1), np.float32))[None].to(device)
        return net(image)[0].argmax(0).to(torch.uint8).cpu().numpy()


class ParserTraining:
    """A training on ``crops`` whose checkpoint lives in ``folder``; ``checks`` are held-out examples (rgb,
    labels). ``start`` gives the first weights, ImageNet's and fresh ones where it is None.

    Raises ModelError for a checkpoint of another training.
    """

    def __init__(
        self, crops: ParserCrops, checks: list[tuple[np.ndarray, np.ndarray]], settings: ParserSettings,
        folder: Path, start: ParserNet | None = None,
    ):  # fmt: skip
        self.crops, self.checks, self.settings, self.folder = crops, checks, settings, folder
        self._tell: Tell = lambda name, value, step: None
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(settings.seed)
        net = begun() if start is None else copy.deepcopy(start).requires_grad_(True)
        self.net = net.to(self.device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.net).requires_grad_(False).eval()
        inner = list(self.net.encoder.parameters())
        known = set(map(id, inner))
        outer = [p for p in self.net.parameters() if id(p) not in known]
        groups = [{"params": outer, "share": 1.0}, {"params": inner, "share": settings.encoder}]
        self.optimizer = torch.optim.AdamW(groups, settings.lr, weight_decay=1e-4)
        self.step, self.elapsed, self.history, self._sums = 0, 0.0, [], {}
        self._identity = {**asdict(settings)}
        self._identity["views"] = digest_json([row for _, row in crops.views])
        weights = b"".join(v.numpy().tobytes() for v in start.state_dict().values()) if start else b""
        self._identity["start"] = sha256_bytes(weights) if weights else ""
        self._restore()

    @property
    def _path(self) -> Path:
        return self.folder / "checkpoint.pt"

    def _restore(self) -> None:
        state = checkpoint.load(self._path, self._identity)
        if state is None:
            return
        try:
            for name, part in (("net", self.net), ("average", self.average)):
                fill(part, state[name], str(self._path))
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.elapsed = int(state["step"]), float(state["elapsed"])
            self._sums = dict(state["sums"])
            self.history = [tuple(row) for row in state["history"]]
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise ModelError(f"{self._path} lacks or distorts {error}: remove it to start anew") from error

    def _save(self) -> None:
        state: dict[str, Any] = {"step": self.step, "elapsed": self.elapsed, "sums": self._sums}
        parts = {"net": self.net, "average": self.average, "optimizer": self.optimizer}
        state |= {name: part.state_dict() for name, part in parts.items()}
        state["history"] = [list(row) for row in self.history]
        checkpoint.save(self._path, state, self._identity)

    def _progress(self) -> float:
        given = self.settings
        timed = self.elapsed / given.seconds if given.seconds else 0.0
        return min(max(self.step / given.steps, timed), 1.0)

    def _batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The batches that are left, the next one prepared while the network learns."""
        with ThreadPoolExecutor(1) as worker:
            waiting = worker.submit(self.crops.batch, self.step)
            for step in range(self.step, self.settings.steps):
                batch = waiting.result()
                if step + 1 < self.settings.steps:
                    waiting = worker.submit(self.crops.batch, step + 1)
                yield batch

    def run(
        self, tell: Tell, progress: Callable[[Iterator[Any], int], Iterable[Any]] = lambda items, _: items
    ) -> ParserTrained:
        """Train to the end. ``tell(name, value, step)`` gets losses and the IoU of the held-out views, those
        of before an interruption once more; ``progress(items, number)`` wraps the steps for a display.

        Raises ModelError when a loss is not finite; the last checkpoint stays.
        """
        self._tell = tell
        for row in self.history:
            tell(*row)
        saved = began = time.monotonic()
        before, due = self.elapsed, self._next_check()
        for batch in progress(self._batches(), self.settings.steps - self.step):
            if self._progress() >= 1:
                break
            self._learn(*batch)
            self.step += 1
            self.elapsed = before + time.monotonic() - began
            if self.step % _TELL_STEPS == 0 or self._progress() >= 1:
                self._flush()
            if self._progress() >= due:
                self._check()
                due = self._next_check()
            if time.monotonic() - saved > _SAVE_SECONDS:
                self._save()
                saved = time.monotonic()
        self._save()
        return ParserTrained(self.average, self.history, self.elapsed, self.step, self._about())

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

    def _next_check(self) -> float:
        checks = self.settings.checks
        return (math.floor(self._progress() * checks + 1e-9) + 1) / checks

    def _report(self, name: str, value: float) -> None:
        self.history.append((name, value, self.step))
        self._tell(name, value, self.step)

    def _flush(self) -> None:
        for name, (total, count) in self._sums.items():
            self._report(f"loss/{name}", total / count)
        self._sums = {}

    def _check(self) -> None:
        if not self.checks:
            return
        counts = sum(metrics.confusion(parsed(self.average, rgb), true) for rgb, true in self.checks)
        found = metrics.ious(counts)
        self._report("held_out/iou", metrics.mean(found))
        for name in ("skin", "hair"):
            self._report(f"held_out/{name}", found.get(name, float("nan")))

    def _rate(self) -> float:
        given, along = self.settings, self._progress()
        warm = min(1.0, (self.step + 1) / max(given.warmup, 1))
        return given.lr * warm * max(0.5 * (1 + math.cos(math.pi * along)), 0.01)

    def _learn(self, pictures: np.ndarray, labels: np.ndarray) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate() * group["share"]
        self.net.train()
        for part in self.net.encoder.modules():  # the statistics of photographs are better than of few crops
            if isinstance(part, nn.BatchNorm2d):
                part.eval()
        image = torch.from_numpy(pictures).to(self.device, memory_format=torch.channels_last)
        parts = losses(self.net(image), torch.from_numpy(labels).long().to(self.device), self.settings.dice)
        loss = torch.stack(list(parts.values())).sum()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        slope = nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        for what, value in (("loss", loss.item()), ("gradient", slope.item())):
            if not math.isfinite(value):
                raise ModelError(
                    f"the {what} is {value} at step {self.step} of the training: "
                    f"lower lr (now {self.settings.lr}); the last checkpoint stays in {self.folder}"
                )
        self.optimizer.step()
        self._follow()
        for name, value in {**parts, "train": loss}.items():
            total, count = self._sums.get(name, (0.0, 0))
            self._sums[name] = (total + value.item(), count + 1)

    @torch.no_grad()
    def _follow(self) -> None:
        """The average follows: over about the last tenth of the steps, at most a hundred."""
        keep = min(1 - 10 / (10 + self.step), 0.99)
        own = self.average.state_dict()
        for name, value in self.net.state_dict().items():
            if value.is_floating_point():
                own[name].lerp_(value, 1 - keep)
            else:
                own[name].copy_(value)
