import numpy as np
import pytest
from drawn_head import POINTS, head

from wbme.perception import drawn

EYES = 94  # pixels between the eyes of the drawn head


def rgb(image):
    return np.asarray(image.convert("RGB"), np.float32) / 255


@pytest.mark.parametrize("skin", [("#fbe0cf", "#eeb9a6"), ("#6f4630", "#4d2c20"), ("#c8b8e8", "#a890c8")])
def test_a_drawn_face_is_found_on_light_dark_and_lilac_skin(skin):
    [face] = drawn.find(rgb(head(*skin, ground="#ffffff")))
    assert np.hypot(*(face.points - POINTS).T).mean() < 0.12 * EYES
    assert face.score > 0.7 and face.source in ("mesh", "detector")
    assert (face.box[:2] < face.points.min(0)).all() and (face.points.max(0) < face.box[2:]).all()


def test_a_face_in_a_box_lies_in_the_box_and_nothing_is_found_on_paper():
    sheet = np.ones((440, 800, 3), np.float32)
    sheet[20:420, 20:340] = rgb(head(ground="#ffffff"))
    sheet[20:420, 440:760] = rgb(head(ground="#ffffff"))
    both = drawn.find(sheet)
    assert len(both) == 2
    box = np.array([500.0, 140, 700, 320])
    [face] = drawn.find(sheet, box)
    assert np.hypot(*(face.points - POINTS - (440, 20)).T).mean() < 0.12 * EYES
    assert drawn.find(np.ones((100, 100, 3), np.float32)) == []
    assert drawn.find(sheet, np.array([900.0, 10, 950, 60])) == []


def test_the_box_of_points_and_the_points_of_a_box_belong_together():
    box = np.array([30.0, 50, 130, 150])
    again = drawn.box_of(drawn.usual(box))
    assert again == pytest.approx(box, abs=12)
