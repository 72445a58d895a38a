import pytest
import torch

from wbme.base.errors import ModelError
from wbme.nets import animegan

# Names and shapes of the weights in circulation, written out here from the file's own description.
HEAD = {"block_a.0": (32, 3, 7), "block_a.1": (64, 32, 3), "block_a.2": (64, 64, 3)}
HEAD |= {"block_b.0": (128, 64, 3), "block_b.1": (128, 128, 3), "block_c.0": (128, 128, 3)}
TAIL = {"block_c.5": (128, 256, 3), "block_d.0": (128, 128, 3), "block_d.1": (128, 128, 3)}
TAIL |= {"block_e.0": (64, 128, 3), "block_e.1": (64, 64, 3), "block_e.2": (32, 64, 7)}


def layer(name, outputs, inputs, kernel):
    shapes = {f"{name}.1.weight": (outputs, inputs, kernel, kernel)}
    return shapes | {f"{name}.2.weight": (outputs,), f"{name}.2.bias": (outputs,)}


def shapes():
    """The 77 names in order, each with its shape."""
    found = {}
    for name, size in HEAD.items():
        found |= layer(name, *size)
    for number, inputs in enumerate((128, 256, 256, 256), start=1):
        name, hidden = f"block_c.{number}.layers", 2 * inputs
        found |= layer(f"{name}.0", hidden, inputs, 1)
        found |= {f"{name}.1.1.weight": (hidden, 1, 3, 3), f"{name}.1.1.bias": (hidden,)}
        found |= {f"{name}.1.2.weight": (hidden,), f"{name}.1.2.bias": (hidden,)}
        found |= {f"{name}.2.weight": (256, hidden, 1, 1)}
        found |= {f"{name}.3.weight": (256,), f"{name}.3.bias": (256,)}
    for name, size in TAIL.items():
        found |= layer(name, *size)
    return found | {"out_layer.0.weight": (3, 32, 1, 1)}


@pytest.fixture(scope="module")
def state():
    draw = torch.Generator().manual_seed(0)
    return {name: 0.1 * torch.randn(shape, generator=draw) for name, shape in shapes().items()}


@pytest.fixture
def weights(state, tmp_path):
    torch.save(state, tmp_path / "paprika.pt")
    return tmp_path / "paprika.pt"


def test_a_file_of_the_published_keys_is_loaded_whole(state, weights):
    assert len(state) == 77 and sum(value.numel() for value in state.values()) == 2_143_552
    network = animegan.load(weights)
    held = network.state_dict()
    assert list(held) == list(state)
    assert all(torch.equal(held[name], value) for name, value in state.items())
    assert not network.training and not any(p.requires_grad for p in network.parameters())


@pytest.mark.parametrize("shape", [(32, 32), (37, 50)])
def test_drawings_have_the_shape_of_the_picture_and_its_range(weights, shape):
    x = torch.rand(1, 3, *shape, generator=torch.Generator().manual_seed(1)) * 2 - 1
    y = animegan.load(weights)(x)
    assert y.shape == x.shape and y.abs().max() <= 1 and y.std() > 0


def test_the_first_layer_is_convolution_normalisation_and_leaky_relu(state, weights):
    x = torch.rand(1, 3, 20, 24)
    padded = torch.nn.functional.pad(x, (3, 3, 3, 3), mode="reflect")
    y = torch.nn.functional.conv2d(padded, state["block_a.0.1.weight"])
    y = (y - y.mean()) / (y.var(unbiased=False) + 1e-5).sqrt()
    scale, shift = (state[f"block_a.0.2.{part}"].view(1, -1, 1, 1) for part in ("weight", "bias"))
    y = y * scale + shift
    torch.testing.assert_close(
        animegan.load(weights).block_a[0](x), torch.where(y > 0, y, 0.2 * y), atol=1e-4, rtol=1e-4
    )


def test_other_files_are_refused_in_one_sentence(state, weights, tmp_path):
    with pytest.raises(ModelError, match="check the path"):
        animegan.load(tmp_path / "nowhere.pt")
    (tmp_path / "text.pt").write_text("no weights")
    with pytest.raises(ModelError, match="no file of plain weights"):
        animegan.load(tmp_path / "text.pt")
    torch.save({"model": torch.nn.Conv2d(1, 1, 1)}, tmp_path / "code.pt")
    with pytest.raises(ModelError, match="no file of plain weights"):
        animegan.load(tmp_path / "code.pt")
    less = {name: value for name, value in state.items() if name != "out_layer.0.weight"}
    torch.save(less, tmp_path / "less.pt")
    with pytest.raises(ModelError, match=r"77 weights of AnimeGANv2: out_layer.0.weight differs"):
        animegan.load(tmp_path / "less.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(ModelError, match="does not hold"):
        animegan.load(tmp_path / "list.pt")
    weights.write_bytes(weights.read_bytes()[:100_000])
    with pytest.raises(ModelError, match="no file of plain weights"):
        animegan.load(weights)
