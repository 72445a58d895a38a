"""What is no picture is refused in one sentence, and what nearly is one passes as it is."""

import numpy as np
import pytest

from wbme.base.errors import ParameterError
from wbme.color.inputs import check_picture


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (np.zeros((8, 8)), "height x width x 3"),
        (np.zeros((8, 8, 4), np.float32), "height x width x 3"),
        (np.zeros((0, 8, 3)), "height x width x 3"),
        (None, "height x width x 3"),
        (np.zeros((8, 8, 3), np.uint8), "divide uint8 by 255"),
        (np.full((8, 8, 3), np.nan), "NaN"),
        (np.full((8, 8, 3), np.inf), "NaN or infinity"),
        (np.full((8, 8, 3), 255.0), "from 255 to 255: scale it"),
        (np.full((8, 8, 3), -1.0), "from -1 to -1: scale it"),
    ],
)
def test_what_is_no_picture_is_refused(picture, words):
    with pytest.raises(ParameterError, match=words):
        check_picture(picture)


def test_what_resampling_overshoots_is_left_as_it_is():
    picture = np.full((6, 4, 3), 1.02)[::2]
    picture[0] = -0.02
    checked = check_picture(picture)
    assert checked.dtype == np.float32 and checked.flags.c_contiguous
    np.testing.assert_allclose(checked, picture, rtol=1e-6)
