"""Proportions of a character: maps that cannot fold, and their exact correspondence to the photo."""

from types import SimpleNamespace

import numpy as np
import pytest

from wbme.people import (
    anatomy,
    body,
    camera,
    context,
    correspondence,
    deform,
    faceshape,
    gbuffer,
    landmarks,
    lights,
    person,
    rendering,
    sheet,
    views,
)
from wbme.people.sheet import Deformation

RANGES = {
    "eyes": (0.7, 1.8), "eye_height": (0.8, 1.5), "eye_drop": (-0.05, 0.08), "nose": (0.3, 1.5),
    "mouth": (0.5, 1.5), "jaw": (0.7, 1.2), "chin": (0.4, 1.3),
}  # fmt: skip
FORMS = [sheet.load("chibi").deformation, sheet.load("slender").deformation]
FORMS += [Deformation(**{name: ends[k] for name, ends in RANGES.items()}) for k in (0, 1)]


@pytest.fixture(scope="module")
def face():
    """Landmarks of the mean face and a frame between its eyes."""
    points = landmarks.surface(anatomy.load(), body.mean())
    frame = np.eye(4)
    frame[:3, 3] = (points[33] + points[263]) / 2 - [0, 0, 0.012]
    return points, frame


@pytest.mark.parametrize("form", FORMS)
def test_no_part_of_a_face_folds_over(face, form):
    points, frame = face
    shaped = faceshape.Face(points, frame, form)
    grid = np.stack(np.meshgrid(*[np.linspace(-0.1, 0.1, 26)] * 3, indexing="ij"), -1).reshape(-1, 3)
    place = shaped.scene(grid)
    step = 1e-5
    slopes = [
        (shaped.moved(place + step * e) - shaped.moved(place - step * e)) / (2 * step) for e in np.eye(3)
    ]
    assert np.linalg.det(np.stack(slopes, -1)).min() > 0.01


def test_numbers_of_one_leave_a_face_alone(face):
    points, frame = face
    same = faceshape.Face(points, frame, Deformation()).moved(points.astype(float))
    np.testing.assert_allclose(same, points, atol=1e-9)


def test_eyes_and_mouth_take_the_size_they_are_given(face):
    points, frame = face
    big = faceshape.Face(points, frame, Deformation(eyes=1.5, mouth=0.7)).moved(points.astype(float))

    def size(where, one, other):
        return np.linalg.norm(where[one] - where[other])

    assert size(big, 33, 133) == pytest.approx(1.5 * size(points, 33, 133), rel=0.1)
    assert size(big, 159, 145) == pytest.approx(1.5 * size(points, 159, 145), rel=0.12)
    assert size(big, 61, 291) == pytest.approx(0.7 * size(points, 61, 291), rel=0.1)


@pytest.fixture(scope="module")
def seen():
    """One person as photographed and as two characters are built, by G-buffers."""
    gl = context.get()
    model = person.sample(3, 5).shoot(0)
    view = camera.sample(np.random.default_rng(0), model, "portrait", (192, 192))
    light = lights.neutral()
    photo = gbuffer.draw(gl, model, view, light)
    made = {}
    for name, form in zip(("chibi", "slender"), FORMS, strict=False):
        after = deform.deformed(model, form)
        own = deform.framed(view, model, after)
        drawn = gbuffer.draw(gl, after, own, light)
        places, valid = correspondence.dense(drawn, correspondence.before(gl, own), photo, view)
        made[name] = SimpleNamespace(after=after, view=own, drawn=drawn, places=places, valid=valid)
    return model, view, photo, made


@pytest.mark.slow
@pytest.mark.parametrize("name", ["chibi", "slender"])
def test_the_correspondence_is_exact_against_the_geometry(seen, name):
    model, view, _, made = seen
    one = made[name]
    skins = [next(mesh for mesh in m.meshes if mesh.part == "skin") for m in (model, one.after)]
    there, here = (
        camera_.project(skin.positions) for camera_, skin in zip((view, one.view), skins, strict=True)
    )
    corner = np.floor(here[:, :2] - 0.5).astype(int)
    share = here[:, :2] - 0.5 - corner
    found, known = np.zeros_like(share), ((corner >= 0) & (corner < 191)).all(1)
    depth = np.where(known, 0.0, np.inf)
    corner = corner.clip(0, 190)
    for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
        column, line = corner[:, 0] + dx, corner[:, 1] + dy
        known &= one.valid[line, column]
        weight = np.abs(1 - dx - share[:, 0]) * np.abs(1 - dy - share[:, 1])
        found += weight[:, None] * one.places[line, column]
        depth = np.maximum(depth, np.abs(one.drawn.depth[2 * line, 2 * column] - here[:, 2]))
    known &= depth < 0.006  # the vertex is what is seen there
    assert known.sum() > 300
    gap = np.linalg.norm(found - (there[:, :2] - 0.5), axis=1)[known]
    assert np.median(gap) < 0.1 and np.percentile(gap, 95) < 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["chibi", "slender"])
def test_it_brings_labels_and_landmarks_of_the_photo_to_the_drawing(seen, name):
    model, view, photo, made = seen
    one = made[name]
    there, here = views.labels(photo.label), views.labels(one.drawn.label)
    assert one.valid[here > 0].mean() > 0.6
    x, y = np.rint(one.places[one.valid]).astype(int).T
    assert (there[y.clip(0, 191), x.clip(0, 191)] == here[one.valid]).mean() > 0.95
    shown = one.after.landmarks
    at = one.view.project(shown)[:, :2] - 0.5
    column, line = np.rint(at).astype(int).T
    inside = (column >= 0) & (line >= 0) & (column < 192) & (line < 192)
    inside[inside] &= one.valid[line[inside], column[inside]]
    truth = view.project(model.landmarks)[inside, :2] - 0.5
    gap = np.linalg.norm(one.places[line[inside], column[inside]] - truth, axis=1)
    assert inside.sum() > 200 and np.median(gap) < 0.8


@pytest.mark.slow
def test_a_deformed_head_has_its_size_and_its_frame(seen):
    model, view, _, made = seen
    chibi = made["chibi"]

    def tall(m, camera_):
        top = np.concatenate([mesh.positions for mesh in m.meshes])
        points = camera_.project(np.stack([top[top[:, 1].argmax()], m.landmarks[152]]))
        return points[1, 1] - points[0, 1]

    assert tall(chibi.after, chibi.view) == pytest.approx(tall(model, view), rel=0.1)
    wide = [np.linalg.norm(m.landmarks[234] - m.landmarks[454]) for m in (model, chibi.after)]
    assert wide[1] / wide[0] == pytest.approx(FORMS[0].head, rel=0.12)
    normals = np.concatenate([mesh.normals for mesh in chibi.after.meshes])
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-3)


def test_places_are_kept_to_a_sixteenth_of_a_pixel():
    places = np.array([[[0.0, 3.27], [400.01, -2.0]]], np.float32)
    kept = correspondence.stored(places, np.array([[True, False]]), 512)
    np.testing.assert_allclose(kept[0, 0] / 16, places[0, 0], atol=1 / 32)
    assert (kept[0, 1] == 65535).all()


@pytest.mark.slow
def test_a_rendered_set_keeps_the_correspondence_of_deformed_characters_alone(tmp_path):
    request = {"people": 1, "shots": 1, "size": 64, "workers": 1, "characters": ("romance", "chibi")}
    assert [row["characters"] for row in rendering.render_set(tmp_path, **request)] == [["romance", "chibi"]]
    places = {name: tmp_path / "characters" / name / "0001" for name in ("romance", "chibi")}
    assert not (places["romance"] / "correspondence.npz").exists()
    assert (places["chibi"] / "palette.png").is_file()
    with np.load(places["chibi"] / "correspondence.npz") as kept:
        assert kept["places"].shape == (64, 64, 2) and kept["places"].dtype == np.uint16
        known = kept["places"] < 65535
        assert known.any() and kept["places"][known].max() <= 63 * 16
        assert kept["landmarks"].shape == (468, 3) and kept["irises"].shape == (2, 5, 2)
        assert kept["visible"].dtype == bool
