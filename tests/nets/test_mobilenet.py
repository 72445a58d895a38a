"""MobileNetV2: the shapes of its stages, and that the file in circulation fits key by key."""

import pytest
import torch
from skimage import data, img_as_float32

from wbme.base import assets
from wbme.nets import mobilenet


def test_stages_halve_the_picture_and_stop_where_asked():
    network = mobilenet.MobileNetV2().eval()
    x = torch.rand(1, 3, 64, 96)
    with torch.inference_mode():
        maps = network.stages(x)
        few = network.stages(x, count=2)
    assert [tuple(m.shape[1:]) for m in maps] == [
        (16, 32, 48), (24, 16, 24), (32, 8, 12), (96, 4, 6), (320, 2, 3),
    ]  # fmt: skip
    assert len(few) == 2 and torch.equal(few[1], maps[1])


def test_folded_it_gives_the_same_maps_and_the_same_gradient():
    torch.manual_seed(0)
    network, found = mobilenet.MobileNetV2(), []
    for module in network.modules():  # norms that do something
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-1, 1), module.running_var.uniform_(0.5, 2)
            torch.nn.init.uniform_(module.weight, 0.5, 2), torch.nn.init.uniform_(module.bias, -1, 1)
    x = torch.rand(1, 3, 64, 96)
    for one in (network.eval(), network.folded()):
        picture = x.clone().requires_grad_()
        maps = one.stages(picture)
        sum(m.square().mean() for m in maps).backward()
        found.append([*(m.detach() for m in maps), picture.grad])
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.folded().modules())
    for plain, folded in zip(*found, strict=True):
        torch.testing.assert_close(folded, plain, rtol=1e-3, atol=1e-4 * float(plain.abs().max()))


@pytest.mark.slow
def test_every_key_of_the_file_is_matched_and_a_cat_is_a_cat():
    stored = torch.load(assets.get("mobilenet_v2"), map_location="cpu", weights_only=True)
    network = mobilenet.pretrained()
    assert stored.keys() == network.state_dict().keys()
    assert not any(weight.requires_grad for weight in network.parameters()) and not network.training
    cat = torch.from_numpy(img_as_float32(data.chelsea())).permute(2, 0, 1)[None]
    small = torch.nn.functional.interpolate(cat, (224, 224), mode="bilinear", antialias=True)
    with torch.inference_mode():
        best = int(network(small).argmax())
    assert best in range(281, 286)  # ImageNet: tabby, tiger cat, Persian, Siamese, Egyptian cat
