"""Figures and tables as files: the same input gives the same bytes."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wbme.base.paths import write_atomic

PNG_DPI = 150
# Matplotlib writes its version and the time into files unless told not to.
_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
    "svg": {"Date": None, "Creator": None},
}


def save_figure(figure: Any, folder: Path, name: str, data: Any = None) -> dict[str, Path]:
    """Write ``name.png`` and, for a Matplotlib Figure, ``.pdf``, ``.svg``; with ``data`` also ``.csv``.

    ``figure``: a Figure, or an image array H x W x 3 (float in [0, 1], or uint8). ``data``: the
    plotted numbers as a DataFrame or a dict of columns. Returns the paths by suffix.
    """
    content = {"png": png_bytes(figure)} if isinstance(figure, np.ndarray) else _vector(figure, name)
    if data is not None:
        content["csv"] = csv_text(data).encode()
    return {kind: write_atomic(folder / f"{name}.{kind}", raw) for kind, raw in content.items()}


def _vector(figure: Any, name: str) -> dict[str, bytes]:
    from matplotlib import rc_context

    content = {}
    with rc_context({"svg.hashsalt": name, "pdf.fonttype": 42}):
        for kind, metadata in _METADATA.items():
            buffer = io.BytesIO()
            figure.savefig(buffer, format=kind, dpi=PNG_DPI, metadata=metadata, bbox_inches="tight")
            content[kind] = buffer.getvalue()
    return content


def as_u8(picture: NDArray[Any]) -> NDArray[np.uint8]:
    """An image array as uint8; floats are clipped to [0, 1] and rounded, halves to even."""
    if picture.dtype == np.uint8:
        return picture
    return np.asarray(np.rint(np.clip(picture, 0, 1) * 255), np.uint8)


def png_bytes(picture: NDArray[Any], compress: int = 6) -> bytes:
    """An image array H x W x 3 or H x W (float in [0, 1], or uint8), as PNG."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(as_u8(picture)).save(buffer, format="png", compress_level=compress)
    return buffer.getvalue()


def save_table(table: Any, folder: Path, name: str, data: str) -> dict[str, Path]:
    """Write ``name.csv`` and a readable ``name.md`` that says on which ``data`` it was measured."""
    import pandas

    frame = pandas.DataFrame(table)
    text = f"{_markdown(frame)}\n\nData: {data}.\n"
    content = {"csv": csv_text(frame), "md": text}
    return {kind: write_atomic(folder / f"{name}.{kind}", raw) for kind, raw in content.items()}


def csv_text(table: Any) -> str:
    """A DataFrame or a dict of columns as CSV with six significant digits and no index."""
    import pandas

    return str(pandas.DataFrame(table).to_csv(index=False, float_format="%.6g", lineterminator="\n"))


def _markdown(frame: Any) -> str:
    def cell(value: Any) -> str:
        text = f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)
        return " ".join(text.split()).replace("|", "\\|")

    rows = [[cell(c) for c in frame.columns], ["---"] * len(frame.columns)]
    rows += [[cell(v) for v in row] for row in frame.itertuples(index=False)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
