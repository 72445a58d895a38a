"""The quick prototype as fast.ai trains it: feature loss, a pretrained critic, and a short GAN (NoGAN).

Four phases: the generator alone with its ImageNet encoder frozen, then whole; the critic alone, on drawings
and what the generator makes instead; both in turn, as the critic's loss decides (Antic's DeOldify; fast.ai's
course, lesson 7). fastai gives networks, losses, learners, schedules and the switcher. What is here is the
data, exact resumption, and an optimizer for each of the two networks: fastai's GANLearner has one for both,
and sets the gradients of the network whose turn it is not to zero, with which momentum and weight decay still
move it.
"""

import math
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
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
from wbme.train import checkpoint, held_out
from wbme.train.feature_loss import FeatureLoss
from wbme.train.gan_settings import GanSettings
from wbme.train.loader import Batch, Crops
from wbme.train.steps import Progress, Tell, Trained

PHASES = ("head", "generator", "critic", "gan")
_TELL_STEPS = 10  # losses are told as means over as many steps
_DECAY = 1e-3
_ENCODER = 0.1  # the encoder's share of the learning rate
_CHECKED = {"generator", "gan"}  # phases in which the held-out pairs are drawn


def lacking() -> str:
    """Why nothing can be trained here, in words; empty where fastai is installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # what fastai uses of torch grows old
            import fastai.vision.gan  # noqa: F401
    except (
        ImportError,
        RuntimeError,
        OSError,
    ) as error:  # a torchvision of another torch raises RuntimeError
        return f"fastai cannot be imported ({error}), install wbme[train]"
    return ""


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
        self.critic = self._new_critic().to(self.device)
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

    def _new_critic(self) -> nn.Module:
        from fastai.vision.gan import gan_critic

        return gan_critic(nf=self.settings.width)

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
        state |= {"random": torch.get_rng_state(), "optimizers": list(map(_plain, self._optimizers))}
        state |= {"sums": self._sums, "history": [list(row) for row in self.history]}
        checkpoint.save(self._path, state, self._identity)

    def before(self) -> tuple[Generator, nn.Module]:
        """Generator and critic as they were before the GAN, in evaluation mode."""
        found = checkpoint.load(self.folder / "before.pt", self._identity)
        if found is None:
            raise ModelError(f"{self.folder} has no before.pt: run the training first")
        pair = Generator(self.settings.encoder, self.settings.attention), self._new_critic()
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
        """One phase, from where it stands, as one epoch of fastai's."""
        self._began = time.monotonic() - self.elapsed
        self._saved = time.monotonic()
        given = self.settings
        if name == "gan":
            learner = self._together()
        elif name == "critic":
            learner = self._learner(self.critic, _two_classes(), self._mixed)
        else:
            halves = [list(self.generator.encoder.parameters())]
            inner = set(map(id, halves[0]))
            halves.append([p for p in self.generator.parameters() if id(p) not in inner])
            learner = self._learner(self.generator, self.loss, self._pair, splitter=lambda _: halves)
        if name != "gan":
            learner.create_opt()
            # Freezing clears what an optimizer has seen, so it comes first.
            learner.freeze_to(-1 if name == "head" else 0)
            self._take([learner.opt])
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "You are shadowing")  # of fastai, about its own callbacks
            if name == "head":
                learner.fit_one_cycle(1, slice(given.lr), pct_start=0.8)
            elif name == "generator":
                learner.fit_one_cycle(1, slice(given.lr * _ENCODER, given.lr))
            elif name == "critic":
                learner.fit_one_cycle(1, given.critic_lr)
            else:
                learner.fit(1, given.gan_lr)
        if self._failure:
            raise ModelError(self._failure)

    def _take(self, optimizers: list[Any]) -> None:
        """Let a checkpoint of this phase say what these optimizers have seen."""
        self._optimizers = optimizers
        for optimizer, kept in zip(optimizers, self._kept or [], strict=False):
            optimizer.load_state_dict(kept)
        self._kept = None

    def _loaders(self, make: Callable[[Batch], Any]) -> Any:
        from fastai.data.core import DataLoaders

        loaders = DataLoaders(_Batches(self, make), [])
        loaders._device = self.device  # the setter wants loaders of fastai's
        return loaders

    def _learner(self, model: nn.Module, loss: Any, make: Callable[[Batch], Any], **more: Any) -> Any:
        from fastai.callback.core import TrainEvalCallback
        from fastai.callback.schedule import ParamScheduler  # noqa: F401 gives Learner fit_one_cycle
        from fastai.learner import Learner

        callbacks = [TrainEvalCallback(), _follow(self)]
        more |= {"wd": _DECAY, "train_bn": False, "default_cbs": False, "cbs": callbacks}
        return Learner(self._loaders(make), model, loss, **more)

    def _together(self) -> Any:
        """Both networks under fastai's switcher, an optimizer each; the critic's rate is five times the
        generator's (fast.ai's course), its betas 0 and .99 (DeOldify)."""
        from fastai.callback.core import TrainEvalCallback
        from fastai.learner import Learner
        from fastai.optimizer import Adam
        from fastai.vision.gan import AdaptiveGANSwitcher, GANLearner

        given = self.settings
        loaders, quick = self._loaders(self._pair), {"default_cbs": False}
        sides = (self.generator, self.loss), (self.critic, _two_classes())
        learners = [Learner(loaders, network, loss, **quick) for network, loss in sides]
        adam = partial(Adam, mom=0.0, sqr_mom=0.99, wd=_DECAY)
        both = {
            True: adam(list(self.generator.parameters()), lr=given.gan_lr),
            False: adam(list(self.critic.parameters()), lr=5 * given.gan_lr),
        }
        self._take([both[True], both[False]])
        together = GANLearner.from_learners(
            *learners,
            switcher=AdaptiveGANSwitcher(critic_thresh=given.critic_below),
            weights_gen=(1.0, given.pixels),
            gen_first=self.drawing,
            cbs=[TrainEvalCallback(), own_optimizers(both), _follow(self)],
            **quick,
        )
        together.opt = both[self.drawing]
        return together

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

    def stepped(self, learner: Any, drawn: bool) -> None:
        """After a step of ``learner``; ``drawn``: it was the generator's."""
        name, self.along = PHASES[self.phase], float(learner.pct_train)
        loss = float(learner.loss.detach())
        self.done += 1
        self.elapsed = time.monotonic() - self._began
        values = {"all": loss}
        if name == "critic":
            right = (learner.pred > 0) == (learner.yb[0][:, None] > 0.5)
            values = {"loss": loss, "accuracy": float(right.float().mean())}
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


def _two_classes() -> nn.Module:
    from fastai.vision.gan import AdaptiveLoss

    return AdaptiveLoss(nn.BCEWithLogitsLoss())


def _plain(optimizer: Any) -> dict[str, Any]:
    """The state of one of fastai's optimizers in types that are read back without running code."""
    state = optimizer.state_dict()
    hypers = [{name: float(value) for name, value in group.items()} for group in state["hypers"]]
    return {"state": [dict(one) for one in state["state"]], "hypers": hypers}


def own_optimizers(both: dict[bool, Any]) -> Any:
    """A callback for a GANLearner with an optimizer for each network: ``both[True]`` steps in the generator's
    turns, ``both[False]`` in the critic's, and the other network stays as it is."""
    from fastai.callback.core import Callback

    rates = {turn: optimizer.hypers[0]["lr"] for turn, optimizer in both.items()}

    class OwnOptimizers(Callback):
        order, run_valid = 1, False  # after the GANTrainer, before anything that sets rates

        def before_fit(self) -> None:  # ``fit`` has set one rate by now
            for turn, optimizer in both.items():
                optimizer.set_hyper("lr", rates[turn])

        def before_train(self) -> None:
            # The learner has just put both into training mode, which moves the other's statistics.
            self.gan_trainer.switch(self.gan_trainer.gen_mode)

        def before_batch(self) -> None:
            self.learn.opt = both[self.gan_trainer.gen_mode]

    return OwnOptimizers()


def _follow(training: GanTraining) -> Any:
    """A callback that lets a phase begin where it was left, and tells ``training`` of each step."""
    from fastai.callback.core import Callback, CancelFitException

    class Follow(Callback):
        order, run_valid = 90, False  # after the switcher, so that the next turn is known
        drawn = True

        def before_train(self) -> None:
            self.learn.pct_train = training.along

        def before_batch(self) -> None:
            self.drawn = getattr(self.model, "gen_mode", True)

        def after_loss(self) -> None:
            if not training.finite("loss", float(self.loss.detach())):
                raise CancelFitException

        def before_step(self) -> None:
            slopes = [p.grad.norm() for p in self.model.parameters() if p.grad is not None]
            if not training.finite("gradient", float(torch.stack(slopes).norm())):
                raise CancelFitException

        def after_batch(self) -> None:
            training.drawing = bool(getattr(self.model, "gen_mode", False))
            training.stepped(self.learn, self.drawn)

    return Follow()
