"""The quick texture teacher: a photograph as a background painter's plate, flat shapes and coherent lines."""

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.color.inputs import check_picture
from wbme.synth import flow
from wbme.synth.ink import without_specks
from wbme.synth.texture import Texture, grade, roughness, soft_steps

F32 = NDArray[np.float32]
_ROWS = 630.0  # of the shorter side at which stroke 1 is drawn; over 1 + (stroke - 1) / 5 for others
_FLOW, _LINE, _ALONG = 2.0, 0.9, 2.5  # sigmas of the flow, of a line, and along it, in pixels at that size
_NOTHING = 0.005  # of the structure tensor: squared Scharr slopes of L*a*b* / 100 below it have no direction
_PULL, _BEND, _SLOPE = 2.0, 0.004, 0.01  # pixels; second and first derivative of luma at which it is half


@dataclass(frozen=True)
class Abstraction:
    """Settings of ``texture_teacher``.

    ``stroke`` and ``abstraction`` in [1, 5], Cartooner's two controls (arXiv 2212.09555): the scale of line
    and brush (at 2, the smallest shape is about a hundredth of the shorter side), and how much detail goes.
    ``lines``: how much is lined, from 0 for nothing, 1 for what a painter would line, to 2; ``opacity`` of
    the ink in [0, 1]. ``tones``: soft steps of luma from black to white, 0 for none, or as ``abstraction``
    says where negative."""

    stroke: float = 2.0
    abstraction: float = 2.5
    lines: float = 1.0
    opacity: float = 0.9
    tones: float = -1.0

    def __post_init__(self) -> None:
        knobs = 1 <= self.stroke <= 5 and 1 <= self.abstraction <= 5
        if not knobs or not 0 <= self.lines <= 2 or not 0 <= self.opacity <= 1 or not self.tones <= 64:
            raise ParameterError(
                f"{self}: stroke and abstraction lie in [1, 5], lines in [0, 2], opacity in [0, 1], tones go "
                "up to 64"
            )

    @property
    def levels(self) -> float:
        """The steps of luma that ``tones`` asks for."""
        return self.tones if self.tones >= 0 else 10 - self.abstraction


class Plate(NamedTuple):
    """A drawing in two layers: ``base``, H x W x 3 sRGB in [0, 1], and ``ink``, coverage H x W in [0, 1]."""

    base: F32
    ink: F32


def texture_teacher(rgb: F32, settings: Abstraction = Abstraction()) -> Plate:
    """A picture H x W x 3, sRGB in [0, 1], as flat shapes of its own colours and the lines between them.

    At a size that follows ``stroke``: medians take small things away and round what stays, bilateral filters
    flatten it, and both colours and a difference of Gaussians across the edges are gathered along their flow
    (Winnemoeller, Olsen, Gooch: Real-Time Video Abstraction, SIGGRAPH 2006; Kang, Lee, Chui: Flow-Based
    Image Abstraction, TVCG 2009; Winnemoeller, Kyprianidis, Olsen: XDoG, C&G 2012). All of these are smooth
    fields; they are enlarged to the picture's own size, and only there do edges become sharp (each pixel
    takes its colour from its own side of the edge, a shock filter by displacement), luma goes in steps and
    lines are cut at their threshold: so shapes and lines are crisp whatever the size, and time hardly
    depends on it. Raises ParameterError for no such picture.
    """
    rgb = check_picture(rgb)
    high, wide = rgb.shape[:2]
    scale = min(1.0, _ROWS / (1 + (settings.stroke - 1) / 5) / min(high, wide))
    size = max(round(wide * scale), 1), max(round(high * scale), 1)
    shapes = _simplified(cv2.resize(np.clip(rgb, 0, 1), size, interpolation=cv2.INTER_AREA), settings)
    planes = [plane / 100 for plane in cv2.split(cv2.cvtColor(shapes, cv2.COLOR_RGB2Lab))]
    tensor = flow.structure_tensor(planes, _FLOW)
    dx, dy = flow.tangent(tensor)
    dark = -flow.gathered(planes[0], -dy, dx, *flow.difference_of_gaussians(_LINE, reach=2.0))
    shapes, dark = _along(shapes, dark, dx, dy, flow.coherence(tensor, _NOTHING))
    colours = grade(shapes, Texture())
    luma = cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY)

    def enlarged(plane: F32) -> F32:
        return np.asarray(cv2.resize(plane, (wide, high), interpolation=cv2.INTER_CUBIC), np.float32)

    at = (enlarged(where) for where in _own_side(luma, dx, dy))
    base = cv2.remap(colours, *at, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    if settings.levels:
        # Half the size and half the contrast: slopes stay what they were.
        rough = enlarged(roughness(0.5 * _reduced(luma, 2)))
        luma = cv2.cvtColor(base, cv2.COLOR_RGB2GRAY)
        step = rough * (soft_steps(luma, settings.levels, 0.15) - luma)
        base = cv2.add(base, cv2.merge([step, step, step]))
    ink = np.clip(enlarged(_lined(dark, settings)) * np.float32(110), 0, 1)
    return Plate(np.clip(base, 0, 1), np.float32(settings.opacity) * ink)


def _reduced(plane: F32, times: int) -> F32:
    size = max(plane.shape[1] // times, 1), max(plane.shape[0] // times, 1)
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def _simplified(rgb: F32, settings: Abstraction) -> F32:
    """Without what is smaller than a stroke and fainter than ``abstraction`` asks for."""
    u8 = cv2.convertScaleAbs(rgb, alpha=255)
    for _ in range(round(settings.abstraction)):
        # Medians alone end in chequers on thin slanting lines.
        u8 = cv2.GaussianBlur(cv2.medianBlur(u8, 5), (3, 3), 0.6)
    for _ in range(3):
        u8 = cv2.bilateralFilter(u8, 5, 255 * (0.06 + 0.03 * settings.abstraction), 2.5)
    return u8.astype(np.float32) / 255


def _along(shapes: F32, dark: F32, dx: F32, dy: F32, sure: F32) -> tuple[F32, F32]:
    """Colours, where the flow is ``sure``, and the response of the lines, averaged along the flow."""
    offsets = 1.7 * np.arange(-3, 4)
    weights = np.exp(-(offsets**2) / (2 * _ALONG**2))
    both = flow.gathered(cv2.merge([*cv2.split(shapes), dark]), dx, dy, offsets, weights / weights.sum())
    return shapes + sure[..., None] * (both[..., :3] - shapes), np.ascontiguousarray(both[..., 3])


def _own_side(luma: F32, dx: F32, dy: F32) -> tuple[F32, F32]:
    """Where each pixel takes its colour from, x and y: up to ``_PULL`` pixels away from the nearest edge, the
    zero of the second derivative across the flow."""
    smooth = cv2.GaussianBlur(luma, (0, 0), 1.2)
    gx, gy = (cv2.Scharr(smooth, cv2.CV_32F, i, 1 - i, scale=1 / 32) for i in (1, 0))
    xx, yy, xy = (cv2.Sobel(smooth, cv2.CV_32F, i, j, scale=0.25) for i, j in ((2, 0), (0, 2), (1, 1)))
    slope = gy * dx - gx * dy
    bend = dy * dy * xx - 2 * dx * dy * xy + dx * dx * yy
    away = -_PULL * np.tanh(bend / _BEND) * np.tanh(slope / _SLOPE)
    x, y = flow.grid(*luma.shape)
    # Smoothed, so that the two sides of a thin line do not reach past each other.
    return x - cv2.GaussianBlur(away * dy, (0, 0), 0.8), y + cv2.GaussianBlur(away * dx, (0, 0), 0.8)


def _lined(dark: F32, settings: Abstraction) -> F32:
    """The response of the lines above its threshold, which rises where much answers, as in foliage; below 0
    where there is no line, or one too short or too faint all along to be drawn."""
    if not settings.lines:
        return np.full_like(dark, -1)
    around = cv2.GaussianBlur(_reduced(np.abs(dark), 4), (0, 0), 2.5)
    around = cv2.resize(around, dark.shape[::-1])
    over = dark - (0.003 + 0.0005 * settings.abstraction + 0.8 * around) / np.float32(settings.lines)
    strong = np.clip(over / (0.004 + 0.001 * settings.abstraction), 0, 1)
    kept = without_specks(strong, 14 + round(6 * settings.abstraction))
    kept = cv2.dilate(kept, np.ones((5, 5), np.uint8))
    return np.where(kept > 0, over, np.minimum(over, -0.002)).astype(np.float32)
