"""The study of warps made visible: sheets of warped drawings, grids, curves, and the table's numbers."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from wbme.base.statistics import bootstrap
from wbme.geometry import fields
from wbme.geometry.transforms import Square
from wbme.geometry.warps import Settings
from wbme.metrics.warping import MEASURES
from wbme.synth import warping
from wbme.synth.warping import Case, How
from wbme.views.overlay import contact_sheet
from wbme.views.style import FAINT, FONT, INK, colour, dash, marker, plain

F32 = NDArray[np.float32]
NAMES = {
    "similarity": "similarity only", "piecewise": "piecewise affine", "tps": "thin-plate spline",
    "rbf": "regularised RBF", "mls_affine": "MLS affine", "mls_similarity": "MLS similarity",
    "mls_rigid": "MLS rigid", "hybrid": "hybrid flow",
}  # fmt: skip
UNITS = {
    "landmark RMSE": "landmark RMSE (% of face)", "face error": "error on the face (%)",
    "hair error": "error on the hair (%)", "body error": "error on the body (%)",
    "folds": "folded pixels (%)", "stretch": "stretch, 95th percentile", "line F1": "line F1 to the exact",
    "lines kept": "own lines kept, F1",
}  # fmt: skip
SHOWN = ("drawing", "grid", "over the photograph", "error")
_HEAD, _UP = 1.75, 0.22  # side of the square around a head in heights of its face, and how far it is raised
_RED = np.array([0.84, 0.19, 0.12], np.float32)
_BLUE = np.array([0.10, 0.35, 0.70], np.float32)


def sheet(cases: Sequence[Case], ways: Sequence[How], cell: int = 220) -> F32:
    """A row a case: the photograph, the drawing, the drawing by the exact correspondence (white where the
    drawing shows nothing), and through the warp of each way."""
    tiles, labels = [], []
    for one in cases:
        tiles += [_cut(one.photo, one.matched.source), _cut(one.drawing, one.matched.target)]
        tiles.append(_cut(warping.exact(one), one.matched.source))
        labels += ["photograph", f"{one.character}, drawn", "exact"]
        tiles += [_cut(warping.warped(one, how)[2], one.matched.source) for how in ways]
        labels += [NAMES[how.method] for how in ways]
    return contact_sheet(tiles, columns=3 + len(ways), labels=labels, cell=cell)


def own(drawing: Path, photo: Path, ways: Sequence[How], cell: int = 320) -> F32:
    """A drawing of the user's in the geometry of a photograph, see ``synth.warping.brought``."""
    person, drawn, several = warping.brought(drawing, photo, ways)
    labels = ["photograph", "drawing", *[NAMES[how.method] for how in ways]]
    return contact_sheet([person, drawn, *several], columns=5, labels=labels, cell=cell)


def grids(cases: Sequence[Case], ways: Sequence[How], cell: int = 220) -> F32:
    """A row a case: the drawing under a grid of squares, the same by the exact correspondence where it is
    known, and through the warp of each way, with what folds in red."""
    tiles, labels = [], []
    for one in cases:
        still, source = fields.places(one.drawing.shape[:2]), one.matched.source
        tiles.append(_cut(_gridded(one.drawing, still, one.truth.width), one.matched.target))
        exact = _gridded(warping.exact(one), one.truth.field, one.truth.width)
        tiles.append(_cut(np.where(one.truth.known[..., None], exact, np.float32(1)), source))
        labels += [f"{one.character}, drawn", "exact"]
        for how in ways:
            _, field, picture = warping.warped(one, how)
            tiles.append(_cut(_gridded(picture, field, one.truth.width), source))
            labels.append(NAMES[how.method])
    return contact_sheet(tiles, columns=2 + len(ways), labels=labels, cell=cell)


def _cut(picture: F32, points: NDArray[np.float64]) -> F32:
    """The square around a head with these landmarks, as far as the picture goes, white beyond."""
    low, high = points.min(0), points.max(0)
    half = _HEAD * float((high - low).max()) / 2
    x, y = (low + high) / 2 - (0, _UP * half)
    matrix = Square(float(x), float(y), 2 * half)
    return matrix.crop(picture - 1, round(2 * half) * 2, outside="zero") + 1


def _gridded(picture: F32, field: Tensor, width: float) -> F32:
    """Squares of the drawing, twelve to the face's width, as ``field`` shows them, over a pale picture."""
    gap, pale = width / 12, 0.45 * picture + 0.55
    at = field / gap
    slope = fields.jacobian(field[None])[0].norm(dim=-1).clamp_min(1e-3) / gap
    away = (at - at.round()).abs() / slope  # pixels of the result
    cover = (1.1 - away).clamp(0, 1).amax(-1).nan_to_num(0).numpy()[..., None]
    out = pale + 0.85 * cover * (_BLUE - pale)
    folded = fields.folds(field[None])[0].numpy()
    return np.where(folded[..., None], _RED, out).astype(np.float32)


def closer(case: Case, how: How, shown: str, cell: int = 420) -> F32:
    """One warped drawing beside the exact one; ``shown``, of ``SHOWN``: the drawing, under a grid, half over
    the photograph, or how far each of its pixels is from where it should be (from white to red at 6 % of the
    face's width)."""
    warp, field, picture = warping.warped(case, how)
    if shown == "grid":
        picture = _gridded(picture, field, case.truth.width)
    elif shown == "over the photograph":
        picture = (picture + case.photo) / 2
    elif shown == "error":
        known = case.truth.known
        miss = (field - case.truth.field).norm(dim=-1).nan_to_num(0).numpy() / case.truth.width
        share = np.clip(miss / 0.06, 0, 1)[..., None]
        picture = np.where(known[..., None], 1 + share * (_RED - 1), 0.93 * np.ones_like(picture))
    got = warping.warping.scores(warp, field, None, case.truth)
    told = f"{how.strength:g}: off by {got['face error']:.1f} %, folded {got['folds']:.1f} %"
    tiles = [case.photo, case.drawing, warping.exact(case), picture.astype(np.float32)]
    return contact_sheet(tiles, columns=4, labels=["photograph", case.character, "exact", told], cell=cell)


def table(rows: pd.DataFrame, resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Mean of each measure and its 95 % bootstrap interval over people, a row a landmark set and method."""
    out = []
    for (points, method), part in rows.groupby(["landmarks", "method"], sort=False):
        row = {"landmarks": points, "method": NAMES[method]}
        for measure in (m for m in MEASURES if m in part):
            own = part.groupby("identity")[measure].mean().dropna()
            row[UNITS[measure]] = _told(own, resamples, seed)
        out.append(row)
    return pd.DataFrame(out)


def _told(values: pd.Series, resamples: int, seed: int) -> str:
    if not len(values):
        return "-"
    got = bootstrap(values, resamples=resamples, seed=seed)
    digits = 2 if got.mean < 10 else 1
    return f"{got.mean:.{digits}f} [{got.low:.{digits}f}, {got.high:.{digits}f}]" if got.n > 1 else (
        f"{got.mean:.{digits}f}"
    )  # fmt: skip


def curves(rows: pd.DataFrame, over: str, label: str, measures: Sequence[str]) -> Figure:
    """Each of ``measures`` against the column ``over``, a line a method: the mean over people, with its 95 %
    bootstrap interval as a band."""
    figure = Figure(figsize=(3.2 * len(measures) + 1.8, 3.1), layout="constrained")
    panels = figure.subplots(1, len(measures), squeeze=False)[0]
    methods = [name for name in NAMES if name in set(rows["method"])]
    for axes, measure in zip(panels, measures, strict=True):
        plain(axes)
        for index, name in enumerate(methods):
            part = rows[rows["method"] == name].dropna(subset=[measure])
            people = part.groupby([over, "identity"])[measure].mean()
            own = [bootstrap(people.xs(x, level=over), resamples=500) for x in sorted(set(part[over]))]
            x, mean = sorted(set(part[over])), [one.mean for one in own]
            style = {"color": colour(index), "ls": dash(index), "lw": 1.4}
            axes.plot(x, mean, marker=marker(index), ms=3.5, label=NAMES[name], **style)
            if own and own[0].n > 1:
                low, high = [one.low for one in own], [one.high for one in own]
                axes.fill_between(x, low, high, color=colour(index), alpha=0.10, lw=0)
        axes.set_xlabel(label, fontsize=FONT, color=INK)
        axes.set_ylabel(UNITS[measure], fontsize=FONT, color=INK)
        axes.set_ylim(bottom=1 if measure == "stretch" else 0)
        axes.grid(axis="y", color=FAINT, alpha=0.3, lw=0.6)
    panels[-1].legend(frameon=False, fontsize=FONT - 1, labelcolor=INK, loc="center left",
                      bbox_to_anchor=(1, 0.5))  # fmt: skip
    return figure


def knobs(rows: pd.DataFrame, knobs: Sequence[tuple[str, str]], measure: str = "face error") -> Figure:
    """``measure`` against the settings that the methods have: a panel each of ``knobs``, (method, setting);
    rows of others stand aside, and so do those where another setting is not the usual one."""
    figure = Figure(figsize=(2.9 * len(knobs), 2.8), layout="constrained")
    usual = Settings()
    for axes, (method, setting) in zip(figure.subplots(1, len(knobs), squeeze=False)[0], knobs, strict=True):
        part = rows[rows["method"] == method]
        for other in ("alpha", "blur", "smoothing", "reach"):
            if other != setting:
                part = part[part[other] == getattr(usual, other)]
        for index, (name, own) in enumerate(part.groupby("character")):
            mean = own.groupby(setting)[measure].mean()
            plain(axes).plot(mean.index, mean, marker=marker(index), ms=4, color=colour(index), label=name)
        axes.axvline(getattr(usual, setting), color=FAINT, lw=1, ls=":")
        if setting != "reach" and part[setting].min() > 0 and part[setting].max() > 20 * part[setting].min():
            axes.set_xscale("log")
        axes.set_title(NAMES[method], fontsize=FONT, color=INK)
        axes.set_xlabel(setting, fontsize=FONT, color=INK)
        axes.set_ylabel(UNITS[measure], fontsize=FONT, color=INK)
        axes.set_ylim(0, 1.15 * axes.get_ylim()[1])
        axes.legend(frameon=False, fontsize=FONT - 1, labelcolor=INK)
    return figure
