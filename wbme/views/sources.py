"""Views of sources of pictures: the grid, the size of faces, the light, what repeats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import cv2
import numpy as np
import pandas as pd
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter, ScalarFormatter
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.color import lighting, spaces
from wbme.perception.faces import Face
from wbme.views.overlay import contact_sheet, overlay
from wbme.views.style import BLUE, FAINT, FONT, INK, ORANGE, VERMILION, colour, plain, shortened

# What can be drawn over a picture by ``closer``.
LAYERS = {"none": (), "mesh": ("box", "mesh", "contours", "irises"), "skin": ("skin", "contours")}
# Face widths in pixels: under the first the eyes of a stylised face merge, over the second they are clean.
MARKS = (60, 200)

_CELL = 288
Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class Tile:
    """A picture, or a part of one, at the size of the screen: ``rgb`` h x w x 3 float32 in [0, 1], its
    ``faces`` in pixels of it, and ``scale``, how many of its pixels make one of the picture."""

    rgb: NDArray[np.float32]
    faces: list[Face]
    scale: float
    label: str

    def kept(self, min_score: float, min_face: float) -> list[Face]:
        """The faces of at least ``min_score`` that are ``min_face`` pixels wide or more in the picture."""
        width = min_face * self.scale - 1e-6
        return [f for f in self.faces if f.score >= min_score and f.box[2] - f.box[0] >= width]


def spread(items: Sequence[Item], most: int) -> list[Item]:
    """``most`` of the ``items`` at equal distances, first and last among them; all where there are fewer.
    ParameterError for ``most`` below 1."""
    if most < 1:
        raise ParameterError(f"{most} pictures and faces cannot be shown: give 1 or more as shown")
    if len(items) <= most:
        return list(items)
    return [items[k] for k in np.rint(np.linspace(0, len(items) - 1, most)).astype(int)]


def tile(rgb: NDArray[np.float32], faces: Sequence[Face], label: str, side: int = _CELL) -> Tile:
    """``rgb`` (H x W x 3 float32 in [0, 1]) and its ``faces``, shrunk to fit into ``side`` x ``side`` pixels
    where it does not."""
    return _resized(rgb, faces, label, min(side / max(rgb.shape[:2]), 1.0))


def zoom(rgb: NDArray[np.float32], faces: Sequence[Face], label: str, side: int = 640) -> Tile:
    """The part of a picture that its ``faces`` (one or more) take up, and some of what is around them, at
    ``side`` pixels; square as far as the picture goes."""
    boxes = np.stack([face.box for face in faces])
    low, high = boxes[:, :2].min(0), boxes[:, 2:].max(0)
    reach = 0.5 * float((high - low).max()) + 0.6 * max(face.size for face in faces)
    start = np.floor(np.maximum((low + high) / 2 - reach, 0)).astype(int)
    stop = np.ceil(np.minimum((low + high) / 2 + reach, rgb.shape[1::-1])).astype(int)
    part = rgb[start[1] : stop[1], start[0] : stop[0]]
    return _resized(part, [_moved(face, start, 1.0) for face in faces], label, side / max(part.shape[:2]))


def _resized(rgb: NDArray[np.float32], faces: Sequence[Face], label: str, scale: float) -> Tile:
    if scale == 1.0:
        return Tile(rgb, list(faces), 1.0, label)
    height, width = rgb.shape[:2]
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = np.clip(cv2.resize(rgb, size, interpolation=way), 0, 1).astype(np.float32)
    return Tile(resized, [_moved(face, np.zeros(2), scale) for face in faces], scale, label)


def _moved(face: Face, origin: NDArray[Any], scale: float) -> Face:
    """``face`` in a picture that begins at ``origin`` and is ``scale`` times as large."""

    def at(points: NDArray[np.float64]) -> NDArray[np.float64]:
        start = origin if points.ndim > 1 else np.tile(origin, 2)
        return (points - start + 0.5) * scale - 0.5  # integers are pixel centres

    mesh = face.landmarks
    if mesh is not None:
        mesh = np.column_stack([at(mesh[:, :2]), mesh[:, 2] * scale])
    irises = None if face.irises is None else at(face.irises)
    return replace(face, box=at(face.box), keypoints=at(face.keypoints), landmarks=mesh, irises=irises)


def grid(tiles: Sequence[Tile], columns: int | None = None) -> NDArray[np.float32]:
    """All ``tiles`` in reading order on white, faces in boxes, labels and numbers of faces beneath: one
    image h x w x 3 float32 in [0, 1]."""
    labels = [f"{one.label}, {_counted(len(one.faces))}" for one in tiles]
    return contact_sheet([_framed(one) for one in tiles], columns, labels, cell=_CELL)


def _framed(one: Tile) -> NDArray[np.float32]:
    """The tile at the size of a cell, its faces in bright boxes on dark ones: seen on every ground."""
    at_cell = _resized(one.rgb, one.faces, one.label, _CELL / max(one.rgb.shape[:2]))
    drawn, size = at_cell.rgb.copy(), at_cell.rgb.shape[1::-1]
    for face in at_cell.faces:
        corners = np.rint(face.box).astype(int)
        for line, thick in (((0.1, 0.1, 0.1), 4), ((1.0, 0.8, 0.2), 2)):
            cv2.rectangle(drawn, corners[:2].tolist(), corners[2:].tolist(), line, thick, cv2.LINE_AA)
    if min(size) > 4:
        cv2.rectangle(drawn, (0, 0), (size[0] - 1, size[1] - 1), (0.8, 0.8, 0.8), 1)
    return drawn


def _counted(number: int) -> str:
    return "no face" if number == 0 else "1 face" if number == 1 else f"{number} faces"


def closer(
    one: Tile, layer: str = "mesh", min_score: float = 0.0, min_face: float = 0.0
) -> NDArray[np.float32]:
    """One picture with the ``layer`` (a key of ``LAYERS``) of those faces that are sure and large enough."""
    return overlay(one.rgb, one.kept(min_score, min_face), parts=LAYERS[layer])


def crops(faces: Sequence[NDArray[np.float32]], labels: Sequence[str]) -> NDArray[np.float32]:
    """Aligned ``faces`` (h x w x 3 float32 in [0, 1]) in a grid with their ``labels``, or "no face"."""
    if not faces:
        return contact_sheet([np.full((8, 8, 3), 0.93, np.float32)], 1, ["no face"], cell=192)
    return contact_sheet(faces, min(8, max(4, round(np.sqrt(len(faces))))), labels, cell=192)


def repeats(groups: Sequence[Sequence[Tile]]) -> NDArray[np.float32]:
    """Groups of pictures that show the same, a row each: one image h x w x 3 float32 in [0, 1]."""
    columns = max(len(group) for group in groups)
    blank = Tile(np.ones((8, 8, 3), np.float32), [], 1.0, "")
    rows = [[*group, *[blank] * (columns - len(group))] for group in groups]
    tiles = [one for row in rows for one in row]
    return contact_sheet(
        [_framed(replace(one, faces=[])) if one.label else one.rgb for one in tiles],
        columns,
        [one.label for one in tiles],
        cell=216,
    )


def face_sizes(widths: Mapping[str, Sequence[float]]) -> Figure:
    """Histogram of face ``widths`` in pixels by source, in quarter octaves, with the ``MARKS`` of line width.

    Every face is also a tick under the bars.
    """
    every = np.concatenate([np.asarray(w, float) for w in widths.values()] or [np.zeros(0)])
    low, high = np.floor(np.log2(min([24, *every]))), np.ceil(np.log2(max([512, *every])))
    edges = (2 ** np.arange(low, high + 0.01, 0.25)).tolist()
    colours = [colour(k) for k in range(len(widths))]
    labels = [
        f"{shortened(name, 24)}: {_counted(len(w))}" + (f", median {np.median(w):.0f} px" if len(w) else "")
        for name, w in widths.items()
    ]
    across = max(1, min(3, 110 // (max(map(len, labels), default=0) + 6)))
    figure = Figure(figsize=(7, 3 + 0.2 * -(-len(labels) // across)), layout="constrained")
    axes = figure.add_subplot()
    counts, _, _ = axes.hist(
        list(widths.values()), edges, stacked=True, color=colours, label=labels, edgecolor="white", lw=0.6
    )
    top = max(float(np.max(counts)), 1.0)
    for hue, w in zip(colours, widths.values(), strict=True):
        axes.plot(w, np.full(len(w), -0.035 * top), "|", color=hue, ms=7, mew=1.1, clip_on=False)
    for mark, text in zip(MARKS, ("eyes merge below", "eyes are clean above"), strict=True):
        axes.axvline(mark, color=INK, lw=0.9, ls=(0, (4, 3)))
        axes.text(mark * 1.03, 1.2 * top, f"{mark} px\n{text}", fontsize=FONT - 1, color=INK, va="top")
    axes.set_xscale("log", base=2)
    axes.set(xlim=(edges[0], edges[-1]), ylim=(-0.07 * top, 1.22 * top))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_xlabel("face width (px)", fontsize=FONT)
    axes.set_ylabel("faces", fontsize=FONT)
    figure.legend(loc="outside upper left", frameon=False, fontsize=FONT - 1, ncols=across, columnspacing=1.4)
    plain(axes)
    return figure


def light_rows(pictures: Sequence[tuple[str, dict[str, Any]]], most: int = 24) -> pd.DataFrame:
    """Light of ``pictures`` (source, row of pictures.jsonl), one row a picture or, above ``most``, a group.

    Columns: label, pictures, mean (linear luminance), under and over (shares of pixels below L* 9 and with a
    channel at 250 of 255 or more), mean_L (``mean`` as L*), p5 ... p95 (L*, read off the histogram), and
    L0 ... L63, shares of pixels a bin of L*. In a group every picture has the same weight.
    """
    single = len(pictures) <= most
    found: dict[str, list[dict[str, Any]]] = {}
    for number, (source, row) in enumerate(pictures):
        key = f"{number}" if single else f"{source} / {row['group']}"
        found.setdefault(key, []).append(row)
    table = []
    for key, rows in found.items():
        histogram = np.mean([row["light"]["histogram"] for row in rows], axis=0)
        label = rows[0]["name"].rsplit("/", 1)[-1] if single else key
        means = {k: float(np.mean([r["light"][k] for r in rows])) for k in ("mean", "under", "over")}
        ranks = {f"p{rank}": _rank(histogram, rank / 100) for rank in lighting.PERCENTILES}
        grey = spaces.linear_to_srgb(np.full(3, means["mean"]))
        means["mean_L"] = float(spaces.srgb_to_lab(grey)[0])
        bins = {f"L{k}": share for k, share in enumerate(histogram)}
        table.append({"label": label, "pictures": len(rows), **means, **ranks, **bins})
    return pd.DataFrame(table)


def _rank(histogram: NDArray[np.float64], share: float) -> float:
    filled = np.concatenate([[0.0], np.cumsum(histogram) / histogram.sum()])
    return float(np.interp(share, filled, lighting.EDGES))


def light(rows: pd.DataFrame) -> Figure:
    """Light of the ``rows`` of ``light_rows``: the histogram of L* in its own greys, each up to its peak; the
    5th to 95th percentile, middle half and median, the mean luminance, and how much is at an end: below L* 9,
    or with a channel at 250 of 255 or more."""
    count = max(len(rows), 1)
    figure = Figure(figsize=(7, 1.1 + 0.42 * count), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
    edges = lighting.EDGES
    greys = spaces.lab_to_srgb(np.column_stack([(edges[1:] + edges[:-1]) / 2, np.zeros((64, 2))]))
    for y, row in enumerate(rows.itertuples(index=False)):
        shares = np.array([getattr(row, f"L{k}") for k in range(64)])
        tops = y - 0.66 * shares / max(shares.max(), 1e-9)
        boxes = [[(a, y), (a, t), (b, t), (b, y)] for a, b, t in zip(edges, edges[1:], tops, strict=False)]
        left.add_collection(PolyCollection(boxes, facecolors=np.clip(greys, 0, 1), edgecolors="none"))
        left.stairs(tops, edges, baseline=y, color=INK, lw=0.6)
        left.plot([row.p5, row.p95], [y + 0.14] * 2, color=BLUE, lw=1, solid_capstyle="butt")
        left.plot([row.p25, row.p75], [y + 0.14] * 2, color=BLUE, lw=4, solid_capstyle="butt")
        left.plot(row.p50, y + 0.14, "o", ms=4.5, mfc="white", mec=BLUE, mew=1.2)
        left.plot(row.mean_L, y + 0.14, "D", ms=3.6, color=VERMILION)
        right.barh(y - 0.05, -100 * row.under, 0.36, color=INK)
        right.barh(y - 0.05, 100 * row.over, 0.36, color=ORANGE)
    _label_light(left, right, rows)
    return figure


def _label_light(left: Any, right: Any, rows: pd.DataFrame) -> None:
    names = [
        label if n == 1 else f"{label} ({n})" for label, n in zip(rows.label, rows.pictures, strict=True)
    ]
    left.set(xlim=(0, 100), ylim=(len(rows) - 0.6, -0.85))
    left.set_yticks(range(len(rows)), [shortened(name, 26) for name in names])
    left.set_xlabel("lightness L*", fontsize=FONT)
    key = [
        left.plot([], [], color=BLUE, lw=1, label="5-95 %")[0],
        left.plot([], [], color=BLUE, lw=4, label="25-75 %")[0],
        left.plot([], [], "o", ms=4.5, mfc="white", mec=BLUE, mew=1.2, label="median")[0],
        left.plot([], [], "D", ms=3.6, color=VERMILION, label="mean luminance")[0],
    ]
    place: dict[str, Any] = {
        "loc": "lower left",
        "bbox_to_anchor": (-0.02, 1),
        "frameon": False,
        "fontsize": FONT - 1,
    }
    left.legend(handles=key, ncols=4, columnspacing=1.2, handletextpad=0.5, **place)
    reach = max(100 * float(rows[["under", "over"]].max(axis=None)) if len(rows) else 0, 4) * 1.15
    right.axvline(0, color=FAINT, lw=0.8)
    right.set_xlim(-reach, reach)
    right.xaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
    right.set_xlabel("pixels (%)", fontsize=FONT)
    words = {"transform": right.transAxes, "fontsize": FONT - 1, "color": INK, "va": "bottom"}
    right.text(0.46, 1.01, "below\nL* 9", ha="right", **words)
    right.text(0.54, 1.01, "a channel at\n250 or more", ha="left", **words)
    right.spines["left"].set_visible(False)
    for axes in (left, right):
        plain(axes)
        axes.tick_params(axis="y", length=0)
    right.tick_params(axis="y", labelleft=False)
