"""The exported prototype: equal to torch at any size, read back strictly, taken wherever a student is."""

import json

import numpy as np
import pytest
import torch

from wbme import runtime
from wbme.apps.stylizer import Stylizer
from wbme.base.errors import ModelError
from wbme.nets.unet import Generator
from wbme.runtime import export, unet_model

pytestmark = pytest.mark.slow  # fastai takes seconds to import


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "attention"])
def made(request, tmp_path_factory):
    torch.manual_seed(3)
    net = Generator(attention=request.param)
    with torch.no_grad():
        for name, value in net.state_dict().items():
            if name.endswith("running_mean"):
                value.normal_(0, 0.1)
            elif name.endswith("gamma"):
                value.fill_(0.5)  # as if the attention had been learned
    folder = tmp_path_factory.mktemp("model")
    card = unet_model.make_card("fastai", net, "romance", licence="Apache-2.0")
    unet_model.save(folder, net, card)
    return net.eval(), card, folder


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_the_graph_equals_torch_at_any_size(made, backend):
    net, _, folder = made
    network = runtime.load(folder / "model.onnx", backend, threads=1)
    assert [spec.name for spec in network.inputs] == ["image"]
    for number, high, wide in ((1, 64, 96), (2, 32, 64), (1, 160, 96)):
        image = torch.rand(number, 3, high, wide)
        with torch.inference_mode():
            expected = net(image).clamp(0, 1).numpy()
        [got] = network(image.numpy())
        assert got.std() > 0.01
        assert np.abs(got - expected).max() < 1e-4


def test_it_is_read_back_and_another_is_not(made, tmp_path):
    net, card, folder = made
    module, found = export.drawing(folder)
    assert found == card
    image = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        assert (module(image) - net(image).clamp(0, 1)).abs().max() < 1e-5
    assert export.model_folder(folder) == folder
    for name in ("model.safetensors", "model.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "model.json").write_text(json.dumps(card | {"attention": not card["attention"]}))
    with pytest.raises(ModelError, match="does not hold the weights of this network"):
        unet_model.load(tmp_path)
    (tmp_path / "model.json").write_text(json.dumps(card | {"attention": 3}))
    with pytest.raises(ModelError, match="is not a model card"):
        unet_model.load(tmp_path)
    with pytest.raises(ModelError, match="no student is called 'unet-mobilenet_v2'"):
        export.load_model(folder)


def test_a_user_draws_with_it_as_with_a_student(made):
    _, card, folder = made
    stylizer = Stylizer(folder, threads=1)
    rgb = np.random.default_rng(0).random((70, 90, 3), np.float32)
    drawn = stylizer.picture(rgb, [])
    assert drawn.shape == rgb.shape
    assert not stylizer.layered and card["multiple"] == 32
    padded = np.pad(rgb, ((0, 26), (0, 6), (0, 0)), "reflect")
    [whole] = runtime.load(folder / "model.onnx", "openvino", layout="nhwc", threads=1)(padded[None])
    assert np.abs(drawn - whole[0, :70, :90]).max() < 1e-5


def test_in_training_the_encoders_statistics_stay(made):
    net = Generator().train()
    before = {k: v.clone() for k, v in net.state_dict().items() if "running" in k or "batches" in k}
    net(torch.rand(2, 3, 64, 64))
    moved = {k for k, v in before.items() if not torch.equal(v, net.state_dict()[k])}
    assert moved and not any(name.startswith("unet.layers.0.") for name in moved)
