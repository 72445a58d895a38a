"""Restyling: the network runs once a picture, and its head alone draws what the whole graph draws."""

import numpy as np
import pytest
import torch

from wbme.apps.restyling import Restyler
from wbme.apps.stylizer import Stylizer
from wbme.base.errors import ParameterError
from wbme.runtime import export

SETTINGS = (
    {},
    {"line_threshold": -1.5, "levels": 4.0, "softness": 0.3, "saturation": 1.5},
    {"line_gain": 1.0, "phase": 0.5, "lift": 0.8, "ink_colour": [0.5, 0.0, 0.1]},
)


@pytest.fixture(scope="module")
def folder():
    return export.model_folder("student")


@pytest.fixture(scope="module")
def student(folder):
    return Restyler(folder)


@pytest.fixture
def subject(student, astronaut):
    return student.subject(astronaut[:200, 140:330])


@pytest.mark.slow
@pytest.mark.parametrize("controls", SETTINGS)
def test_the_head_alone_draws_what_the_whole_draws(folder, student, subject, controls):
    again = subject.draw(controls)
    values = {**student.stylizer.card["controls"], **controls}
    values["phase"] = (values["levels"] * subject.luma + values["phase"]) % 1
    with torch.inference_mode():
        image = torch.from_numpy(subject.rgb).permute(2, 0, 1)[None].contiguous()
        whole = student.net.drawing(image, *export.control_values({"controls": values}).values())
    assert (again == whole[0].permute(1, 2, 0).numpy()).all()
    exported = Stylizer(folder, threads=1, controls=controls).draw(subject.rgb, [], subject.luma, scale=1.0)
    assert np.abs(again - exported).max() < 1e-3


@pytest.mark.slow
def test_the_network_runs_once_a_picture(student, astronaut):
    ran = []
    hook = student.net.drawing.net.register_forward_hook(lambda *_: ran.append(1))
    one = student.subject(astronaut[100:228, 100:228])
    for controls in SETTINGS:
        one.draw(controls)
    one.ink(0.0, 4.0)
    assert len(ran) == 1
    student.subject(astronaut[101:229, 100:228]).draw({})
    assert len(ran) == 2
    hook.remove()


@pytest.mark.slow
def test_ink_is_what_lies_over_the_tones(subject):
    white, black = (subject.draw({"ink_colour": [share] * 3}) for share in (1.0, 0.0))
    np.testing.assert_allclose(subject.ink(-0.3, 4.0), (white - black).mean(2), atol=1e-5)


@pytest.mark.slow
def test_what_cannot_be_drawn_is_one_sentence(student, subject):
    assert subject.rgb.shape == (192, 160, 3)
    with pytest.raises(ParameterError, match="a picture of 70 x 50 is too small: give 64 x 64"):
        student.subject(np.zeros((50, 70, 3), np.float32))
    with pytest.raises(ParameterError, match="levels must be a number from 2 to 64"):
        subject.draw({"levels": 100})
