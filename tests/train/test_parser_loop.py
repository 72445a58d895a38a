"""Training of the parser: it learns, it goes on to the byte after a stop, and it stops with a sentence."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.rendered_set import make_set
from wbme.base.errors import ModelError, ParameterError
from wbme.data import parser_crops
from wbme.nets.parser import ParserNet
from wbme.train import parser_loop
from wbme.train.parser_settings import ParserSettings

TINY = ParserSettings(steps=4, side=64, batch=2, lr=1e-3, warmup=1, checks=2)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    place, _, _ = make_set(tmp_path_factory.mktemp("set"), views=3)
    views = parser_crops.views_of([place], False)

    def behind(size, rng):
        return np.full((size, size, 3), rng.uniform(0.2, 0.8), np.float32)

    return parser_crops.ParserCrops(views, behind, side=64, size=2, seed=0)


@pytest.fixture(scope="module")
def fresh():
    torch.manual_seed(0)
    return ParserNet()


def state_of(trained):
    return {name: value.clone() for name, value in trained.net.state_dict().items()}


@pytest.mark.slow
def test_a_stopped_training_ends_with_the_same_weights(crops, fresh, tmp_path, monkeypatch):
    checks, said = [crops.check(0)], []
    whole = parser_loop.ParserTraining(crops, checks, TINY, tmp_path / "a", fresh)
    done = whole.run(lambda *row: said.append(row))
    assert done.steps == 4 and np.isfinite([value for _, value, _ in said]).all()
    assert {name for name, _, _ in said} >= {"loss/train", "loss/entropy", "loss/dice", "held_out/iou"}

    monkeypatch.setattr(parser_loop.ParserTraining, "_SAVE_SECONDS", 0.0)

    def two(items, of):
        for _, item in zip(range(2), items, strict=False):
            yield item

    first = parser_loop.ParserTraining(crops, checks, TINY, tmp_path / "b", fresh)
    first.run(lambda *row: None, two)
    again = parser_loop.ParserTraining(crops, checks, TINY, tmp_path / "b", fresh)
    assert again.step == 2
    rest = again.run(lambda *row: None)
    for name, value in state_of(done).items():
        assert torch.equal(value, rest.net.state_dict()[name]), name
    with pytest.raises(ModelError, match="is of another training"):
        parser_loop.ParserTraining(crops, checks, replace(TINY, lr=2e-3), tmp_path / "b", fresh)


def test_a_loss_that_is_no_number_stops_it(crops, fresh, tmp_path):
    broken = ParserNet()
    broken.load_state_dict(fresh.state_dict())
    torch.nn.init.constant_(broken.out.bias, float("nan"))
    training = parser_loop.ParserTraining(crops, [], TINY, tmp_path, broken)
    with pytest.raises(ModelError, match="the loss is nan at step 0 of the training: lower lr"):
        training.run(lambda *row: None)


def test_losses_know_a_perfect_answer_and_skip_what_nobody_knows():
    """Cells of one label each, and cells that are half of one and half of another."""
    cells = torch.randint(0, 20, (2, 8, 8))
    labels = cells.repeat_interleave(2, 1).repeat_interleave(2, 2)
    perfect = torch.nn.functional.one_hot(cells, 20).permute(0, 3, 1, 2) * 50.0
    right = parser_loop.losses(perfect, labels, 1.0)
    assert right["entropy"] < 1e-6 and right["dice"] < 0.4  # few cells of each: the score's own +1
    hidden = labels.clone()
    hidden[:, :8] = parser_crops.IGNORED
    wrong = perfect.clone()
    wrong[:, :, :4] = wrong[:, :, :4].flip(1)
    for part in ("entropy", "dice"):
        assert torch.isclose(
            parser_loop.losses(wrong, hidden, 1.0)[part], parser_loop.losses(perfect, hidden, 1.0)[part]
        )
    assert set(parser_loop.losses(wrong, labels, 0.0)) == {"entropy"}

    halves = torch.full((1, 4, 4), 1)
    halves[:, :, ::2] = 14
    even, uneven = torch.zeros(2, 1, 20, 2, 2)
    even[:, (1, 14)] = 50.0
    uneven[:, 1], uneven[:, 14] = 51.0, 50.0
    least = parser_loop.losses(even, halves, 0.0)["entropy"]
    assert (
        torch.isclose(least, torch.tensor(2.0).log())
        and parser_loop.losses(uneven, halves, 0.0)["entropy"] > least
    )


@pytest.mark.parametrize(
    "change", [{"side": 96}, {"steps": 0}, {"encoder": 2.0}, {"lr": 0.0}, {"batch": 1}, {"dice": -1.0}]
)
def test_settings_out_of_range_are_one_sentence(change):
    name = next(iter(change))
    with pytest.raises(ParameterError, match=f"{name}=.* of the training must be"):
        ParserSettings(**change)
