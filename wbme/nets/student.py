"""The light student: a U-Net of dense 3x3 convolutions on a space-to-depth stem.

``S2-32`` means stem factor 2 and first width 32. Blocks are convolution + BatchNorm + ReLU; with branches
they are RepVGG's sum of a 3x3, a 1x1 and an identity branch (Ding et al., CVPR 2021), which ``fold`` turns
into one convolution each. Upsampling is nearest and skips are added, because concatenation and transposed
convolutions cost more on a CPU than they give.
"""

import copy
import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wbme.base.errors import ModelError
from wbme.nets.layered import enlarged, planes, singles

SKINS = ("own", "character")
MULTIPLE = 8  # height and width of the input must be multiples of it


@dataclass(frozen=True)
class Architecture:
    """Stem factor, channels of each level, and residual blocks at the coarsest level."""

    factor: int
    widths: tuple[int, ...]
    residual: int = 0


ARCHITECTURES = {
    "S2-32": Architecture(2, (32, 48, 64, 96)),
    "S4-48": Architecture(4, (48, 72, 96)),
    "S4-64": Architecture(4, (64, 96, 128, 144)),
    "S4-res-96": Architecture(4, (96, 144, 160), residual=2),
}
HEADS = {"layered": 4, "plain": 3}  # output channels: RGB and, for the layered head, the ink logit
INK_BIAS = -2.2  # about a tenth of the pixels is ink before anything is learned
GATE_BIAS = 2.0  # and most of the input's detail comes through: edges stay sharp from the first step


class Block(nn.Module):
    """ReLU(BatchNorm(convolution)), its channels scaled and shifted by what ``cond`` asks for."""

    def __init__(self, inward: int, outward: int, stride: int, cond: int, branches: bool):
        super().__init__()
        self.conv = nn.Conv2d(inward, outward, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(outward)
        self.point = self.point_norm = self.identity_norm = None
        if branches:
            self.point = nn.Conv2d(inward, outward, 1, stride, bias=False)
            self.point_norm = nn.BatchNorm2d(outward)
            if stride == 1 and inward == outward:
                self.identity_norm = nn.BatchNorm2d(outward)
        self.modulation = nn.Linear(cond, 2 * outward, bias=False)
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")
        nn.init.zeros_(self.modulation.weight)

    def forward(self, x: Tensor, cond: Tensor) -> Tensor:
        y = self.norm(self.conv(x))
        if self.point is not None:
            y = y + self.point_norm(self.point(x))
        if self.identity_norm is not None:
            y = y + self.identity_norm(x)
        gain, shift = self.modulation(cond)[:, :, None, None].chunk(2, 1)
        return F.relu(torch.addcmul(shift + y, y, gain))

    def fold(self, cond: Tensor) -> "FoldedBlock":
        """One biased convolution that equals this block in evaluation mode for ``cond`` (1 x K)."""
        kernel, bias = _absorb(self.conv.weight, self.norm)
        if self.point is not None:
            weight, more = _absorb(F.pad(self.point.weight, (1, 1, 1, 1)), self.point_norm)
            kernel, bias = kernel + weight, bias + more
        if self.identity_norm is not None:
            eye = torch.eye(len(bias)).to(kernel)[:, :, None, None]
            weight, more = _absorb(F.pad(eye, (1, 1, 1, 1)), self.identity_norm)
            kernel, bias = kernel + weight, bias + more
        gain, shift = self.modulation(cond)[0].chunk(2)
        conv = nn.Conv2d(kernel.shape[1], kernel.shape[0], 3, self.conv.stride, 1)
        conv.weight.data = kernel * (1 + gain)[:, None, None, None]
        conv.bias.data = bias * (1 + gain) + shift
        return FoldedBlock(conv)


class FoldedBlock(nn.Module):
    """A ``Block`` for inference: convolution and ReLU."""

    def __init__(self, conv: nn.Conv2d):
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        return F.relu(self.conv(x))


def _absorb(weight: Tensor, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Kernel and bias of a convolution followed by ``norm`` with its running statistics."""
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return weight * scale[:, None, None, None], norm.bias - norm.running_mean * scale


class Student(nn.Module):
    """``net(x, cond)``: N x 3 x H x W sRGB in [0, 1], H and W multiples of 8, to N x 3 or N x 4 x H x W.

    The first three channels are low + g (x - low) plus what the head adds (RGB, unclipped), with low the
    low-pass of the input x and g in [0, 1] a gate that the network sets at each pixel: colour is kept, edges
    and eyes come through where g is open, texture does not where it is closed. A fourth channel is the ink's
    logit (``wbme.nets.layered``).
    ``cond`` (N x K) is made by ``condition``. Raises ModelError for an unknown architecture or head.
    """

    def __init__(
        self,
        architecture: str = "S2-32",
        head: str = "layered",
        characters: tuple[str, ...] = ("default",),
        branches: bool = True,
    ):
        super().__init__()
        for what, known in ((architecture, ARCHITECTURES), (head, HEADS)):
            if what not in known:
                raise ModelError(f"no student is called {what!r}; known are {', '.join(known)}")
        self.architecture, self.head, self.branches = architecture, head, branches
        self.characters = tuple(characters)
        plan = ARCHITECTURES[architecture]
        widths, cond = plan.widths, len(characters) + 1 + len(SKINS)
        self.factor = plan.factor

        def block(inward: int, outward: int, stride: int = 1) -> Block:
            return Block(inward, outward, stride, cond, branches)

        self.stem = block(3 * plan.factor**2, widths[0])
        steps = list(itertools.pairwise(widths))
        self.enter = nn.ModuleList(block(w, w) for w in widths)
        self.down = nn.ModuleList(block(a, b, 2) for a, b in steps)
        self.deep = nn.ModuleList(block(widths[-1], widths[-1]) for _ in range(2 * plan.residual))
        self.up = nn.ModuleList(block(b, a) for a, b in steps)
        self.leave = nn.ModuleList(block(w, w) for w in widths[:-1])
        self.out = nn.Conv2d(widths[0], HEADS[head] * plan.factor**2, 3, padding=1)
        self.gate = nn.Conv2d(widths[0], plan.factor**2, 1)
        with torch.no_grad():
            self.out.weight.mul_(0.05)
            self.out.bias.zero_()
            self.out.bias[3 * plan.factor**2 :] = INK_BIAS
            self.gate.weight.mul_(0.05)
            self.gate.bias.fill_(GATE_BIAS)

    def condition(self, character: str | None = None, strength: float = 1.0, skin: str = "own") -> Tensor:
        """The vector (1 x K) of a character (default: the first), a strength in [0, 1] and a skin mode."""
        character = self.characters[0] if character is None else character
        for what, known in ((character, self.characters), (skin, SKINS)):
            if what not in known:
                raise ModelError(f"this student does not know {what!r}, but {', '.join(known)}")
        hot = [float(character == name) for name in self.characters]
        return torch.tensor([[*hot, float(strength), *(float(skin == name) for name in SKINS)]])

    def recast(self, characters: tuple[str, ...]) -> "Student":
        """A copy that draws as ``characters``: those it knows as it learned them, others as its first."""
        known = len(self.characters)
        kept = [self.characters.index(name) if name in self.characters else 0 for name in characters]
        kept += range(known, known + 1 + len(SKINS))
        other = Student(self.architecture, self.head, characters, self.branches)
        other.load_state_dict(
            {
                key: value[:, kept] if key.endswith("modulation.weight") else value
                for key, value in self.state_dict().items()
            }
        )
        return other.train(self.training)

    def forward(self, x: Tensor, cond: Tensor) -> Tensor:
        low = enlarged(F.avg_pool2d(singles(x), 4)).reshape(x.shape)
        y = self.enter[0](self.stem(F.pixel_unshuffle(x, self.factor), cond), cond)
        skips = []
        for down, enter in zip(self.down, self.enter[1:], strict=True):
            skips.append(y)
            y = enter(down(y, cond), cond)
        for first, second in zip(self.deep[::2], self.deep[1::2], strict=True):
            y = y + second(first(y, cond), cond)
        for level in reversed(range(len(skips))):
            skip = skips[level]
            # Sizes that are multiples of 8 but not of the coarsest cell were rounded up on the way down.
            y = F.interpolate(self.up[level](y, cond), size=skip.shape[2:], mode="nearest")
            y = self.leave[level](y + skip, cond)
        gate = F.pixel_shuffle(torch.sigmoid(self.gate(y)), self.factor)
        y = F.pixel_shuffle(self.out(y), self.factor)
        kept = planes(low) + planes(gate) * (planes(x) - planes(low))
        # A channel of zeros for the logit makes the sum one step; see layered.planes.
        kept = F.pad(kept, (0, 0, 0, 0, 0, HEADS[self.head] - 3))
        return (kept + planes(y)).reshape(y.shape)

    def fold(self, cond: Tensor) -> "Student":
        """A copy for inference in which every block is one convolution and ``cond`` (1 x K) is built in."""
        with torch.no_grad():
            folded = copy.deepcopy(self).float().cpu().eval()
            for name, module in list(folded.named_modules()):
                if isinstance(module, Block):
                    parent, _, last = name.rpartition(".")
                    setattr(folded.get_submodule(parent), last, module.fold(cond.float().cpu()))
            return folded.requires_grad_(False)
