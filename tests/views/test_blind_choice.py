"""The blind choice without a browser: its canvas gets the keys, and its buttons are pressed."""

from types import SimpleNamespace

import ipywidgets
import numpy as np
import pytest
from matplotlib.figure import Figure

from wbme.base.errors import ParameterError
from wbme.data import blind, choices
from wbme.views.blind_choice import Chooser

MODELS = ["secret-one", "secret-two"]
COLOURS = {"input": 0.5, "secret-one": 0.1, "secret-two": 0.9}


@pytest.fixture
def pictures():
    """Pictures of one grey each: of the photograph, and of each model; the second is a wide one."""
    size = {"p0": (80, 60), "p1": (40, 100), "p2": (300, 300)}
    return {
        name: {key: np.full((*shape, 3), grey, np.float32) for key, grey in COLOURS.items()}
        for name, shape in size.items()
    }


@pytest.fixture
def chooser(pictures, tmp_path):
    drawn = {name: {m: choices.digest(of[m]) for m in MODELS} for name, of in pictures.items()}
    sitting = blind.Sitting(blind.arrange(drawn, MODELS, 0), tmp_path / "choices.jsonl", "anna", "A <or> B?")
    now = {"time": 0.0}
    made = Chooser(
        sitting, pictures, {"p2": np.array([10, 20, 60, 70.0])}, Figure, side=96, clock=lambda: now["time"]
    )
    made.wait = lambda seconds=2.0: now.update(time=now["time"] + seconds)
    return made


def press(chooser, key, after=2.0):
    chooser.wait(after)
    chooser._key(SimpleNamespace(key=key))


def shown(chooser):
    """The grey in the middle of the three pictures on the screen."""
    return [float(axes.images[0].get_array()[48, 48, 0]) for axes in chooser.panels]


def words(widget):
    """All text of a widget that reaches the rater."""
    found = [getattr(widget, name, "") for name in ("value", "description", "tooltip", "placeholder")]
    children = [words(child) for child in getattr(widget, "children", ())]
    return " ".join([*(text for text in found if isinstance(text, str)), *children])


def test_the_photograph_stands_between_the_two_drawings(chooser):
    for key in ("left", "right", "down"):
        now = chooser.sitting.now
        assert shown(chooser) == pytest.approx([COLOURS[now.left], 0.5, COLOURS[now.right]])
        assert [axes.get_title() for axes in chooser.panels] == ["A", "photograph", "B"]
        press(chooser, key)
    assert [one.chosen for one in choices.read(chooser.sitting.path)[0]] == ["left", "right", "none"]


def test_no_name_is_shown_while_choosing(chooser):
    for _ in range(4):
        assert "secret" not in words(chooser.box) + " ".join(axes.get_title() for axes in chooser.panels)
        press(chooser, "left")
    assert "secret" not in chooser.sitting.path.read_text()
    assert "A &lt;or&gt; B?" in words(chooser.box)


def test_buttons_choose_take_back_and_say_how_far_one_is(chooser):
    assert chooser.back.disabled and chooser.state.value == "0 of 3 chosen"
    for button in chooser.choices[:2]:
        chooser.wait()
        button.click()
    assert (chooser.state.value, chooser.bar.value, chooser.back.disabled) == ("2 of 3 chosen", 2, False)
    chooser.back.click()
    assert chooser.state.value == "1 of 3 chosen"
    chooser.wait(3.5)
    chooser.choices[2].click()
    rows, _ = choices.read(chooser.sitting.path)
    assert [one.chosen for one in rows] == ["left", "right"] and rows[1].seconds == 3.5
    press(chooser, "backspace")
    assert len(choices.read(chooser.sitting.path)[0]) == 1


def test_a_second_click_or_a_foreign_key_chooses_nothing(chooser):
    press(chooser, "left")
    press(chooser, "left", after=0.1)
    press(chooser, "q")
    assert chooser.sitting.done == 1


def test_the_result_comes_after_the_last_choice_and_ends_it(chooser):
    for _ in range(3):
        assert chooser.result.layout.display == "none" and not chooser.picture.value
        press(chooser, "right")
    assert chooser.canvas.layout.display == "none" and chooser.result.layout.display == ""
    assert chooser.back.disabled is False and chooser.near.layout.display == "none"
    press(chooser, "backspace")  # the last choice can be mended until the names are known
    assert chooser.sitting.done == 2 and chooser.canvas.layout.display == ""
    press(chooser, "left")
    chooser.result.click()
    assert bytes(chooser.picture.value).startswith(b"\x89PNG") and chooser.back.disabled
    press(chooser, "backspace")
    assert chooser.sitting.done == 3 and "choices.jsonl" in chooser.message.value


def test_near_shows_the_window_of_a_face_where_there_is_one(chooser, pictures):
    while chooser.sitting.now.picture != "p2":
        press(chooser, "down")
    pictures["p2"]["input"][20:70, 10:60] = 0.25
    chooser.near.value = True
    assert shown(chooser)[1] == pytest.approx(0.25)
    chooser.near.value = False
    assert shown(chooser)[1] == pytest.approx(0.5)


def test_what_goes_wrong_is_said_and_the_comparison_stays(chooser, tmp_path):
    (tmp_path / "file").write_text("")
    chooser.sitting.path = tmp_path / "file/choices.jsonl"
    press(chooser, "left")
    assert "cannot write" in chooser.message.value and chooser.sitting.done == 0
    with pytest.raises(ParameterError, match="64 to 2000"):
        Chooser(chooser.sitting, {}, {}, Figure, side=10)


def test_wide_and_tall_pictures_stand_whole_in_the_middle(chooser):
    while chooser.sitting.now.picture != "p1":
        press(chooser, "down")
    drawn = np.asarray(chooser.panels[1].images[0].get_array())
    rows = np.flatnonzero((drawn[..., 0] < 0.99).any(1))
    assert drawn.shape == (96, 96, 3) and len(rows) == 38 and rows[0] == 29
    assert isinstance(chooser.box, ipywidgets.VBox)
