"""What stands behind people: photographs, cropped and out of focus, and scenes made from a seed."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
Draw = np.random.Generator


def picture(rgb: F32, size: int, rng: Draw, *, defocus: float = 0.4) -> F32:
    """A random square of ``rgb`` (H x W x 3, sRGB in [0, 1]), ``size`` pixels: cropped, mirrored, tinted, and
    in a share ``defocus`` of cases blurred as by a lens that looks at somebody nearer (a disc of up to 3
    %)."""
    side = int(min(rgb.shape[:2]) * rng.uniform(0.45, 1.0))
    y, x = (int(rng.integers(n - side + 1)) for n in rgb.shape[:2])
    part = rgb[y : y + side, x : x + side][:, :: -1 if rng.random() < 0.5 else 1]
    way = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    out = np.clip(cv2.resize(np.ascontiguousarray(part), (size, size), interpolation=way), 0, 1)
    return _tinted(_defocused(out, rng) if rng.random() < defocus else out, rng)


def _defocused(rgb: F32, rng: Draw) -> F32:
    radius = max(int(rgb.shape[0] * rng.uniform(0.006, 0.03)), 1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2).astype(np.float32)
    # In linear light, so that lamps become discs; its Fourier transform may leave less than nothing.
    blurred = cv2.filter2D(rgb ** np.float32(2.2), -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT)
    return np.clip(blurred, 0, 1) ** np.float32(1 / 2.2)


def _tinted(rgb: F32, rng: Draw) -> F32:
    gain = rng.uniform(0.8, 1.15) * (1 + rng.uniform(-0.1, 0.1, 3))
    return np.clip(rgb ** np.float32(rng.uniform(0.8, 1.25)) * gain.astype(np.float32), 0, 1)


def scene(size: int, rng: Draw, *, defocus: float = 0.4) -> F32:
    """A made-up place, ``size`` x ``size`` x 3, sRGB in [0, 1]: sky and hills, street, room, lamps, or a
    wall."""
    makers: tuple[Callable[[int, Draw], F32], ...] = (_hills, _street, _room, _lamps, _wall)
    fine = makers[int(rng.integers(len(makers)))](2 * size, rng)
    out = cv2.resize(np.clip(fine, 0, 1), (size, size), interpolation=cv2.INTER_AREA)
    out = _defocused(out, rng) if rng.random() < defocus else out
    grain = _noise(size, 3, rng) * 0.015 + rng.standard_normal((size, size)).astype(np.float32) * 0.008
    return np.clip(_tinted(out, rng) + grain[..., None], 0, 1).astype(np.float32)


def _colour(rng: Draw, saturation: tuple[float, float], value: tuple[float, float]) -> F32:
    h = rng.uniform(0, 360)
    hsv = np.array([[[h, rng.uniform(*saturation), rng.uniform(*value)]]], np.float32)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]


def _ramp(size: int, top: F32, bottom: F32) -> F32:
    t = np.linspace(0, 1, size, dtype=np.float32)[:, None, None]
    return np.repeat(top * (1 - t) + bottom * t, size, axis=1)


def _noise(size: int, octave: int, rng: Draw) -> F32:
    """Smooth noise around 0, about one grain for every ``size`` / 2^octave pixels."""
    total = np.zeros((size, size), np.float32)
    for k in range(octave, octave + 3):
        coarse = rng.standard_normal((2**k, 2**k)).astype(np.float32)
        total += cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC) / 2 ** (k - octave + 1)
    return total


def _box(out: F32, x: float, y: float, width: float, height: float, colour: F32) -> None:
    corners = (round(x), round(y)), (round(x + width), round(y + height))
    cv2.rectangle(out, *corners, np.clip(colour, 0, 1).tolist(), -1)


def _hills(size: int, rng: Draw) -> F32:
    blue = np.array([0.35, 0.6, 0.95], np.float32) * rng.uniform(0.5, 1.0)
    out = _ramp(size, blue, _colour(rng, (0.05, 0.4), (0.8, 1.0)))
    high = np.linspace(1, 0, size, dtype=np.float32)[:, None, None]
    out += np.clip(_noise(size, 2, rng) * 1.5 - 0.2, 0, 1)[..., None] * high * (0.97 - out) * 0.8
    x = np.linspace(0, 1, size)
    for k in range(int(rng.integers(2, 5))):
        waves = sum(rng.uniform(0.01, 0.06) / f * np.sin(6.28 * (f * x + rng.random())) for f in (1, 2, 5))
        green = _colour(rng, (0.2, 0.5), (0.25, 0.6)) * np.array([0.8, 1.0, 0.6], np.float32)
        out[np.arange(size)[:, None] > (0.45 + 0.13 * k + waves) * size] = green
    return out + (_noise(size, 6, rng) * 0.04)[..., None]


def _street(size: int, rng: Draw) -> F32:
    out = _ramp(size, _colour(rng, (0.05, 0.5), (0.6, 1.0)), _colour(rng, (0.0, 0.3), (0.7, 1.0)))
    x = -rng.uniform(0, 0.12) * size
    while x < size:
        wide, top = rng.uniform(0.12, 0.3) * size, rng.uniform(0.05, 0.55) * size
        pane, step, share = _colour(rng, (0.05, 0.6), (0.1, 1.0)), rng.uniform(0.05, 0.09) * size, 0.6
        _box(out, x, top, wide, size, _colour(rng, (0.05, 0.45), (0.3, 0.85)))
        for wy in np.arange(top + step / 2, size - step, step):
            for wx in np.arange(x + step / 3, x + wide - step / 2, step):
                _box(out, wx, wy, step * share, step * share, pane * rng.uniform(0.7, 1.1))
        x += wide + rng.uniform(0, 0.03) * size
    _box(out, 0, 0.86 * size, size, size, _colour(rng, (0, 0.15), (0.3, 0.6)))
    return out


def _room(size: int, rng: Draw) -> F32:
    wall, floor = _colour(rng, (0.05, 0.4), (0.45, 0.95)), rng.uniform(0.7, 0.9) * size
    out = _ramp(size, wall, wall * 0.85)
    _box(out, 0, floor, size, size, _colour(rng, (0.2, 0.5), (0.25, 0.6)))
    _box(out, 0, floor - size / 40, size, size / 40, wall * 1.1)
    edge = size / 60
    for _ in range(int(rng.integers(2, 6))):  # windows, pictures, shelves
        (x, y), (w, h) = rng.uniform(-0.1, 0.85, 2) * (size, floor), rng.uniform(0.1, 0.4, 2) * size
        frame = _colour(rng, (0, 0.5), (0.1, 0.9))
        _box(out, x, y, w, h, frame)
        _box(out, x + edge, y + edge, w - 2 * edge, h - 2 * edge, _colour(rng, (0.05, 0.7), (0.2, 1.0)))
        for k in range(int(rng.integers(0, 4))):
            _box(out, x + edge + (k + 1) * w / 5, y + edge, size / 150, h - 2 * edge, frame)
    return out * np.linspace(*rng.uniform(0.6, 1.1, 2), size, dtype=np.float32)[None, :, None]


def _lamps(size: int, rng: Draw) -> F32:
    out = _ramp(size, _colour(rng, (0.3, 0.8), (0.05, 0.3)), _colour(rng, (0.2, 0.8), (0.1, 0.45)))
    for _ in range(int(rng.integers(12, 40))):
        at, radius = rng.integers(0, size, 2).tolist(), int(rng.uniform(0.01, 0.06) * size)
        glow = cv2.circle(np.zeros_like(out), at, radius, _colour(rng, (0.1, 0.7), (0.5, 1)).tolist(), -1)
        out += glow * rng.uniform(0.3, 0.8)
    return cv2.GaussianBlur(out, (0, 0), size * 0.003)


def _wall(size: int, rng: Draw) -> F32:
    one = _colour(rng, (0.0, 0.5), (0.4, 1.0))
    out = _ramp(size, one * rng.uniform(0.8, 1.0), one * rng.uniform(0.6, 1.0))
    y, x = np.mgrid[0 : 1 : complex(0, size), 0 : 1 : complex(0, size)]
    spot = np.exp(-((x - rng.random()) ** 2 + (y - rng.random()) ** 2) * rng.uniform(2, 6))
    return out * (0.75 + 0.4 * spot[..., None]).astype(np.float32) + (_noise(size, 2, rng) * 0.03)[..., None]
