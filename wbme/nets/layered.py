"""The layered picture: drawing = ink OVER tone(base), with lines and tones that can be set while it runs.

The network gives a base (RGB) and an ink logit; everything here has no weights. Luma is Rec. 601's of the
gamma-encoded picture.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

# Live inputs of the exported graph and what they are where nobody sets them.
CONTROLS = {
    "line_threshold": 0.0,  # added to what the ink logit must reach: +2 thin lines, -1.5 bold ones
    "line_gain": 4.0,  # how abruptly paper turns to ink
    "levels": 8.0,  # steps of tone between black and white
    "phase": 0.0,  # where between two multiples of 1/levels the steps lie, see phase_of
    "softness": 0.7,  # share of a step over which one tone turns into the next: 0 hard, 1 no flats
    "saturation": 1.0,  # factor on the chroma
    "lift": 1.0,  # slope of the tone at white, inverse of that at black: below 1 brightens
}
INK_COLOUR = (0.06, 0.05, 0.07)
# Changes of the controls with which a graph draws its base alone: to measure the skin's luma for the phase.
BASE_ALONE = {"line_threshold": 60.0, "levels": 255.0, "softness": 1.0, "saturation": 1.0, "lift": 1.0}
LUMA = (0.299, 0.587, 0.114)
_GUIDE_RADIUS, _GUIDE_EPSILON = 8, 0.0015
_STEEPNESS, _FAINTEST = 8.0, 0.08  # of the sharpening; it flattens ranges of luma below 4 x 0.08 / 8
_CONTRAST = 0.35  # share of the S-curve 3 t^2 - 2 t^3 in the tone


def planes(x: Tensor) -> Tensor:
    """N x C x H x W as N x C x 1 x HW, the shape for work on single pixels.

    A runtime that keeps the channels of a pixel side by side, as OpenVINO does after a convolution, lays them
    out as planes for it: with one to three channels that is several times as fast.
    """
    return x.reshape(*x.shape[:2], 1, -1)


def luma(rgb: Tensor) -> Tensor:
    """N x 3 x H x W to N x 1 x H x W."""
    red, green, blue = rgb[:, :3].split(1, 1)
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


def phase_of(skin_luma: float, levels: float) -> float:
    """The ``phase`` that puts a level exactly on ``skin_luma`` (median luma of the skin, [0, 1])."""
    return math.modf(levels * skin_luma)[0]


def smoothed_logit(logit: Tensor) -> Tensor:
    """The ink logit N x 1 x H x W after a 3x3 binomial filter."""
    if not torch.onnx.is_in_onnx_export():  # sums cost an eighth of what torch takes to convolve
        x = F.pad(logit, (1, 1, 1, 1), mode="replicate")
        x = 0.25 * (x[..., :-2] + x[..., 2:]) + 0.5 * x[..., 1:-1]
        return 0.25 * (x[..., :-2, :] + x[..., 2:, :]) + 0.5 * x[..., 1:-1, :]
    row = logit.new_tensor([0.25, 0.5, 0.25])
    kernel = (row[:, None] * row)[None, None]
    return F.conv2d(F.pad(logit, (1, 1, 1, 1), mode="replicate"), kernel)


def ink_alpha(logit: Tensor, threshold: Tensor | float = 0.0, gain: Tensor | float = 1.0) -> Tensor:
    """Coverage in [0, 1] of the ink: sigmoid((z - threshold) gain) of the smoothed logit z."""
    return torch.sigmoid((planes(smoothed_logit(logit)) - threshold) * gain).reshape(logit.shape)


def singles(x: Tensor) -> Tensor:
    """N x C x H x W as NC x 1 x H x W: OpenVINO pads a few channels to sixteen where it takes means."""
    return x.reshape(-1, 1, *x.shape[2:])


def enlarged(x: Tensor) -> Tensor:
    """N x 1 x H x W at four times its sides, bilinear between the centres of pixels.

    In an exported graph it is a convolution, 16 kernels for the 16 pixels that each becomes, which runtimes
    do in a third of the time.
    """
    if not torch.onnx.is_in_onnx_export():
        return F.interpolate(x, scale_factor=4.0, mode="bilinear", align_corners=False)
    side = x.new_tensor([[3, 5, 0], [1, 7, 0], [0, 7, 1], [0, 5, 3]]) / 8
    kernels = (side[:, None, :, None] * side[None, :, None, :]).reshape(16, 1, 3, 3)
    return F.pixel_shuffle(F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), kernels), 4)


def _row(x: Tensor, radius: int, axis: int) -> Tensor:
    """Mean of the ``2 radius + 1`` neighbours along ``axis``, of those that there are: as torch's pooling
    gives it, in a quarter of its time."""
    size, places = x.shape[axis], torch.arange(x.shape[axis], device=x.device)
    wide = F.pad(x, (radius, radius) if axis == 3 else (0, 0, radius, radius))
    total = sum(wide.narrow(axis, shift, size) for shift in range(2 * radius + 1))
    count = (places + radius).clamp(max=size - 1) - (places - radius).clamp(min=0) + 1
    return total / (count if axis == 3 else count[:, None])


def _box(x: Tensor, radius: int) -> Tensor:
    """Mean over a square of N x 1 x H x W, rows first: two passes cost less than one."""
    if not torch.onnx.is_in_onnx_export():
        return _row(_row(x, radius, 3), radius, 2)
    side = 2 * radius + 1
    rows = F.avg_pool2d(x, (1, side), 1, (0, radius), count_include_pad=False)
    return F.avg_pool2d(rows, (side, 1), 1, (radius, 0), count_include_pad=False)


def smoothed(y: Tensor) -> Tensor:
    """The fast guided filter (He and Sun, 2015) of N x 1 x H x W by itself: statistics at quarter size."""
    small, radius = F.avg_pool2d(y, 4), _GUIDE_RADIUS // 4
    mean = _box(small, radius)
    variance = F.relu(_box(small * small, radius) - mean * mean)
    slope = variance / (variance + _GUIDE_EPSILON)
    slope, offset = (planes(enlarged(_box(line, radius))) for line in (slope, mean - slope * mean))
    return (slope * planes(y) + offset).reshape(y.shape)


def crisp(y: Tensor) -> Tensor:
    """``y`` (N x 1 x H x W) with its steps sharpened and what is faint between them flattened.

    With m the middle and w the width of the range of y around a pixel (blocks of 4 x 4, three by three of
    them), y becomes m + w (sigmoid(k (y - m) / max(w, w0)) - 1/2). Where the range is wide, y is driven to
    the nearer of its ends as by the toggle mapping of Kramer and Bruckner (1975); where it is below
    4 w0 / k, towards its middle.
    """
    high, low = (F.max_pool2d(F.max_pool2d(part, 4), 3, 1, 1) for part in (y, (-planes(y)).reshape(y.shape)))
    middle, width = (planes(enlarged(part)) for part in (0.5 * (high - low), high + low))
    steps = torch.sigmoid(_STEEPNESS * (planes(y) - middle) / width.clamp(min=_FAINTEST))
    return (middle + width * (steps - 0.5)).reshape(y.shape)


def quantised(y: Tensor, levels: Tensor | float, phase: Tensor | float, softness: Tensor | float) -> Tensor:
    """``y`` brought to tones (k + phase) / levels; half-way between two it turns from one into the other
    along a smoothstep that is ``softness`` of a step wide."""
    t = y * levels - phase
    whole = torch.floor(t)
    ramp = ((t - whole - 0.5) / (softness + 1e-3) + 0.5).clamp(0.0, 1.0)
    return (whole + ramp * ramp * (3 - 2 * ramp) + phase) / levels


def tone(
    base: Tensor,
    levels: Tensor | float,
    phase: Tensor | float,
    softness: Tensor | float,
    saturation: Tensor | float,
    lift: Tensor | float,
) -> Tensor:
    """The base in flat tones: luma smoothed, made crisp, quantised and lifted, chroma scaled; in [0, 1].

    A tone t is lifted to t / (lift + (1 - lift) t), the bias of Schlick (1994), since some runtimes
    take powers one by one.
    Arguments are numbers or tensors that broadcast to N x 1 x 1 x 1.
    """
    flat, (high, wide) = planes(base).clamp(0.0, 1.0), base.shape[2:]
    y = luma(flat)
    t = planes(crisp(smoothed(y.reshape(-1, 1, high, wide))))
    t = quantised(t, levels, phase, softness).clamp(0.0, 1.0)
    t = t / (lift + (1 - lift) * t)
    t = t + _CONTRAST * (1 - lift) * 4 * (t * t * (3 - 2 * t) - t)
    return (t + saturation * (flat - y)).clamp(0.0, 1.0).reshape(-1, 3, high, wide)


def compose(base: Tensor, alpha: Tensor, colour: Tensor) -> Tensor:
    """Ink of ``colour`` (broadcast to N x 3 x 1 x 1) with coverage ``alpha`` over ``base``."""
    flat = planes(base)
    return (flat + planes(alpha) * (colour - flat)).reshape(base.shape)
