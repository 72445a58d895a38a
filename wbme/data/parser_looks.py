"""What real photographs have and rendered people lack, for the parser: other hair, cloth and skin, things in
front, and everything that lenses, sensors and print do. Domain randomisation after Tobin et al., arXiv
1703.06907. Every function takes and gives float32 sRGB in [0, 1], S x S x 3, and draws from ``rng``."""

import cv2
import numpy as np
from numpy.typing import NDArray

from wbme.data.degrade import degrade
from wbme.geometry.parsing import INDEX, SKIN
from wbme.geometry.transforms import Square

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]
Draw = np.random.Generator

_NATURAL = ((0.03, 0.03, 0.03), (0.16, 0.1, 0.07), (0.36, 0.23, 0.14), (0.62, 0.46, 0.28), (0.85, 0.72, 0.5),
            (0.5, 0.2, 0.09), (0.55, 0.54, 0.53), (0.9, 0.89, 0.87))  # fmt: skip
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def noise(size: int, cells: int, rng: Draw) -> F32:
    """Smooth noise of unit variance at its nodes, ``cells`` across, size x size."""
    coarse = rng.standard_normal((cells, cells), np.float32)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def colour(rng: Draw) -> F32:
    """Any colour, three."""
    hsv = np.array([[[rng.uniform(0, 360), rng.uniform(0, 1) ** 0.8, rng.uniform(0.05, 1)]]], np.float32)
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]


def dressed(rgb: F32, labels: U8, cloth: F32, rng: Draw) -> F32:
    """Hair, cloth, hats and skin as other people have them; ``cloth`` is a picture to print on clothes."""
    out, bare = rgb, np.isin(labels, list(SKIN))
    if rng.random() < 0.65:
        out = _hair(out, labels, bare, rng)
    for name in ("cloth", "hat"):
        if rng.random() < 0.7:
            out = _cloth(out, labels == INDEX[name], cloth, bare, rng)
    if rng.random() < 0.6:
        size = len(rgb)
        skin = bare.astype(np.float32)[..., None]
        tint = noise(size, int(rng.integers(3, 10)), rng)[..., None] * rng.normal(0, 0.05, 3)
        lines = noise(size, int(rng.integers(30, 100)), rng) * rng.uniform(0, 0.07)
        out = out * (1 + skin * (tint.astype(np.float32) + lines[..., None]))
    return np.clip(out, 0, 1).astype(np.float32)


def _shade(rgb: F32, mask: NDArray[np.bool_]) -> F32:
    """How light falls on a masked surface: luma over its mean there, H x W x 1."""
    luma = rgb @ _LUMA
    return (luma / max(float(luma[mask].mean()), 0.03))[..., None]


def _over(rgb: F32, mask: NDArray[np.bool_], painted: F32) -> F32:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    out = rgb.astype(np.float32)
    if len(rows):
        part = np.s_[max(rows[0] - 4, 0) : rows[-1] + 5, max(columns[0] - 4, 0) : columns[-1] + 5]
        soft = cv2.GaussianBlur(mask[part].astype(np.float32), (0, 0), 0.7)[..., None]
        out[part] += soft * (painted[part] - out[part])
    return out


def _hair(rgb: F32, labels: U8, skin: NDArray[np.bool_], rng: Draw) -> F32:
    mask = labels == INDEX["hair"]
    if mask.sum() < 30:
        return rgb
    tone = np.float32(_NATURAL[int(rng.integers(len(_NATURAL)))]) * np.float32(rng.uniform(0.7, 1.3))
    kind = rng.random()
    if kind < 0.15:
        tone = colour(rng)
    elif kind < 0.35 and skin.sum() >= 30:  # thin grey or fair hair, which has about the tone of the skin
        tone = rgb[skin].mean(0)
        tone = (tone + rng.uniform(0, 0.8) * (tone @ _LUMA - tone)) * np.float32(rng.uniform(0.65, 1.25))
    shade = _shade(rgb, mask) ** np.float32(rng.uniform(0.4, 1.6))
    if rng.random() < 0.6:
        shade = shade * np.exp(_strands(len(rgb), rng) * rng.uniform(0.05, 0.5))[..., None]
    if rng.random() < 0.3:  # greying, highlights
        shade = shade * np.exp(noise(len(rgb), 6, rng) * 0.35)[..., None]
    return _over(rgb, mask, np.clip(tone * shade, 0, 1))


def _strands(size: int, rng: Draw) -> F32:
    """Noise drawn out along one direction and bent by another, size x size."""
    angle = rng.uniform(0, np.pi)
    fine = rng.standard_normal((size, max(size // int(rng.integers(6, 30)), 2)), np.float32)
    fine = cv2.resize(fine, (size, size), interpolation=cv2.INTER_LINEAR)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    bend = noise(size, int(rng.integers(3, 12)), rng) * rng.uniform(0, 12)
    across = np.float32(np.cos(angle)) * x - np.float32(np.sin(angle)) * y + bend
    along = np.float32(np.sin(angle)) * x + np.float32(np.cos(angle)) * y + bend
    return cv2.remap(fine, along, across, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)


def cluttered(rgb: F32, printed: F32, rng: Draw) -> F32:
    """A background with things in it, plain, printed, or brushed like hair, which belong to nobody."""
    size, brushed = len(rgb), np.exp(_strands(len(rgb), rng) * 0.3)[..., None]
    for _ in range(int(rng.integers(1, 12))):
        x, y = rng.uniform(0, size, 2)
        shape = _blob(size, (float(x), float(y)), np.exp(rng.uniform(-4, -1.2)) * size, rng) > 0
        kind = rng.random()
        tone = np.float32(_NATURAL[int(rng.integers(len(_NATURAL)))]) if kind > 0.6 else colour(rng)
        painted = printed[::-1] if kind < 0.2 else np.broadcast_to(tone, (1, size, 3))
        ramp = np.linspace(rng.uniform(0.6, 1.4), rng.uniform(0.6, 1.4), size, dtype=np.float32)
        painted = painted * ramp[None, :, None]
        painted = np.clip(painted * brushed if kind > 0.75 else painted, 0, 1)
        rgb = _over(rgb, shape, np.broadcast_to(painted, rgb.shape))
    return rgb


def capped(photo: U8, labels: U8, face: Square, rng: Draw) -> tuple[U8, U8]:
    """A view (H x W x 4 and H x W) whose person wears a hat of another make: a crown over the hair from
    somewhere on the forehead up, with a band or peak and a badge now and then. ``face`` as the parser looks
    at it."""
    half = face.side / 2.4  # of FFHQ's own square
    across = np.array([np.cos(face.angle), np.sin(face.angle)]) * half
    down = np.array([-across[1], across[0]])
    middle = np.array([face.x, face.y])
    low, droop, wide = rng.uniform(-0.55, -0.34), rng.uniform(-0.02, 0.22), rng.uniform(0.56, 0.78)
    top, narrow = rng.uniform(-1.35, -0.9), rng.uniform(0.5, 1.25)
    t = np.linspace(-1, 1, 17)
    rim = np.stack([wide * t, low + droop * t * t], 1)
    round_ = np.abs(t) ** rng.uniform(2, 6)
    crown = np.stack([wide * narrow ** (1 - round_) * t, top + (low + droop - top) * round_], 1)

    def filled(points: NDArray[np.float64]) -> NDArray[np.bool_]:
        out = np.zeros(labels.shape, np.uint8)
        place = middle + points[:, :1] * across + points[:, 1:] * down
        cv2.fillPoly(out, [np.rint(place).astype(np.int32)], 1)
        return out > 0

    hat = filled(np.concatenate([rim, crown[::-1]]))
    shade = np.clip(1 + noise(len(labels), 4, rng) * 0.15, 0.4, 1.6)[..., None]
    white = rng.random() < 0.3
    tone = np.float32([0.92, 0.91, 0.88]) if white else colour(rng)
    painted = np.broadcast_to(tone, (*labels.shape, 3)).copy()
    if rng.random() < 0.6:  # band or peak
        high = rng.uniform(0.06, 0.35)
        dark = np.full(3, rng.uniform(0.02, 0.15)) if rng.random() < 0.6 else colour(rng)
        grown = np.concatenate([rim * [rng.uniform(1, 1.15), 1], (rim - [0, high])[::-1]])
        band = filled(grown)
        painted[band], hat = dark, hat | band
    for _ in range(int(rng.integers(0, 5))):
        spot = middle + rng.normal(0, 0.12) * across + rng.uniform(top, low) * down
        shape = _blob(len(labels), (float(spot[0]), float(spot[1])), rng.uniform(0.04, 0.2) * half, rng) > 0
        painted[shape & hat] = colour(rng)
    photo, labels = photo.copy(), labels.copy()
    y, x = np.indices(labels.shape)
    below = ((x - middle[0]) * down[0] + (y - middle[1]) * down[1]) / half**2
    under = (below < low) & (labels == INDEX["hair"])  # what the hat presses down
    photo[under, 3] = labels[under] = 0
    if rng.random() < 0.6:
        side = ((x - middle[0]) * across[0] + (y - middle[1]) * across[1]) / half**2
        _wisps(photo, labels, side, below, half, rng)
    photo[hat, :3] = np.clip(painted * shade * 255, 0, 255)[hat]
    photo[hat, 3] = 255
    labels[hat] = INDEX["hat"]
    return photo, labels


def _wisps(photo: U8, labels: U8, side: F32, down: F32, half: float, rng: Draw) -> None:
    """Draw hair over and beside both edges of a face, as it shows between a hat and the jaw. ``side`` and
    ``down`` are the places of pixels in half sides (``half``, pixels) of FFHQ's square from its middle."""
    skin = np.isin(labels, (INDEX["skin"], INDEX["l_ear"], INDEX["r_ear"])).astype(np.uint8)
    if np.count_nonzero(skin) < 30:
        return
    bare = photo[..., :3][skin > 0].mean(0) / 255
    reach = [2 * max(round(float(rng.uniform(*span)) * half), 1) + 1 for span in ((0.01, 0.12), (0.02, 0.16))]
    outer, inner = (cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (r, r)) for r in reach)
    band = cv2.dilate(skin, outer) & ~cv2.erode(skin, inner) & 1
    low, ears = rng.uniform(-0.1, 0.5), rng.uniform(0.22, 0.4)
    ragged = noise(len(labels), int(rng.integers(6, 30)), rng)
    there = (
        (band > 0) & (down < low + 0.1 * ragged) & (np.abs(side) > ears) & (ragged > rng.uniform(-2.5, -0.5))
    )
    there &= ~np.isin(labels, (INDEX["cloth"], INDEX["neck"]))
    tone = np.float32(_NATURAL[int(rng.integers(len(_NATURAL)))])
    if rng.random() < 0.5:  # thin fair or grey hair has about the tone of the skin
        tone = (bare + rng.uniform(0, 0.9) * (bare @ _LUMA - bare)) * np.float32(rng.uniform(0.6, 1.3))
    light = np.exp(_strands(len(labels), rng) * rng.uniform(0.1, 0.5) + noise(len(labels), 6, rng) * 0.15)
    photo[there, :3] = np.clip(tone * light[..., None] * 255, 0, 255)[there]
    photo[there, 3], labels[there] = 255, INDEX["hair"]


def _cloth(rgb: F32, mask: NDArray[np.bool_], printed: F32, skin: NDArray[np.bool_], rng: Draw) -> F32:
    if mask.sum() < 30:
        return rgb
    shade = np.clip(_shade(rgb, mask), 0, 2.5) ** np.float32(rng.uniform(0.4, 1.5))
    kind = rng.random()
    white = kind < 0.15
    tone: F32 = np.full(3, rng.uniform(0.75, 1), np.float32) if white else colour(rng)
    if 0.15 < kind < 0.3 and skin.sum() >= 30:  # of the colour of skin, so that colour alone tells nothing
        tone = rgb[skin].mean(0) * np.exp(rng.normal(0, 0.15, 3)).astype(np.float32)
    painted = np.broadcast_to(tone, rgb.shape).copy()
    if kind > 0.6:
        painted = printed[:, ::-1] * 1.1
    if rng.random() < 0.45:  # badges, rings, buttons, straps
        size, places = len(rgb), np.argwhere(mask)
        for _ in range(int(rng.integers(1, 7))):
            y, x = places[int(rng.integers(len(places)))]
            shape = _blob(size, (float(x), float(y)), rng.uniform(0.01, 0.13) * size, rng)
            painted[shape > 0] = colour(rng) if rng.random() < 0.7 else printed[shape > 0]
    return _over(rgb, mask, np.clip(painted * shade, 0, 1))


def _blob(size: int, centre: tuple[float, float], radius: float, rng: Draw) -> U8:
    """A filled ellipse, turned box or rag, 1 inside."""
    out = np.zeros((size, size), np.uint8)
    kind, angle = int(rng.integers(3)), float(rng.uniform(0, 180))
    axes = radius * float(rng.uniform(0.3, 1)), radius
    if kind == 0:
        middle = round(centre[0]), round(centre[1])
        cv2.ellipse(out, middle, (round(axes[0]), round(axes[1])), angle, 0, 360, 1, -1)
    elif kind == 1:
        box = cv2.boxPoints((centre, (2 * axes[0], 2 * axes[1]), angle))
        cv2.fillPoly(out, [np.rint(box).astype(np.int32)], 1)
    else:
        turns = np.sort(rng.uniform(0, 2 * np.pi, 9))
        reach = radius * rng.uniform(0.4, 1, (9, 1))
        ring = np.array(centre) + reach * np.stack([np.cos(turns), np.sin(turns)], 1)
        cv2.fillPoly(out, [np.rint(ring).astype(np.int32)], 1)
    return out


def occluded(rgb: F32, labels: U8, behind: F32, rng: Draw) -> tuple[F32, U8]:
    """One or two things before the person, which belong to the background."""
    size = len(rgb)
    for _ in range(int(rng.integers(1, 3))):
        x, y = rng.uniform(0, size, 2)
        shape = _blob(size, (float(x), float(y)), rng.uniform(0.04, 0.2) * size, rng) > 0
        rgb = _over(
            rgb, shape, behind[::-1] if rng.random() < 0.5 else np.broadcast_to(colour(rng), rgb.shape)
        )
        labels = np.where(shape, 0, labels).astype(np.uint8)
    return rgb, labels


def photographed(rgb: F32, rng: Draw) -> F32:
    """Light, exposure, colour, focus, grain, print and compression, each often far from the usual."""
    size = len(rgb)
    if rng.random() < 0.3:  # light from one side
        ramp = noise(size, 2, rng) * rng.uniform(0, 0.35)
        rgb = rgb * np.exp(ramp)[..., None]
    gains = rng.uniform(0.6, 1.35) * np.exp(rng.normal(0, 0.1, 3))
    out = np.clip(rgb * gains.astype(np.float32), 0, 1) ** np.float32(np.exp(rng.uniform(-0.5, 0.5)))
    if rng.random() < 0.35:  # channels leak into each other
        mix = np.eye(3) + rng.normal(0, 0.08, (3, 3))
        out = np.clip(out @ (mix / mix.sum(1, keepdims=True)).T.astype(np.float32), 0, 1)
    grey = (out @ _LUMA)[..., None]
    saturation = 0.0 if rng.random() < 0.1 else rng.uniform(0.4, 1.5)
    out = grey + np.float32(saturation) * (out - grey)
    if saturation == 0 and rng.random() < 0.4:  # toned prints
        out = out * np.float32([1.08, 0.98, 0.82])
    contrast = rng.uniform(0.7, 1.4)
    out = np.clip((out - 0.5) * np.float32(contrast) + np.float32(0.5 + rng.normal(0, 0.05)), 0, 1)
    out = _filtered(np.ascontiguousarray(out, np.float32), rng)
    if rng.random() < 0.25:
        small = max(int(size / rng.uniform(1.4, 3.5)), 24)
        way = cv2.INTER_AREA if rng.random() < 0.7 else cv2.INTER_NEAREST
        out = cv2.resize(out, (small, small), interpolation=way)
        out = cv2.resize(out, (size, size), interpolation=cv2.INTER_LINEAR)
    return degrade(out, rng, float(rng.uniform(0.1, 1.4))) if rng.random() < 0.8 else np.clip(out, 0, 1)


def _filtered(rgb: F32, rng: Draw) -> F32:
    """Flattened, sharpened, moved, grained: one of them, or none."""
    kind = int(rng.integers(10))
    if kind == 0:
        return cv2.medianBlur((rgb * 255).astype(np.uint8), 5).astype(np.float32) / 255
    if kind == 1:
        return cv2.bilateralFilter(rgb, 7, 0.15, 4)
    if kind == 2:
        return np.clip(rgb + rng.uniform(0.5, 2) * (rgb - cv2.GaussianBlur(rgb, (0, 0), 1.5)), 0, 1)
    if kind == 3:
        length = int(rng.integers(3, 9))
        kernel = np.zeros((length, length), np.float32)
        cv2.line(kernel, (0, int(rng.integers(length))), (length - 1, int(rng.integers(length))), 1)
        return cv2.filter2D(rgb, -1, kernel / kernel.sum())
    if kind == 4:
        grain = cv2.GaussianBlur(rng.standard_normal(rgb.shape[:2], np.float32), (0, 0), 0.8)
        return np.clip(rgb + grain[..., None] * np.float32(rng.uniform(0.02, 0.12)), 0, 1)
    return rgb
