"""Losses: nothing where the answer is right, more where it matters more, gradients everywhere."""

import pytest
import torch

from wbme.geometry.parsing import INDEX
from wbme.nets.discriminator import PatchGAN
from wbme.train import losses
from wbme.train.loader import Batch


@pytest.fixture
def batch() -> Batch:
    torch.manual_seed(0)
    base = torch.rand(2, 3, 8, 8).repeat_interleave(4, 2).repeat_interleave(4, 3)
    ink = torch.zeros(2, 1, 32, 32)
    ink[:, :, 10:12] = 1
    labels = torch.zeros(2, 1, 32, 32, dtype=torch.uint8)
    labels[:, :, 16:] = INDEX["l_eye"]
    return Batch(base + 0.01, base, ink, labels, torch.zeros(2, 1, 1, 1), torch.zeros(2, 0))


def test_the_right_answer_costs_next_to_nothing(batch):
    right = torch.cat([batch.base, (batch.ink * 2 - 1) * 12], 1)
    parts, drawn, wanted = losses.layered_loss(right, batch)
    assert sum(parts.values()) < 0.25
    assert parts["base"] == parts["gradient"] == 0
    wrong, _, _ = losses.layered_loss(torch.cat([batch.base, torch.full_like(batch.ink, -2.2)], 1), batch)
    assert wrong["lines"] > 3 * parts["lines"]
    assert wrong["ink"] > 3 * parts["ink"]
    plain, _, same = losses.plain_loss(wanted, batch)
    assert plain["flat"] >= 0
    assert drawn.shape == same.shape == (2, 3, 32, 32)


@pytest.mark.parametrize("which", ["flat", "ramp"])
@pytest.mark.parametrize("head", ["layered", "plain"])
def test_change_in_flat_areas_weighs_what_it_is_told(batch, head, which):
    out = torch.rand(2, 4 if head == "layered" else 3, 32, 32)
    once, thrice, not_at_all = (
        losses.LOSSES[head](out, batch, **{which: weight})[0] for weight in (0.5, 1.5, 0.0)
    )
    assert once[which] > 0
    assert thrice[which].item() == pytest.approx(3 * once[which].item())
    assert not_at_all.pop(which) == 0
    assert {name: once[name] for name in not_at_all} == not_at_all


def test_an_error_in_an_eye_weighs_five_times(batch):
    top, low = batch.base.clone(), batch.base.clone()
    top[:, :, 4] += 0.1
    low[:, :, 20] += 0.1
    costs = [losses.plain_loss(torch.cat([x], 1), batch)[0]["base"] for x in (top, low)]
    plain = losses.plain_loss(batch.base, batch)[0]["base"]
    assert (costs[1] - plain) / (costs[0] - plain) == pytest.approx(5, rel=1e-3)


def test_paper_beside_a_line_is_judged_more_mildly(batch):
    weight = torch.ones(2, 1, 32, 32)
    near, far = (torch.full((2, 1, 32, 32), -8.0) for _ in range(2))
    near[:, :, 9] = 4
    far[:, :, 5] = 4
    costs = [losses.ink_losses(z, batch.ink, weight)[0] for z in (near, far)]
    assert costs[0] < costs[1]


def test_every_channel_gets_a_gradient(batch):
    out = torch.rand(2, 4, 32, 32, requires_grad=True)
    parts, _, _ = losses.layered_loss(out, batch)
    sum(parts.values()).backward()
    assert (out.grad.abs().amax((0, 2, 3)) > 0).all()
    assert out.grad.isfinite().all()


def test_flats_are_asked_for_only_where_the_target_is_flat():
    flat, edge = torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8)
    edge[..., 4:] = 1
    assert losses.flat_loss(edge, edge) == 0
    assert losses.flat_loss(edge, flat) > 0
    assert losses.flat_loss(flat, edge) == 0


def test_a_ramp_costs_more_than_a_step_where_the_target_is_flat():
    flat, step, ramp = torch.zeros(1, 1, 8, 64), torch.zeros(1, 1, 8, 64), torch.zeros(1, 1, 8, 64)
    step[..., 32:] = 0.5
    ramp[..., 16:48] = torch.linspace(0, 0.5, 32)
    ramp[..., 48:] = 0.5
    assert losses.ramp_loss(flat, flat) == losses.ramp_loss(step, step) == 0
    assert losses.ramp_loss(ramp, flat) > 10 * losses.ramp_loss(step, flat)
    assert losses.ramp_loss(ramp, step) > 10 * losses.ramp_loss(step, ramp)
    by_variation = [losses.flat_loss(x, flat) for x in (ramp, step)]
    assert by_variation[0] == pytest.approx(by_variation[1].item())


def test_the_critic_judges_patches():
    scores = PatchGAN()(torch.rand(2, 3, 64, 80), torch.rand(2, 3, 64, 80))
    assert scores.shape == (2, 1, 8, 10)


def test_colour_is_felt_where_skin_is_and_not_where_nothing_is_wrong(batch):
    labels = batch.labels.clone()
    labels[:, :, :8] = INDEX["skin"]
    assert losses.colour_loss(batch.base, batch.base, labels) == 0
    on, off = batch.base.clone(), batch.base.clone()
    on[:, 0, :8] += 0.05
    off[:, 0, -8:] += 0.05
    costs = [float(losses.colour_loss(x, batch.base, labels)) for x in (on, off)]
    # The mean of the skin's red is off by 0.05, the other two channels are right.
    assert costs[0] - costs[1] == pytest.approx(0.05 / 3, rel=1e-3)
    grey = batch.base + 0.05
    # Grey has luma alone: 0.05 of it, and as much of the skin's mean.
    assert float(losses.colour_loss(grey, batch.base, labels)) == pytest.approx(0.1, rel=1e-2)


def test_one_place_in_two_crops_costs_what_its_drawings_differ_by():
    out = torch.rand(2, 4, 16, 16)
    assert losses.consistency_loss(out, out.clone()) == 0
    moved = out.clone()
    moved[:, :3] += 0.2
    assert float(losses.consistency_loss(out, moved)) == pytest.approx(0.2 * 3 / 4, rel=1e-4)
    assert float(losses.consistency_loss(out[:, :3], moved[:, :3])) == pytest.approx(0.2, rel=1e-4)
