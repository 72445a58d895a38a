"""Contact sheets: what sliders show over time, laid out in space for batch runs and for paper."""

import io
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.lab.controls import Control, start

Pixels = NDArray[np.uint8]
_MARGIN = 12
_LABEL = 26
_WRAP = 4


def pixels(picture: Any, dpi: int = 100) -> Pixels:
    """A Figure, or an image array (float in [0, 1] or uint8; H x W, x 3 or x 4), as uint8 H x W x 3."""
    if not isinstance(picture, np.ndarray):
        from PIL import Image

        buffer = io.BytesIO()
        picture.savefig(buffer, format="png", dpi=dpi)
        return np.asarray(Image.open(buffer).convert("RGB"))
    u8 = picture if picture.dtype == np.uint8 else np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return np.repeat(u8[..., None], 3, axis=2) if u8.ndim == 2 else u8[..., :3]


def contact_sheet(
    view: Callable[..., Any], controls: Mapping[str, Control], over: Sequence[str], width: int = 1600
) -> Pixels:
    """``view`` at the values of the one or two controls named in ``over``, the others as they start.

    One control: the pictures in reading order, at most four a row. Two: the first goes down, the
    second across. Every picture carries its values as a caption. The sheet is at most ``width`` wide.
    """
    rest = {name: start(control) for name, control in controls.items()}
    combinations = list(itertools.product(*(controls[name].values for name in over)))
    columns = len(controls[over[-1]].values) if len(over) == 2 else min(_WRAP, len(combinations))
    tiles = []
    for values in combinations:
        settings = dict(zip(over, values, strict=True))
        caption = ", ".join(f"{n.replace('_', ' ')} {_short(v)}" for n, v in settings.items())
        tiles.append((caption, pixels(view(**{**rest, **settings}))))
    return _lay_out(tiles, columns, width)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _lay_out(tiles: list[tuple[str, Pixels]], columns: int, width: int) -> Pixels:
    from matplotlib import font_manager
    from PIL import Image, ImageDraw, ImageFont

    cell = (width - _MARGIN * (columns + 1)) // columns
    pictures = []
    for _, tile in tiles:
        scale = min(1.0, cell / tile.shape[1])
        size = (max(1, round(tile.shape[1] * scale)), max(1, round(tile.shape[0] * scale)))
        pictures.append(Image.fromarray(tile).resize(size, Image.Resampling.LANCZOS))
    cell = max(p.width for p in pictures)
    tall = max(p.height for p in pictures)
    rows = -(-len(tiles) // columns)
    size = (_MARGIN + columns * (cell + _MARGIN), _MARGIN + rows * (tall + _LABEL + _MARGIN))
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), 15)
    for index, ((caption, _), picture) in enumerate(zip(tiles, pictures, strict=True)):
        row, column = divmod(index, columns)
        left, top = _MARGIN + column * (cell + _MARGIN), _MARGIN + row * (tall + _LABEL + _MARGIN)
        draw.text((left, top + 2), caption, fill=(40, 40, 40), font=font)
        sheet.paste(picture, (left, top + _LABEL))
    return np.asarray(sheet)
