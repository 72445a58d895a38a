"""Perceptual distance: what holds for any weights, and (slow) what the trained backbone sees."""

import numpy as np
import pytest
import torch
from skimage import data, img_as_float32

from wbme.metrics import perceptual, scores
from wbme.nets import mobilenet


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return mobilenet.MobileNetV2().eval().requires_grad_(False)


def picture(seed=0):
    return np.random.default_rng(seed).random((64, 96, 3), np.float32)


def test_zero_for_equal_pictures_symmetric_and_bounded(network):
    one, two = picture(0), picture(1)
    same, there = perceptual.distances(network, [one, two], one)
    [back] = perceptual.distances(network, [one], two)
    assert same == pytest.approx(0, abs=1e-9)
    assert there == pytest.approx(back, rel=1e-4) and 0 < there <= 4


def test_gradients_reach_the_picture_and_not_the_network(network):
    one = torch.rand(2, 3, 64, 64, requires_grad=True)
    apart = perceptual.compare(network, one, torch.rand(2, 3, 64, 64))
    assert apart.shape == (2,)
    apart.mean().backward()
    assert one.grad.abs().sum() > 0
    assert all(weight.grad is None for weight in network.parameters())


def test_a_row_of_scores_has_every_column_and_equal_pictures_the_best_values(network):
    rgb = picture()
    row = scores.score({"a": rgb, "b": picture(1)}, rgb, np.full((1, 468, 2), 30.0), network)["a"]
    assert row.keys() == scores.COLUMNS.keys()
    assert row["psnr"] == row["eyes_psnr"] == 100 and row["line_f1"] == 1
    assert row["perceptual"] == pytest.approx(0, abs=1e-9)
    headless = scores.score({"a": rgb}, rgb, np.empty((0, 468, 2)), network)["a"]
    assert np.isnan([headless["eyes_l1"], headless["mouth_psnr"]]).all()


def test_the_name_says_its_backbone():
    assert "MobileNetV2" in perceptual.NAME and "LPIPS" not in perceptual.NAME


@pytest.mark.slow
def test_trained_features_see_content_before_pixels():
    network = mobilenet.pretrained()
    cat, astronaut = (img_as_float32(p)[:256, :256] for p in (data.chelsea(), data.astronaut()))
    brighter = np.clip(cat * 1.1, 0, 1)
    near, far = perceptual.distances(network, [brighter, astronaut], cat)
    assert near < 0.3 * far
