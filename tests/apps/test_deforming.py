"""People in a character's proportions, bodies and faces, in pictures and steadily in video."""

from fractions import Fraction

import numpy as np
import pytest
from full_figure import room, scene

from wbme.apps import pictures
from wbme.apps import video as stylise
from wbme.apps.bodies import Bodies
from wbme.apps.deforming import Deformer
from wbme.apps.heads import head_of
from wbme.base.errors import ParameterError
from wbme.media import images, video
from wbme.people import sheet
from wbme.perception import pose
from wbme.perception.faces import detect
from wbme.synth.figure import Figure, Placement


@pytest.fixture(scope="module")
def portrait(astronaut):
    return np.ascontiguousarray(astronaut[:300, 60:380])


@pytest.fixture(scope="module")
def faces(portrait):
    return detect(portrait, irises=False)


def eyes_apart(face):
    return np.linalg.norm(face.landmarks[33, :2] - face.landmarks[263, :2])


def test_eyes_grow_in_the_picture_and_in_what_is_found_there(portrait, faces):
    after, told = Deformer("chibi", 0.6).picture(portrait, faces)
    assert np.abs(after - portrait).max() > 0.2
    assert (after[:, 300:] == portrait[:, 300:]).all()
    seen = detect(after, irises=False)[0]
    tall = [np.ptp(one.landmarks[[159, 145], 1]) for one in (faces[0], seen, told[0])]
    assert tall[1] > 1.15 * tall[0]
    assert eyes_apart(told[0]) > eyes_apart(faces[0])
    still, _ = Deformer("chibi", 0.0).picture(portrait, faces)
    np.testing.assert_array_equal(still, portrait)


def test_a_video_starts_at_once_holds_still_and_fades_out(portrait, faces):
    deformer = Deformer("slender", 0.8)
    first = deformer.frame(portrait, faces, 0.04)
    whole, _ = Deformer("slender", 0.8).picture(portrait, faces)
    np.testing.assert_allclose(first, whole, atol=1e-5)
    later = [deformer.frame(portrait, None, 0.04) for _ in range(4)]
    assert np.abs(later[-1] - later[-2]).mean() < 2e-4
    blank = np.full_like(portrait, 0.5)
    for _ in range(30):
        out = deformer.frame(blank, [], 0.1)
    np.testing.assert_array_equal(out, blank)
    assert deformer.frame(blank, None, 0.04) is blank  # nobody is followed any more


def test_noise_moves_a_followed_face_less_than_one_found_anew(portrait, faces):
    rng = np.random.default_rng(0)
    deformer, alone = Deformer("chibi", 0.8), Deformer("chibi", 0.8)
    followed, anew = [], []
    for _ in range(6):
        noisy = np.clip(portrait + 0.05 * rng.standard_normal(portrait.shape, np.float32), 0, 1)
        deformer.frame(noisy, faces if not followed else None, 0.04)
        alone.reset()
        alone.frame(noisy, detect(noisy, irises=False), 0.04)
        followed.append(deformer._faces[0].mesh)
        anew.append(alone._faces[0].mesh)
    assert np.diff(followed, axis=0).std() < 0.6 * np.diff(anew, axis=0).std()


def test_pictures_and_videos_are_reshaped_before_they_are_drawn(stylizer, portrait, tmp_path):
    images.write(tmp_path / "a.png", portrait)
    with video.Writer(tmp_path / "a.mp4", fps=10) as writer:
        for k in range(3):
            writer.write(np.uint8(portrait * 255), Fraction(k, 10))
    plain = pictures.convert(stylizer, tmp_path / "a.png", tmp_path / "plain.png")
    deformer = Deformer("chibi")
    other = pictures.convert(stylizer, tmp_path / "a.png", tmp_path / "chibi.png", deformer=deformer)
    assert plain.faces == other.faces == 1
    one, two = (images.read(tmp_path / name).rgb for name in ("plain.png", "chibi.png"))
    assert one.shape == two.shape and np.abs(one - two)[80:200, 100:220].mean() > 0.01
    done = stylise.convert(stylizer, tmp_path / "a.mp4", tmp_path / "b.mp4", deformer=deformer)
    frames = [frame.rgb_u8 / 255 for frame in video.frames(tmp_path / "b.mp4")]
    assert done.frames == 3 and np.abs(frames[0] - frames[-1]).mean() < 0.02


@pytest.fixture(scope="module")
def standing():
    picture = scene(0)
    return picture, detect(picture, irises=False)


@pytest.fixture
def character(tmp_path):
    """A sheet of its own, of a smaller head and longer legs, and of nothing else."""
    text = sheet.path("slender").read_text()
    head, rest = text.split("deformation:\n")
    others = rest[rest.index("ink:") :]
    file = tmp_path / "small.yaml"
    file.write_text(f"{head}deformation: {{head: 0.8, legs: 1.3}}\n{others}")
    return str(file)


def face_width(face):
    return np.linalg.norm(face.landmarks[234, :2] - face.landmarks[454, :2])


@pytest.mark.slow
def test_a_whole_figure_changes_and_its_head_shrinks_once(standing, character):
    picture, faces = standing
    deformer = Deformer(character, 1.0)
    after, told = deformer.picture(picture, faces)
    (body,) = pose.detect(picture)
    n = Placement(Figure(body.points), deformer.form, standing=True).n
    assert face_width(told[0]) / face_width(faces[0]) == pytest.approx(0.8 * n, rel=0.06)
    seen = detect(after, irises=False)[0]
    assert np.median(np.linalg.norm((seen.landmarks - told[0].landmarks)[:, :2], axis=1)) < 2
    assert head_of(told[0]).face < head_of(faces[0]).face
    assert told[0].size < faces[0].size and told[0].keypoints.shape == (6, 2)
    same, kept = Deformer(character, 0.0).picture(picture, faces)
    np.testing.assert_array_equal(same, picture)
    np.testing.assert_allclose(kept[0].landmarks, faces[0].landmarks, atol=1e-6)


@pytest.mark.slow
def test_a_body_without_a_face_is_reshaped(standing):
    picture, _ = standing
    after, told = Deformer("slender", 1.0).picture(picture, [])
    assert told == [] and np.abs(after - picture)[150:300].mean() > 0.005


@pytest.mark.slow
def test_a_body_in_a_video_starts_at_once_holds_still_and_a_new_scene_forgets_it(standing):
    picture, faces = standing
    deformer = Deformer("slender", 0.8)
    first = deformer.frame(picture, faces, 0.04)
    whole, _ = Deformer("slender", 0.8).picture(picture, faces)
    assert np.abs(first - whole).mean() < 0.01 and np.abs(first - picture).mean() > 0.02
    later = [deformer.frame(picture, None, 0.04) for _ in range(6)]
    assert np.abs(later[-1] - later[-2]).mean() < 2e-3
    (head,) = deformer.heads([head_of(faces[0])])
    assert head.face < head_of(faces[0]).face
    blank = room(384, 384)
    faded = [np.abs(deformer.frame(blank, [], 0.4) - blank).mean() for _ in range(8)]
    assert faded[0] > 0 and faded[-1] == 0
    deformer.frame(picture, faces, 0.04)
    deformer.reset()
    assert deformer.frame(blank, [], 0.04) is blank


@pytest.mark.slow
def test_noise_moves_a_followed_body_less_than_one_found_anew(standing):
    picture, _ = standing
    rng = np.random.default_rng(0)
    bodies = Bodies()
    followed, anew = [], []
    for k in range(8):
        noisy = np.clip(picture + 0.05 * rng.standard_normal(picture.shape, np.float32), 0, 1)
        followed.append(bodies.frame(noisy, k == 0, 0.04)[0].points[11:33, :2])
        anew.append(pose.detect(noisy, tiled=False)[0].points[11:33, :2])
    assert np.diff(followed[1:], axis=0).std() < 0.6 * np.diff(anew, axis=0).std()


@pytest.mark.slow
def test_a_body_that_walks_is_followed_and_two_are_each_their_own():
    bodies = Bodies()
    for k in range(6):
        people = bodies.frame(scene(4 * k, 220, width=640), k == 0, 0.04)
        assert len(people) == 2
    (found,) = pose.detect(scene(20, width=640))
    walker = min(people, key=lambda person: person.points[0, 0])
    assert np.abs(walker.points[:, :2] - found.points[:, :2]).mean() < 8
    assert all(person.weight > 0.9 for person in people)


def test_bad_wishes_are_one_sentence():
    with pytest.raises(ParameterError, match="keeps the person's own geometry"):
        Deformer("romance")
    with pytest.raises(ParameterError, match="strength is -1"):
        Deformer("chibi", -1)
