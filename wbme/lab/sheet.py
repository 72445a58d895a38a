"""Contact sheets: what sliders show over time, laid out in space for batch runs and for paper."""

import itertools
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import WbmeError
from wbme.lab.controls import Control, start
from wbme.lab.figures import as_u8

Pixels = NDArray[np.uint8]
_MARGIN = 12
_LABEL = 26
_WRAP = 4


def pixels(picture: Any) -> Pixels:
    """A Figure at its own dpi, or an image array (float in [0, 1] or uint8; H x W, x 3 or x 4), as uint8
    H x W x 3. Transparent parts of an array are laid over white."""
    if not isinstance(picture, np.ndarray):
        return _drawn(picture)
    u8 = as_u8(picture)
    if u8.ndim == 2:
        return np.repeat(u8[..., None], 3, axis=2)
    if u8.shape[2] == 3:
        return u8
    alpha = u8[..., 3:] / 255
    return np.asarray(np.rint(u8[..., :3] * alpha + 255 * (1 - alpha)), np.uint8)


def _drawn(figure: Any) -> Pixels:
    """A Matplotlib Figure without the way through a file; it keeps the canvas that it has."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    before = figure.canvas
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = np.array(canvas.buffer_rgba())[..., :3]
    figure.set_canvas(before)
    return drawn


def beside(*pictures: Any) -> Pixels:
    """Figures or image arrays in a row on white, their tops aligned."""
    parts = [pixels(picture) for picture in pictures]
    width = sum(part.shape[1] for part in parts) + _MARGIN * (len(parts) - 1)
    row = np.full((max(part.shape[0] for part in parts), width, 3), 255, np.uint8)
    left = 0
    for part in parts:
        row[: part.shape[0], left : left + part.shape[1]] = part
        left += part.shape[1] + _MARGIN
    return row


def contact_sheet(
    view: Callable[..., Any], controls: Mapping[str, Control], over: Sequence[str], width: int = 1600
) -> Pixels:
    """``view`` at the values of the one or two controls named in ``over``, the others as they start.

    One control: the pictures in reading order, at most four a row. Two: the first goes down, the
    second across. Every picture carries its values as a caption. The sheet is at most ``width`` wide.
    Where the view refuses some values, its sentence stands instead; it is raised when no value works.
    """
    rest = {name: start(control) for name, control in controls.items()}
    combinations = list(itertools.product(*(controls[name].values for name in over)))
    columns = len(controls[over[-1]].values) if len(over) == 2 else min(_WRAP, len(combinations))
    tiles: list[tuple[str, Pixels | str]] = []
    refusal: WbmeError | None = None
    for values in combinations:
        settings = dict(zip(over, values, strict=True))
        caption = ", ".join(f"{n.replace('_', ' ')} {_short(v)}" for n, v in settings.items())
        try:
            tiles.append((caption, pixels(view(**{**rest, **settings}))))
        except WbmeError as error:
            refusal = error
            tiles.append((caption, str(error)))
    if refusal and all(isinstance(tile, str) for _, tile in tiles):
        raise refusal
    return _lay_out(tiles, columns, width)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _lay_out(tiles: list[tuple[str, Pixels | str]], columns: int, width: int) -> Pixels:
    from matplotlib import font_manager
    from PIL import Image, ImageDraw, ImageFont

    cell = (width - _MARGIN * (columns + 1)) // columns
    pictures: dict[int, Image.Image] = {}
    for index, (_, tile) in enumerate(tiles):
        if not isinstance(tile, str):
            scale = min(1.0, cell / tile.shape[1])
            size = (max(1, round(tile.shape[1] * scale)), max(1, round(tile.shape[0] * scale)))
            pictures[index] = Image.fromarray(tile).resize(size, Image.Resampling.LANCZOS)
    cell = max(picture.width for picture in pictures.values())
    tall = max(picture.height for picture in pictures.values())
    rows = -(-len(tiles) // columns)
    size = (_MARGIN + columns * (cell + _MARGIN), _MARGIN + rows * (tall + _LABEL + _MARGIN))
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), 15)
    for index, (caption, tile) in enumerate(tiles):
        row, column = divmod(index, columns)
        left, top = _MARGIN + column * (cell + _MARGIN), _MARGIN + row * (tall + _LABEL + _MARGIN)
        draw.text((left, top + 2), caption, fill=(40, 40, 40), font=font)
        if isinstance(tile, str):
            sentence = textwrap.fill(tile, max(cell // 9, 12))
            draw.multiline_text((left, top + 2 * _LABEL), sentence, fill=(150, 40, 40), font=font)
        else:
            sheet.paste(pictures[index], (left, top + _LABEL))
    return np.asarray(sheet)
