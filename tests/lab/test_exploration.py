"""Exploration: one call is a contact sheet in batch and a live widget in JupyterLab."""

import asyncio
import io
import threading
import time
from types import SimpleNamespace

import ipywidgets as widgets
import numpy as np
import pytest
from matplotlib.backend_bases import MouseEvent
from matplotlib.figure import Figure
from PIL import Image

from wbme import lab
from wbme.base.errors import ParameterError
from wbme.lab.gather import Gather
from wbme.lab.sheet import beside, contact_sheet, pixels


class Runs(SimpleNamespace):
    """What explore needs of a run: whether somebody looks, and where figures go."""

    def __init__(self, interactive=False):
        super().__init__(interactive=interactive, kept={})

    def figure(self, picture, name):
        self.kept[name] = picture


def flat(value, other=0.0):
    """A picture that shows its arguments: red is ``value``, blue is ``other``."""
    return np.full((40, 60, 3), (value, 0, other), np.float32)


def colours(sheet):
    """The flat colours of a sheet's tiles, in reading order."""
    found = []
    for row in sheet.reshape(-1, 3):
        colour = tuple(row.tolist())
        if colour[1] == 0 and colour not in found:
            found.append(colour)
    return found


def shown(widget):
    return np.asarray(Image.open(io.BytesIO(widget.value)))


def parts(box, kind):
    """All widgets of a kind inside a box."""
    inside = [found for child in getattr(box, "children", ()) for found in parts(child, kind)]
    return inside + ([box] if isinstance(box, kind) else [])


def test_in_batch_the_sheet_has_every_value_and_others_as_they_start():
    run = Runs()
    result = lab.explore(
        flat,
        run,
        "sheet",
        over=["value"],
        value=lab.Slider(0.0, 1.0, 0.5, 0.1, sheet=(0.2, 0.6, 1.0)),
        other=lab.Slider(0.0, 1.0, 0.4, 0.1),
    )
    assert result is None
    assert colours(run.kept["sheet"]) == [(51, 0, 102), (153, 0, 102), (255, 0, 102)]


def test_two_controls_span_rows_and_columns():
    controls = {
        "value": lab.Slider(0, 1, 0, 1, sheet=(0, 1)),
        "other": lab.Choice([1.0, 0.2, 0.6], sheet=(0.2, 0.6)),
    }
    sheet = contact_sheet(flat, controls, ["value", "other"])
    assert colours(sheet) == [(0, 0, 51), (0, 0, 153), (255, 0, 51), (255, 0, 153)]
    assert sheet.shape[1] > 2 * 60 and sheet.shape[0] > 2 * 40


def test_values_without_a_sheet_are_ends_and_middle_or_all():
    assert lab.Slider(0, 10, 3, 1).values == (0, 5, 10)
    assert lab.Slider(0.0, 1.0, 0.3, 0.1).values == (0.0, 0.5, 1.0)
    assert lab.Choice("abc").values == ("a", "b", "c")
    assert lab.Toggle().values == (False, True)


def test_a_refused_tile_says_why_and_the_others_stay():
    def view(value):
        if value == 1:
            raise ParameterError("one is not allowed")
        return flat(value / 4)

    sheet = contact_sheet(view, {"value": lab.Slider(1, 4, 2, 1, sheet=(1, 2, 4))}, ["value"])
    assert colours(sheet) == [(128, 0, 0), (255, 0, 0)]
    with pytest.raises(ParameterError, match="one is not allowed"):
        contact_sheet(view, {"value": lab.Choice([1])}, ["value"])


@pytest.mark.parametrize("over", [[], ["unknown"], ["a", "b", "a"]])
def test_over_must_name_one_or_two_controls(over):
    with pytest.raises(ParameterError, match="'over' must name"):
        lab.explore(flat, Runs(), "x", over=over, a=lab.Toggle(), b=lab.Toggle())


@pytest.mark.parametrize(
    "make",
    [
        lambda: lab.Slider(0, 1, 2, 1),
        lambda: lab.Slider(0, 1, 0, 0),
        lambda: lab.Choice([]),
        lambda: lab.Choice(["a"], "b"),
        lambda: lab.Choice(["a"], sheet=("b",)),
    ],
)
def test_controls_that_cannot_be_are_refused(make):
    with pytest.raises(ParameterError):
        make()


def test_in_jupyterlab_a_moved_slider_redraws_and_the_sheet_is_kept_too():
    run = Runs(interactive=True)
    slider = lab.Slider(0.0, 1.0, 0.2, 0.2)
    box = lab.explore(flat, run, "live", over=["value"], value=slider, other=lab.Choice([0.0, 1.0]))
    (picture,), (moved,) = parts(box, widgets.Image), parts(box, widgets.FloatSlider)
    assert "live" in run.kept
    np.testing.assert_array_equal(shown(picture), pixels(flat(0.2)))
    moved.value = 0.6
    np.testing.assert_array_equal(shown(picture), pixels(flat(0.6)))
    parts(box, widgets.Dropdown)[0].value = 1.0
    np.testing.assert_array_equal(shown(picture), pixels(flat(0.6, 1.0)))


def test_a_colour_is_picked_and_the_values_are_saved_under_a_name():
    kept = []

    def keep(name, replace, **values):
        if name == "taken" and not replace:
            raise ParameterError("taken is <there> already")
        kept.append((name, values))
        return f"saved {name}"

    def view(value, ink):
        return np.full((8, 8, 3), int(ink[1:3], 16) / 255 * value, np.float32)

    controls = {"value": lab.Slider(0.0, 1.0, 1.0, 0.1, sheet=(1.0,)), "ink": lab.Colour("#800000")}
    box = lab.explore(view, Runs(True), "x", over=["value"], save=keep, **controls)
    (picture,), (colour,) = parts(box, widgets.Image), parts(box, widgets.ColorPicker)
    assert shown(picture)[0, 0, 0] == 128
    colour.value = "#ff0000"
    assert shown(picture)[0, 0, 0] == 255
    (name,), (again,), (button,) = (
        parts(box, kind) for kind in (widgets.Text, widgets.Checkbox, widgets.Button)
    )
    said = parts(box, widgets.HTML)
    name.value = " taken "
    button.click()
    assert kept == [] and any("taken is &lt;there&gt; already" in one.value for one in said)
    again.value = True
    button.click()
    assert kept == [("taken", {"value": 1.0, "ink": "#ff0000"})] and any(
        one.value == "saved taken" for one in said
    )
    assert lab.explore(view, Runs(), "x", over=["ink"], save=keep, **controls) is None
    with pytest.raises(ParameterError, match="red is no colour"):
        lab.Colour("red")


def test_whole_sliders_stay_whole():
    seen = []
    view = lambda n, on: seen.append((n, on)) or flat(0)  # noqa: E731
    box = lab.explore(view, Runs(True), "x", over=["on"], n=lab.Slider(1, 9, 5, 1), on=lab.Toggle(True))
    parts(box, widgets.IntSlider)[0].value = 6
    assert seen[-1] == (6, True) and isinstance(seen[-1][0], int)


@pytest.mark.parametrize("error", [ParameterError("not < that"), KeyError("surprise")])
def test_an_error_stands_above_the_last_good_picture(error):
    def view(value):
        if value > 0.5:
            raise error
        return flat(value)

    slider = lab.Slider(0.0, 1.0, 0.2, 0.1, sheet=(0.2,))
    box = lab.explore(view, Runs(True), "x", over=["value"], value=slider)
    (picture,), (moved,), (message,) = (
        parts(box, kind) for kind in (widgets.Image, widgets.FloatSlider, widgets.HTML)
    )
    before = picture.value
    moved.value = 0.8
    assert picture.value == before
    assert "not &lt; that" in message.value or "surprise" in message.value
    moved.value = 0.3
    assert message.value == "" and picture.value != before


POINTS = np.array([[0.1, 0.1], [0.4, 0.4], [0.6, 0.4], [0.9, 0.9]])


def plane():
    figure = Figure(figsize=(4, 4))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 1), ylim=(0, 1))
    return figure, axes


def picked(indices):
    """A picture as bright as the indices tell."""
    return np.full((8, 8, 3), sum(2**i for i in indices.tolist()) / 15, np.float32)


def test_in_batch_the_start_rectangle_is_drawn_beside_what_it_holds():
    run = Runs()
    figure, axes = plane()
    bare = pixels(figure)
    assert lab.select(figure, axes, POINTS, picked, run, "picked", start=(0.3, 0.7, 0.3, 0.5)) is None
    kept = run.kept["picked"]
    assert kept.shape == (400, 400 + 12 + 8, 3)
    assert (kept[0, 412:] == round(255 * 6 / 15)).all()
    assert (kept[:, :400] != bare).any()


def test_rectangle_and_lasso_choose_points_through_the_mouse():
    run = Runs(True)
    figure, axes = plane()
    box = lab.select(figure, axes, POINTS, picked, run, "picked", start=(0.3, 0.7, 0.3, 0.5))
    (picture,), (count,), (brush,) = (
        parts(box, kind) for kind in (widgets.Image, widgets.Label, widgets.ToggleButtons)
    )
    assert shown(picture)[0, 0, 0] == round(255 * 6 / 15) and count.value == "2 of 4 points"

    def stroke(*way):
        kinds = ["button_press_event", *["motion_notify_event"] * (len(way) - 2), "button_release_event"]
        for kind, (x, y) in zip(kinds, way, strict=True):
            buttons = {"buttons": [1]} if kind.startswith("motion") else {"button": 1}
            MouseEvent(kind, figure.canvas, 400 * x, 400 * y, **buttons)._process()

    stroke((0.02, 0.02), (0.5, 0.5), (0.5, 0.5))
    assert shown(picture)[0, 0, 0] == round(255 * 3 / 15) and count.value == "2 of 4 points"
    brush.value = "lasso"
    stroke((0.55, 0.3), (0.99, 0.5), (0.99, 0.99), (0.8, 0.99), (0.55, 0.45))
    assert shown(picture)[0, 0, 0] == round(255 * 12 / 15)
    brush.value = "rectangle"
    stroke((0.2, 0.6), (0.3, 0.7), (0.3, 0.7))
    assert shown(picture)[0, 0, 0] == 0 and count.value == "0 of 4 points"


def test_pictures_of_any_kind_become_pixels():
    figure, _ = plane()
    canvas = figure.canvas
    assert pixels(figure).shape == (400, 400, 3) and figure.canvas is canvas
    assert pixels(np.array([[0.0, 1.0]])).tolist() == [[[0] * 3, [255] * 3]]
    assert pixels(np.array([[[0.0, 0.0, 0.0, 0.2]]])).tolist() == [[[204] * 3]]
    assert beside(flat(0), np.zeros((10, 5), np.uint8)).shape == (40, 77, 3)


def test_a_burst_of_events_is_drawn_once_with_the_newest_value():
    state, drawn = {"value": 0}, []

    async def burst():
        gather = Gather(lambda: drawn.append(state["value"]))
        for value in range(1, 11):
            state["value"] = value
            gather(None)
        await asyncio.sleep(0.1)
        state["value"] = 99
        gather(None)
        await asyncio.sleep(0.1)

    asyncio.run(burst())
    assert drawn == [10, 99]


def test_without_an_event_loop_every_event_is_drawn():
    drawn = []
    gather = Gather(lambda: drawn.append(1))
    gather()
    gather()
    assert drawn == [1, 1]


def test_of_two_threads_the_newest_value_is_drawn_last_and_never_two_at_once():
    state, drawn, inside = {"value": "old"}, [], []

    def draw():
        inside.append(1)
        assert len(inside) == 1
        value = state["value"]
        time.sleep(0.2 if value == "old" else 0.0)
        drawn.append(value)
        inside.pop()

    gather = Gather(draw)
    first = threading.Thread(target=gather)
    first.start()
    time.sleep(0.05)
    state["value"] = "new"
    second = threading.Thread(target=gather)
    second.start()
    first.join()
    second.join()
    assert drawn == ["old", "new"]
