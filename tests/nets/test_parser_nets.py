"""The two parsers' networks: BiSeNet has the keys and shapes in circulation, ours the sides it promises."""

import pytest
import torch

from wbme.nets.bisenet import BiSeNet
from wbme.nets.parser import MULTIPLE, ParserNet

# Of 79999_iter.pth: a key of each kind and its shape.
SHAPES = {
    "cp.resnet.conv1.weight": (64, 3, 7, 7),
    "cp.resnet.bn1.running_var": (64,),
    "cp.resnet.layer1.0.conv1.weight": (64, 64, 3, 3),
    "cp.resnet.layer2.0.downsample.0.weight": (128, 64, 1, 1),
    "cp.resnet.layer4.1.bn2.num_batches_tracked": (),
    "cp.arm16.conv.conv.weight": (128, 256, 3, 3),
    "cp.arm32.conv_atten.weight": (128, 128, 1, 1),
    "cp.arm32.bn_atten.running_mean": (128,),
    "cp.conv_head32.conv.weight": (128, 128, 3, 3),
    "cp.conv_head16.bn.bias": (128,),
    "cp.conv_avg.conv.weight": (128, 512, 1, 1),
    "ffm.convblk.conv.weight": (256, 256, 1, 1),
    "ffm.conv1.weight": (64, 256, 1, 1),
    "ffm.conv2.weight": (256, 64, 1, 1),
    "conv_out.conv.conv.weight": (256, 256, 3, 3),
    "conv_out.conv_out.weight": (19, 256, 1, 1),
    "conv_out16.conv.conv.weight": (64, 128, 3, 3),
    "conv_out32.conv_out.weight": (19, 64, 1, 1),
}


def test_bisenet_has_the_keys_and_shapes_in_circulation():
    net = BiSeNet()
    state = net.state_dict()
    assert len(state) == 191
    assert sum(value.numel() for value in net.parameters()) == 13_300_416
    assert {key: tuple(state[key].shape) for key in SHAPES} == SHAPES
    assert {key.split(".")[0] for key in state} == {"cp", "ffm", "conv_out", "conv_out16", "conv_out32"}
    assert not any(key.startswith("sp.") for key in state)


@pytest.mark.parametrize("net", [BiSeNet, ParserNet])
def test_logits_are_as_large_as_the_picture_or_half_as_large(net):
    torch.manual_seed(0)
    with torch.inference_mode():
        found = net().eval()(torch.rand(2, 3, MULTIPLE, 3 * MULTIPLE))
    labels, cell = (19, 1) if net is BiSeNet else (20, 2)
    assert found.shape == (2, labels, MULTIPLE // cell, 3 * MULTIPLE // cell)
    assert torch.isfinite(found).all()


def test_a_pixel_decides_about_itself():
    """The decoder sees the pixels themselves: one of them changes what is said there."""
    torch.manual_seed(0)
    net, picture = ParserNet().eval(), torch.full((1, 3, 128, 128), 0.5)
    other = picture.clone()
    other[..., 64, 64] = 1.0
    with torch.inference_mode():
        moved = (net(other) - net(picture)).abs().sum(1)[0]
    assert moved[32, 32] > 2 * moved.mean()
