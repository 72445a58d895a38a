"""The parser: MobileNetV2's first sixteen blocks, whose weights know real photographs, and a dense decoder.

The encoder sees the picture at half its size, which is enough to tell hair from cloth. A U-Net (Ronneberger,
Fischer, Brox, arXiv 1505.04597) adds each of its levels to what comes from below. At the end the pixels
themselves join, four to a cell. A cell's logits tell by their strength where between two cells an edge lies,
so that nothing dense is computed at the full size: whoever reads them blends them linearly.
"""

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from wbme.nets.mobilenet import MobileNetV2

MULTIPLE = 64  # the sides of a picture
LABELS = 20  # those of geometry.parsing
_LEVELS = (1, 3, 6, 13, 16)  # the last blocks at 1/4, 1/8, 1/16, 1/32 and 1/64 of the picture
_CHANNELS = (16, 24, 32, 96, 160)
_WIDTHS = (48, 64, 80, 96, 128)
_FINE = 24  # channels at 1/2


def _filter(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


class ParserNet(nn.Module):
    """Pictures N x 3 x H x W, sRGB in [0, 1], sides multiples of 64, to logits N x 20 x H/2 x W/2 of
    ``geometry.parsing.LABELS``."""

    def __init__(self) -> None:
        super().__init__()
        whole = MobileNetV2()
        self.encoder = whole.features[: _LEVELS[-1] + 1]
        self.register_buffer("mean", whole.mean.clone(), persistent=False)
        self.register_buffer("std", whole.std.clone(), persistent=False)
        self.sides = nn.ModuleList(nn.Conv2d(c, w, 1) for c, w in zip(_CHANNELS, _WIDTHS, strict=True))
        self.scene = nn.Sequential(nn.Conv2d(_WIDTHS[-1], _WIDTHS[-1], 1), nn.ReLU())
        self.pixels = _filter(3, _FINE, 4, 2)
        self.ups = nn.ModuleList(_filter(w, n) for w, n in zip(_WIDTHS[:0:-1], _WIDTHS[-2::-1], strict=True))
        self.fine = _filter(_WIDTHS[0], _FINE)
        self.last = _filter(_FINE, _FINE)
        self.out = nn.Conv2d(_FINE, LABELS, 1)

    def forward(self, x: Tensor) -> Tensor:
        levels, y = [], (avg_pool2d(x, 2) - self.mean) / self.std
        for index, block in enumerate(self.encoder):
            y = block(y)
            if index in _LEVELS:
                levels.append(y)
        sides = [side(level) for side, level in zip(self.sides, levels, strict=True)]
        y = sides[-1] + self.scene(sides[-1].mean((2, 3), keepdim=True))
        for up, side in zip(self.ups, sides[-2::-1], strict=True):
            y = interpolate(up(y), scale_factor=2.0, mode="nearest") + side
        y = interpolate(self.fine(y), scale_factor=2.0, mode="nearest") + self.pixels(x)
        return self.out(self.last(y))
