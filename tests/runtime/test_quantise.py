"""A student in int8: near fp32 on both runtimes, its controls live; else one sentence."""

import json

import numpy as np
import onnx
import pytest
import skimage.data
import torch

from wbme import runtime
from wbme.apps.stylizer import Stylizer
from wbme.base.errors import ModelError, ParameterError
from wbme.nets.student import Student
from wbme.runtime import export, quantise


def pictures(count, high=96, wide=128):
    """Cuts of a photograph, N x 3 x H x W each."""
    rgb = skimage.data.astronaut().astype(np.float32) / 255
    tops = np.linspace(0, 512 - high, count).astype(int)
    across = np.arange(160, 160 + wide) % 512
    return [rgb[None, top : top + high, across].transpose(0, 3, 1, 2).copy() for top in tops]


@pytest.fixture(scope="module", params=["layered", "plain"])
def folder(request, tmp_path_factory):
    """The student that comes with wbme, whose ink is as sure as one learns to draw it; a random plain one."""
    torch.manual_seed(5)
    if request.param == "layered":
        net = export.load_model(export.model_folder("student"))[0].recast(("a", "b"))
    else:
        net = Student("S4-48", request.param, ("a", "b"))
        torch.nn.init.normal_(net.out.weight, 0, 1e-3)
    place = tmp_path_factory.mktemp("model")
    export.save_model(place, net.eval(), export.make_card("toon", net))
    return place


@pytest.fixture(scope="module")
def quick(folder, tmp_path_factory):
    place = tmp_path_factory.mktemp("int8")
    (place / "model.onnx").write_bytes(quantise.int8_bytes(folder, pictures(4)))
    card = json.loads((folder / "model.json").read_text())
    (place / "model.json").write_text(json.dumps(card | {"int8": {}}))
    return place


@pytest.mark.slow  # nncf takes seconds to import
@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_int8_is_near_fp32_at_any_size_and_its_controls_stay_live(folder, quick, backend):
    exact, fast = (runtime.load(one / "model.onnx", backend, threads=1) for one in (folder, quick))
    assert fast.inputs == exact.inputs and fast.outputs == exact.outputs
    card = json.loads((folder / "model.json").read_text())
    for changes in ({}, {"levels": 4.0, "line_threshold": -2.0, "saturation": 0.0}):
        known = {name: value for name, value in changes.items() if name in card["controls"]}
        controls = [value.numpy() for value in export.control_values(card, **known).values()]
        for high, wide in ((96, 128), (64, 72)):
            [picture] = pictures(1, high, wide)
            [wanted], [got] = exact(picture, *controls), fast(picture, *controls)
            assert got.min() >= 0 and got.max() <= 1
            # Of four tones, a few pixels at their borders take the other one.
            assert -10 * np.log10(np.square(got - wanted).mean()) > (34 if known else 38)
            if known:  # no chroma: what the control asks, to the ink's colour
                assert np.abs(np.ptp(got, axis=1)).max() < 0.1


@pytest.mark.slow
def test_only_the_network_is_in_int8(quick):
    graph = onnx.load(quick / "model.onnx").graph
    made = {out: node for node in graph.node for out in node.output}
    fed = [
        made[node.input[0]].name
        for node in graph.node
        if node.op_type == "QuantizeLinear" and node.input[0] in made
    ]
    assert runtime.load(quick / "model.onnx", "openvino", dtype="auto").precision == "fp32"
    assert len(fed) > 10 and all(name.startswith("/net/") for name in fed)
    for node in graph.node:
        if node.op_type == "Conv":
            quantised = made[node.input[1]].op_type == "DequantizeLinear" if node.input[1] in made else False
            assert quantised == node.name.startswith(
                ("/net/stem", "/net/en", "/net/d", "/net/up", "/net/le", "/net/out", "/net/gate")
            )


@pytest.mark.slow
def test_a_user_draws_with_it_as_with_its_model(folder, quick):
    rgb = pictures(1, 70, 90)[0][0].transpose(1, 2, 0).copy()
    drawn, wanted = (Stylizer(one, threads=1).picture(rgb, []) for one in (quick, folder))
    assert drawn.shape == rgb.shape and np.abs(drawn - wanted).mean() < 0.01
    with pytest.raises(ModelError, match="toon draws in one way: choose a student for character"):
        export.folded(quick, "b")
    raw = (quick / "model.onnx").read_bytes()
    (quick / "model.onnx").write_bytes(raw[: len(raw) // 2])
    try:
        with pytest.raises(ModelError, match=r"cannot load .*model\.onnx.*export it again"):
            Stylizer(quick)
    finally:
        (quick / "model.onnx").write_bytes(raw)


def test_the_recorder_keeps_what_the_network_sees(folder):
    recorder = quantise.Recorder(runtime.load(folder / "model.onnx", layout="nhwc", threads=1))
    stylizer = Stylizer(folder, net=recorder)
    rgb = pictures(1, 70, 600)[0][0].transpose(1, 2, 0).copy()
    assert np.array_equal(stylizer.picture(rgb, []), Stylizer(folder, threads=1).picture(rgb, []))
    [frame] = recorder.frames
    assert frame.shape == (1, 3, 96, 512)  # padded to 96 x 608, its middle
    assert np.array_equal(frame[0, :, :70], rgb[:, 48:560].transpose(2, 0, 1))


def test_what_cannot_be_quantised_is_one_sentence(folder, tmp_path):
    with pytest.raises(ParameterError, match="no photographs to calibrate toon by: give at least one"):
        quantise.int8_bytes(folder, [])
    card = json.loads((folder / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps(card | {"architecture": "unet-resnet34"}))
    with pytest.raises(ModelError, match="toon is a unet-resnet34: only students are quantised"):
        quantise.int8_bytes(tmp_path, pictures(1))


@pytest.mark.slow
def test_a_damaged_graph_is_one_sentence(folder, tmp_path):
    (tmp_path / "model.json").write_text((folder / "model.json").read_text())
    (tmp_path / "model.onnx").write_bytes((folder / "model.onnx").read_bytes()[:5000])
    with pytest.raises(ModelError, match=r"model\.onnx cannot be quantised: .*; export it again"):
        quantise.int8_bytes(tmp_path, pictures(1))
