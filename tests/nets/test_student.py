"""The student's promises: sizes, folding, conditions, and where it starts from."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from wbme.base.errors import ModelError
from wbme.nets.student import ARCHITECTURES, HEADS, Student


def shaken(net: Student, seed: int = 0) -> Student:
    """Random running statistics, norms and modulations, as a trained network has them."""
    torch.manual_seed(seed)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.4, 2)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.2)
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.normal_(module.weight, 0, 0.1)
    return net.eval()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("branches", [False, True])
def test_folding_changes_nothing(architecture, branches):
    net = shaken(Student(architecture, "layered", ("a", "b"), branches))
    x = torch.rand(1, 3, 40, 56)
    with torch.inference_mode():
        for character in ("a", "b"):
            cond = net.condition(character, strength=0.5)
            assert torch.allclose(net(x, cond), net.fold(cond)(x, None), atol=1e-4)
    kinds = {type(m) for m in net.fold(cond).modules()}
    assert not kinds & {torch.nn.BatchNorm2d, torch.nn.Linear}


def test_the_condition_matters_and_is_checked():
    net = shaken(Student("S4-48", "plain", ("a", "b")))
    x = torch.rand(1, 3, 16, 16)
    with torch.inference_mode():
        outs = [net(x, net.condition(*c)) for c in (("a",), ("b",), ("a", 0.3), ("a", 1, "character"))]
    assert all(not torch.allclose(outs[0], other) for other in outs[1:])
    assert net.condition().tolist() == [[1, 0, 1, 1, 0]]
    with pytest.raises(ModelError, match="does not know 'c', but a, b"):
        net.condition("c")
    with pytest.raises(ModelError, match="no student is called 'S9'"):
        Student("S9")


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 7), st.integers(1, 7), st.sampled_from(sorted(ARCHITECTURES)))
def test_every_multiple_of_eight_keeps_its_size(high, wide, architecture):
    net = Student(architecture).eval()
    with torch.inference_mode():
        out = net(torch.rand(1, 3, 8 * high, 8 * wide), net.condition())
    assert out.shape == (1, HEADS["layered"], 8 * high, 8 * wide)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_an_open_gate_keeps_the_picture_and_a_closed_one_its_low_pass(architecture):
    net, x = Student(architecture).eval(), torch.rand(1, 3, 32, 48)
    low = F.interpolate(F.avg_pool2d(x, 4), scale_factor=4.0, mode="bilinear")
    torch.nn.init.zeros_(net.out.weight)
    for bias, kept in ((50.0, x), (-50.0, low), (0.0, (x + low) / 2)):
        torch.nn.init.constant_(net.gate.bias, bias)
        torch.nn.init.zeros_(net.gate.weight)
        with torch.inference_mode():
            assert torch.allclose(net(x, net.condition())[:, :3], kept, atol=1e-5)


def test_it_starts_as_the_picture_with_little_ink():
    torch.manual_seed(1)
    net = Student().train()
    picture = torch.rand(2, 3, 32, 32)
    out = net(picture, net.condition().expand(2, -1))
    assert (out[:, :3] - picture).abs().mean() < 0.15
    assert -2.6 < out[:, 3].mean() < -1.8


def test_a_network_of_one_size_is_the_one_that_was_measured():
    sizes = {
        a: sum(p.numel() for p in Student(a).fold(Student(a).condition()).parameters()) for a in ARCHITECTURES
    }
    assert 0.40e6 < sizes["S2-32"] < 0.44e6
    assert 0.40e6 < sizes["S4-48"] < 0.47e6
    assert sizes["S4-64"] > 1.3e6
    assert sizes["S4-res-96"] > 2.4e6
