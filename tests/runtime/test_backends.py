"""Every backend computes the same, in every layout, and says in one sentence what does not fit."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from wbme import runtime
from wbme.base.errors import ModelError

WAYS = [("torch", "module"), ("onnxruntime", "onnx"), ("openvino", "onnx"), ("openvino", "xml")]


def load(way, module, files, **options):
    backend, kind = way
    return runtime.load(module if kind == "module" else files[kind], backend, threads=1, **options)


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((1, 3, height, width), np.float32)


@pytest.fixture
def reference(module):
    import torch

    def run(array):
        with torch.no_grad():
            return module(torch.from_numpy(array)).numpy()

    return run


def to_nhwc(array):
    return np.ascontiguousarray(array.transpose(0, 2, 3, 1))


@pytest.mark.parametrize("way", WAYS, ids=str)
@pytest.mark.parametrize("size", [(32, 40), (17, 23), (64, 9)])
def test_float_agrees_at_any_size(way, size, module, files, reference):
    x = picture(*size)
    (y,) = load(way, module, files)(x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, reference(x), atol=1e-4)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_nhwc_is_the_same_picture_turned(way, module, files, reference):
    x = picture(12, 20)
    (y,) = load(way, module, files, layout="nhwc")(to_nhwc(x))
    np.testing.assert_allclose(y, to_nhwc(reference(x)), atol=1e-4)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_u8_is_float_rounded_and_clipped(way, module, files, reference):
    u = np.random.default_rng(1).integers(0, 256, (1, 31, 18, 3), np.uint8)
    (y,) = load(way, module, files, u8=True)(u)
    exact = to_nhwc(reference(np.ascontiguousarray(u.transpose(0, 3, 1, 2)) / np.float32(255)))
    assert (exact < 0).any() and (exact > 1).any()
    expected = np.rint(255 * exact.clip(0, 1))
    assert y.dtype == np.uint8 and y.shape == u.shape
    difference = np.abs(y.astype(int) - expected)
    assert difference.max() <= 1
    # Only values on the edge between two levels may fall either way.
    edge = np.abs(255 * exact.clip(0, 1) % 1 - 0.5)
    assert edge[difference > 0].max(initial=0) < 1e-2


@pytest.mark.parametrize("way", WAYS[1:], ids=str)
def test_specs_say_what_is_given_and_returned(way, module, files):
    plain = load(way, module, files)
    assert (plain.inputs[0].name, plain.outputs[0].name) == ("image", "toon")
    assert plain.inputs[0].shape == plain.outputs[0].shape == (1, 3, None, None)
    bytes_ = load(way, module, files, u8=True)
    assert str(bytes_.inputs[0]) == str(bytes_.outputs[0]) == "uint8 [1, ?, ?, 3]"
    assert bytes_.inputs[0].name == "image"


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_odd_memory_layouts_and_threads_give_the_same(way, module, files, reference):
    net = load(way, module, files)
    x = picture(16, 16)
    frozen = x.copy()
    frozen.flags.writeable = False
    for same in (x[:, :, ::-1][:, :, ::-1], np.asfortranarray(x), frozen):
        np.testing.assert_allclose(net(same)[0], reference(x), atol=1e-4)
    many = [picture(16, 16, seed) for seed in range(12)]
    with ThreadPoolExecutor(4) as pool:
        for array, (y,) in zip(many, pool.map(net, many), strict=True):
            np.testing.assert_allclose(y, reference(array), atol=1e-4)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_outputs_and_inputs_are_not_overwritten_by_the_next_call(way, module, files, reference):
    net = load(way, module, files)
    x = picture(8, 8)
    kept = x.copy()
    (first,) = net(x)
    before = first.copy()
    net(1 - x)
    np.testing.assert_array_equal(first, before)
    np.testing.assert_array_equal(x, kept)


def test_a_module_that_works_in_place_leaves_the_callers_array_alone():
    import torch

    x = -picture(4, 4)
    assert runtime.load(torch.nn.ReLU(inplace=True), "torch")(x)[0].max() == 0
    assert x.min() < 0


def two_inputs(path, opset=18, kind=onnx.TensorProto.FLOAT):
    """An ONNX network toon = image * gain, with gain of 1 x 1, and the sum of cond as a second output."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node("Mul", ["image", "gain"], ["toon"]),
            helper.make_node("ReduceMax", ["cond"], ["top"], keepdims=1),
        ],
        "two",
        [value("image", kind, [1, 3, "h", "w"]), value("cond", onnx.TensorProto.FLOAT, [1, 5])],
        [value("toon", kind, [1, 3, "h", "w"]), value("top", onnx.TensorProto.FLOAT, [1, 1])],
        [numpy_helper.from_array(np.array(0.5, helper.tensor_dtype_to_np_dtype(kind)), "gain")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), path)
    return path


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("kind", [onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16])
def test_u8_leaves_what_is_no_image_alone(backend, kind, tmp_path):
    net = runtime.load(two_inputs(tmp_path / "two.onnx", kind=kind), backend, u8=True)
    u = np.full((1, 6, 7, 3), 201, np.uint8)
    toon, top = net(u, np.arange(5, dtype=np.float32)[None])
    assert top.dtype == np.float32 and top.item() == 4
    assert toon.dtype == np.uint8 and np.abs(toon.astype(int) - 100.5).max() <= 0.5


def test_bfloat16_is_used_only_when_asked(files, reference):
    x = picture(32, 32)
    exact = runtime.load(files["onnx"])(x)[0]
    quick = runtime.load(files["onnx"], dtype="auto")(x)[0]
    assert np.abs(exact - reference(x)).max() < 1e-4
    assert np.abs(quick - reference(x)).max() < 0.1


@pytest.mark.parametrize("way", WAYS[1:], ids=str)
@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ([], r"takes 1 input\(s\) \(image\), but got 0"),
        ([picture(8, 8), picture(8, 8)], "but got 2"),
        ([picture(8, 8)[0]], r"must be float32 \[1, 3, \?, \?\], but is float32 \[3, 8, 8\]"),
        ([picture(8, 8).astype(np.float64)], "but is float64"),
        ([picture(8, 8)[:, :2]], r"but is float32 \[1, 2, 8, 8\]"),
        ([[[1.0]]], "must be a NumPy array, but is list"),
    ],
)
def test_wrong_inputs_get_one_sentence(way, arrays, words, module, files):
    with pytest.raises(ModelError, match=words) as caught:
        load(way, module, files)(*arrays)
    assert "\n" not in str(caught.value) and "net." in str(caught.value)


def test_wrong_inputs_of_a_module_get_one_sentence(module):
    net = runtime.load(module, "torch")
    for arrays in ([], [picture(8, 8)] * 2, [picture(8, 8)[:, :2]], [picture(8, 8).astype(np.float64)]):
        with pytest.raises(ModelError) as caught:
            net(*arrays)
        assert "\n" not in str(caught.value) and "Sequential" in str(caught.value)
    with pytest.raises(
        ModelError, match=r"needs an image as uint8 N x H x W x C, but got float32 \[1, 3, 8, 8\]"
    ):
        runtime.load(module, "torch", u8=True)(picture(8, 8))


def test_optional_arguments_of_a_module_may_be_left_out_or_given():
    import torch

    class Net(torch.nn.Module):
        def forward(self, x, cond=None):
            return (x, x if cond is None else x + cond)

    net = runtime.load(Net(), "torch")
    assert [spec.name for spec in net.inputs] == ["x", "cond"]
    one = np.ones((1, 2), np.float32)
    assert net(one)[1].tolist() == [[1, 1]]
    assert net(one, one)[1].tolist() == [[2, 2]]
    for arrays in ((), (one, one, one)):
        with pytest.raises(ModelError, match="takes"):
            net(*arrays)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("data", [b"", b"not a network\n" * 20, "half"], ids=["empty", "text", "truncated"])
def test_broken_files_get_one_sentence(backend, data, files, tmp_path):
    path = tmp_path / "broken.onnx"
    whole = two_inputs(tmp_path / "whole.onnx").read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if data == "half" else data)
    for options in ({}, {"u8": True}):
        with pytest.raises(ModelError, match=r"broken\.onnx") as caught:
            runtime.load(path, backend, **options)
        assert "\n" not in str(caught.value)


def test_a_truncated_tflite_file_gets_one_sentence(tmp_path):
    (tmp_path / "broken.tflite").write_bytes(b"\x1c\0\0\0TFL3" + bytes(3000))
    with pytest.raises(ModelError, match=r"broken\.tflite"):
        runtime.load(tmp_path / "broken.tflite")


def test_what_cannot_be_loaded_is_said(module, files, tmp_path):
    with pytest.raises(
        ModelError, match="no backend is called 'tvm'; known are torch, onnxruntime, openvino"
    ):
        runtime.load(files["onnx"], "tvm")
    with pytest.raises(ModelError, match="there is no network file"):
        runtime.load(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match=r"it takes \.onnx"):
        runtime.load(files["xml"], "onnxruntime")
    with pytest.raises(ModelError, match="not Sequential"):
        runtime.load(module)
    with pytest.raises(ModelError, match="not files"):
        runtime.load(files["onnx"], "torch")
    with pytest.raises(ModelError, match="layout='hwc'"):
        runtime.load(files["onnx"], layout="hwc")
    with pytest.raises(ModelError, match="threads=0"):
        runtime.load(files["onnx"], threads=0)
    with pytest.raises(ModelError, match="opset 11"):
        runtime.load(two_inputs(tmp_path / "old.onnx", opset=11), "onnxruntime", u8=True)


def test_u8_of_a_network_without_an_image_is_refused(tmp_path):
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])],
        "vector",
        [value("x", onnx.TensorProto.FLOAT, [1, 8])],
        [value("y", onnx.TensorProto.FLOAT, [1, 8])],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8),
        tmp_path / "v.onnx",
    )
    for backend in ("onnxruntime", "openvino"):
        with pytest.raises(ModelError, match="no image input"):
            runtime.load(tmp_path / "v.onnx", backend, u8=True)


def test_a_backend_whose_library_is_missing_is_said_and_listed(files, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "wbme.runtime.onnxruntime_backend", None)
    with pytest.raises(ModelError, match="pip install onnxruntime"):
        runtime.load(files["onnx"], "onnxruntime")
    rows = {row.name: row for row in runtime.available()}
    assert rows["onnxruntime"].version == "" and rows["onnxruntime"].devices == ()
    assert rows["openvino"].version and rows["openvino"].devices
    assert "cpu" in rows["torch"].devices


def test_a_forward_with_named_and_further_arguments_takes_any_number_after_the_named(module):
    import torch

    class Controlled(torch.nn.Module):
        def forward(self, image, *controls):
            return image * sum(controls)

    run = runtime.load(Controlled(), "torch")
    (y,) = run(picture(8, 8), np.full(1, 2.0, np.float32), np.full(1, 3.0, np.float32))
    np.testing.assert_allclose(y, 5 * picture(8, 8), rtol=1e-6)
    with pytest.raises(ModelError, match=r"takes 1 input\(s\) \(image\), but got 0"):
        run()


def test_openvino_says_what_it_computes_in(files):
    import openvino as ov

    has = "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    assert runtime.load(files["onnx"], "openvino").precision == "fp32"
    assert runtime.load(files["onnx"], "openvino", dtype="auto").precision == ("bf16" if has else "fp32")
