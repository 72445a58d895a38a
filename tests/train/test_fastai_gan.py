"""The prototype: a frozen network stays, the critic learns, the switcher decides, a kill changes nothing."""

import json
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn

from wbme.base.errors import ModelError, ParameterError
from wbme.data import pairs
from wbme.nets import unet
from wbme.train.fastai_learners import own_optimizers
from wbme.train.feature_loss import FeatureLoss
from wbme.train.gan_loop import GanTraining
from wbme.train.gan_settings import GanSettings

TINY = GanSettings(
    width=4, steps=4, frozen=0.5, critic_steps=2, gan_steps=4, crop=64, batch=2, checks=1, held_out=1
)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def loss():
    return FeatureLoss()


def prepared(pair_set, folder, loss, settings=TINY):
    torch.manual_seed(1)
    return GanTraining(pair_set, settings, folder, unet.bare(settings.encoder), loss)


def state_of(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def equal(one, two):
    return all(torch.equal(value, two[name]) for name, value in one.items())


def moves(optimizers: str) -> dict[str, float]:
    """How far each of two small networks moves in a GANLearner while it is the other's turn."""
    from fastai.callback.core import Callback, TrainEvalCallback
    from fastai.data.core import DataLoaders
    from fastai.optimizer import Adam
    from fastai.vision.gan import FixedGANSwitcher, GANLearner, gan_loss_from_func

    torch.manual_seed(0)
    generator, critic = nn.Conv2d(3, 3, 3, padding=1), nn.Sequential(nn.Conv2d(3, 1, 3), nn.Flatten())
    batches = [(torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64)) for _ in range(8)]
    far = {"generator": 0.0, "critic": 0.0}

    class Watch(Callback):
        order = 95

        def before_batch(self):
            self.resting = "critic" if self.gan_trainer.gen_mode else "generator"
            self.was = state_of(getattr(self.model, self.resting))

        def after_step(self):
            now = getattr(self.model, self.resting).state_dict()
            far[self.resting] += sum(float((now[k] - v).abs().sum()) for k, v in self.was.items())

    def verdict(out, classes):
        return nn.functional.binary_cross_entropy_with_logits(out, classes[:, None].expand_as(out))

    losses = gan_loss_from_func(nn.L1Loss(), verdict)
    callbacks = [TrainEvalCallback(), Watch()]
    if optimizers == "own":
        both = {True: generator, False: critic}
        both = {turn: Adam(list(net.parameters()), lr=1e-2) for turn, net in both.items()}
        callbacks.append(own_optimizers(both))
    quick = {"default_cbs": False, "cbs": callbacks, "switcher": FixedGANSwitcher()}
    learner = GANLearner(
        DataLoaders(batches, []), generator, critic, *losses, opt_func=partial(Adam), **quick
    )
    if optimizers == "own":
        learner.opt = both[False]
    learner.fit(1, 1e-2)
    return far


@pytest.mark.slow
def test_a_frozen_network_moves_under_one_optimizer_and_stays_under_two():
    shared = moves("shared")
    assert shared["generator"] > 0 and shared["critic"] > 0, "fastai's trap: mend the module's docstring"
    assert moves("own") == {"generator": 0.0, "critic": 0.0}


@pytest.mark.slow
def test_in_training_each_phase_moves_its_own_network_only(pair_set, tmp_path, loss):
    training = prepared(pair_set, tmp_path, loss, replace(TINY, critic_below=1e-9))
    encoder, decoder = state_of(training.generator.encoder), state_of(training.generator)
    training._fit("head")
    assert equal(encoder, training.generator.encoder.state_dict())
    assert not equal(decoder, training.generator.state_dict())
    training.phase, training.done, training.along = 1, 0, 0.0
    rows = []
    done = training.run(lambda *row: rows.append(row))
    assert not equal(encoder, done.net.encoder.state_dict())
    turns = [value for name, value, _ in rows if name == "gan/generator_turns"]
    assert turns == [0.0], "a critic whose loss is never low enough keeps its turn"
    before, critic = training.before()
    assert equal(before.state_dict(), done.net.state_dict())
    assert not equal(critic.state_dict(), training.critic.state_dict())


@pytest.mark.slow
def test_the_critic_separates_after_pretraining_and_then_they_take_turns(pair_set, tmp_path, loss):
    settings = replace(TINY, width=8, critic_steps=50, critic_lr=4e-3, batch=4, steps=2, critic_below=100.0)
    training, rows = prepared(pair_set, tmp_path, loss, settings), []
    training.run(lambda *row: rows.append(row))
    last = {name: value for name, value, _ in rows}
    assert last["critic/accuracy"] > 0.8
    assert last["gan/generator_turns"] == 0.5
    said = [row for row in training.verdicts(2) if row["when"] == "before the GAN"]
    scores = {what: [row["score"] for row in said if row["what"] == what] for what in ("target", "generator")}
    assert len(scores["target"]) == len(scores["generator"]) == 8
    assert max(scores["generator"]) < 0.5
    assert sum(score > 0.5 for score in scores["target"]) >= 5
    assert sum(scores["target"]) > 2 * sum(scores["generator"])
    before, _ = training.before()
    assert not equal(before.state_dict(), training.generator.state_dict())
    assert {"held_out/psnr", "held_out/line_f1", "generator/style", "gan/features"} <= set(last)


class Killed(BaseException):
    pass


@pytest.mark.slow
def test_killed_in_any_phase_it_ends_with_the_same_weights(pair_set, tmp_path, loss, monkeypatch):
    monkeypatch.setattr(GanTraining, "_SAVE_SECONDS", -1.0)  # at every step
    expected = []
    whole = prepared(pair_set, tmp_path / "whole", loss)
    whole.run(lambda *row: expected.append(row))
    saves = GanTraining._save
    for at in (1, 3, 5, 8):  # head, generator, critic, gan

        def cut(self, at=at):
            saves(self)
            if self.step == at:
                raise Killed

        monkeypatch.setattr(GanTraining, "_save", cut)
        torch.manual_seed(at)  # nothing may depend on what the process drew before
        with pytest.raises(Killed):
            prepared(pair_set, tmp_path / "cut", loss).run(lambda *row: None)
    monkeypatch.setattr(GanTraining, "_save", saves)
    said = []
    again = prepared(pair_set, tmp_path / "cut", loss)
    assert again.step == 8
    again.run(lambda *row: said.append(row))
    assert said == expected
    assert equal(whole.generator.state_dict(), again.generator.state_dict())
    assert equal(whole.critic.state_dict(), again.critic.state_dict())
    assert prepared(pair_set, tmp_path / "cut", loss).run(lambda *row: None).history == expected
    with pytest.raises(ModelError, match=r"another training \(lr 0\.001 for 0\.002\): remove it"):
        prepared(pair_set, tmp_path / "cut", loss, replace(TINY, lr=2e-3))
    path = tmp_path / "cut" / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ModelError, match="not a checkpoint of a training: remove it"):
        prepared(pair_set, tmp_path / "cut", loss)


@pytest.mark.slow
def test_what_is_not_a_number_ends_it_and_keeps_the_checkpoint(pair_set, tmp_path, loss):
    training = prepared(pair_set, tmp_path, loss)
    training._save()
    kept = (tmp_path / "checkpoint.pt").read_bytes()
    last = list(training.generator.parameters())[-1]
    hook = last.register_hook(lambda slope: slope * float("inf"))
    with pytest.raises(ModelError, match=r"the gradient is (nan|inf) at step 0 .*phase head: lower its"):
        training.run(lambda *row: None)
    assert all(torch.isfinite(value).all() for value in training.generator.state_dict().values())
    hook.remove()
    training = prepared(pair_set, tmp_path, loss)
    with torch.no_grad():
        next(training.generator.parameters()).fill_(float("nan"))
    with pytest.raises(ModelError, match=r"the loss is nan at step 0 .*phase head: .*checkpoint is kept"):
        training.run(lambda *row: None)
    assert (tmp_path / "checkpoint.pt").read_bytes() == kept


def test_bad_settings_and_an_empty_set_are_one_sentence(pair_set, tmp_path):
    with pytest.raises(ParameterError, match="crop=72 of the training must be a multiple of 32, 64 or more"):
        GanSettings(crop=72)
    with pytest.raises(ParameterError, match=r"gan_lr=0 of the training must be above 0 and below 1"):
        GanSettings(gan_lr=0)
    rows = [json.loads(line) for line in (pair_set.folder / "pairs.jsonl").read_text().splitlines()]
    train = [row for row in rows if row["split"] == "train"]
    with pytest.raises(ParameterError, match="no pair to val"):
        GanTraining(pairs.Pairs(pair_set.folder, train), TINY, tmp_path, nn.Sequential(), None)
