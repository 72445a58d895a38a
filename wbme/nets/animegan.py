"""AnimeGANv2's generator, which draws a whole photograph at once, with the usual names of the weights.

Chen, Liu, Chen: AnimeGAN (ISICA 2019) and its authors' second version; names and shapes are those of the
PyTorch port by bryandlee (MIT): 77 tensors, 2,143,552 numbers, in a bare state dict.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from wbme.base.errors import ModelError

_MOST_BYTES = 64_000_000  # of a file of weights, which takes 8.6 MB in float32


class _Layer(nn.Sequential):
    """Reflection padding, convolution, normalisation over the whole picture, leaky ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, *, halved: bool = False, depthwise: bool = False
    ):
        # When the picture is halved, only right and below are padded, as TensorFlow does it.
        pad = (0, 1, 0, 1) if halved else (kernel // 2,) * 4
        stride, groups = 2 if halved else 1, inputs if depthwise else 1
        super().__init__(
            nn.ReflectionPad2d(pad),
            nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=depthwise),
            nn.GroupNorm(1, outputs),
            nn.LeakyReLU(0.2),
        )


class _Inverted(nn.Module):
    """Widen to twice ``inputs`` channels, filter each by 3x3, project to 256; added where shapes agree."""

    def __init__(self, inputs: int):
        super().__init__()
        hidden = 2 * inputs
        self.layers = nn.Sequential(
            _Layer(inputs, hidden, 1),
            _Layer(hidden, hidden, depthwise=True),
            nn.Conv2d(hidden, 256, 1, bias=False),
            nn.GroupNorm(1, 256),
        )

    def forward(self, x: Tensor) -> Tensor:
        y = self.layers(x)
        return x + y if x.shape == y.shape else y


class AnimeGANv2(nn.Module):
    """Pictures N x 3 x H x W in [-1, 1] (H and W 16 or more) to drawings of that shape and range."""

    def __init__(self) -> None:
        super().__init__()
        self.block_a = nn.Sequential(_Layer(3, 32, 7), _Layer(32, 64, halved=True), _Layer(64, 64))
        self.block_b = nn.Sequential(_Layer(64, 128, halved=True), _Layer(128, 128))
        middle = [_Inverted(128), *(_Inverted(256) for _ in range(3))]
        self.block_c = nn.Sequential(_Layer(128, 128), *middle, _Layer(256, 128))
        self.block_d = nn.Sequential(_Layer(128, 128), _Layer(128, 128))
        self.block_e = nn.Sequential(_Layer(128, 64), _Layer(64, 64), _Layer(64, 32, 7))
        self.out_layer = nn.Sequential(nn.Conv2d(32, 3, 1, bias=False), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        half = self.block_a(x)
        small = self.block_c(self.block_b(half))
        grown = self.block_d(_enlarged(small, half))
        return self.out_layer(self.block_e(_enlarged(grown, x)))


def _enlarged(x: Tensor, to: Tensor) -> Tensor:
    return functional.interpolate(x, to.shape[-2:], mode="bilinear", align_corners=True)


def load(path: Path) -> AnimeGANv2:
    """The generator with the weights in ``path``, in evaluation mode and frozen.

    Raises ModelError where there is no such file, where it needs code to be read, and where it holds other
    weights: it names the first that differ.
    """
    ours = AnimeGANv2()
    wanted = {name: tuple(value.shape) for name, value in ours.state_dict().items()}
    try:
        size = path.stat().st_size
        found = torch.load(path, map_location="cpu", weights_only=True) if size <= _MOST_BYTES else None
    except OSError as error:
        raise ModelError(f"cannot read the weights {path}: {error.strerror}; check the path") from error
    except Exception as error:  # torch and its unpickler have no common base for what they raise
        raise ModelError(
            f"{path} is no file of plain weights: bring AnimeGANv2's .pt, a bare state dict saved by torch"
        ) from error
    given = {
        str(name): tuple(value.shape)
        for name, value in (found.items() if isinstance(found, dict) else ())
        if isinstance(value, Tensor)
    }
    if given != wanted:
        odd = [name for name in {**wanted, **given} if wanted.get(name) != given.get(name)]
        raise ModelError(
            f"{path} does not hold the {len(wanted)} weights of AnimeGANv2: {', '.join(odd[:3])} "
            f"{'differs' if len(odd) == 1 else 'differ'}; bring paprika.pt, face_paint_512_v2.pt or another "
            "of its state dicts"
        )
    ours.load_state_dict(found)
    return ours.eval().requires_grad_(False)
