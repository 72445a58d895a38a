"""Exported students: equal to torch on both runtimes, read back strictly, shipped ones made on first use."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from wbme import runtime
from wbme.base.errors import ModelError, WbmeError
from wbme.nets.student import Student
from wbme.runtime import export


def student(head="layered", characters=("a", "b")) -> Student:
    torch.manual_seed(5)
    net = Student("S4-48", head, characters)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.4, 2)
    torch.nn.init.normal_(net.out.weight, 0, 0.05)
    return net.eval()


@pytest.fixture(scope="module", params=["layered", "plain"])
def made(request, tmp_path_factory):
    net = student(request.param)
    card = export.make_card("toon", net, licence="Apache-2.0")
    folder = tmp_path_factory.mktemp("model")
    export.save_model(folder, net, card)
    return net, card, folder


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_the_graph_equals_torch_at_any_size_and_setting(made, backend):
    net, card, folder = made
    network = runtime.load(folder / "model.onnx", backend, threads=1)
    assert [spec.name for spec in network.inputs] == ["image", *card["controls"]]
    changes = {"levels": 4.0, "line_threshold": -0.5, "phase": 0.3} if card["controls"] else {}
    drawing = export.Drawing(net, net.condition("a")).eval()
    for number, high, wide in ((1, 64, 96), (2, 72, 88), (1, 8, 200)):
        image = torch.rand(number, 3, high, wide)
        controls = export.control_values(card, **changes)
        with torch.inference_mode():
            expected = drawing(image, *controls.values()).numpy()
        [got] = network(image.numpy(), *(value.numpy() for value in controls.values()))
        assert np.abs(got - expected).max() < 1e-4
        assert got.min() >= 0
        assert got.max() <= 1


def test_the_backends_offer_u8(made):
    _, card, folder = made
    network = runtime.load(folder / "model.onnx", "openvino", u8=True, threads=1)
    image = np.full((1, 32, 40, 3), 128, np.uint8)
    [got] = network(image, *(value.numpy() for value in export.control_values(card).values()))
    assert (got.dtype, got.shape) == (np.uint8, image.shape)


def test_a_condition_is_built_in():
    net = student()
    for module in net.modules():
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.normal_(module.weight, 0, 0.2)
    card = export.make_card("toon", net)
    assert export.onnx_bytes(net, card) != export.onnx_bytes(net, card | {"character": "b"})
    assert export.onnx_bytes(net, card | {"character": "a"}) == export.onnx_bytes(net, card)


def test_the_same_weights_draw_as_another_character_more_weakly_and_in_its_skin(tmp_path, monkeypatch):
    monkeypatch.setenv("WBME_ASSETS", str(tmp_path / "cache"))
    net = student()
    for module in net.modules():
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.normal_(module.weight, 0, 0.2)
    learned = {"strengths": [0.3, 1.0], "skins": {"b": ["character", "own"]}}
    card = export.make_card("toon", net, training=learned, looks={"b": {"levels": 4.0}})
    export.save_model(tmp_path / "toon", net, card)
    assert export.folded(tmp_path / "toon", "a", 1.0, "own") == tmp_path / "toon"
    folder = export.folded(tmp_path / "toon", "b", 0.5, "character")
    assert folder == export.folded(tmp_path / "toon", "b", 0.5, "character")
    drawing, about = export.drawing(folder)
    assert about["controls"]["levels"] == 4.0 and about["character"] == "b"
    image, values = torch.rand(1, 3, 32, 40), export.control_values(about).values()
    wanted = export.Drawing(net, net.condition("b", 0.5, "character")).eval()
    with torch.inference_mode():
        assert torch.equal(drawing(image, *values), wanted(image, *values))
    [got] = runtime.load(folder / "model.onnx", "onnxruntime")(image.numpy(), *(v.numpy() for v in values))
    assert np.abs(got - wanted(image, *values).detach().numpy()).max() < 1e-4


def test_a_character_is_drawn_by_the_own_student_or_by_a_shipped_one_that_knows_it(tmp_path, monkeypatch):
    (tmp_path / "assets").mkdir()
    monkeypatch.setattr(export, "_ASSETS", tmp_path / "assets")
    monkeypatch.setenv("WBME_ASSETS", str(tmp_path / "cache"))
    for name, characters in (("cast", ("b", "c")), ("own", ("a", "b"))):
        net = student(characters=characters)
        export.save_model(tmp_path / name, net, export.make_card(name, net))
    for kind in ("safetensors", "json"):
        (tmp_path / f"assets/cast.{kind}").write_bytes((tmp_path / f"cast/model.{kind}").read_bytes())
    assert export.knowing("b", tmp_path / "own") == tmp_path / "own"
    assert export.knowing("c", tmp_path / "own") == export.model_folder("cast")
    assert export.knowing("d", tmp_path / "own") == tmp_path / "own"


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ({"character": "c"}, "toon draws as a, b, not as 'c': train with pairs of that"),
        ({"strength": 0.5}, "toon learned strengths of 1 to 1, not 0.5: compose pairs with more"),
        ({"skin": "character"}, "toon learned to draw a with the skin own, not character: train it"),
    ],
)
def test_what_was_not_learned_is_not_drawn(wanted, why, tmp_path, monkeypatch):
    monkeypatch.setenv("WBME_ASSETS", str(tmp_path / "cache"))
    net = student()
    export.save_model(tmp_path, net, export.make_card("toon", net))
    with pytest.raises(WbmeError, match=why):
        export.folded(tmp_path, **wanted)
    assert not (tmp_path / "cache").exists()


def test_a_model_is_read_back(made):
    net, card, folder = made
    again, found = export.load_model(folder)
    assert found == card
    x = torch.rand(1, 3, 16, 24)
    with torch.inference_mode():
        assert torch.equal(again(x, again.condition("b")), net(x, net.condition("b")))


def test_foreign_damaged_and_missing_models_are_one_sentence(made, tmp_path):
    net, card, folder = made
    with pytest.raises(ModelError, match="not a model card"):
        export.load_model(tmp_path)
    (tmp_path / "model.json").write_text((folder / "model.json").read_text())
    with pytest.raises(ModelError, match="cannot read weights"):
        export.load_model(tmp_path)
    raw = (folder / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(ModelError, match="cannot read weights"):
        export.load_model(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(raw)
    (tmp_path / "model.json").write_text(json.dumps({**card, "architecture": "S2-32"}))
    with pytest.raises(ModelError, match=r"does not hold .*missing .*more; unexpected|another shape"):
        export.load_model(tmp_path)
    (tmp_path / "model.json").write_text(json.dumps({**card, "schema": 9}))
    with pytest.raises(ModelError, match="schema 9 is not 1"):
        export.load_model(tmp_path)
    state = net.state_dict()
    state["other"] = state.pop("out.bias")
    with pytest.raises(ModelError, match=r"x does not .*: missing out\.bias; unexpected other"):
        export.fill(Student("S4-48", net.head, net.characters), state, "x")


def test_a_folder_is_itself_and_a_shipped_network_is_exported_once(made, tmp_path, monkeypatch):
    net, card, folder = made
    assert export.model_folder(folder) == folder
    with pytest.raises(ModelError, match="no shipped network is called so"):
        export.model_folder("nothing-like-it")
    assets = tmp_path / "assets"
    assets.mkdir()
    (assets / "toon.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    (assets / "toon.json").write_bytes((folder / "model.json").read_bytes())
    monkeypatch.setattr(export, "_ASSETS", assets)
    monkeypatch.setenv("WBME_HOME", str(tmp_path / "home"))
    assert export.shipped() == ["toon"]
    first = export.model_folder("toon")
    stamp = (first / "model.onnx").stat().st_mtime_ns
    assert export.model_folder("toon") == first
    assert (first / "model.onnx").stat().st_mtime_ns == stamp
    assert (first / "model.onnx").read_bytes() == export.onnx_bytes(net, card)


def test_the_student_that_comes_with_wbme_has_a_name_for_notebooks():
    assert export.shipped_as("shipped") == export.model_folder("student")
    assert json.loads((export.shipped_as("shipped-ink") / "model.json").read_text())["character"] == "ink"
    assert export.shipped_as("student") is None
    with pytest.raises(ModelError, match="not as 'nobody'"):
        export.shipped_as("shipped-nobody")


def test_a_notebook_reads_the_shipped_student_or_one_of_the_store():
    class Run:
        def external(self, path):
            return path

        def use(self, name):
            return Path("store") / name

    assert export.model_of(Run(), "shipped") == export.model_folder("student")
    assert export.model_of(Run(), "fastai") == Path("store/model/fastai")
