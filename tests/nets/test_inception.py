"""The FID's Inception: its own pools, the format of the published weights, other files refused."""

import pytest
import torch
from torch.nn.functional import avg_pool2d, max_pool2d

from wbme.base.errors import ModelError
from wbme.nets.inception import FidInception

models = pytest.importorskip("torchvision.models")


@pytest.fixture(scope="module")
def weights():
    """A state dict with the names and shapes of pytorch-fid's file, random."""
    torch.manual_seed(0)
    net = models.inception_v3(weights=None, num_classes=1008, aux_logits=False, init_weights=False)
    return {name: value for name, value in net.state_dict().items() if "num_batches" not in name}


@pytest.fixture(scope="module")
def path(weights, tmp_path_factory):
    place = tmp_path_factory.mktemp("inception") / "pt_inception.pth"
    torch.save(weights, place)
    return place


@pytest.fixture(scope="module")
def net(path):
    return FidInception(path)


def test_pictures_become_pooled_features(net, weights):
    assert len(weights) == 472 and weights["fc.weight"].shape == (1008, 2048)
    with torch.inference_mode():
        found = net(torch.rand(1, 3, 40, 50))
    assert found.shape == (1, 2048) and (found >= 0).all()
    seen = []
    handle = net.net.Conv2d_1a_3x3.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    net(torch.full((1, 3, 20, 20), 0.75))
    handle.remove()
    assert seen[0].shape == (1, 3, 299, 299) and torch.allclose(seen[0], torch.tensor(0.5))


@pytest.mark.parametrize(
    ("name", "channels", "pool"),
    [
        ("Mixed_5b", 192, lambda x: avg_pool2d(x, 3, 1, 1, count_include_pad=False)),
        ("Mixed_6c", 768, lambda x: avg_pool2d(x, 3, 1, 1, count_include_pad=False)),
        ("Mixed_7b", 1280, lambda x: avg_pool2d(x, 3, 1, 1, count_include_pad=False)),
        ("Mixed_7c", 2048, lambda x: max_pool2d(x, 3, 1, 1)),
    ],
)
def test_the_pooled_branch_is_tensorflows(net, name, channels, pool):
    block = net.net.get_submodule(name)
    for _ in range(2):
        x = torch.rand(1, channels, 5, 5)
        with torch.inference_mode():
            own = block(x)
            branch = block.branch_pool.bn(block.branch_pool.conv(pool(x))).relu()
        torch.testing.assert_close(own[:, -branch.shape[1] :], branch)


def test_another_file_is_refused_in_one_sentence(weights, tmp_path):
    lacking = {name: value for name, value in weights.items() if name != "fc.bias"}
    for given in (lacking, weights | {"AuxLogits.fc.bias": torch.zeros(2)}, {"a": torch.zeros(2)}, [1, 2]):
        torch.save(given, tmp_path / "other.pth")
        with pytest.raises(ModelError, match="give pt_inception"):
            FidInception(tmp_path / "other.pth")
    torch.save(weights | {"fc.bias": torch.zeros(10)}, tmp_path / "other.pth")
    with pytest.raises(ModelError, match="give pt_inception"):
        FidInception(tmp_path / "other.pth")
    with pytest.raises(ModelError, match="give pt_inception"):
        FidInception(tmp_path / "missing.pth")
