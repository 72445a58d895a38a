"""Parsers as files: equal to torch, small, read back strictly; a BiSeNet's file in the same interface."""

import json
import pickle

import numpy as np
import pytest
import torch

from wbme import runtime
from wbme.base.errors import ModelError
from wbme.nets.bisenet import BiSeNet
from wbme.nets.parser import ParserNet
from wbme.perception.parsing import Parser
from wbme.runtime import export, parser_model


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("parser")
    parser_model.save(folder, ParserNet().eval(), parser_model.make_card("mine", licence="Apache-2.0"))
    return folder


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_the_graph_equals_torch_at_any_size(made, backend):
    net, card = parser_model.load(made)
    network = runtime.load(made / "model.onnx", backend, threads=1)
    assert [spec.name for spec in network.inputs] == ["image"]
    for number, high, wide in ((1, 64, 128), (2, 192, 64)):
        image = torch.rand(number, 3, high, wide)
        with torch.inference_mode():
            expected = net(image).numpy()
        [got] = network(image.numpy())
        assert got.shape == (number, 20, high // 2, wide // 2)
        assert np.abs(got - expected).max() < 1e-3
    assert card["name"] == "mine" and card["size"] == 256


def test_a_model_is_small_and_read_back(made, tmp_path):
    assert (made / "model.safetensors").stat().st_size < 4e6
    net, card = parser_model.load(made)
    parser_model.save(tmp_path, net, card)
    for name in ("model.safetensors", "model.onnx", "model.json"):
        assert (tmp_path / name).read_bytes() == (made / name).read_bytes()
    assert Parser.open(made).name == "mine"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": ["sky"]}, "another schema, network or labels"),
        ({"head": "layered"}, "another schema, network or labels"),
        ({"size": 250}, r"sizes \[250, 320\]"),
        ({"face_size": None}, r"sizes \[256, None\]"),
        ({"schema": 2}, "another schema"),
    ],
)
def test_cards_of_others_are_refused(made, tmp_path, change, said):
    card = json.loads((made / "model.json").read_text()) | change
    (tmp_path / "model.json").write_text(json.dumps(card))
    with pytest.raises(ModelError, match=f"not the card of a parser .*{said}"):
        Parser.open(tmp_path)


def test_damaged_and_missing_files_are_one_sentence(made, tmp_path):
    with pytest.raises(ModelError, match="there is no parser"):
        Parser.open(tmp_path / "nothing")
    with pytest.raises(ModelError, match="not the card of a parser"):
        Parser.open(tmp_path)
    (tmp_path / "model.json").write_bytes((made / "model.json").read_bytes())
    with pytest.raises(ModelError, match=r"no network file .*model\.onnx"):
        Parser.open(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(ModelError, match="cannot read weights"):
        parser_model.load(tmp_path)


@pytest.mark.slow
def test_a_bisenet_of_ones_own_has_the_same_interface(tmp_path):
    torch.manual_seed(1)
    net, path = BiSeNet().eval(), tmp_path / "79999_iter.pth"
    torch.save({f"module.{key}": value for key, value in net.state_dict().items()}, path)
    parser = Parser.open(path)
    assert (parser.name, parser.size, parser.has_body) == ("79999_iter", 512, False)
    rgb = np.random.default_rng(0).random((512, 512, 3), np.float32)
    shares = parser.crop(rgb)
    with torch.inference_mode():
        image = torch.from_numpy(rgb.transpose(2, 0, 1))[None]
        expected = net(image).softmax(1)[0].permute(1, 2, 0).numpy()
    assert shares.shape == (512, 512, 20)
    assert np.abs(shares[..., :19] - expected).max() < 1e-5
    assert shares[..., 19].max() == 0
    assert parser.crop(rgb[:200, :200]).shape == (200, 200, 20)
    assert (parser(rgb, []) == 0).all()  # without a face it knows nothing


class Evil:
    def __reduce__(self):
        return print, ("ran",)


def test_other_pth_files_are_refused_and_run_nothing(tmp_path, capsys):
    path = tmp_path / "a.pth"
    state = BiSeNet().state_dict()
    del state["ffm.conv1.weight"]
    torch.save(state, path)
    with pytest.raises(ModelError, match=r"missing ffm\.conv1\.weight"):
        Parser.open(path)
    torch.save([1, 2], path)
    with pytest.raises(ModelError, match="no state dict of a BiSeNet"):
        Parser.open(path)
    for content in (pickle.dumps(Evil(), protocol=2), b"\0" * 100):
        path.write_bytes(content)
        with pytest.raises(ModelError, match="no state dict of a BiSeNet"):
            Parser.open(path)
    assert "ran" not in capsys.readouterr().out


def test_a_parser_is_no_student():
    assert "parser" not in export.shipped()
