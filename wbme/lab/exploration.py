"""Exploring a view: sliders in JupyterLab, a contact sheet in batch, from one and the same call."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import ipywidgets as widgets
import numpy as np
from numpy.typing import NDArray

from wbme.base.errors import ParameterError
from wbme.lab.controls import Choice, Colour, Control, Slider, Toggle
from wbme.lab.figures import png_bytes
from wbme.lab.gather import Gather
from wbme.lab.session import Run
from wbme.lab.sheet import beside, contact_sheet, pixels

_CONTROL = widgets.Layout(width="440px")
_OUTLINE: dict[str, Any] = {"edgecolor": "black", "linewidth": 1.5, "fill": False, "zorder": 9}
_STYLE = {"description_width": "110px"}
_ROWS = widgets.Layout(flex_flow="row wrap", align_items="flex-start", overflow="visible")


def explore(
    view: Callable[..., Any],
    run: Run,
    name: str,
    over: Sequence[str],
    save: Callable[..., str] | None = None,
    **controls: Control,
) -> widgets.Widget | None:
    """Vary the keyword arguments of ``view``, which returns a Figure or an image array.

    ``controls``: one of ``lab.Slider``, ``lab.Choice``, ``lab.Toggle``, ``lab.Colour`` a keyword. The contact
    sheet over the one or two controls named in ``over`` becomes figure ``name`` of ``run``. In batch it is
    shown, and None returned; in JupyterLab the widget is returned instead. There a line with a name and a
    button keeps the values as they stand: ``save(name, replace, **values)`` does it and says where.
    """
    unknown = [n for n in over if n not in controls]
    if unknown or not 1 <= len(over) <= 2:
        raise ParameterError(f"explore {name}: 'over' must name one or two of its controls, not {list(over)}")
    _keep(run, contact_sheet(view, controls, over), name)
    if not run.interactive:
        return None
    inputs = {key: _widget(key, control) for key, control in controls.items()}
    picture, message = widgets.Image(format="png"), widgets.HTML()
    draw = _drawing(picture, message, lambda: view(**{key: w.value for key, w in inputs.items()}))
    gather = Gather(draw)
    for widget in inputs.values():
        widget.observe(gather, names="value")
    draw()
    rows = [widgets.Box(list(inputs.values()), layout=_ROWS), message, picture]
    if save is not None:
        rows.insert(1, _saving(save, lambda: {key: w.value for key, w in inputs.items()}))
    return widgets.VBox(rows)


def _saving(save: Callable[..., str], values: Callable[[], dict[str, Any]]) -> widgets.Widget:
    """A name, whether what has it may be replaced, the button, and what came of it."""
    name = widgets.Text(placeholder="name to save it under", layout=widgets.Layout(width="240px"))
    again = widgets.Checkbox(description="replace", indent=False, layout=widgets.Layout(width="80px"))
    button, said = widgets.Button(description="save"), widgets.HTML()

    def keep(_press: Any) -> None:
        try:
            said.value = escape(save(name.value.strip(), again.value, **values()))
        except Exception as error:  # a callback's traceback would reach nobody
            said.value = f"<b>{escape(str(error) or type(error).__name__)}</b>"

    button.on_click(keep)
    return widgets.HBox([name, again, button, said])


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

    ``show`` returns a Figure or an image array. The figure with the rectangle ``start`` (x0, x1, y0, y1) and
    what its points show become figure ``name`` of ``run``. In batch they are shown, and None returned; in
    JupyterLab the widget is returned, whose figure answers to a rectangle or a lasso (ipympl).
    """
    from matplotlib.patches import Rectangle

    x0, x1, y0, y1 = start
    frame = axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, **_OUTLINE))
    chosen = _within(points, start)
    _keep(run, beside(figure, show(chosen)), name)
    if not run.interactive:
        return None
    frame.remove()
    picture, message, count = widgets.Image(format="png"), widgets.HTML(), widgets.Label()

    def draw() -> None:
        count.value = f"{len(chosen)} of {len(points)} points"
        redraw()

    def choose(indices: NDArray[np.intp]) -> None:
        nonlocal chosen
        chosen = indices
        gather()

    redraw = _drawing(picture, message, lambda: show(chosen))
    gather = Gather(draw)
    canvas, tools, selectors = _brushes(figure, axes, points, start, choose)
    draw()
    box = widgets.VBox([widgets.HBox([*tools, count]), message, widgets.Box([canvas, picture], layout=_ROWS)])
    box.selectors = selectors  # they die when nobody refers to them
    return box


def _brushes(
    figure: Any,
    axes: Any,
    points: NDArray[np.floating],
    start: tuple[float, float, float, float],
    choose: Callable[[NDArray[np.intp]], None],
) -> tuple[widgets.Widget, list[widgets.Widget], tuple[Any, ...]]:
    """The figure as a canvas that answers to rectangle and lasso, the buttons for it, and its selectors."""
    from ipympl.backend_nbagg import Canvas, FigureManager
    from matplotlib.patches import Polygon
    from matplotlib.path import Path as Outline
    from matplotlib.widgets import LassoSelector, RectangleSelector

    figure.set_layout_engine("none")  # laid out by now; doing so again would slow every step of the mouse
    canvas = Canvas(figure)
    canvas.header_visible = canvas.footer_visible = canvas.resizable = False
    canvas.toolbar_visible, canvas.toolbar_position = False, "right"
    FigureManager(canvas, 0)

    def boxed(_press: Any, _release: Any) -> None:
        choose(_within(points, rectangle.extents))

    def roped(corners: Any) -> None:
        rope.set(xy=corners, visible=True)
        canvas.draw_idle()
        choose(np.flatnonzero(Outline(corners).contains_points(points)))

    # Without blitting, which this canvas does not know: matplotlib 3.11 would hide what it cannot blit.
    rope = axes.add_patch(Polygon([(0, 0)], visible=False, **_OUTLINE))
    rectangle = RectangleSelector(axes, boxed, useblit=False, interactive=True, props=_OUTLINE)
    lasso = LassoSelector(axes, roped, useblit=False, props={"color": "black", "linewidth": 1.5, "zorder": 9})
    lasso.set_active(False)
    rectangle.extents = start

    def switch(change: Any) -> None:
        roping = change["new"] == "lasso"
        rectangle.set_active(not roping)
        rectangle.set_visible(not roping)
        lasso.set_active(roping)
        rope.set_visible(False)
        canvas.draw_idle()

    brush = widgets.ToggleButtons(options=["rectangle", "lasso"], style={"button_width": "96px"})
    brush.observe(switch, names="value")
    toolbar = widgets.ToggleButton(description="zoom, pan, save", layout=widgets.Layout(width="130px"))
    widgets.link((toolbar, "value"), (canvas, "toolbar_visible"))
    return canvas, [brush, toolbar], (rectangle, lasso)


def _keep(run: Run, picture: NDArray[np.uint8], name: str) -> None:
    """The figure of the run; a widget takes its place on the screen."""
    if not run.interactive:
        run.figure(picture, name)
        return
    from IPython.utils.capture import capture_output

    with capture_output():
        run.figure(picture, name)


def _within(points: NDArray[np.floating], box: Sequence[float]) -> NDArray[np.intp]:
    x0, x1 = sorted(box[:2])
    y0, y1 = sorted(box[2:])
    x, y = points[:, 0], points[:, 1]
    return np.flatnonzero((x >= x0) & (x <= x1) & (y >= y0) & (y <= y1))


def _drawing(picture: widgets.Image, message: widgets.HTML, view: Callable[[], Any]) -> Callable[[], None]:
    """What puts the view into the picture, or its error's sentence above the last picture."""

    def draw() -> None:
        try:
            picture.value = png_bytes(pixels(view()), compress=1)
            message.value = ""
        except Exception as error:  # a callback's traceback would reach nobody
            message.value = f"<b>{escape(str(error) or type(error).__name__)}</b>"

    return draw


def _widget(key: str, control: Control) -> widgets.Widget:
    common: dict[str, Any] = {"description": key.replace("_", " "), "layout": _CONTROL, "style": _STYLE}
    if isinstance(control, Slider):
        kind = widgets.IntSlider if control.whole else widgets.FloatSlider
        bounds = {"min": control.low, "max": control.high, "step": control.step}
        return kind(value=control.value, **bounds, **common)
    if isinstance(control, Choice):
        return widgets.Dropdown(options=list(control.options), value=control.start, **common)
    if isinstance(control, Colour):
        return widgets.ColorPicker(value=control.value, **common)
    assert isinstance(control, Toggle)
    return widgets.Checkbox(value=control.value, **common)
