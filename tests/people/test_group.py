"""Groups: people set together rigidly, and the nearer ones hide the others in every layer."""

import json

import numpy as np
import pytest
from PIL import Image

from wbme.base.errors import ParameterError
from wbme.people import group, rendering


def test_a_placed_person_stands_on_the_ground_and_is_only_turned(ball):
    model = ball()
    made = group.placed(model, 90.0, np.array([0.5, 0, -0.3]))
    mesh, old = made.meshes[0], model.meshes[0]
    assert mesh.positions[:, 1].min() == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(mesh.positions.mean(0)[[0, 2]], [0.5, -0.3], atol=0.01)
    gaps = [np.linalg.norm(m.positions[0] - m.positions[200]) for m in (mesh, old)]
    assert gaps[0] == pytest.approx(gaps[1], rel=1e-5)
    np.testing.assert_allclose(made.head[:3, 2], [1, 0, 0], atol=1e-6)  # to the person's left
    np.testing.assert_allclose(
        made.landmarks[0] - made.head[:3, 3],
        [*(model.landmarks[0] - model.head[:3, 3])[[2, 1, 0]]],
        atol=1e-6,
    )


def test_what_is_nearer_hides_what_is_behind_in_every_layer():
    far = np.zeros((4, 4, 4), np.uint8)
    far[:, :3] = 200, 10, 10, 255
    near = np.zeros((4, 4, 4), np.uint8)
    near[:, 2:] = 10, 10, 200, 255
    ink = np.full((4, 4), 90, np.uint8)
    stack = group._Stack(
        {"photo": far, "a/palette": far, "a/drawn": far},
        {"a/ink": ink},
        np.ones((4, 4), np.uint8),
        ink * 0 + 1,
    )
    labels = np.zeros((4, 4), np.uint8)
    labels[:, 2:] = 18
    clear = np.zeros((4, 4, 4), np.uint8)
    stack.lay(2, {"photo": near, "a/palette": near, "a/drawn": clear}, {"a/ink": ink * 0}, labels)
    photo = stack.rgba["photo"]
    assert photo[0, 1].tolist() == [200, 10, 10, 255] and photo[0, 2].tolist() == [10, 10, 200, 255]
    assert (stack.rgba["a/drawn"][:, :2, 3] == 255).all() and (stack.rgba["a/drawn"][:, 2:, 3] == 0).all()
    assert (stack.grey["a/ink"][:, :2] == 90).all() and not stack.grey["a/ink"][:, 2:].any()
    assert stack.person[0].tolist() == [1, 1, 2, 2] and stack.labels[0].tolist() == [1, 1, 18, 18]


def test_one_person_is_no_group(tmp_path):
    with pytest.raises(ParameterError, match="at least two people"):
        rendering.render_set(tmp_path, people=1, shots=1, size=64, groups=1)


@pytest.mark.slow
def test_a_group_has_its_people_in_one_picture(tmp_path):
    from wbme.people import sheet
    from wbme.people.views import Plan

    plan = Plan(str(tmp_path), 0, 1, 128, (sheet.load("romance"),))
    row = group.render(plan, 0, [2, 5])
    assert group.finished(plan, 0) == json.loads(json.dumps(row))
    home = tmp_path / "people" / "groups" / "g0001"
    numbers = np.asarray(Image.open(home / "person.png"))
    labels = np.asarray(Image.open(home / "labels.png"))
    assert set(np.unique(numbers)) == {0, 1, 2} and ((numbers > 0) == (labels > 0)).all()
    with np.load(home / "points.npz") as points:
        assert points["landmarks"].shape == (2, 468, 2) and points["visible"].mean() > 0.3
        for k, landmarks in enumerate(points["landmarks"]):
            x, y = landmarks[points["visible"][k]].round().astype(int).T
            assert (numbers[y, x] == k + 1).mean() > 0.8
    for layer in ("palette", "oracle", "ink", "drawn"):
        picture = Image.open(tmp_path / "characters" / "romance" / "groups" / "g0001" / f"{layer}.png")
        assert picture.size == (128, 128)
