import numpy as np
import pytest
from drawn_head import POINTS, head, named

from wbme.base.errors import ParameterError
from wbme.data.drawings import Drawings
from wbme.views import drawings as view


def row(number, name, source="hand", **more):
    swatches = [
        {"hex": "#fbe0cf", "lab": [90.6, 7.4, 11.6], "share": 0.7},
        {"hex": "#20121a", "lab": [7.1, 8.3, -2.1], "share": 0.3},
    ]
    common = {"id": f"{number:04d}", "name": name, "width": 320, "height": 400, "source": source}
    return common | {"palette": swatches, "skin": {}, "notes": [], "warnings": []} | more


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Two drawings, one with a face, without files: only what the views ask for."""
    skin = {name: {"hex": "#fbe0cf", "lab": [90.6, 7.4, 11.6]} for name in ("colour", "shadow")}
    pictures = [
        row(1, "a.png", skin=skin),
        row(2, "b.png", "none", warnings=["no face was found"], palette=[]),
    ]
    face = {"picture": "0001", "index": 0, "source": "hand", "box": [66, 130, 254, 300]}
    face |= {"points": named(), "contour": [[66, 200], [160, 300], [254, 200]], "aligned": "x"}
    character = {"name": "girl", "palette": pictures[0]["palette"], "skin": skin, "remarks": ["only 2"]}
    rgb = np.asarray(head(ground="#ffffff").convert("RGB"), np.float32) / 255
    monkeypatch.setattr(Drawings, "rgb", lambda self, picture: rgb)
    monkeypatch.setattr(Drawings, "aligned", lambda self, face: rgb[50:300, 30:280])
    rejected = [{"name": "c.png", "why": "c.png is empty"}]
    return Drawings(tmp_path, pictures, [face], rejected, character)


def test_points_are_drawn_where_they_lie_and_the_drawing_is_left_alone(made):
    rgb = made.rgb(made.pictures[0])
    before = rgb.copy()
    drawn = view.marked(rgb, made.faces, side=400)
    assert drawn.shape == rgb.shape and np.array_equal(rgb, before)
    green = np.array([0x00, 0x9E, 0x73]) / 255
    for x, y in POINTS.astype(int):
        assert np.abs(drawn[y, x] - green).max() < 0.05
    assert np.abs(drawn[215, 66] - green).max() < 0.1  # the left side of the box
    part = view.marked(rgb, made.faces, view.around(made.faces[0]["box"]), side=200)
    assert max(part.shape[:2]) == 200


def test_a_window_around_a_face_is_square_and_holds_the_box():
    x0, y0, x1, y1 = view.around([66, 130, 254, 300])
    assert x1 - x0 == pytest.approx(y1 - y0) and x0 < 66 and y0 < 130 and x1 > 254 and y1 > 300


def test_there_is_a_card_for_every_drawing_with_a_face_and_without(made):
    both, first = view.cards(made), view.cards(made, 1)
    assert both.shape[1] > 1.8 * first.shape[1] and both.shape[0] > first.shape[0]
    assert both.dtype == np.float32 and both.min() >= 0 and both.max() <= 1
    with pytest.raises(ParameterError, match="give 1 or more as shown"):
        view.cards(made, 0)


def test_palettes_show_every_colour_of_all_and_of_each(made):
    axes = view.palettes(made).axes[0]
    assert len(axes.patches) == 4 and [t.get_text() for t in axes.get_yticklabels()] == ["all", "a.png"]
    widths = [patch.get_width() for patch in axes.patches]
    assert widths == pytest.approx([0.7, 0.3] * 2)


def test_skin_says_what_was_not_seen(made):
    left, right = view.skin(made).axes
    words = " ".join(text.get_text() for text in left.texts)
    assert words.count("not seen") == 2 and "#fbe0cf" in words
    assert len(right.collections) == 2
    made.character["skin"] = {}
    made.pictures[0]["skin"] = {}
    assert not view.skin(made).axes[1].collections


def test_what_to_do_names_every_doubt_and_the_summary_every_source(made):
    assert view.to_do(made).values.tolist() == [
        ["all", "only 2"],
        ["c.png", "rejected: c.png is empty"],
        ["b.png", "no face was found"],
    ]
    counted = view.summary(made).set_index("points")["drawings"].to_dict()
    assert counted["by hand"] == counted["no face"] == 1 and sum(counted.values()) == 2
