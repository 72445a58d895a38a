"""Faces in a character's proportions, in pictures and steadily in video."""

from fractions import Fraction

import numpy as np
import pytest

from wbme.apps import pictures
from wbme.apps import video as stylise
from wbme.apps.deforming import Deformer
from wbme.base.errors import ParameterError
from wbme.media import images, video
from wbme.perception.faces import detect


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


def test_bad_wishes_are_one_sentence():
    with pytest.raises(ParameterError, match="keeps the person's own geometry"):
        Deformer("romance")
    with pytest.raises(ParameterError, match="strength is -1"):
        Deformer("chibi", -1)
