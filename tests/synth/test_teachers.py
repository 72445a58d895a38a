import numpy as np
import pytest
import torch

from wbme.base.errors import ParameterError
from wbme.nets.animegan import AnimeGANv2
from wbme.synth import composite, teachers
from wbme.synth.abstraction import Abstraction, texture_teacher


@pytest.fixture(scope="module")
def rgb():
    return np.random.default_rng(0).random((40, 56, 3), np.float32)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return AnimeGANv2().eval().requires_grad_(False)


def test_each_teacher_draws_the_whole_picture(rgb, network):
    found = teachers.named([1.0, 3.0], [2.0, 4.5], network)
    assert list(found) == [
        "quick, stroke 1, abstraction 2",
        "quick, stroke 3, abstraction 4.5",
        "L0",
        "AnimeGANv2",
    ]
    for name, teacher in found.items():
        drawn = teacher(rgb)
        assert drawn.shape == rgb.shape and drawn.min() >= 0 and drawn.max() <= 1, name
    quick = composite.inked(*texture_teacher(rgb, Abstraction(3.0, 4.5)))
    np.testing.assert_array_equal(found["quick, stroke 3, abstraction 4.5"](rgb), quick)
    assert list(teachers.named([1.0], [1.0])) == ["quick, stroke 1, abstraction 1", "L0"]


def test_the_network_sees_and_gives_minus_one_to_one(rgb, network):
    x = torch.from_numpy(2 * rgb - 1).permute(2, 0, 1)[None]
    wanted = network(x)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(teachers.redrawn(network, rgb) * 2 - 1, wanted, atol=1e-5)


def test_lists_that_differ_and_pictures_too_small_are_refused(network):
    with pytest.raises(ParameterError, match="as many of each"):
        teachers.named([1.0], [1.0, 2.0])
    with pytest.raises(ParameterError, match="16 or more"):
        teachers.redrawn(network, np.zeros((8, 40, 3), np.float32))
