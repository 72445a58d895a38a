"""The 468 points: where the face mesh network sees them, and on the right side."""

import numpy as np
import pytest

from wbme.geometry import landmarks as names
from wbme.people import anatomy, body, expression, landmarks, rig

pytestmark = pytest.mark.slow


def test_the_points_are_symmetric_and_left_is_left():
    points = landmarks.surface(anatomy.load(), body.mean())
    assert points.shape == (468, 3)
    pairs = [(33, 263), (133, 362), (61, 291), (234, 454), (70, 300), (129, 358), (50, 280), (172, 397)]
    for right, left in pairs:
        assert points[right, 0] < 0 < points[left, 0]
        np.testing.assert_allclose(points[right] * [-1, 1, 1], points[left], atol=0.004)
    assert points[10, 1] > points[168, 1] > points[1, 1] > points[13, 1] > points[152, 1]
    assert points[1, 2] == points[:, 2].max() or points[4, 2] == points[:, 2].max()


def test_the_network_sees_the_points_where_they_are():
    make = pytest.importorskip("make_marks")
    from wbme.perception import faces

    made = body.build(body.BodySpec(gender=0.9, asian=0.3))
    model = made.pose(rig.Pose(expression=expression.named("soft smile", 0.7))).model
    picture, shot = make.frontal(model, 768)
    (face,) = faces.detect(picture, max_faces=1)
    seen, told = face.landmarks[:, :2] + 0.5, shot.project(model.landmarks)[:, :2]
    width = np.ptp(told[list(names.FACE_OVAL), 0])
    off = np.linalg.norm(seen - told, axis=1) / width
    assert np.median(off) < 0.02 and np.quantile(off, 0.95) < 0.05
    irises = shot.project(model.irises)[..., :2] - face.irises - 0.5
    assert np.abs(irises).max() / width < 0.02


def test_the_file_is_what_its_maker_makes():
    make = pytest.importorskip("make_marks")
    base = anatomy.load()
    rows = make.rows(base)
    for name, row in rows.items():
        np.testing.assert_array_equal(base.groups[name], row)
    now, kept, rest = make.points(base), base.landmarks, body.mean()
    places = [(rest[vertex] * np.float32(weight)[..., None]).sum(1) for vertex, weight in (now, kept)]
    far = np.linalg.norm(places[0] - places[1], axis=1)
    assert np.quantile(far, 0.97) < 0.003  # at the rim of the face depth is uncertain
