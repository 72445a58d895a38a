"""Views of a user's drawings: a card each with its face, points and colours; the palettes; the skin."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from wbme.data.drawings import Drawings
from wbme.data.landmark_file import POINTS
from wbme.views.overlay import contact_sheet
from wbme.views.sources import spread
from wbme.views.style import BLUE, FAINT, FONT, GREEN, INK, ORANGE, VERMILION, font, shortened

# Where a face's points come from: the colour that they are drawn in, and what it is called.
SOURCES = {
    "hand": (GREEN, "by hand"),
    "mesh": (BLUE, "face mesh"),
    "detector": (ORANGE, "face detector"),
    "box": (VERMILION, "guessed from a box"),
    "none": (VERMILION, "no face"),
}
_CELL, _GAP, _BAR, _TEXT = 224, 8, 18, 15
_LINES = 4  # most lines of remarks on a card
_MISSING = np.full((8, 8, 3), 0.93, np.float32)


def _srgb(code: str) -> tuple[float, ...]:
    return tuple(int(code[k : k + 2], 16) / 255 for k in (1, 3, 5))


def marked(
    rgb: NDArray[np.float32],
    faces: Sequence[dict[str, Any]],
    window: Sequence[float] | None = None,
    side: int = _CELL,
) -> NDArray[np.float32]:
    """``rgb`` (H x W x 3 sRGB in [0, 1]), or its ``window`` (x0, y0, x1, y1 pixels), with the boxes, contours
    and five points of ``faces`` (rows of ``Drawings.faces``), its longer side ``side`` pixels."""
    height, width = rgb.shape[:2]
    x0, y0, x1, y1 = (0, 0, width, height) if window is None else np.asarray(window).round().astype(int)
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    part = rgb[y0:y1, x0:x1]
    scale = side / max(part.shape[:2])
    size = max(round(part.shape[1] * scale), 1), max(round(part.shape[0] * scale), 1)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    drawn = np.clip(cv2.resize(part, size, interpolation=way), 0, 1).astype(np.float32)

    def at(points: Any) -> NDArray[np.int32]:
        local = (np.asarray(points, float).reshape(-1, 2) - (x0, y0) + 0.5) * scale - 0.5
        return np.rint(local * 16).astype(np.int32)

    for face in faces:
        colour = _srgb(SOURCES[face["source"]][0])
        box = at(face["box"])
        for ink, thick in (((1.0, 1.0, 1.0), 4), (colour, 2)):
            cv2.rectangle(drawn, box[0].tolist(), box[1].tolist(), ink, thick, cv2.LINE_AA, 4)
        if face["contour"]:
            cv2.polylines(drawn, [at(face["contour"])], False, colour, 2, cv2.LINE_AA, 4)
        wide = scale * (face["box"][2] - face["box"][0])
        if wide < 60:
            continue  # the points would hide so small a face
        for name, point in zip(POINTS, at([face["points"][name] for name in POINTS]), strict=True):
            radius = 16 * (3 if name == "nose" else 4)
            cv2.circle(drawn, point.tolist(), radius + 24, (1.0, 1.0, 1.0), cv2.FILLED, cv2.LINE_AA, 4)
            cv2.circle(drawn, point.tolist(), radius, colour, cv2.FILLED, cv2.LINE_AA, 4)
    return drawn


def around(box: Sequence[float]) -> NDArray[np.float64]:
    """The window around a face's ``box`` that shows all of its head, x0, y0, x1, y1."""
    low, high = np.reshape(np.asarray(box, float), (2, 2))
    middle, reach = (low + high) / 2, 0.95 * float((high - low).max())
    return np.concatenate([middle - reach - (0, 0.15 * reach), middle + reach - (0, 0.15 * reach)])


def cards(drawings: Drawings, shown: int = 48) -> NDArray[np.float32]:
    """At most ``shown`` drawings, a card each: the whole with its faces in boxes, the first face near with
    its five points, the same aligned, its palette, and what to look at. One image h x w x 3 in [0, 1].

    Raises ParameterError for ``shown`` below 1.
    """
    some = spread(drawings.pictures, shown)
    lines = min(max(len(row["warnings"]) + len(row["notes"]) for row in some), _LINES)
    made = [_card(drawings, row, lines) for row in some]
    columns = 1 if len(made) == 1 else 2
    high, wide = made[0].size[1] + 2 * _GAP, made[0].size[0] + 3 * _GAP
    sheet = Image.new("RGB", (columns * wide + _GAP, -(-len(made) // columns) * high + _GAP), "white")
    for number, card in enumerate(made):
        sheet.paste(card, (2 * _GAP + number % columns * wide, _GAP + number // columns * high))
    return np.asarray(sheet, np.float32) / 255


def _card(drawings: Drawings, row: dict[str, Any], lines: int) -> Image.Image:
    rgb, faces = drawings.rgb(row), drawings.found(row)
    near = [marked(rgb, faces, around(faces[0]["box"]))] if faces else [_MISSING]
    aligned = [drawings.aligned(faces[0])] if faces and faces[0]["aligned"] else [_MISSING]
    tiles = contact_sheet([marked(rgb, faces), *near, *aligned], 3, cell=_CELL, gap=_GAP)
    top = Image.fromarray(np.rint(tiles * 255).astype(np.uint8))
    card = Image.new("RGB", (top.width, top.height + _BAR + (lines + 1) * (_TEXT + 4) + _GAP + 5), "white")
    card.paste(top, (0, 0))
    pen = ImageDraw.Draw(card)
    _bar(pen, row["palette"], (_GAP, top.height, card.width - _GAP, top.height + _BAR))
    y = top.height + _BAR + 5
    colour, called = SOURCES[row["source"]]
    pen.text((_GAP, y), shortened(row["name"], 48), INK, font(_TEXT))
    pen.text((card.width - _GAP, y), called, colour, font(_TEXT), "ra")
    said = [(text, VERMILION) for text in row["warnings"]] + [(text, FAINT) for text in row["notes"]]
    for line, (text, ink) in enumerate(said[:lines], 1):
        pen.text((_GAP, y + line * (_TEXT + 4)), shortened(text, 92), ink, font(_TEXT - 2))
    pen.rectangle((0, 0, card.width - 1, card.height - 1), outline=FAINT if faces else VERMILION)
    return card


def _bar(pen: ImageDraw.ImageDraw, swatches: list[dict[str, Any]], box: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = box
    total, x = sum(one["share"] for one in swatches), float(left)
    for one in swatches:
        reach = (right - left) * one["share"] / total
        pen.rectangle((round(x), top, round(x + reach) - 1, bottom), fill=one["hex"])
        x += reach
    if swatches:
        pen.rectangle((left, top, right, bottom), outline=FAINT)


def palettes(drawings: Drawings, shown: int = 24) -> Figure:
    """The palette of all drawings together, its colours with their shares, over those of at most ``shown``
    single ones."""
    some = [row for row in spread(drawings.pictures, shown) if row["palette"]]
    figure = Figure(figsize=(8, 1.6 + 0.26 * len(some)), layout="constrained")
    axes = figure.add_subplot()
    rows = [("all", drawings.character["palette"], 1.6)] + [(r["name"], r["palette"], 0.8) for r in some]
    y, ticks = 0.0, []
    for _, swatches, high in rows:
        total, x = sum(one["share"] for one in swatches), 0.0
        for one in swatches:
            wide = one["share"] / total
            axes.add_patch(Rectangle((x, y), wide, high, facecolor=one["hex"], edgecolor="white", lw=0.5))
            if high > 1 and wide > 0.035:
                ink = "white" if one["lab"][0] < 60 else INK
                words = f"{one['hex']}\n{100 * one['share']:.0f} %"
                turn = 0 if wide > 0.085 else 90
                axes.text(
                    x + wide / 2, y + high / 2, words, color=ink, fontsize=FONT - 2, rotation=turn,
                    ha="center", va="center",
                )  # fmt: skip
            x += wide
        ticks.append(y + high / 2)
        y += high + 0.2
    axes.set(xlim=(0, 1), ylim=(max(y, 1), -0.1), xticks=[])
    axes.set_yticks(ticks, [shortened(name, 30) for name, _, _ in rows], fontsize=FONT - 1, color=INK)
    axes.spines[:].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return figure


def skin(drawings: Drawings) -> Figure:
    """Skin of the character (fill, shadow, light, ink) as swatches, and of each drawing in (a*, L*)."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1.1, 1])
    found = drawings.character["skin"]
    for number, name in enumerate(("light", "colour", "shadow", "ink")):
        one = found.get(name)
        look = {"facecolor": one["hex"]} if one else {"facecolor": "white", "hatch": "//"}
        left.add_patch(Rectangle((0, number), 0.55, 0.9, edgecolor=FAINT, **look))
        words = (
            "not seen"
            if one is None
            else "{}   L* {:.0f}, a* {:.0f}, b* {:.0f}".format(one["hex"], *one["lab"])
        )
        left.text(0.6, number + 0.45, f"{name}\n{words}", fontsize=FONT, color=INK, va="center")
    left.set(xlim=(0, 1.6), ylim=(4, -0.1))
    left.axis("off")
    every = [row["skin"] for row in drawings.pictures if row["skin"]]
    for name, sign, size in (("shadow", "v", 36), ("colour", "o", 60), ("light", "^", 36)):
        seen = [one[name] for one in every if name in one]
        if seen:
            a, light = [one["lab"][1] for one in seen], [one["lab"][0] for one in seen]
            right.scatter(
                a, light, size, [one["hex"] for one in seen], sign, edgecolors=INK, lw=0.6, label=name
            )
    right.set_xlabel("a*", fontsize=FONT)
    right.set_ylabel("L*", fontsize=FONT)
    right.margins(0.15)
    if every:
        right.legend(frameon=False, fontsize=FONT - 1)
    right.spines[["top", "right"]].set_visible(False)
    right.tick_params(colors=INK, labelsize=FONT, length=3)
    return figure


def to_do(drawings: Drawings) -> pd.DataFrame:
    """What is missing or doubtful and what to do about it, a row each; no row when all is well."""
    rows = [("all", text) for text in drawings.character["remarks"]]
    rows += [(row["name"], f"rejected: {row['why']}") for row in drawings.rejected]
    rows += [(row["name"], text) for row in drawings.pictures for text in row["warnings"]]
    return pd.DataFrame(rows, columns=["drawing", "what to look at"])


def summary(drawings: Drawings) -> pd.DataFrame:
    """A row a source of points: drawings, and their share."""
    counts = pd.Series([row["source"] for row in drawings.pictures]).value_counts()
    rows = [(SOURCES[name][1], int(counts.get(name, 0))) for name in SOURCES]
    frame = pd.DataFrame(rows, columns=["points", "drawings"])
    return frame.assign(share=(frame["drawings"] / max(len(drawings.pictures), 1)).round(3))
