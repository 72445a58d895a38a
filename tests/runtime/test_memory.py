"""Memory is that of the network's own process: it grows with the picture and not with the caller."""

import numpy as np
import pytest

from wbme.base.errors import ModelError
from wbme.runtime import memory


@pytest.mark.slow
def test_it_grows_with_the_picture_and_not_with_this_process(files):
    small = memory.measure(files["onnx"], "onnxruntime", [[1, 3, 64, 64]])
    held = np.ones(100_000_000)  # 800 MB
    again = memory.measure(files["onnx"], "onnxruntime", [[1, 3, 64, 64]])
    large = memory.measure(files["onnx"], "onnxruntime", [[1, 3, 1024, 1024]])
    assert held.nbytes / 1e6 > small.peak > small.library > 10
    assert again.peak == pytest.approx(small.peak, rel=0.1)
    assert large.peak > small.peak + 1024 * 1024 * 8 * 4 / 1e6  # at least the first layer's eight channels


def test_a_network_that_cannot_run_is_one_sentence(files):
    with pytest.raises(ModelError, match=r"could not be measured: .*input image.*must be"):
        memory.measure(files["onnx"], "onnxruntime", [[1, 4, 64, 64]])
