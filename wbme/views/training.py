"""How a training went: curves, and its held-out drawings side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from wbme.data import planes
from wbme.nets.layered import INK_COLOUR
from wbme.views import style
from wbme.views.overlay import contact_sheet

History = Sequence[tuple[str, float, int]]
_DRAWN = 4  # held-out checks on a strip

# Panels: title, series (name in the history: label), logarithmic.
_LOSSES = {"loss/train": "all", "loss/base": "base", "loss/lines": "lines", "loss/gradient": "edges"}
_PSNR = {"held_out/psnr": "drawing", "held_out/psnr_photo": "photograph itself"}
_STRUCTURE = {"line_f1": "line F1", "flat": "flat share", "flat_target": "of the target"}
Panels = tuple[tuple[str, dict[str, str], bool], ...]
_PANELS: Panels = (
    ("loss", _LOSSES, True),
    ("held-out PSNR (dB)", _PSNR, False),
    ("held-out structure", {f"held_out/{key}": label for key, label in _STRUCTURE.items()}, False),
)


def curves(histories: Mapping[str, History], panels: Panels = _PANELS) -> Figure:
    """Series of ``panels`` (title; name in the history: label; logarithmic) over steps, by default losses,
    held-out PSNR, and line F1 and flat share; a line style for each training."""
    figure = Figure(figsize=(0.5 + 3.0 * len(panels), 3.0), layout="constrained")
    for axes, (title, names, log) in zip(figure.subplots(1, len(panels)), panels, strict=True):
        style.plain(axes).set_title(title, fontsize=style.FONT, color=style.INK)
        for number, (training, history) in enumerate(histories.items()):
            for index, (name, label) in enumerate(names.items()):
                points = [(step, value) for found, value, step in history if found == name]
                if points:
                    text = label if len(histories) == 1 else f"{label}, {training}"
                    line = {"color": style.colour(index), "linestyle": "-:"[number % 2], "label": text}
                    line |= {"lw": 1.3, "marker": "." if len(points) < 12 else ""}
                    axes.plot(*zip(*points, strict=True), **line)
        axes.set_xlabel("step", fontsize=style.FONT)
        if log:
            axes.set_yscale("log")
        if axes.lines:
            axes.legend(fontsize=style.FONT - 2, frameon=False)
    return figure


def rows(histories: Mapping[str, History]) -> list[dict[str, Any]]:
    """The plotted points as rows: training, series, step, value."""
    return [
        {"training": training, "series": name, "step": step, "value": value}
        for training, history in histories.items()
        for name, value, step in history
    ]


def strip(folders: Mapping[str, Path], cell: int = 300) -> NDArray[np.float32]:
    """Held-out pairs in rows: photograph, what each training drew at some of its checks, target.

    ``folders`` hold the sheets that ``wbme.train`` writes. H x W x 3 in [0, 1].
    """
    lines: list[list[NDArray[Any]]] = []
    labels = ["photograph"]
    for training, folder in folders.items():
        sheets = sorted(folder.glob("held-out-*.png"))
        picked = sorted({round(k) for k in np.linspace(0, len(sheets) - 1, _DRAWN)})
        for path in (sheets[k] for k in picked):
            sheet = planes.read(path, 3)
            side = sheet.shape[1] // 3
            parts = [sheet[:, k * side : (k + 1) * side] for k in range(3)]
            for number, (photo, drawn, target) in enumerate(
                zip(*(np.split(p, max(p.shape[0] // side, 1)) for p in parts), strict=True)
            ):
                if len(lines) <= number:
                    lines.append([photo, target])
                lines[number].insert(-1, drawn)
            labels.append(f"{training}, step {int(path.stem.rsplit('-', 1)[-1])}")
    cells = [picture for line in lines for picture in line]
    return contact_sheet(cells, len(labels) + 1, [*labels, "target"] * len(lines), cell=cell)


def examples(photo: Tensor, base: Tensor, ink: Tensor, cell: int = 160) -> NDArray[np.float32]:
    """A batch as it is trained on, a column a crop: photograph, base, ink over base. H x W x 3 in [0, 1]."""
    colour = np.float32(INK_COLOUR)
    pictures = [x.permute(0, 2, 3, 1).numpy() for x in (photo, base)]
    cover = ink.permute(0, 2, 3, 1).numpy()
    pictures.append(pictures[1] * (1 - cover) + cover * colour)
    return contact_sheet([one for several in pictures for one in several], len(photo), cell=cell, gap=4)
