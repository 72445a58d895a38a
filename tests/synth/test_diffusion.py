import json
import shutil
import socket

import numpy as np
import pytest
import tiny_diffusion
import torch
from diffusers import StableDiffusionImg2ImgPipeline
from safetensors.torch import load_file

from wbme.base.errors import ModelError, ParameterError
from wbme.base.seeds import generator
from wbme.synth import diffusion, diffusion_files
from wbme.synth.diffusion import Refinement, Refiner

pytestmark = pytest.mark.slow
QUICK = {"steps": 4, "size": 64, "strength": 0.5, "prompt": "ink"}


@pytest.fixture(scope="module")
def sd(tmp_path_factory):
    return tiny_diffusion.stable_diffusion(tmp_path_factory.mktemp("sd"))


@pytest.fixture(scope="module")
def xl(tmp_path_factory):
    return tiny_diffusion.stable_diffusion_xl(tmp_path_factory.mktemp("xl"))


@pytest.fixture(scope="module")
def control(tmp_path_factory):
    return tiny_diffusion.control(tmp_path_factory.mktemp("control") / "canny")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*_):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def rgb(size=64):
    picture = np.full((size, size, 3), 0.9, np.float32)
    picture[size // 4 : size // 2, size // 4 : -size // 4] = (0.8, 0.3, 0.2)
    return picture


def refiner(place, control=None, **changed):
    return Refiner(diffusion_files.find(place), Refinement(**QUICK | changed), control)


@pytest.mark.parametrize("family", ["sd", "xl"])
def test_both_families_redraw_a_picture_the_same_way_twice(family, request):
    made = refiner(request.getfixturevalue(family))
    one, again, other = made(rgb(), "0001"), made(rgb(), "0001"), made(rgb(), "0002")
    assert one.shape == (64, 64, 3) and one.dtype == np.float32 and one.min() >= 0 and one.max() <= 1
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other) and not np.allclose(one, rgb(), atol=0.05)
    fresh = refiner(request.getfixturevalue(family))(rgb(), "0001")
    np.testing.assert_array_equal(one, fresh)
    assert not np.array_equal(refiner(request.getfixturevalue(family), seed=1)(rgb(), "0001"), one)


def test_the_prompt_the_strength_the_scheduler_and_the_edges_all_count(sd, control):
    first = refiner(sd)(rgb(), "a")
    for changed in ({"prompt": "brush"}, {"negative": "ink"}, {"strength": 1.0}, {"scheduler": "euler"}):
        assert not np.array_equal(refiner(sd, **changed)(rgb(), "a"), first), changed
    with_edges = refiner(sd, control)
    assert not np.array_equal(with_edges(rgb(), "a"), first)
    assert not np.array_equal(refiner(sd, control, edge_weight=0.1)(rgb(), "a"), with_edges(rgb(), "a"))
    assert with_edges.lineage["control"] == "canny" and len(with_edges.lineage["control_digest"]) == 64


@pytest.mark.parametrize("name", list(diffusion.SCHEDULERS))
def test_every_scheduler_runs(sd, name):
    made = refiner(sd, scheduler=name)
    assert np.isfinite(made(rgb(), "a")).all()
    assert made.lineage["scheduler"] == diffusion.SCHEDULERS[name]


def test_the_result_is_that_of_the_pipeline_itself(sd):
    made = refiner(sd, guidance=5.0)
    pipe = StableDiffusionImg2ImgPipeline.from_pretrained(str(sd), dtype=made.pipe.dtype)
    pipe.set_progress_bar_config(disable=True)
    draw = torch.Generator().manual_seed(int(generator(0, "refine", "x").integers(2**62)))
    given = {"strength": 0.5, "num_inference_steps": 4, "guidance_scale": 5.0, "output_type": "np"}
    wanted = pipe("ink", rgb()[None], generator=draw, **given).images[0]
    # bfloat16 has eight bits, and the two round at other places on the way.
    near = 0.02 if made.pipe.dtype == torch.float32 else 0.06
    np.testing.assert_allclose(made(rgb(), "x"), wanted, atol=near)


def test_where_the_hardware_has_bfloat16_the_model_computes_in_it(sd, monkeypatch):
    def on(dtype):
        monkeypatch.setattr(diffusion, "device_and_type", lambda: (torch.device("cpu"), dtype))
        return refiner(sd)

    full, made = on(torch.float32)(rgb(), "a"), on(torch.bfloat16)
    half = made(rgb(), "a")
    assert made.pipe.unet.dtype == torch.bfloat16 and made.lineage["dtype"] == "bfloat16"
    assert half.dtype == np.float32 and 0 < np.abs(half - full).mean() < 0.05


def test_other_settings_of_a_loaded_model_are_those_of_one_loaded_with_them(sd):
    first = refiner(sd)
    changed = diffusion.replaced(first, strength=1.0, seed=4)
    np.testing.assert_array_equal(changed(rgb(), "a"), refiner(sd, strength=1.0, seed=4)(rgb(), "a"))
    np.testing.assert_array_equal(first(rgb(), "a"), refiner(sd)(rgb(), "a"))


def test_lineage_tells_model_and_settings(sd):
    told = refiner(sd).lineage
    assert told["model"] == "tiny-sd" and told["family"] == "sd" and told["control"] is None
    assert told["scheduler"] == "DDIMScheduler" and told["strength"] == 0.5 and told["prompt"] == "ink"
    assert json.loads(json.dumps(told)) == told


def test_the_digest_follows_the_weights_and_not_the_place(sd, tmp_path):
    moved = shutil.copytree(sd, tmp_path / "else")
    digest = diffusion_files.find(sd).digest()
    assert diffusion_files.find(moved).digest() == digest
    weights = moved / "unet" / "diffusion_pytorch_model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert diffusion_files.find(moved).digest() != digest


def test_a_half_precision_variant_is_found_by_its_names(sd, tmp_path):
    moved = shutil.copytree(sd, tmp_path / "half")
    for name in ("unet", "vae", "text_encoder"):
        [path] = (moved / name).glob("*.safetensors")
        path.rename(path.with_name(path.stem + ".fp16.safetensors"))
    assert diffusion_files.find(moved).variant == "fp16"
    np.testing.assert_array_equal(refiner(moved)(rgb(), "a"), refiner(sd)(rgb(), "a"))


def test_a_single_file_needs_the_configuration_beside_it_and_draws_the_same(sd, tmp_path):
    one = tiny_diffusion.single_file(sd, tmp_path / "tiny.safetensors")
    with pytest.raises(ModelError, match=r"holds weights alone, .* set config to a folder"):
        diffusion_files.find(one)
    config = tmp_path / "config"
    shutil.copytree(sd, config, ignore=shutil.ignore_patterns("*.safetensors"))
    found = diffusion_files.find(one, config)
    assert found.family == "sd"
    made = Refiner(found, Refinement(**QUICK))
    np.testing.assert_array_equal(made(rgb(), "a"), refiner(sd)(rgb(), "a"))
    (config / "unet" / "config.json").unlink()
    with pytest.raises(ModelError, match=r"lacks unet/config\.json"):
        diffusion_files.find(one, config)
    one.write_bytes(one.read_bytes()[:-10])
    with pytest.raises(ModelError, match=r"tiny.safetensors is damaged or cut off"):
        diffusion_files.find(one, sd)


@pytest.mark.parametrize(
    ("lost", "sentence"),
    [
        ("model_index.json", "is no model folder: give a folder saved by diffusers"),
        ("unet", "lacks its part unet"),
        ("vae/config.json", "vae lacks config.json"),
        ("text_encoder/model.safetensors", "text_encoder holds no weights"),
        ("tokenizer/merges.txt", "tokenizer lacks merges.txt"),
        ("scheduler/scheduler_config.json", "scheduler lacks scheduler_config.json"),
    ],
)
def test_a_missing_part_is_named(sd, tmp_path, lost, sentence):
    moved = shutil.copytree(sd, tmp_path / "moved")
    shutil.rmtree(moved / lost) if (moved / lost).is_dir() else (moved / lost).unlink()
    with pytest.raises(ModelError, match=sentence) as error:
        diffusion_files.find(moved)
    assert "\n" not in str(error.value)


def test_what_is_damaged_or_of_another_kind_is_refused(sd, tmp_path):
    with pytest.raises(ModelError, match="there is no"):
        diffusion_files.find(tmp_path / "nowhere")
    moved = shutil.copytree(sd, tmp_path / "moved")
    weights = moved / "vae" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelError, match=r"vae/diffusion.* is damaged or cut off"):
        diffusion_files.find(moved)
    index = json.loads((sd / "model_index.json").read_text())
    for changed, sentence in (
        ({"_class_name": "FluxPipeline"}, "is of class FluxPipeline"),
        ({"unet": ["os", "system"]}, "which is code from elsewhere"),
        ({"vae": [None, None]}, "names no vae"),
    ):
        (moved / "model_index.json").write_text(json.dumps(index | changed))
        with pytest.raises(ModelError, match=sentence):
            diffusion_files.find(moved)
    (moved / "model_index.json").write_text("{")
    with pytest.raises(ModelError, match="is damaged"):
        diffusion_files.find(moved)
    other = tiny_diffusion.stable_diffusion(tmp_path / "other")
    config = json.loads((other / "unet" / "config.json").read_text()) | {"block_out_channels": [8, 24]}
    (other / "unet" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="cannot be loaded"):
        refiner(other)


def test_pickles_are_read_only_when_trusted(sd, tmp_path):
    moved = shutil.copytree(sd, tmp_path / "moved")
    path = moved / "unet" / "diffusion_pytorch_model.safetensors"
    torch.save(load_file(path), path.with_suffix(".bin"))
    path.unlink()
    with pytest.raises(ModelError, match=r"model.bin is a pickle, .* set trust_pickle"):
        diffusion_files.find(moved)
    made = Refiner(diffusion_files.find(moved, trust_pickle=True), Refinement(**QUICK))
    np.testing.assert_array_equal(made(rgb(), "a"), refiner(sd)(rgb(), "a"))
    (tmp_path / "model.ckpt").write_bytes(b"x")
    with pytest.raises(ModelError, match=r"model.ckpt is a pickle"):
        diffusion_files.find(tmp_path / "model.ckpt", sd)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"strength": 0.0}, "strength 0.0 is out of range"),
        ({"strength": 1.1}, "strength 1.1 is out of range"),
        ({"strength": 0.2, "steps": 4}, "strength 0.2 of 4 steps is less than one step"),
        ({"scheduler": "magic"}, "there is no scheduler 'magic': choose own, ddim"),
        ({"size": 100}, "size 100 is no multiple of 8"),
        ({"guidance": -1}, "guidance -1 must lie"),
    ],
)
def test_settings_out_of_range_are_one_sentence(changed, sentence):
    with pytest.raises(ParameterError, match=sentence):
        Refinement(**changed)


def test_a_prompt_that_is_too_long_and_an_offload_without_a_gpu_are_refused(sd, xl):
    for place in (sd, xl):
        with pytest.raises(ParameterError, match=r"has 80 tokens and the model reads 75: shorten it"):
            refiner(place, prompt="ink " * 80)
    assert refiner(sd, prompt="ink " * 75)(rgb(), "a").shape == (64, 64, 3)
    if not torch.cuda.is_available():
        with pytest.raises(ParameterError, match="there is no GPU: leave it off"):
            Refiner(diffusion_files.find(sd), Refinement(**QUICK), offload=True)


def test_memory_that_does_not_suffice_says_what_to_lower(sd, monkeypatch):
    made = refiner(sd)

    def exhausted(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(made.pipe.unet, "forward", exhausted)
    with pytest.raises(ParameterError, match=r"pictures of 64 x 64: lower size, or set sliced"):
        made(rgb(), "a")


def test_a_controlnet_of_another_model_or_none_is_refused(sd, tmp_path):
    wrong = tiny_diffusion.control(tmp_path / "wrong", width=48)
    with pytest.raises(ModelError, match="was made for another model"):
        refiner(sd, wrong)
    with pytest.raises(ModelError, match="holds no ControlNet"):
        refiner(sd, tmp_path)


def test_edges_are_those_of_the_drawing():
    found = diffusion.edges(rgb())
    assert found.shape == (64, 64, 3) and set(np.unique(found)) == {0.0, 1.0}
    assert found[30:33, 24:40].max() == 1 and found[40:].max() == 0
