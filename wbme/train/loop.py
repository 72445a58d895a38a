"""The loop: steps of AdamW, an averaged copy of the weights, held-out checks, exact resumption."""

import copy
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from wbme.base.errors import ModelError
from wbme.base.hashing import sha256_bytes, sha256_file
from wbme.data import planes
from wbme.data.pairs import Pairs
from wbme.metrics import perceptual
from wbme.nets import mobilenet
from wbme.nets.discriminator import PatchGAN
from wbme.nets.student import Student
from wbme.runtime.export import fill
from wbme.train import checkpoint, held_out
from wbme.train.loader import Batch, Crops
from wbme.train.losses import LOSSES
from wbme.train.settings import Settings

Tell = Callable[[str, float, int], None]
_SAVE_SECONDS = 20.0
_TELL_STEPS = 25  # losses are told as means over as many steps


@dataclass
class Trained:
    """The averaged student, rows (name, value, step) of what was told, seconds of training, steps done, and
    what a card says of the training."""

    student: Student
    history: list[tuple[str, float, int]]
    seconds: float
    steps: int
    about: dict[str, Any]


def device_and_type() -> tuple[torch.device, torch.dtype]:
    """A GPU where there is one; bfloat16 where the hardware computes in it, else float32."""
    if torch.cuda.is_available():
        return torch.device("cuda"), torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    capable = torch.cpu.get_capabilities()
    fast = capable.get("avx512_bf16") or capable.get("amx_bf16")
    return torch.device("cpu"), torch.bfloat16 if fast else torch.float32


class Training:
    """A training of ``settings`` on ``pairs`` whose checkpoint and held-out drawings live in ``folder``.

    Made anew from the checkpoint there, it goes on as if it had never stopped. ``start`` gives the first
    weights, those of a student of the same architecture; ``controls`` are those with which the held-out pairs
    are drawn (``export.make_card``). Raises ModelError for a foreign checkpoint or a
    start that does not fit, ParameterError where a split of the pairs is empty.
    """

    def __init__(
        self,
        pairs: Pairs,
        settings: Settings,
        folder: Path,
        start: Student | None = None,
        controls: Mapping[str, Any] | None = None,
    ):
        self.settings, self.folder = settings, folder
        self._tell: Tell = lambda name, value, step: None
        self.crops = Crops(pairs, "train", crop=settings.crop, size=settings.batch, seed=settings.seed)
        self.checks = held_out.HeldOut(pairs, controls)
        self.device, self.dtype = device_and_type()
        torch.manual_seed(settings.seed)
        net = Student(settings.architecture, settings.head, settings.characters, settings.branches)
        if start:
            fill(net, start.state_dict(), "the model to start from")
        self.net = net.to(self.device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.net).requires_grad_(False).eval()
        self.optimizer = torch.optim.AdamW(self.net.parameters(), settings.lr, weight_decay=1e-4, fused=True)
        self.critic = PatchGAN().to(self.device) if settings.critic else None
        self.critic_optimizer = (
            torch.optim.AdamW(self.critic.parameters(), 4e-4, (0.0, 0.99), weight_decay=0.0)
            if self.critic
            else None
        )
        self.features = mobilenet.pretrained().to(self.device) if settings.perceptual else None
        self.cond = self.net.condition().expand(settings.batch, -1).to(self.device)
        self.step, self.elapsed, self.history, self._sums = 0, 0.0, [], {}
        # Of another length the schedules differ too, so every setting counts.
        self._identity = {**asdict(settings), "characters": list(settings.characters)}
        self._identity["pairs"] = sha256_file(pairs.folder / "pairs.jsonl")
        weights = b"".join(v.numpy().tobytes() for v in start.state_dict().values()) if start else b""
        self._identity["start"] = sha256_bytes(weights) if weights else ""
        self._restore()

    @property
    def _path(self) -> Path:
        return self.folder / "checkpoint.pt"

    def _parts(self) -> dict[str, Any]:
        parts = {"net": self.net, "average": self.average, "optimizer": self.optimizer}
        if self.critic:
            parts |= {"critic": self.critic, "critic_optimizer": self.critic_optimizer}
        return parts

    def _restore(self) -> None:
        state = checkpoint.load(self._path, self._identity)
        if state is None:
            return
        try:
            for name, part in self._parts().items():
                if isinstance(part, nn.Module):
                    fill(part, state[name], str(self._path))
                else:
                    part.load_state_dict(state[name])
            self.step, self.elapsed = int(state["step"]), float(state["elapsed"])
            self._sums = dict(state["sums"])
            self.history = [tuple(row) for row in state["history"]]
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise ModelError(f"{self._path} lacks or distorts {error}: remove it to start anew") from error

    def _save(self) -> None:
        state = {name: part.state_dict() for name, part in self._parts().items()}
        state |= {"step": self.step, "elapsed": self.elapsed, "sums": self._sums}
        state["history"] = [list(row) for row in self.history]
        checkpoint.save(self._path, state, self._identity)

    def _progress(self) -> float:
        """How far the training is, in [0, 1]."""
        given = self.settings
        timed = self.elapsed / given.seconds if given.seconds else 0.0
        return min(max(self.step / given.steps, timed), 1.0)

    def run(
        self, tell: Tell, progress: Callable[[Iterator[Batch], int], Iterable[Batch]] = lambda items, _: items
    ) -> Trained:
        """Train to the end. ``tell(name, value, step)`` gets losses and held-out metrics, those of before an
        interruption once more; ``progress(items, number)`` wraps the steps for a display.

        Raises ModelError when a loss is not finite; the last checkpoint stays.
        """
        self._tell = tell
        for row in self.history:
            tell(*row)
        saved = began = time.monotonic()
        before, due = self.elapsed, self._next_check()
        batches = self.crops.batches(self.step, self.settings.steps)
        for batch in progress(batches, self.settings.steps - self.step):
            if self._progress() >= 1:
                break
            self._learn(batch.to(self.device))
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
        return Trained(self.average, self.history, self.elapsed, self.step, self._about())

    def _about(self) -> dict[str, Any]:
        rows = self.crops.rows
        return {
            **{key: self._identity[key] for key in ("pairs", "start", "crop", "batch", "lr", "seed")},
            "steps": self.step,
            "views": len(rows),
            "identities": len({row["identity"] for row in rows}),
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
        student = copy.deepcopy(self.average).cpu()
        for name, value in self.checks.scores(student).items():
            self._report(f"held_out/{name}", value)
        planes.write(self.folder / f"held-out-{self.step:06d}.png", self.checks.sheet(student))

    def _rate(self) -> float:
        given, along = self.settings, self._progress()
        warm = min(1.0, (self.step + 1) / max(given.warmup, 1))
        return given.lr * warm * max(0.5 * (1 + math.cos(math.pi * along)), 0.01)

    def _learn(self, batch: Batch) -> None:
        given = self.settings
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        self.net.train()
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            out = self.net(batch.photo, self.cond)
        parts, drawn, wanted = LOSSES[given.head](out.float(), batch)
        if self.features is not None and self.step % given.perceptual_every == 0:
            far = perceptual.compare(self.features, drawn, wanted).mean()
            parts["perceptual"] = given.perceptual * far
        if self.critic is not None and self._progress() >= 1 - given.finish:
            self._criticise(batch.photo, drawn, wanted, parts)
        loss = torch.stack(list(parts.values())).sum()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        slope = nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        # A finite loss with such a gradient would spoil the weights, and then the next checkpoint.
        for what, value in (("loss", loss.item()), ("gradient", slope.item())):
            if not math.isfinite(value):
                kept = f"; the last checkpoint is kept in {self.folder}" if self._path.exists() else ""
                raise ModelError(
                    f"the {what} is {value} at step {self.step} of the training: "
                    f"lower lr (now {given.lr}){kept}"
                )
        self.optimizer.step()
        self._follow()
        for name, value in {**parts, "train": loss}.items():
            total, count = self._sums.get(name, (0.0, 0))
            self._sums[name] = (total + value.item(), count + 1)

    def _criticise(self, photo: Tensor, drawn: Tensor, wanted: Tensor, parts: dict[str, Tensor]) -> None:
        """One hinge step of the critic, then its verdict as a part of the student's loss."""
        real, fake = self.critic(photo, wanted), self.critic(photo, drawn.detach())
        hinge = torch.relu(1 - real).mean() + torch.relu(1 + fake).mean()
        self.critic_optimizer.zero_grad(set_to_none=True)
        hinge.backward()
        self.critic_optimizer.step()
        self.critic.requires_grad_(False)
        parts["critic"] = -self.settings.critic * self.critic(photo, drawn).mean()
        self.critic.requires_grad_(True)

    @torch.no_grad()
    def _follow(self) -> None:
        """The average follows: over about the last tenth of the steps, at most a thousand."""
        keep = min(1 - 10 / (10 + self.step), 0.999)
        own = self.average.state_dict()
        for name, value in self.net.state_dict().items():
            if value.is_floating_point():
                own[name].lerp_(value, 1 - keep)
            else:
                own[name].copy_(value)
