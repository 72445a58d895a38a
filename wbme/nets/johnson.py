"""The transform net of Johnson, Alahi, Fei-Fei: Perceptual losses for real-time style transfer (ECCV 2016).

Its supplement's layers, with the instance norm of Ulyanov et al. (2016) that has stood for its batch norm
since: 1,679,235 weights. Each convolution is padded by reflection, where the supplement pads the photograph
once by 40 pixels. Here it is a peer whose speed is measured, so it is not trained.
"""

import torch
from torch import Tensor, nn


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    pad = nn.ReflectionPad2d(kernel // 2)
    return [pad, nn.Conv2d(inputs, outputs, kernel, stride), nn.InstanceNorm2d(outputs, affine=True)]


class _Residual(nn.Module):
    """Two convolutions whose result is added to what came in (Gross and Wilber, 2016): no ReLU after it."""

    def __init__(self, width: int):
        super().__init__()
        self.layers = nn.Sequential(*_conv(width, width, 3), nn.ReLU(), *_conv(width, width, 3))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class TransformNet(nn.Sequential):
    """Photographs N x 3 x H x W in [0, 1], H and W multiples of 4 (8 or more), to drawings as they are."""

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        for inputs, outputs, kernel, stride in ((3, 32, 9, 1), (32, 64, 3, 2), (64, 128, 3, 2)):
            layers += [*_conv(inputs, outputs, kernel, stride), nn.ReLU()]
        layers += [_Residual(128) for _ in range(5)]
        for inputs, outputs in ((128, 64), (64, 32)):  # strides of a half
            up = nn.ConvTranspose2d(inputs, outputs, 3, 2, padding=1, output_padding=1)
            layers += [up, nn.InstanceNorm2d(outputs, affine=True), nn.ReLU()]
        super().__init__(*layers, nn.ReflectionPad2d(4), nn.Conv2d(32, 3, 9))

    def forward(self, x: Tensor) -> Tensor:
        return (torch.tanh(super().forward(x)) + 1) / 2
