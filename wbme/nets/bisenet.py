"""BiSeNet as face parsers in circulation have it: 19 labels, keys and shapes of ``79999_iter.pth``.

Yu et al., BiSeNet, arXiv 1808.00897, with a ResNet-18 (He et al., arXiv 1512.03385) as context path; its map
at 1/8 takes the place of the paper's spatial path, so that no convolution of one is in the file. 13,300,416
parameters, 191 keys of learned weights and statistics. Input: ImageNet normalisation, 512 pixels.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

LABELS = 19
SIZE = 512
_STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))  # channels and stride of ResNet-18's four stages


class _Filter(nn.Module):
    """Convolution, batch normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.bn(self.conv(x)))


class _Residual(nn.Module):
    """ResNet's block of two 3 x 3 convolutions."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class _ResNet18(nn.Module):
    """Maps at 1/8, 1/16 and 1/32 of the sides."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        width = 64
        for number, (channels, stride) in enumerate(_STAGES, 1):
            stage = nn.Sequential(_Residual(width, channels, stride), _Residual(channels, channels, 1))
            setattr(self, f"layer{number}", stage)
            width = channels

    def forward(self, x: Tensor) -> list[Tensor]:
        x = nn.functional.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        found = []
        for number in range(1, len(_STAGES) + 1):
            x = getattr(self, f"layer{number}")(x)
            found.append(x)
        return found[1:]


class _Attention(nn.Module):
    """The paper's attention refinement: channels weighted by what the whole picture holds."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv = _Filter(inputs, outputs)
        self.conv_atten = nn.Conv2d(outputs, outputs, 1, bias=False)
        self.bn_atten = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        return x * torch.sigmoid(self.bn_atten(self.conv_atten(x.mean((2, 3), keepdim=True))))


class _Context(nn.Module):
    """Map at 1/8 of the ResNet, and what the context adds there and at 1/16."""

    def __init__(self) -> None:
        super().__init__()
        self.resnet = _ResNet18()
        self.arm16, self.arm32 = _Attention(256, 128), _Attention(512, 128)
        self.conv_head32, self.conv_head16 = _Filter(128, 128), _Filter(128, 128)
        self.conv_avg = _Filter(512, 128, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        at8, at16, at32 = self.resnet(x)
        whole = self.conv_avg(at32.mean((2, 3), keepdim=True))
        up32 = self.conv_head32(interpolate(self.arm32(at32) + whole, at16.shape[2:], mode="nearest"))
        up16 = self.conv_head16(interpolate(self.arm16(at16) + up32, at8.shape[2:], mode="nearest"))
        return at8, up16, up32


class _Fusion(nn.Module):
    """The paper's feature fusion."""

    def __init__(self, channels: int):
        super().__init__()
        self.convblk = _Filter(channels, channels, 1)
        self.conv1 = nn.Conv2d(channels, channels // 4, 1, bias=False)
        self.conv2 = nn.Conv2d(channels // 4, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.convblk(x)
        return x + x * torch.sigmoid(self.conv2(torch.relu(self.conv1(x.mean((2, 3), keepdim=True)))))


class _Head(nn.Module):
    def __init__(self, inputs: int, hidden: int):
        super().__init__()
        self.conv = _Filter(inputs, hidden)
        self.conv_out = nn.Conv2d(hidden, LABELS, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv_out(self.conv(x))


class BiSeNet(nn.Module):
    """Pictures N x 3 x H x W, sRGB in [0, 1], to logits N x 19 x H x W of the first head; the two that only
    help training keep their weights and are not computed."""

    def __init__(self) -> None:
        super().__init__()
        self.cp = _Context()
        self.ffm = _Fusion(256)
        self.conv_out = _Head(256, 256)
        self.conv_out16, self.conv_out32 = _Head(128, 64), _Head(128, 64)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        at8, context, _ = self.cp((x - self.mean) / self.std)
        out = self.conv_out(self.ffm(torch.cat([at8, context], 1)))
        return interpolate(out, x.shape[2:], mode="bilinear", align_corners=True)
