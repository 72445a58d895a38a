"""What other libraries call by the same name gives the same number."""

import colour
import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio as by_skimage
from torchmetrics.functional.image import peak_signal_noise_ratio

from wbme.metrics import skin, structure


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    one = rng.random((24, 30, 3)).astype(np.float32)
    return one, np.clip(one + rng.normal(0, 0.05, one.shape), 0, 1).astype(np.float32)


def test_psnr_is_that_of_torchmetrics_and_of_scikit_image(pair):
    ours = structure.distance(*pair)[1]
    theirs = peak_signal_noise_ratio(*map(torch.from_numpy, pair), data_range=1.0).item()
    assert ours == pytest.approx(theirs, abs=1e-4)
    assert ours == pytest.approx(by_skimage(*pair, data_range=1.0), abs=1e-4)


def test_skin_colour_difference_is_that_of_colour_science(pair):
    one, other = pair
    mask = np.zeros(one.shape[:2], bool)
    mask[4:20, 5:25] = True
    lab = [
        colour.XYZ_to_Lab(colour.sRGB_to_XYZ(x[mask].astype(float)), colour.CCS_ILLUMINANTS[
            "CIE 1931 2 Degree Standard Observer"]["D65"])
        for x in (one, other)
    ]  # fmt: skip
    found = skin.compare(one, other, mask)
    assert found.mean == pytest.approx(colour.delta_E(*lab, method="CIE 2000").mean(), abs=0.02)
    middle = [np.median(x, axis=0) for x in lab]
    assert found.median == pytest.approx(float(colour.delta_E(*middle, method="CIE 2000")), abs=0.02)
