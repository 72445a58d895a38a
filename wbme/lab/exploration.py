"""Exploring a view: sliders in JupyterLab, a contact sheet in batch, from one and the same call."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError, WbmeError
from wbme.lab.controls import Choice, Control, Slider, Toggle
from wbme.lab.session import Run
from wbme.lab.sheet import contact_sheet, pixels

# Events that come while a picture is drawn are gathered for this long, and only the newest is drawn.
_GATHER_SECONDS = 0.02
_LAYOUT = widgets.Layout(width="420px")
_STYLE = {"description_width": "150px"}


def explore(
    view: Callable[..., Any], run: Run, name: str, over: Sequence[str], **controls: Control
) -> widgets.Widget | None:
    """Vary the keyword arguments of ``view``, which returns a Figure or an image array.

    ``controls``: one of ``lab.Slider``, ``lab.Choice``, ``lab.Toggle`` a keyword. In JupyterLab returns
    the widget; in batch saves the contact sheet over the one or two controls named in ``over`` as
    figure ``name`` of ``run`` and returns None.
    """
    unknown = [n for n in over if n not in controls]
    if unknown or not 1 <= len(over) <= 2:
        raise ParameterError(f"explore {name}: 'over' must name one or two of its controls, not {list(over)}")
    if not run.interactive:
        run.figure(contact_sheet(view, controls, over), name)
        return None
    inputs = {key: _widget(key, control) for key, control in controls.items()}
    picture = widgets.Image(format="png")
    message = widgets.HTML()

    def draw() -> None:
        try:
            picture.value = _png(view(**{key: w.value for key, w in inputs.items()}))
            message.value = ""
        except WbmeError as error:
            message.value = f"<b>{error}</b>"

    gather = _Gather(draw)
    for widget in inputs.values():
        widget.observe(gather, names="value")
    draw()
    return widgets.VBox([*inputs.values(), message, picture])


def select(
    figure: Any,
    axes: Any,
    points: NDArray[np.floating],
    show: Callable[[NDArray[np.intp]], Any],
    run: Run,
    name: str,
    start: tuple[float, float, float, float],
) -> widgets.Widget | None:
    """Pick ``points`` (N x 2, in the data of ``axes``) and see what ``show(indices)`` draws of them.

    In JupyterLab the figure answers to a rectangle or a lasso (ipympl); ``show`` returns a Figure or an
    image array. In batch the points inside the rectangle ``start`` (x0, x1, y0, y1) are shown and saved
    as figure ``name`` of ``run``.
    """
    inside = _within(points, start)
    if not run.interactive:
        run.figure(show(inside), name)
        return None
    from ipympl.backend_nbagg import Canvas, FigureManager
    from matplotlib.path import Path as Outline
    from matplotlib.widgets import LassoSelector, RectangleSelector

    canvas = Canvas(figure)
    canvas.header_visible = False
    canvas.footer_visible = False
    canvas.toolbar_visible = False
    FigureManager(canvas, 0)
    picture = widgets.Image(format="png", value=_png(show(inside)))
    count = widgets.Label(_counted(inside, len(points)))
    tool = widgets.ToggleButtons(options=["rectangle", "lasso"])

    def chosen(indices: NDArray[np.intp]) -> None:
        count.value = _counted(indices, len(points))
        picture.value = _png(show(indices))

    def boxed(press: Any, release: Any) -> None:
        chosen(_within(points, (press.xdata, release.xdata, press.ydata, release.ydata)))

    def roped(corners: Any) -> None:
        chosen(np.flatnonzero(Outline(corners).contains_points(points)))

    rectangle = RectangleSelector(axes, boxed, useblit=True, interactive=True)
    lasso = LassoSelector(axes, roped, useblit=True)
    lasso.set_active(False)

    def switch(change: Any) -> None:
        rectangle.set_active(change["new"] == "rectangle")
        rectangle.set_visible(change["new"] == "rectangle")
        lasso.set_active(change["new"] == "lasso")

    tool.observe(switch, names="value")
    box = widgets.VBox([widgets.HBox([tool, count]), widgets.HBox([canvas, picture])])
    box.selectors = (rectangle, lasso)  # selectors die when nobody refers to them
    return box


def _within(points: NDArray[np.floating], box: tuple[float, float, float, float]) -> NDArray[np.intp]:
    x0, x1 = sorted(box[:2])
    y0, y1 = sorted(box[2:])
    x, y = points[:, 0], points[:, 1]
    return np.flatnonzero((x >= x0) & (x <= x1) & (y >= y0) & (y <= y1))


def _counted(indices: NDArray[np.intp], total: int) -> str:
    return f"{len(indices)} of {total} points"


class _Gather:
    """Calls ``draw`` once for a burst of events, so that a dragged slider never lags behind the hand."""

    def __init__(self, draw: Callable[[], None]):
        self._draw = draw
        self._waiting = False

    def __call__(self, _change: Any) -> None:
        if self._waiting:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._draw()
            return
        self._waiting = True
        loop.call_later(_GATHER_SECONDS, self._now)

    def _now(self) -> None:
        self._waiting = False
        self._draw()


def _widget(key: str, control: Control) -> widgets.Widget:
    label = key.replace("_", " ")
    common: dict[str, Any] = {"description": label, "layout": _LAYOUT, "style": _STYLE}
    if isinstance(control, Slider):
        kind = widgets.IntSlider if control.whole else widgets.FloatSlider
        bounds = {"min": control.low, "max": control.high, "step": control.step}
        return kind(value=control.value, **bounds, **common)
    if isinstance(control, Choice):
        return widgets.Dropdown(options=list(control.options), value=control.start, **common)
    assert isinstance(control, Toggle)
    return widgets.Checkbox(value=control.value, indent=False, **common)


def _png(picture: Any) -> bytes:
    from wbme.lab.figures import png_bytes

    return png_bytes(pixels(picture), compress=1)
