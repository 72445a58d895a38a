import pytest
import torch

from wbme.nets.johnson import TransformNet


def test_its_layers_are_those_of_the_paper():
    torch.manual_seed(0)
    net = TransformNet()
    assert sum(part.numel() for part in net.parameters()) == 1_679_235
    convolutions = [
        part for part in net.modules() if isinstance(part, torch.nn.Conv2d | torch.nn.ConvTranspose2d)
    ]
    shapes = [
        (part.in_channels, part.out_channels, part.kernel_size[0], part.stride[0]) for part in convolutions
    ]
    residual = [(128, 128, 3, 1)] * 10
    assert shapes[:3] == [(3, 32, 9, 1), (32, 64, 3, 2), (64, 128, 3, 2)]
    assert shapes[3:] == [*residual, (128, 64, 3, 2), (64, 32, 3, 2), (32, 3, 9, 1)]


@pytest.mark.parametrize("shape", [(2, 3, 40, 64), (1, 3, 32, 36)])
def test_drawings_have_the_shape_of_the_photograph_and_its_range(shape):
    with torch.inference_mode():
        drawn = TransformNet().eval()(torch.rand(shape))
    assert drawn.shape == shape
    assert 0 <= drawn.min() < drawn.max() <= 1
