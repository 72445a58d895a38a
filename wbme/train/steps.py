"""What every training does: steps, an averaged copy of the weights, held-out checks, exact resumption."""

import copy
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from wbme.base.errors import ModelError
from wbme.base.hashing import sha256_bytes
from wbme.runtime.export import fill
from wbme.train import checkpoint

Tell = Callable[[str, float, int], None]
Progress = Callable[[Iterator[Any], int], Iterable[Any]]
_TELL_STEPS = 25  # losses are told as means over as many steps


@dataclass
class Trained:
    """The averaged network, rows (name, value, step) of what was told, seconds of training, steps done, and
    what a card says of the training."""

    net: Any
    history: list[tuple[str, float, int]]
    seconds: float
    steps: int
    about: dict[str, Any]


class Loop(ABC):
    """A training of ``net`` by ``settings`` (with steps, seconds, lr, warmup, checks) whose checkpoint lives
    in ``folder``. A subclass makes ``optimizer`` and calls ``_restore`` when it is whole."""

    _SAVE_SECONDS = 20.0
    _KEEP = 0.999  # of the average at each step, at most
    optimizer: torch.optim.Optimizer

    def __init__(self, net: nn.Module, settings: Any, folder: Path, device: torch.device):
        self.settings, self.folder, self.device = settings, folder, device
        self._tell: Tell = lambda name, value, step: None
        self.net = net.to(device, memory_format=torch.channels_last)
        # Compiling takes a minute and pays on a GPU; the same parameters, so that checkpoints do not change.
        self.forward = torch.compile(self.net) if device.type == "cuda" else self.net
        self.average = copy.deepcopy(self.net).requires_grad_(False).eval()
        self.step, self.elapsed, self.history, self._sums = 0, 0.0, [], {}
        # Of another length the schedules differ too, so every setting counts.
        self._identity: dict[str, Any] = asdict(settings)

    @abstractmethod
    def _batches(self) -> Iterator[Any]:
        """What is left to learn from."""

    @abstractmethod
    def _learn(self, batch: Any) -> None:
        """One step: its losses go to ``_descend``."""

    @abstractmethod
    def _check(self) -> None:
        """Report how the average does on what is held out."""

    @abstractmethod
    def _about(self) -> dict[str, Any]:
        """What a card says."""

    def _started(self, start: nn.Module | None) -> None:
        """Let the weights of ``start`` count for what training this is."""
        weights = b"".join(v.numpy().tobytes() for v in start.state_dict().values()) if start else b""
        self._identity["start"] = sha256_bytes(weights) if weights else ""

    @property
    def _path(self) -> Path:
        return self.folder / "checkpoint.pt"

    def _parts(self) -> dict[str, Any]:
        return {"net": self.net, "average": self.average, "optimizer": self.optimizer}

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

    def run(self, tell: Tell, progress: Progress = lambda items, _: items) -> Trained:
        """Train to the end. ``tell(name, value, step)`` gets losses and held-out metrics, those of before an
        interruption once more; ``progress(items, number)`` wraps the steps for a display.

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
            self._learn(batch)
            self.step += 1
            self.elapsed = before + time.monotonic() - began
            if self.step % _TELL_STEPS == 0 or self._progress() >= 1:
                self._flush()
            if self._progress() >= due:
                self._check()
                due = self._next_check()
            if time.monotonic() - saved > self._SAVE_SECONDS:
                self._save()
                saved = time.monotonic()
        self._save()
        return Trained(self.average, self.history, self.elapsed, self.step, self._about())

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

    def _rate(self) -> float:
        given, along = self.settings, self._progress()
        warm = min(1.0, (self.step + 1) / max(given.warmup, 1))
        return given.lr * warm * max(0.5 * (1 + math.cos(math.pi * along)), 0.01)

    def _descend(self, parts: dict[str, Tensor]) -> None:
        """A step of the optimiser down the sum of ``parts``. ModelError where it is not finite."""
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
                    f"lower lr (now {self.settings.lr}){kept}"
                )
        self.optimizer.step()
        self._follow()
        for name, value in {**parts, "train": loss}.items():
            total, count = self._sums.get(name, (0.0, 0))
            self._sums[name] = (total + value.item(), count + 1)

    @torch.no_grad()
    def _follow(self) -> None:
        """The average follows over about the last tenth of the steps, at most 1 / (1 - ``_KEEP``)."""
        keep = min(1 - 10 / (10 + self.step), self._KEEP)
        own = self.average.state_dict()
        for name, value in self.net.state_dict().items():
            if value.is_floating_point():
                own[name].lerp_(value, 1 - keep)
            else:
                own[name].copy_(value)
