"""The feature loss and the networks of a user's that it and the encoder take."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import resnet34
from torchvision.models.vgg import cfgs, make_layers

from wbme.base.errors import ModelError, ParameterError
from wbme.nets import mobilenet
from wbme.train import backbones
from wbme.train.feature_loss import FeatureLoss, gram


def test_every_part_weighs_as_much_as_the_pixels_between_photograph_and_drawing():
    torch.manual_seed(0)
    photo, target = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64)
    loss = FeatureLoss()
    loss.balance(photo, target)
    total = loss(photo, target)
    pixels = float((photo - target).abs().mean())
    assert loss.parts == pytest.approx(
        {"pixels": pixels, "features": 3 * pixels, "style": 3 * pixels}, rel=1e-4
    )
    assert float(total) == pytest.approx(7 * pixels, rel=1e-4)
    assert float(loss(target, target)) == 0
    weights = list(loss.weights)
    loss.balance(photo, photo + 0.1)
    assert loss.weights == weights, "a loss is balanced once"


def test_gradients_reach_the_drawing_and_nothing_else():
    loss = FeatureLoss()
    target = torch.rand(1, 3, 64, 64)
    loss.balance(torch.rand(1, 3, 64, 64), target)
    drawn = torch.rand(1, 3, 64, 64, requires_grad=True)
    loss(drawn, target).backward()
    assert float(drawn.grad.abs().min(1).values.max()) > 0
    assert list(loss.parameters()) == []


def test_the_gram_matrix():
    features = torch.arange(8.0).reshape(1, 2, 2, 2)
    rows = features[0].flatten(1)
    assert torch.equal(
        gram(features)[0], torch.stack([(a * b).sum() / 8 for a in rows for b in rows]).view(2, 2)
    )


def test_the_encoder_is_imagenets_and_learns():
    body, known = backbones.encoder("mobilenet_v2", ""), mobilenet.pretrained()
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(body.eval()((x - known.mean) / known.std), known.stages(x)[-1])
    assert all(p.requires_grad for p in body.parameters())
    assert not any(p.requires_grad for p in known.parameters())


@pytest.mark.slow
def test_a_resnet_of_the_users_is_taken_from_torch_and_safetensors(tmp_path):
    torch.manual_seed(0)
    net = resnet34(weights=None).eval()
    old = {k: v for k, v in net.state_dict().items() if "num_batches" not in k}  # as files used to be
    torch.save(old, tmp_path / "r.pth")
    save_file(net.state_dict(), tmp_path / "r.safetensors")
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        wanted = nn.Sequential(*list(net.children())[:-2])(x)
        for name in ("r.pth", "r.safetensors"):
            body = backbones.encoder("resnet34", str(tmp_path / name)).eval()
            assert torch.equal(body(x), wanted)


@pytest.mark.slow
def test_vgg_of_the_users_gives_the_maps_before_its_last_three_poolings(tmp_path):
    torch.manual_seed(0)
    layers = make_layers(cfgs["D"], batch_norm=True).eval()
    state = {f"features.{k}": v for k, v in layers.state_dict().items()}
    torch.save(state | {"classifier.0.bias": torch.zeros(3)}, tmp_path / "vgg.pth")
    loss = FeatureLoss("vgg16_bn", str(tmp_path / "vgg.pth"))
    assert loss.name == "VGG16-BN (ImageNet)"
    assert loss.weights == [5, 15, 2]
    assert loss.styles == [5e3 * 25, 5e3 * 225, 5e3 * 4]
    x = torch.rand(1, 3, 64, 64)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    with torch.no_grad():
        found = loss.stages(x)
        for got, end in zip(found, (23, 33, 43), strict=True):
            assert torch.equal(got, layers[:end]((x - mean) / std))
    assert [f.shape[1:] for f in found] == [(256, 16, 16), (512, 8, 8), (512, 4, 4)]


class Evil:
    def __reduce__(self):
        return print, ("code ran",)


def test_bad_weights_of_the_users_are_one_sentence(tmp_path, capsys):
    bad = tmp_path / "w.pth"

    def told():
        with pytest.raises(ModelError) as caught:
            backbones.encoder("resnet34", str(bad))
        return str(caught.value)

    assert "cannot read the weights" in told() and told().endswith(
        "No such file or directory; check the path"
    )
    bad.write_bytes(b"nothing")
    assert told().endswith("w.pth is no file of plain weights: bring torchvision's resnet34, such as "
                           "resnet34-b627a593.pth, or the same as .safetensors")  # fmt: skip
    torch.save({"conv1.weight": Evil()}, bad)
    assert "is no file of plain weights" in told()
    assert "code ran" not in capsys.readouterr().out
    torch.save(torch.zeros(3), bad)
    assert "is no state dict of at most 700 MB: bring" in told()
    torch.save({"conv1.weight": torch.zeros(64, 3, 7, 7), "fc.bias": torch.zeros(2)}, bad)
    assert "w.pth does not hold the weights of this network: missing" in told()
    packed = tmp_path / "w.safetensors"
    packed.write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"cannot read weights from .*w\.safetensors"):
        FeatureLoss("vgg16_bn", str(packed))


def test_a_name_without_its_file_says_which_to_bring():
    with pytest.raises(
        ParameterError,
        match=r"^encoder=resnet34 needs encoder_weights: a state dict with torchvision's names, such as "
        r"resnet34-b627a593\.pth, as \.pth or \.safetensors$",
    ):
        backbones.encoder("resnet34", "")
    with pytest.raises(ParameterError, match="features=vgg16_bn needs features_weights"):
        FeatureLoss("vgg16_bn")
    with pytest.raises(
        ParameterError, match="features='lpips' is not known: use one of mobilenet_v2, vgg16_bn"
    ):
        FeatureLoss("lpips")
    with pytest.raises(ParameterError, match="encoder='vit' is not known"):
        backbones.encoder("vit", "")
