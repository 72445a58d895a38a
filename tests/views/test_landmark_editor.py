"""The editor without a browser: its canvas gets the events that a mouse would send."""

from types import SimpleNamespace

import numpy as np
import pytest
from drawn_head import POINTS, head, named

from wbme.base.errors import ParameterError
from wbme.data import landmark_file
from wbme.data.drawings import Drawings
from wbme.views import landmark_editor
from wbme.views.landmark_editor import Face, Page

SIZE = (320, 400)


@pytest.fixture
def made(tmp_path, monkeypatch):
    pictures = [
        {"id": f"000{k}", "name": f"sub/{n}.png", "width": 320, "height": 400} for k, n in enumerate("ab")
    ]
    face = {
        "picture": "0000",
        "points": named(),
        "box": [66, 130, 254, 300],
        "contour": [[70, 200], [80, 240]],
    }
    rgb = np.asarray(head(ground="#ffffff").convert("RGB"), np.float32) / 255
    monkeypatch.setattr(Drawings, "rgb", lambda self, picture: rgb)
    return Drawings(tmp_path, pictures, [face], [], {})


@pytest.fixture
def editor(made, tmp_path, home):
    files = {row["name"]: tmp_path / row["name"] for row in made.pictures}
    return landmark_editor.Editor(made, landmark_editor.pages(made, files))


def drag(editor, start, by):
    """Press at ``start`` (pixels of the picture), move ``by`` in two steps, release."""
    for act, share in ((editor._press, 0), (editor._move, 0.5), (editor._move, 1), (editor._release, 1)):
        place = np.add(start, np.multiply(by, share))
        x, y = editor.axes.transData.transform(place)
        act(SimpleNamespace(xdata=place[0], ydata=place[1], x=x, y=y))


def saved(editor):
    page = editor.page
    return landmark_file.load(page.path, page.path.name.replace(landmark_file.SUFFIX, ".png"), SIZE)


def test_a_dragged_point_moves_alone_and_is_saved_beside_the_drawing(editor, tmp_path):
    drag(editor, POINTS[2], (7.5, -4.25))
    assert "changed, not saved" in editor.title.value and not editor.page.path.exists()
    editor._save()
    assert editor.page.path == tmp_path / "sub/a.landmarks.json" and "saved" in editor.message.value
    [face] = saved(editor)
    moved = face.points - POINTS
    assert np.allclose(moved[2], (7.5, -4.25), atol=0.01) and not moved[[0, 1, 3, 4]].any()
    assert face.box == (66, 130, 254, 300) and face.contour == ((70, 200), (80, 240))
    before = editor.page.path.read_bytes()
    editor._save()
    assert editor.page.path.read_bytes() == before and "nothing" in editor.message.value


def test_the_box_and_the_whole_face_can_be_dragged(editor):
    drag(editor, (66, 130), (-6, 4))
    assert editor.page.faces[0].box.tolist() == [60, 134, 254, 300]
    assert np.array_equal(editor.page.faces[0].points, POINTS)
    drag(editor, (100, 280), (10, 5))
    assert np.allclose(editor.page.faces[0].points, POINTS + np.array((10, 5)))
    assert np.allclose(editor.page.faces[0].box, [70, 139, 264, 305])
    drag(editor, (5, 5), (50, 50))  # nothing lies there
    assert np.allclose(editor.page.faces[0].points, POINTS + np.array((10, 5)))


def test_a_press_alone_changes_nothing(editor):
    drag(editor, POINTS[0], (0, 0))
    assert not editor.page.changed


def test_a_face_is_added_where_none_was_found_and_its_points_follow_its_box(editor):
    editor._turn(1)
    assert "no face" in editor.message.value and editor.page.faces == []
    editor._add()
    first = editor.page.faces[0]
    drag(editor, first.box[2:], (30, 60))
    grown = editor.page.faces[0]
    share = (first.points - first.box[:2]) / (first.box[2:] - first.box[:2])
    assert np.allclose(grown.points, grown.box[:2] + share * (grown.box[2:] - grown.box[:2]))
    editor._add()
    assert len(editor.page.faces) == 2 and editor.face == 1
    editor._remove()
    editor._save()
    assert len(saved(editor)) == 1
    editor._remove()
    editor._remove()
    editor._save()
    assert saved(editor) == []
    editor._turn(1)
    assert editor.at == 0


def test_points_stay_in_the_picture_and_a_box_keeps_its_sides():
    face = Face(POINTS, np.array([66.0, 130, 254, 300]))
    assert face.dragged("0", np.array([-500.0, 900]), SIZE).points[0].tolist() == [0, 399]
    whole = face.dragged("whole", np.array([900.0, 0]), SIZE)
    assert whole.points.max(0)[0] == 319 and np.ptp(whole.points[:, 0]) == np.ptp(POINTS[:, 0])
    assert face.dragged("low", np.array([400.0, 0]), SIZE) is face


def test_what_cannot_be_saved_is_said_and_kept(made, home):
    files = {row["name"]: home / "runs/x" / row["name"] for row in made.pictures}
    editor = landmark_editor.Editor(made, landmark_editor.pages(made, files))
    drag(editor, POINTS[2], (5, 5))
    editor._save()
    assert "never change" in editor.message.value and editor.page.changed


def test_landmarks_can_have_a_folder_of_their_own(made, tmp_path):
    files = {row["name"]: tmp_path / row["name"] for row in made.pictures}
    first: Page = landmark_editor.pages(made, files, tmp_path / "marks")[0]
    assert first.path == tmp_path / "marks/sub/a.landmarks.json"
    with pytest.raises(ParameterError, match="there is no drawing to edit"):
        landmark_editor.Editor(made, [])
