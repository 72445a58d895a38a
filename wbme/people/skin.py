"""Painted skin: tone, blotches, lips, lids and labels on the texture that the body's mesh carries.

All layers are Lab (D65) offsets to the swatch of a Monk tone, placed by where a texel lies on the mean
person, so that no seam of the texture shows and every face gets its colours in the right places.
"""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from wbme.color.difference import delta_e00
from wbme.color.spaces import lab_to_srgb, srgb_to_lab
from wbme.color.tones import MONK
from wbme.geometry import landmarks as names
from wbme.geometry.parsing import INDEX
from wbme.people import brows, landmarks
from wbme.people.anatomy import TEXTURE, Anatomy
from wbme.people.canvas import Canvas, dense, labels, noise

Inner = tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.uint8] | None]
Colour = tuple[float, float, float]
_NEAR = 2.2  # CIEDE2000 that a face may differ from its swatch
_SWATCH = np.array([[tone.L, tone.a, tone.b] for tone in MONK])


@dataclass(frozen=True)
class Complexion:
    """Colours of a person. monk: 1 to 10; undertone: -1 rosy to 1 golden; iris, hair (of brows and beard):
    sRGB in [0, 1]; lips: 0 bare to 1 painted with ``lipstick``, sRGB; brow: thickness, 1 is average; arch and
    density in [0, 1]; freckles, blush, liner in [0, 1]; stubble: 0 to 1.7, a short beard above 1; moles: how
    many on the face."""

    FULL_BEARD: ClassVar[float] = 0.95  # of ``stubble``, from which on a beard hides the skin below it

    monk: int = 3
    undertone: float = 0.0
    iris: Colour = (0.36, 0.22, 0.12)
    hair: Colour = (0.10, 0.07, 0.05)
    lips: float = 0.0
    lipstick: Colour = (0.70, 0.16, 0.20)
    brow: float = 1.0
    arch: float = 0.5
    density: float = 0.7
    freckles: float = 0.0
    moles: int = 1
    blush: float = 0.4
    stubble: float = 0.0
    liner: float = 0.3


@dataclass(frozen=True, eq=False)
class Skin:
    """texture S x S x 4 and label_map S x S of the skin's mesh, its labels and ``smooth``; labels, albedo and
    texture of the inner parts (teeth, tongue, lashes); facts for a row."""

    texture: NDArray[np.uint8]
    label_map: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    smooth: NDArray[np.float32]
    inner: dict[str, Inner]
    facts: dict[str, object] = field(default_factory=dict)


def paint(
    complexion: Complexion, anatomy: Anatomy, rest: NDArray[np.float32], rng: np.random.Generator, *,
    age: float, gender: float,
) -> Skin:  # fmt: skip
    """Paint one person's skin; ``rest``: vertices of the mean person, V x 3 metres."""
    canvas = Canvas(anatomy, rest)
    label = labels(canvas, anatomy)
    swatch = _SWATCH[complexion.monk - 1]
    pale = float(np.clip((swatch[0] - 25) / 60, 0, 1))  # how far blood shows through
    lab = np.tile(swatch.astype(np.float32), (len(canvas.place), 1))
    _mottle(lab, canvas, rng, pale)
    _redden(lab, canvas, complexion, pale)
    if complexion.freckles > 0 or complexion.moles:
        _speckle(lab, canvas, complexion, rng, pale)
    shaved = complexion.stubble < complexion.FULL_BEARD
    if shaved:
        _shaved(lab, canvas, complexion, rng)
    _settle(lab, label, swatch, complexion, rng)
    if not shaved:  # what it hides does not count as skin
        _full_beard(lab, canvas, complexion, rng)
    _lids(lab, canvas, anatomy, complexion, pale, gender)
    _lips(lab, canvas, complexion, swatch)
    mouth = canvas.island == 1
    depth = np.clip((canvas.points[13, 2] - canvas.place[mouth, 2]) / 0.035, 0, 1)[:, None]
    lab[mouth] = np.array([30, 30, 14]) * (1 - depth) + np.array([5, 10, 4]) * depth
    lab[canvas.island == 3] = [34, 22, 12]
    return _finish(lab, label, anatomy, complexion, rng, age, gender)


def _finish(
    lab: NDArray, label: NDArray, anatomy: Anatomy, complexion: Complexion, rng: np.random.Generator,
    age: float, gender: float,
) -> Skin:  # fmt: skip
    """Colours to texels, brows on top, and the inner parts."""
    shape = (TEXTURE, TEXTURE)
    texture = np.zeros((TEXTURE * TEXTURE, 4), np.uint8)
    texture[anatomy.texels, :3] = np.round(_srgb(lab) * 255)
    texture[anatomy.texels, 3] = 255
    label_map = np.zeros(TEXTURE * TEXTURE, np.uint8)
    label_map[anatomy.texels] = label
    texture, label_map = texture.reshape(*shape, 4), label_map.reshape(shape)
    colour = np.array(complexion.hair)
    brows.draw(
        texture, label_map, landmarks.uv(anatomy, (*names.RIGHT_BROW, *names.LEFT_BROW)), colour, rng,
        thickness=complexion.brow, arch=complexion.arch, density=complexion.density,
    )  # fmt: skip
    part = anatomy.parts["skin"]
    own_labels = np.ones(len(part.source), np.uint8)
    for kind, name in ((2, "body_skin"), (1, "mouth"), (3, "l_eye")):
        own_labels[part.triangles[anatomy.island == kind]] = INDEX[name]
    smooth = np.where(own_labels == INDEX["body_skin"], 0.3, 1.0).astype(np.float32)
    lash = np.minimum(colour * 0.6, 0.22)
    inner = {}
    for name, tone, mark, picture in (
        ("upper-teeth", (1, 1, 1), "mouth", _teeth(rng, age)),
        ("lower-teeth", (0.94, 0.94, 0.94), "mouth", _teeth(rng, age)),
        ("tongue", (0.56, 0.27, 0.28), "mouth", None),
        ("eyelashes", lash, "skin", brows.lashes(rng, 0.75 + 0.25 * gender)),
    ):
        count = len(anatomy.parts[name].source)
        inner[name] = (np.full(count, INDEX[mark], np.uint8), np.tile(np.float32(tone), (count, 1)), picture)
    median = np.median(lab[np.isin(label, [INDEX["skin"], INDEX["nose"]])], axis=0)
    facts = {"monk": complexion.monk, "skin_lab": [round(float(v), 2) for v in median]}
    return Skin(texture, label_map, own_labels, smooth, inner, facts)


def _srgb(lab: NDArray) -> NDArray:
    """Lab to sRGB by a table of the colours that occur: a texture has far fewer than texels."""
    step = np.float32(4)  # a quarter of a unit, below what 8 bits can show
    whole = np.round(lab * step).astype(np.int32)
    low = whole.min(0)
    span = whole.max(0) - low + 1
    code = ((whole[:, 0] - low[0]) * span[1] + whole[:, 1] - low[1]) * span[2] + whole[:, 2] - low[2]
    found, place = np.unique(code, return_inverse=True)
    rows = np.stack([found // (span[1] * span[2]), found // span[2] % span[1], found % span[2]], 1) + low
    return lab_to_srgb(rows / step)[place]


def _mottle(lab: NDArray, canvas: Canvas, rng: np.random.Generator, pale: float) -> None:
    """Uneven melanin and blood: large soft patches, smaller ones, and pores on the head."""
    lab += noise(canvas.place, 0.035, rng)[:, None] * np.array([0.8, 0.45, 0.4], np.float32)
    head = canvas.place[canvas.head]
    fade = np.clip((head[:, 1] - canvas.points[152, 1] + 0.03) / 0.04, 0, 1)[:, None]  # none on the body
    lab[canvas.head] += (
        fade * noise(head, 0.009, rng)[:, None] * np.array([-0.75, 1.35 * pale, 0.15], np.float32)
    )
    lab[canvas.head] += fade * noise(head, 0.0022, rng)[:, None] * np.array([0.75, -0.35, 0], np.float32)


def _redden(lab: NDArray, canvas: Canvas, complexion: Complexion, pale: float) -> None:
    """Blood near the surface: cheeks, nose, ears, chin; a shade under the eyes and in the nostrils."""
    blood = np.array([-2.4 - 0.8 * (1 - pale), 3.5 + 5.0 * pale, 0.2], np.float32)
    front = canvas.front
    cheeks = canvas.spot(50, 280, radius=0.021, stretch=(1.1, 0.8, 1.5))
    nose = canvas.spot(1, 4, radius=0.011) + 0.6 * canvas.spot(129, 358, radius=0.006)
    flush = (0.6 + 0.9 * complexion.blush) * cheeks + 0.55 * nose + 0.3 * canvas.spot(199, radius=0.013)
    lab[front] += flush[:, None] * blood
    lab += (0.75 * canvas.soft("ears", 5))[:, None] * blood
    under = canvas.spot(*_middles(canvas), radius=0.009, stretch=(1.5, 0.7, 1.5))
    lab[front] += under[:, None] * np.array([-2.6, 1.0 + 1.6 * pale, -1.2], np.float32)
    holes = canvas.spot(*(canvas.points[list(h)].mean(0) for h in (names.RIGHT_NOSTRIL, names.LEFT_NOSTRIL)),
                        radius=0.0034, stretch=(1.1, 0.8, 1.4))  # fmt: skip
    lab[front] *= 1 - 0.6 * holes[:, None] * np.array([1, 0.2, 0.4], np.float32)


def _middles(canvas: Canvas) -> list[NDArray]:
    """The hollows below the eyes."""
    return [canvas.rims[f"lash-lower-{side}"].mean(0) - [0, 0.010, 0] for side in "RL"]


def _speckle(
    lab: NDArray, canvas: Canvas, complexion: Complexion, rng: np.random.Generator, pale: float
) -> None:
    """Freckles over nose and cheeks, and moles anywhere on the face."""
    front = canvas.front
    place = canvas.place[front]
    likely = canvas.spot(50, 280, radius=0.024) + canvas.spot(5, radius=0.017) + 0.12
    count = int(260 * complexion.freckles)
    chosen = rng.choice(len(front), count + complexion.moles, replace=False, p=likely / likely.sum())
    moles = rng.choice(len(front), complexion.moles, replace=False)
    chosen[count:] = moles
    radius = np.concatenate(
        [rng.uniform(0.0005, 0.0011, count), rng.uniform(0.0008, 0.0015, complexion.moles)]
    )
    dark = np.concatenate(
        [rng.uniform(3, 8, count) * (0.4 + 0.6 * pale), rng.uniform(14, 24, complexion.moles)]
    )
    far, nearest = cKDTree(place[chosen]).query(place, distance_upper_bound=0.004)
    near = np.isfinite(far)
    k = nearest[near]
    strength = np.exp(-((far[near] / radius[k]) ** 4)) * dark[k]
    lab[front[near]] += strength[:, None] * np.array([-1, 0.18, 0.25], np.float32)


def upper_edge(points: NDArray, across: NDArray, size: float) -> NDArray:
    """How high a full beard grows, y in metres: under the nose, down to the corners of the mouth, over the
    cheek and up before the ear. ``points``: the face mesh, y up; ``across``: distance from its middle, 1 at
    the ears; ``size``: of the face, 1 is average."""
    nose, lip, corner = points[2, 1], points[0, 1], points[[61, 291], 1].mean()
    heights = [0.8 * nose + 0.2 * lip, 0.5 * (nose + lip), corner - 0.002 * size, corner + 0.008 * size,
               corner + 0.035 * size, corner + 0.055 * size]  # fmt: skip
    return np.interp(across, [0, 0.2, 0.42, 0.66, 0.88, 1.05], heights)


def _shaved(lab: NDArray, canvas: Canvas, complexion: Complexion, rng: np.random.Generator) -> None:
    """The shadow of a shaved beard."""
    if complexion.stubble <= 0:
        return
    front, points = canvas.front, canvas.points
    x, y, _ = canvas.place[front].T
    across = np.abs(x) / abs(points[234, 0])
    edge = (
        points[2, 1]
        - 0.006
        - 0.030 * np.clip(across - 0.25, 0, 1) * (across < 0.7)
        + 0.05 * np.clip(across - 0.8, 0, 1)
    )
    soft = 1 / (1 + np.exp(np.clip(-(edge - y) / 0.007, -30, 30)))
    soft *= 1 / (1 + np.exp(np.clip(-(y - points[152, 1] + 0.03) / 0.007, -30, 30)))
    bare = canvas.spot(0, 17, 61, 291, radius=0.012, stretch=(1.6, 0.55, 2))
    grain = (
        0.85 + 0.16 * noise(canvas.place[front], 0.0009, rng) + 0.1 * noise(canvas.place[front], 0.006, rng)
    )
    amount = complexion.stubble * soft * (1 - 0.6 * bare) * np.clip(grain, 0.1, 1.6)
    hair = srgb_to_lab(np.array(complexion.hair))
    share = (0.36 * amount)[:, None].astype(np.float32)
    lab[front] += share * (np.minimum(hair + np.array([12, -2, -4]), lab[front]) - lab[front])


def _full_beard(lab: NDArray, canvas: Canvas, complexion: Complexion, rng: np.random.Generator) -> None:
    """The hair of a full beard, where ``wbme.people.beard`` draws it."""
    front, points = canvas.front, canvas.points
    place = canvas.place[front]
    across = np.abs(place[:, 0]) / abs(points[234, 0])
    y = place[:, 1] + 0.0025 * noise(place, 0.004, rng)  # its border runs out in tufts
    below, behind = points[152, 1] - 0.030, points[[234, 454], 2].mean() - 0.008
    inside = np.minimum(np.minimum(upper_edge(points, across, 1.0) - y, y - below), place[:, 2] - behind)
    cover = 1 / (1 + np.exp(np.clip(-inside / 0.002, -30, 30)))
    cover *= 1 - 0.95 * canvas.spot(0, 17, 61, 291, radius=0.008, stretch=(1.6, 0.5, 2))
    dense = np.clip(0.72 + 0.25 * (complexion.stubble - complexion.FULL_BEARD), 0, 0.95)
    hair = srgb_to_lab(np.array(complexion.hair)) + np.array([3, 0, 0])
    strands = 5 * noise(place, 0.0008, rng)[:, None] * np.array([1, 0.1, 0.2])
    lab[front] += (dense * cover)[:, None] * (hair + strands - lab[front]).astype(np.float32)


def _settle(
    lab: NDArray, label: NDArray, swatch: NDArray, complexion: Complexion, rng: np.random.Generator
) -> None:
    """Bring the median of the face to the swatch, but for a little undertone and chance."""
    face = np.isin(label, [INDEX["skin"], INDEX["nose"]])
    # The light swatches have no red at all, and any shade of such a skin looks green: give them a trace.
    trace = np.array([0, float(np.clip((3.5 - swatch[1]) * 0.5, 0, 1.5)), 0])
    shift = trace + complexion.undertone * np.array([0, -0.5, 1.0]) + rng.normal(0, 0.25, 3)
    far = float(delta_e00(swatch + shift, swatch))
    own = swatch + shift * min(1, _NEAR / far)
    lab += (own - np.median(lab[face], axis=0)).astype(np.float32)


def _lids(
    lab: NDArray, canvas: Canvas, anatomy: Anatomy, complexion: Complexion, pale: float, gender: float
) -> None:
    """Darker lids, a moist rim, and the line that the roots of the lashes make."""
    front = canvas.front
    place = canvas.place[front]
    lids = anatomy.masks["eyelids"][front]
    lab[front] += lids[:, None] * np.array(
        [-3.4 - 1.5 * complexion.liner, 3.4 * pale + 0.8, -0.3], np.float32
    )
    for side in "RL":
        # The margin of the lid lies 2 mm before the roots: dark above, pale below, pink at the nose.
        for lid, reach, depth in (("upper", 0.0031, 0.72), ("lower", 0.0019, 0.30)):
            row = canvas.rims[f"lash-{lid}-{side}"]
            far, nearest = cKDTree(dense(row)).query(place, distance_upper_bound=0.005)
            near = np.isfinite(far)
            edge = reach + (0.0008 * complexion.liner * gender if lid == "upper" else 0)
            line = 1 / (1 + np.exp(np.clip((far[near] - edge) / 0.00022, -30, 30)))
            line *= depth + (1 - depth) * complexion.liner * (0.6 if lid == "upper" else 0.3)
            line *= np.interp(nearest[near], [6, 26, 112, 119], [0.0, 1.0, 1.0, 0.35])
            rows = front[near]
            lab[rows] *= 1 - line[:, None] * np.array([0.80, 0.45, 0.55], np.float32)
        corner = canvas.spot(
            (canvas.rims[f"lash-upper-{side}"][0] + canvas.rims[f"lash-lower-{side}"][0]) / 2, radius=0.0028
        )
        pink = np.array([0.55 * np.median(lab[front, 0]) + 14, 22, 9], np.float32)
        lab[front] += 0.55 * corner[:, None] * (pink - lab[front])


def _lips(lab: NDArray, canvas: Canvas, complexion: Complexion, swatch: NDArray) -> None:
    """Lips: redder and darker than the skin, less so on dark skin; painted ones on top."""
    soft = canvas.soft("lips", 1.6)[:, None]
    L = float(swatch[0])
    bare = swatch + np.interp(L, [12, 30, 45, 65, 95], [4, 1, -4, -13, -24]) * np.array([1, 0, 0])
    red = np.interp(L, [12, 30, 45, 65, 95], [8, 11, 13, 17, 23])
    yellow = np.interp(L, [12, 45, 75, 95], [1, -4, -7, 3])
    bare = bare + np.array([0, red, yellow])
    colour = bare + complexion.lips * (srgb_to_lab(np.array(complexion.lipstick)) - bare)
    y, line = canvas.place[:, 1], canvas.points[13, 1]
    upper = np.clip((y - line) / 0.004, -1, 1)[:, None]
    own = colour + upper * np.array([-2.0, 0.6, 0])
    own = own + (lab - np.median(lab[canvas.head], axis=0)) * 0.5
    lab += (soft * (own - lab)).astype(np.float32)
    # Where the lips meet, each shades the other.
    rows = canvas.front
    for edge in canvas.meeting:
        far = cKDTree(edge).query(canvas.place[rows], distance_upper_bound=0.006)[0]
        near = np.isfinite(far)
        shade = np.exp(-((far[near] / 0.0016) ** 2))[:, None]
        lab[rows[near]] *= 1 - shade * np.array([0.42, 0.0, 0.1], np.float32)


def _teeth(rng: np.random.Generator, age: float) -> NDArray[np.uint8]:
    """A row of teeth as a texture 256 x 256 x 4: u around the arch."""
    u, v = np.meshgrid((np.arange(256) + 0.5) / 256, 1 - (np.arange(256) + 0.5) / 256)
    white = np.array([0.93, 0.915, 0.88]) - np.array([0.02, 0.03, 0.06]) * np.clip((age - 30) / 40, 0, 1.2)
    white = white + rng.normal(0, 0.008)
    gap = np.abs((u * 24) % 1 - 0.5)  # a tooth is a 24th of the arch's full turn
    shade = 1 - 0.16 * np.exp(-(((gap - 0.5) / 0.05) ** 2)) - 0.35 * np.abs(2 * u - 1) ** 1.5
    rgb = white * shade[..., None]
    rgba = np.concatenate([np.clip(rgb, 0, 1), np.ones_like(v)[..., None]], -1)
    return np.round(rgba * 255).astype(np.uint8)
