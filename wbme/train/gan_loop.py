"""The quick prototype as fast.ai trains it: feature loss, a pretrained critic, and a short GAN (NoGAN).

Four phases: the generator alone with its ImageNet encoder frozen, then whole; the critic alone, on drawings
and what the generator makes instead; both in turn, as the critic's loss decides (Antic's DeOldify; fast.ai's
course, lesson 7). ``fastai_learners`` has what fastai gives; here are the data, the checks, what the critic
says, and exact resumption.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from wbme.base.errors import ModelError
from wbme.base.hashing import sha256_bytes, sha256_file
from wbme.data import planes
from wbme.data.pairs import Pairs
from wbme.nets import layered
from wbme.nets.unet import MULTIPLE, Generator
from wbme.runtime.export import fill
from wbme.train import checkpoint, fastai_learners, held_out
from wbme.train.feature_loss import FeatureLoss
from wbme.train.gan_settings import GanSettings
from wbme.train.loader import Batch, Crops
from wbme.train.steps import Progress, Tell, Trained

PHASES = ("head", "generator", "critic", "gan")
_TELL_STEPS = 10  # losses are told as means over as many steps
_CHECKED = {"generator", "gan"}  # phases in which the held-out pairs are drawn


def target(batch: Batch) -> Tensor:
    """The drawing of a batch, N x 3 x H x W in [0, 1]: ink over base."""
    colour = torch.tensor(layered.INK_COLOUR, device=batch.ink.device)[:, None, None]
    return layered.compose(batch.base, batch.ink, colour)


class GanTraining:
    """A training on ``pairs`` whose checkpoint and held-out drawings live in ``folder``.

    ``body`` is the encoder with its weights, ``loss`` the generator's. Made anew from the checkpoint there,
    it goes on as if it had never stopped: on a CPU to the same weights, as batches are functions of their
    number, and optimizers, schedules, dropout and whose turn it is are in the checkpoint; on a GPU nearly.
    Raises ModelError for a foreign checkpoint, ParameterError where a split of the pairs is empty.
    """

    _SAVE_SECONDS = 60.0

    def __init__(
        self, pairs: Pairs, settings: GanSettings, folder: Path, body: nn.Sequential, loss: FeatureLoss
    ):
        self.settings, self.folder, self.loss = settings, folder, loss
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        size = {"crop": settings.crop, "size": settings.batch, "seed": settings.seed}
        self.crops, self._judged = Crops(pairs, "train", **size), Crops(pairs, "val", **size)
        self.checks = held_out.HeldOut(pairs, multiple=MULTIPLE, most=settings.held_out)
        known = b"".join(value.numpy().tobytes() for value in body.state_dict().values())
        self._identity = {**asdict(settings), "features": loss.name, "start": sha256_bytes(known)}
        self._identity["pairs"] = sha256_file(pairs.folder / "pairs.jsonl")
        first = self.crops.batch(0)
        loss.balance(first.photo, target(first))
        torch.manual_seed(settings.seed)
        self.generator = Generator(settings.encoder, settings.attention, body).to(self.device)
        self.critic = fastai_learners.critic(self.settings.width).to(self.device)
        frozen = round(settings.steps * settings.frozen)
        lengths = (frozen, settings.steps - frozen, settings.critic_steps, settings.gan_steps)
        self._lengths = dict(zip(PHASES, lengths, strict=True))
        # Phase, steps done in it, fastai's share of it, whose turn: what a checkpoint holds beside weights.
        self.phase, self.done, self.along, self.drawing = 0, 0, 0.0, False
        self.elapsed, self.history, self._sums = 0.0, [], {}
        self._random, self._kept, self._failure = torch.get_rng_state(), None, ""
        self._tell: Tell = lambda name, value, step: None
        self._progress: Progress = lambda items, _: items
        self._optimizers: list[Any] = []
        self._restore()

    @property
    def step(self) -> int:
        """Steps done in all phases."""
        return sum(list(self._lengths.values())[: self.phase]) + self.done

    @property
    def _path(self) -> Path:
        return self.folder / "checkpoint.pt"

    # Checkpoints

    def _restore(self) -> None:
        state = checkpoint.load(self._path, self._identity)
        if state is None:
            return
        try:
            fill(self.generator, state["generator"], str(self._path))
            fill(self.critic, state["critic"], str(self._path))
            self.phase, self.done, self.along = int(state["phase"]), int(state["done"]), float(state["along"])
            self.drawing, self.elapsed = bool(state["drawing"]), float(state["elapsed"])
            self._random, self._kept = state["random"], state["optimizers"]
            self._sums, self.history = dict(state["sums"]), [tuple(row) for row in state["history"]]
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise ModelError(f"{self._path} lacks or distorts {error}: remove it to start anew") from error

    def _save(self) -> None:
        state = {name: getattr(self, name) for name in ("phase", "done", "along", "drawing", "elapsed")}
        state |= {"generator": self.generator.state_dict(), "critic": self.critic.state_dict()}
        state |= {
            "random": torch.get_rng_state(),
            "optimizers": list(map(fastai_learners.plain, self._optimizers)),
        }
        state |= {"sums": self._sums, "history": [list(row) for row in self.history]}
        checkpoint.save(self._path, state, self._identity)

    def before(self) -> tuple[Generator, nn.Module]:
        """Generator and critic as they were before the GAN, in evaluation mode."""
        found = checkpoint.load(self.folder / "before.pt", self._identity)
        if found is None:
            raise ModelError(f"{self.folder} has no before.pt: run the training first")
        pair = (
            Generator(self.settings.encoder, self.settings.attention),
            fastai_learners.critic(self.settings.width),
        )
        for network, name in zip(pair, ("generator", "critic"), strict=True):
            fill(network, found[name], str(self.folder / "before.pt"))
            network.eval().requires_grad_(False)
        return pair

    # The way

    def run(self, tell: Tell, progress: Progress = lambda items, _: items) -> Trained:
        """Train to the end. ``tell(name, value, step)`` gets losses and held-out metrics, those of before an
        interruption once more; ``progress(items, number)`` wraps the steps of a phase for a display.

        Raises ModelError when a loss or a gradient is not finite; the last checkpoint stays.
        """
        self._tell, self._progress = tell, progress
        for row in self.history:
            tell(*row)
        torch.set_rng_state(self._random)
        while self.phase < len(PHASES):
            name = PHASES[self.phase]
            if self.done < self._lengths[name]:
                self._fit(name)
            if name == "critic":
                state = {"generator": self.generator.state_dict(), "critic": self.critic.state_dict()}
                checkpoint.save(self.folder / "before.pt", state, self._identity)
            self.phase, self.done, self.along, self.drawing = self.phase + 1, 0, 0.0, False
            self._optimizers = []
            self._save()
        self.generator.eval().requires_grad_(False)
        self.critic.eval().requires_grad_(False)
        return Trained(self.generator, self.history, self.elapsed, self.step, self._about())

    def _about(self) -> dict[str, Any]:
        rows = self.crops.rows
        keys = ("pairs", "start", "features", "crop", "batch", "lr", "gan_lr", "pixels", "seed")
        return {
            **{key: self._identity[key] for key in keys},
            "weights": {"features": self.loss.weights, "style": self.loss.styles},
            "steps": self.step,
            "phases": self._lengths,
            "views": len(rows),
            "identities": len({row["identity"] for row in rows}),
            "device": str(self.device),
        }

    def _fit(self, name: str) -> None:
        """One phase, from where it stands."""
        self._began = time.monotonic() - self.elapsed
        self._saved = time.monotonic()
        if name == "gan":
            batches = _Batches(self, self._pair)
            networks = self.generator, self.loss, self.critic
            learner, optimizers = fastai_learners.gan_learner(self, batches, *networks, self.settings)
        else:
            if name == "critic":
                learner = fastai_learners.critic_learner(self, _Batches(self, self._mixed), self.critic)
            else:
                batches = _Batches(self, self._pair)
                learner = fastai_learners.generator_learner(self, batches, self.generator, self.loss)
            # Freezing clears what an optimizer has seen, so it comes first.
            learner.freeze_to(-1 if name == "head" else 0)
            optimizers = [learner.opt]
        for optimizer, kept in zip(optimizers, self._kept or [], strict=False):
            optimizer.load_state_dict(kept)
        self._optimizers, self._kept = optimizers, None
        fastai_learners.fit(name, learner, self.settings)
        if self._failure:
            raise ModelError(self._failure)

    def _pair(self, batch: Batch) -> tuple[Tensor, Tensor]:
        return batch.photo, target(batch)

    def _mixed(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Drawings of the generator (class 0) and of the set (class 1)."""
        self.generator.eval()
        with torch.no_grad():
            made, real = self.generator(batch.photo), target(batch)
        classes = torch.cat([torch.zeros(len(made)), torch.ones(len(real))]).to(real.device)
        return torch.cat([made, real]), classes

    # What happens at a step

    def finite(self, what: str, value: float) -> bool:
        """Whether ``value``, the loss or gradient of this step, is a number; if not, notes why all ends."""
        if not math.isfinite(value):
            kept = f"; the last checkpoint is kept in {self.folder}" if self._path.exists() else ""
            self._failure = (
                f"the {what} is {value} at step {self.step} of the training, in its phase "
                f"{PHASES[self.phase]}: lower its learning rate{kept}"
            )
        return not self._failure

    def stepped(self, loss: float, right: float | None, drawn: bool, along: float) -> None:
        """After a step: its loss, the share that the critic judged rightly where it learned alone, whether it
        was the generator's, and how far the phase is in [0, 1]."""
        name, self.along = PHASES[self.phase], along
        self.done += 1
        self.elapsed = time.monotonic() - self._began
        values = {"all": loss}
        if right is not None:
            values = {"loss": loss, "accuracy": right}
        elif name == "gan":
            values = {
                "generator" if drawn else "critic": loss,
                "generator_turns": float(drawn),
            }
        if name != "critic" and drawn:
            values |= self.loss.parts
        title = "generator" if name == "head" else name
        for series, value in values.items():
            total, count = self._sums.get(f"{title}/{series}", (0.0, 0))
            self._sums[f"{title}/{series}"] = (total + value, count + 1)
        length = self._lengths[name]
        if self.done % _TELL_STEPS == 0 or self.done == length:
            for series, (total, count) in self._sums.items():
                self._report(series, total / count)
            self._sums = {}
        checks = self.settings.checks
        if name in _CHECKED and self.done * checks // length > (self.done - 1) * checks // length:
            self._check()
        if time.monotonic() - self._saved > self._SAVE_SECONDS:
            self._save()
            self._saved = time.monotonic()

    def _check(self) -> None:
        drawings = self.checks.drawings(self.generator.folded())
        for name, value in self.checks.scores(drawings).items():
            self._report(f"held_out/{name}", value)
        planes.write(self.folder / f"held-out-{self.step:06d}.png", self.checks.sheet(drawings))

    def _report(self, name: str, value: float) -> None:
        self.history.append((name, value, self.step))
        self._tell(name, value, self.step)

    # What the critic says

    @torch.inference_mode()
    def verdicts(self, batches: int = 4) -> list[dict[str, Any]]:
        """The critic's probability that a held-out crop is a drawing of the set, of targets and of what the
        generator makes of the photographs: after pretraining and after the GAN. Rows: when, what, score."""
        rows = []
        networks = {"before the GAN": self.before(), "after the GAN": (self.generator, self.critic)}
        for when, (generator, critic) in networks.items():
            for batch in map(self._judged.batch, range(batches)):
                pictures = {"target": target(batch), "generator": generator.cpu()(batch.photo)}
                for what, x in pictures.items():
                    scores = torch.sigmoid(critic.cpu()(x)).mean(1)
                    rows += [{"when": when, "what": what, "score": float(score)} for score in scores]
        return rows


class _Batches:
    """What is left of the current phase, as fastai goes through it; its length is that of the whole phase."""

    def __init__(self, training: GanTraining, make: Callable[[Batch], Any]):
        self.training, self.make = training, make
        self.length = training._lengths[PHASES[training.phase]]

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Any]:
        training = self.training
        left = self.length - training.done
        batches = training.crops.batches(training.step, training.step + left)
        for batch in training._progress(batches, left):
            yield self.make(batch.to(training.device))
