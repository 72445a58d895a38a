"""What fast.ai gives the prototype: networks, losses, learners, schedules, the switcher of a GAN.

The one place that knows fastai. Its GANLearner has one optimizer for both networks, and sets the gradients
of the one whose turn it is not to zero, with which momentum and weight decay still move it: here each network
has its own (``own_optimizers``).
"""

import warnings
from functools import partial
from typing import Any, Protocol

import torch
from torch import nn

from wbme.nets.unet import Generator, Standardised
from wbme.train.feature_loss import FeatureLoss
from wbme.train.gan_settings import GanSettings

_DECAY = 1e-3
_ENCODER = 0.1  # the encoder's share of the learning rate
_CRITIC = 5.0  # the critic's learning rate in a GAN, as a multiple of the generator's


class Training(Protocol):
    """What a learner goes through and tells: batches, how far the phase is, each step."""

    along: float
    drawing: bool

    def finite(self, what: str, value: float) -> bool: ...

    def stepped(self, loss: float, right: float | None, drawn: bool, along: float) -> None: ...


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


def critic(width: int) -> nn.Module:
    """fastai's critic of this first width: pictures N x 3 x H x W, sRGB in [0, 1], 64 pixels a side or more,
    to N x K logits, each of a part of the picture."""
    from fastai.vision.gan import gan_critic

    # Spectral norms keep the logits as small as the contrast that goes in.
    return nn.Sequential(Standardised(), gan_critic(nf=width))


def generator_learner(training: Training, batches: Any, generator: Generator, loss: FeatureLoss) -> Any:
    """A learner of the generator alone, its encoder a group of its own."""
    inner = list(generator.encoder.parameters())
    known = set(map(id, inner))
    outer = [p for p in generator.parameters() if id(p) not in known]
    return _learner(training, batches, generator, loss, splitter=lambda _: [inner, outer])


def critic_learner(training: Training, batches: Any, network: nn.Module) -> Any:
    """A learner of the critic alone, on pictures and their classes."""
    return _learner(training, batches, network, _two_classes())


def _learner(training: Training, batches: Any, model: nn.Module, loss: Any, **more: Any) -> Any:
    from fastai.callback.core import TrainEvalCallback
    from fastai.callback.schedule import ParamScheduler  # noqa: F401 gives Learner fit_one_cycle
    from fastai.learner import Learner

    callbacks = [TrainEvalCallback(), _follow(training)]
    more |= {"wd": _DECAY, "train_bn": False, "default_cbs": False, "cbs": callbacks}
    learner = Learner(_loaders(batches, model), model, loss, **more)
    learner.create_opt()
    return learner


def gan_learner(
    training: Training, batches: Any, generator: Generator, loss: FeatureLoss, network: nn.Module,
    given: GanSettings,
) -> tuple[Any, list[Any]]:  # fmt: skip
    """A learner of both under fastai's switcher, and their optimizers: Adam with the betas 0 and .99, the
    critic's rate five times the generator's, as in fast.ai's course."""
    from fastai.callback.core import TrainEvalCallback
    from fastai.learner import Learner
    from fastai.optimizer import Adam
    from fastai.vision.gan import AdaptiveGANSwitcher, GANLearner

    loaders, quick = _loaders(batches, generator), {"default_cbs": False}
    sides = (generator, loss), (network, _two_classes())
    learners = [Learner(loaders, model, own, **quick) for model, own in sides]
    adam = partial(Adam, mom=0.0, sqr_mom=0.99, wd=_DECAY)
    both = {
        True: adam(list(generator.parameters()), lr=given.gan_lr),
        False: adam(list(network.parameters()), lr=_CRITIC * given.gan_lr),
    }
    learner = GANLearner.from_learners(
        *learners,
        switcher=AdaptiveGANSwitcher(critic_thresh=given.critic_below),
        weights_gen=(1.0, given.pixels),
        gen_first=training.drawing,
        cbs=[TrainEvalCallback(), own_optimizers(both), _follow(training)],
        **quick,
    )
    learner.opt = both[training.drawing]
    return learner, [both[True], both[False]]


def fit(name: str, learner: Any, given: GanSettings) -> None:
    """One phase (head, generator, critic, gan) as one epoch of ``learner``."""
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


def _loaders(batches: Any, model: nn.Module) -> Any:
    from fastai.data.core import DataLoaders

    loaders = DataLoaders(batches, [])
    loaders._device = next(model.parameters()).device  # the setter wants loaders of fastai's
    return loaders


def _two_classes() -> nn.Module:
    from fastai.vision.gan import AdaptiveLoss

    return AdaptiveLoss(nn.BCEWithLogitsLoss())


def plain(optimizer: Any) -> dict[str, Any]:
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


def _follow(training: Training) -> Any:
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
            right = None
            if self.learn.yb[0].ndim == 1:  # classes
                right = float(((self.learn.pred > 0) == (self.learn.yb[0][:, None] > 0.5)).float().mean())
            training.stepped(float(self.learn.loss.detach()), right, self.drawn, float(self.learn.pct_train))

    return Follow()
