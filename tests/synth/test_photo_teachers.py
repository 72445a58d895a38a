"""Teachers of photographs: which there are, what they need, and that their layers make their drawing."""

import pickle

import numpy as np
import pytest
import torch

from wbme.base.errors import ParameterError
from wbme.nets.animegan import AnimeGANv2
from wbme.synth import composite, photo_teachers, teachers
from wbme.synth.compose import Ink, Texture
from wbme.synth.teachers import TextureTeacher

TEXTURE = TextureTeacher(Texture(), Ink())


@pytest.fixture
def rgb():
    y, x = np.mgrid[0:1:64j, 0:1:96j]
    return np.dstack([x, y, np.hypot(x - 0.5, y - 0.5) < 0.3]).astype(np.float32)


@pytest.mark.parametrize("kind", ["texture", "plate"])
def test_filters_give_a_base_and_its_ink(kind, rgb):
    teacher = pickle.loads(pickle.dumps(photo_teachers.opened(kind, None, TEXTURE)))
    base, ink = teacher(rgb)
    assert base.shape == rgb.shape and ink.shape == rgb.shape[:2]
    assert min(base.min(), ink.min()) >= 0 and max(base.max(), ink.max()) <= 1
    np.testing.assert_array_equal(teacher(rgb)[0], base)


def test_the_drawing_of_a_network_is_parted_into_layers(tmp_path, rgb):
    torch.manual_seed(0)
    path = tmp_path / "face_paint.pt"
    net = AnimeGANv2().eval()
    torch.save(net.state_dict(), path)
    base, ink = photo_teachers.opened("animegan", path, TEXTURE)(rgb)
    drawn = np.clip(teachers.redrawn(net, rgb), 0, 1)
    assert np.abs(composite.inked(base, ink) - drawn).mean() < 0.02


@pytest.mark.parametrize(
    ("kind", "weights", "said"),
    [
        ("cartoon", None, "no teacher 'cartoon'"),
        ("animegan", None, "needs its weights"),
        ("plate", "a.pt", "leave the path empty"),
    ],
)
def test_what_does_not_fit_is_one_sentence(kind, weights, said):
    with pytest.raises(ParameterError, match=said):
        photo_teachers.opened(kind, weights, TEXTURE)
