"""The networks of the catalogue load in OpenVINO and have the tensors that the perception room counts on."""

import numpy as np
import pytest

from wbme import runtime
from wbme.base import assets

TENSORS = {
    "face_detection_short": ((1, 128, 128, 3), [(1, 896, 16), (1, 896, 1)]),
    "face_detection_full": ((1, 192, 192, 3), [(1, 2304, 16), (1, 2304, 1)]),
    "face_landmarks": ((1, 192, 192, 3), [(1, 1, 1, 1404), (1, 1, 1, 1)]),
    "iris_landmarks": ((1, 64, 64, 3), [(1, 213), (1, 15)]),
    "pose_detection": ((1, 224, 224, 3), [(1, 2254, 12), (1, 2254, 1)]),
    "pose_landmarks": ((1, 256, 256, 3), [(1, 195), (1, 1), (1, 256, 256, 1), (1, 64, 64, 39), (1, 117)]),
    "palm_detection": ((1, 192, 192, 3), [(1, 2016, 18), (1, 2016, 1)]),
    "hand_landmarks": ((1, 224, 224, 3), [(1, 63), (1, 1), (1, 1), (1, 63)]),
}


@pytest.mark.parametrize("name", TENSORS)
def test_a_catalogued_network_loads_and_runs(name):
    shape, outputs = TENSORS[name]
    net = runtime.load(assets.get(name), threads=1)
    assert [spec.shape for spec in net.inputs] == [shape]
    assert [spec.shape for spec in net.outputs] == outputs
    results = net(np.full(shape, 0.5, np.float32))
    assert all(np.isfinite(result).all() for result in results)


def test_bytes_and_other_layouts_of_a_tflite_network_mean_the_same_picture():
    path = assets.get("face_landmarks")
    u = np.random.default_rng(0).integers(0, 256, (1, 192, 192, 3), np.uint8)
    x = (u / 255).astype(np.float32)
    plain = runtime.load(path, threads=1)(x)
    for other in (
        runtime.load(path, u8=True, threads=1)(u),
        runtime.load(path, layout="nhwc", threads=1)(x),
        runtime.load(path, layout="nchw", threads=1)(np.ascontiguousarray(x.transpose(0, 3, 1, 2))),
    ):
        for want, got in zip(plain, other, strict=True):
            np.testing.assert_allclose(got, want, atol=2e-3)
