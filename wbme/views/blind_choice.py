"""The blind choice as a widget: a drawing, the photograph, another drawing; which of the two is better?"""

import io
import time
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import cv2
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from wbme.base.errors import ParameterError, WbmeError
from wbme.data.blind import Sitting
from wbme.data.choices import NEITHER
from wbme.views.panel import button, canvas, widgets
from wbme.views.style import FAINT, INK

F32 = NDArray[np.float32]
_KEYS = {"left": "left", "right": "right", "down": NEITHER}
_GAP, _HEAD, _FOOT = 12, 26, 6  # pixels between the pictures, above and below them
_HASTE = 0.3  # seconds: nobody has looked so soon, it is a second click or a key held down


class Chooser:
    """The widget ``box`` through which a ``sitting`` is gone. It never shows what drew a drawing.

    ``pictures``: of each picture the photograph as "input" and the drawings by the names of the models,
    H x W x 3 in [0, 1]; ``near``: of a picture the window x0, y0, x1, y1 around its face, in its pixels;
    ``side``: pixels of the screen that a picture takes. At the end ``reveal()`` gives the Figure of the
    results; once it is shown nothing can be taken back. Raises ParameterError where ``side`` is not 64 to
    2000.
    """

    def __init__(
        self,
        sitting: Sitting,
        pictures: Mapping[str, Mapping[str, F32]],
        near: Mapping[str, NDArray[np.float64]],
        reveal: Callable[[], Figure],
        side: int = 320,
        clock: Callable[[], float] = time.monotonic,
    ):
        if not 64 <= side <= 2000:
            raise ParameterError(f"pictures of {side} pixels cannot be judged: give a side from 64 to 2000")
        self.sitting, self.pictures, self.windows = sitting, pictures, near
        self.reveal, self.side, self.clock, self.shown, self.over = reveal, side, clock, 0.0, False
        size = 3 * side + 2 * _GAP, _HEAD + side + _FOOT
        self.figure = Figure(figsize=(size[0] / 100, size[1] / 100), dpi=100)
        self.panels = [
            self.figure.add_axes(
                (k * (side + _GAP) / size[0], _FOOT / size[1], side / size[0], side / size[1])
            )
            for k in range(3)
        ]
        self.canvas = canvas(self.figure, {"key_press_event": self._key})
        wide = widgets.Layout(width=f"{size[0]}px", justify_content="space-around")
        self.choices = [
            button("A is better", lambda: self._choose("left"), 150),
            button("no difference", lambda: self._choose(NEITHER), 150),
            button("B is better", lambda: self._choose("right"), 150),
        ]
        self.back = button("undo", self._undo, 80)
        self.near = widgets.ToggleButton(description="near", layout=widgets.Layout(width="80px"))
        self.near.observe(lambda _: self._draw(), names="value")
        self.bar = widgets.IntProgress(min=0, max=sitting.total, layout=widgets.Layout(width="200px"))
        self.state, self.message = widgets.HTML(), widgets.HTML()
        self.result = button("show the result", self._reveal, 150)
        self.picture = widgets.Image(format="png", layout=widgets.Layout(max_width="100%", display="none"))
        asked = widgets.HTML(f"<b>{escape(sitting.question)}</b>")
        hint = "click into the pictures, then keys work too: ← A, → B, ↓ no difference, backspace undo"
        self.asking = [
            self.canvas,
            widgets.HBox(self.choices, layout=wide),
            widgets.HTML(f'<span style="color:{FAINT}">{hint}</span>'),
        ]
        steps = widgets.HBox([self.back, self.near, self.bar, self.state, self.result])
        rows = [asked, *self.asking[:2], steps, self.asking[2], self.message, self.picture]
        # A window too narrow scrolls: a drawing cut off at the right would be chosen less.
        self.box = widgets.VBox(rows, layout=widgets.Layout(overflow="auto"))
        self._next()

    def _key(self, event: Any) -> None:
        if event.key in _KEYS:
            self._choose(_KEYS[event.key])
        elif event.key == "backspace":
            self._undo()

    def _choose(self, side: str) -> None:
        taken = self.clock() - self.shown
        if self.sitting.now is not None and taken >= _HASTE:
            self._do(lambda: self.sitting.choose(side, taken))

    def _undo(self) -> None:
        if self.sitting.rows and not self.over:
            self._do(self.sitting.undo)

    def _do(self, act: Callable[[], Any]) -> None:
        """Go on after ``act``, or say what came in its way."""
        try:
            act()
        except WbmeError as error:  # a callback's traceback would reach nobody
            self.message.value = f"<b>{escape(str(error))}</b>"
            return
        self._next()

    def _next(self) -> None:
        """Show the comparison that is asked now, or the end."""
        sitting, left = self.sitting, self.sitting.total - self.sitting.done
        self.bar.value, self.state.value = sitting.done, f"{sitting.done} of {sitting.total} chosen"
        for one in self.asking:
            one.layout.display = "" if left else "none"
        self.back.disabled = not sitting.rows or self.over
        self.result.layout.display = "none" if left or self.over else ""
        self.near.layout.display = "" if left else "none"
        where = f"Kept in {sitting.path}" if sitting.rows else ""
        self.message.value = escape(where if left else f"All are chosen, thank you. {where}".strip())
        self._draw()

    def _draw(self) -> None:
        asked = self.sitting.now
        if asked is None:
            return
        versions = self.pictures[asked.picture]
        shown = {"A": versions[asked.left], "photograph": versions["input"], "B": versions[asked.right]}
        window = self.windows.get(asked.picture) if self.near.value else None
        for axes, (name, rgb) in zip(self.panels, shown.items(), strict=True):
            axes.clear()
            axes.set_axis_off()
            axes.set_title(name, fontsize=11, color=INK, pad=5, fontweight="bold" if len(name) == 1 else None)
            tile = _fitted(rgb, window, self.side)
            # Pixel on pixel: whatever resampled the drawings once more would be judged with them.
            axes.imshow(tile, interpolation="none", vmin=0, vmax=1)
        self.canvas.draw_idle()
        self.shown = self.clock()

    def _reveal(self) -> None:
        try:
            buffer = io.BytesIO()
            self.reveal().savefig(buffer, format="png", dpi=110)
        except WbmeError as error:
            self.message.value = f"<b>{escape(str(error))}</b>"
            return
        self.over = True
        self.picture.value, self.picture.layout.display = buffer.getvalue(), ""
        self._next()


def _fitted(rgb: F32, window: NDArray[np.float64] | None, side: int) -> F32:
    """``rgb``, or what lies in the ``window``, in the middle of a white square of ``side`` pixels."""
    height, width = rgb.shape[:2]
    if window is not None:
        x0, y0 = np.clip(np.floor(window[:2]), 0, (width - 2, height - 2)).astype(int)
        x1, y1 = np.clip(np.ceil(window[2:]), (x0 + 2, y0 + 2), (width, height)).astype(int)
        rgb = rgb[y0:y1, x0:x1]
    ratio = side / max(rgb.shape[:2])
    size = max(round(rgb.shape[1] * ratio), 1), max(round(rgb.shape[0] * ratio), 1)
    way = cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC
    small = rgb if ratio == 1 else cv2.resize(rgb, size, interpolation=way)
    square = np.ones((side, side, 3), np.float32)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = np.clip(small, 0, 1)
    return square
