"""What our own widgets are made of: a button that acts, a canvas that answers to the mouse and to keys."""

from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as widgets
from matplotlib.figure import Figure

__all__ = ["button", "canvas", "widgets"]


def button(text: str, act: Callable[[], Any], width: int = 110) -> widgets.Button:
    """A button ``width`` pixels wide that calls ``act``."""
    made = widgets.Button(description=text, layout=widgets.Layout(width=f"{width}px"))
    made.on_click(lambda _: act())
    return made


def canvas(figure: Figure, acts: Mapping[str, Callable[[Any], Any]]) -> Any:
    """``figure`` as a bare widget that calls ``acts`` with events of matplotlib, by their names; it has the
    keys once it was clicked."""
    from ipympl.backend_nbagg import Canvas, FigureManager

    made = Canvas(figure)
    made.header_visible = made.footer_visible = made.resizable = made.toolbar_visible = False
    manager = FigureManager(made, 0)
    if manager.key_press_handler_id is not None:
        made.mpl_disconnect(manager.key_press_handler_id)  # q would close the figure
    for event, act in acts.items():
        made.mpl_connect(event, act)
    return made
