"""An engine is built and looked at without a GPU where TensorRT for RTX is installed; where it cannot run,
one sentence says so. What runs on a GPU is tested only beside one."""

import numpy as np
import pytest

from wbme.base.errors import ModelError
from wbme.runtime import tensorrt_rtx

SIZES = {"smallest": (16, 16), "usual": (32, 48), "largest": (64, 64)}
installed = pytest.mark.skipif(
    "tensorrt_rtx" not in tensorrt_rtx.installed(), reason="needs tensorrt-rtx-cu13"
)


@pytest.fixture(scope="module")
def engine(files, tmp_path_factory):
    path = tmp_path_factory.mktemp("engine") / "net.engine"
    return tensorrt_rtx.build(files["onnx"], path, "tensorrt_rtx", **SIZES)


@installed
def test_the_engine_is_a_file_and_its_network_is_the_graph(engine):
    assert engine.path.stat().st_size == pytest.approx(engine.megabytes * 1e6)
    assert engine.library == "TensorRT for RTX" and engine.version
    assert [(t.name, t.dtype) for t in engine.inputs] == [("image", "float32")]
    assert engine.inputs[0].shape == (None, 3, None, None) or engine.inputs[0].shape == (1, 3, None, None)
    assert engine.layers["CONVOLUTION"] == 2


@installed
@pytest.mark.skipif(not tensorrt_rtx.lacking(), reason="this machine has a GPU")
def test_without_a_gpu_one_sentence_says_why_it_cannot_run(engine):
    with pytest.raises(ModelError, match="no NVIDIA GPU"):
        tensorrt_rtx.TensorRtBackend(engine.path, "tensorrt_rtx")


@installed
@pytest.mark.skipif(bool(tensorrt_rtx.lacking()), reason="needs an NVIDIA GPU")
def test_on_a_gpu_it_computes_what_torch_computes(engine, module):
    import torch

    x = np.random.default_rng(0).random((1, 3, 40, 56), np.float32)
    run = tensorrt_rtx.TensorRtBackend(engine.path, "tensorrt_rtx")
    with torch.no_grad():
        wanted = module(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(run(x)[0], wanted, atol=2e-3)  # TF32
    with pytest.raises(ModelError, match="was not built for"):
        run(np.zeros((1, 3, 80, 80), np.float32))


@installed
def test_what_is_no_graph_or_cannot_be_built_is_one_sentence(tmp_path, files):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no graph")
    with pytest.raises(ModelError, match=r"cannot parse .*broken\.onnx"):
        tensorrt_rtx.build(broken, tmp_path / "e", "tensorrt_rtx", **SIZES)
    with pytest.raises(ModelError, match=r"cannot build .* ask for"):
        tensorrt_rtx.build(files["onnx"], tmp_path / "e", "tensorrt_rtx", **SIZES | {"largest": (8, 8)})
    with pytest.raises(ModelError, match="there is no network file"):
        tensorrt_rtx.build(tmp_path / "none.onnx", tmp_path / "e", "tensorrt_rtx", **SIZES)
    assert not (tmp_path / "e").exists()


def test_a_library_that_is_missing_or_unknown_is_said(tmp_path, files, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "tensorrt_rtx", None)
    assert "tensorrt_rtx" not in tensorrt_rtx.installed()
    with pytest.raises(ModelError, match="pip install tensorrt-rtx-cu13"):
        tensorrt_rtx.build(files["onnx"], tmp_path / "e", "tensorrt_rtx", **SIZES)
    with pytest.raises(ModelError, match="known are tensorrt, tensorrt_rtx"):
        tensorrt_rtx.build(files["onnx"], tmp_path / "e", "tensorflow", **SIZES)
