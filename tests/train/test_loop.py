"""Training: it learns, it resumes to the byte after a kill, and it stops with a sentence."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch

from wbme.base.errors import ModelError, ParameterError
from wbme.data import pairs
from wbme.nets.student import Student
from wbme.train import checkpoint, loop
from wbme.train.settings import Settings

TINY = Settings("S4-48", crop=32, batch=2, steps=4, warmup=2, perceptual=0.0, checks=2)

CHILD = """
import sys, json
from pathlib import Path
import torch
torch.set_num_threads(1)
from wbme.data import pairs
from wbme.train import loop
from wbme.train.settings import Settings
loop.Training._SAVE_SECONDS = 0.0
tell = lambda name, value, step: print(name, value, step, flush=True)
found, settings = pairs.read(Path(sys.argv[1])), Settings(**json.loads(sys.argv[3]))
loop.Training(found, settings, Path(sys.argv[2])).run(tell)
"""


def train(pair_set, folder, settings, said=None):
    rows = [] if said is None else said
    return loop.Training(pair_set, settings, folder).run(lambda *row: rows.append(row))


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.parametrize(("head", "gain"), [("layered", 0.2), ("plain", 0.4)])
def test_a_few_hundred_steps_beat_the_photograph(pair_set, tmp_path, head, gain):
    said = []
    settings = replace(TINY, head=head, crop=64, batch=4, steps=700, warmup=20)
    train(pair_set, tmp_path, settings, said)
    last = {name: value for name, value, _ in said}
    assert last["held_out/psnr"] > last["held_out/psnr_photo"] + gain
    if head == "layered":
        assert last["held_out/line_f1"] > 0.6
    losses = [value for name, value, _ in said if name == "loss/train"]
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.slow
def test_killed_and_started_again_it_ends_with_the_same_bytes(pair_set, tmp_path):
    settings = {"architecture": "S4-48", "crop": 32, "batch": 2, "steps": 40, "checks": 2}
    settings |= {"perceptual": 0.0, "critic": 0.02, "finish": 0.5, "colour": 0.2, "consistency": 0.5}

    def start(folder):
        command = [sys.executable, "-c", CHILD, str(pair_set.folder), str(folder), json.dumps(settings)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    whole = start(tmp_path / "whole")
    expected, _ = whole.communicate(timeout=300)
    assert whole.returncode == 0
    for _ in range(2):
        process = start(tmp_path / "cut")
        while not (tmp_path / "cut" / "checkpoint.pt").exists():
            time.sleep(0.02)
        process.stdout.readline()
        time.sleep(0.4)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    after = start(tmp_path / "cut")
    said, _ = after.communicate(timeout=300)
    assert after.returncode == 0
    assert said == expected, "the curves are told again from the beginning"
    states = [
        torch.load(tmp_path / n / "checkpoint.pt", weights_only=True)["state"] for n in ("whole", "cut")
    ]
    for part in ("net", "average", "critic"):
        for key, value in states[0][part].items():
            assert torch.equal(value, states[1][part][key]), (part, key)
    sheets = [sorted(p.name for p in (tmp_path / n).glob("held-out-*.png")) for n in ("whole", "cut")]
    assert sheets[0] == sheets[1]
    assert len(sheets[0]) == 2


@pytest.mark.slow
def test_a_loss_of_flicker_makes_shifted_noisy_crops_look_alike(pair_set, tmp_path):
    row = next(row for row in pair_set.rows if row["split"] == "val")
    photo = torch.from_numpy(pair_set.load(row, ("src",))["src"].transpose(2, 0, 1).copy())[None]
    apart = {}
    for weight in (0.0, 3.0):
        settings = replace(TINY, crop=64, batch=4, steps=150, warmup=20, checks=1)
        settings = replace(settings, consistency=weight, consistency_every=1)
        net = train(pair_set, tmp_path / str(weight), settings).net
        generator = torch.Generator().manual_seed(3)
        drawn = []
        for k in (0, 3):  # a camera that moved by three pixels
            seen = photo[..., k : k + 88, k : k + 88]
            seen = seen + 0.01 * torch.randn(seen.shape, generator=generator)
            with torch.inference_mode():
                drawn.append(net(seen, net.condition())[..., 11 - k : 75 - k, 11 - k : 75 - k])
        apart[weight] = float((drawn[0] - drawn[1]).abs().mean())
    assert apart[3.0] < 0.8 * apart[0.0], apart


def test_a_finished_training_is_not_done_again(pair_set, tmp_path):
    first = train(pair_set, tmp_path, TINY)
    again = train(pair_set, tmp_path, TINY)
    assert again.history == first.history
    assert again.steps == 4
    for a, b in zip(first.net.state_dict().values(), again.net.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_a_training_starts_from_the_weights_of_a_model(pair_set, tmp_path):
    begun = train(pair_set, tmp_path / "first", TINY).net
    second = loop.Training(pair_set, TINY, tmp_path / "second", begun)
    for a, b in zip(begun.state_dict().values(), second.average.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert len(second.run(lambda *row: None).about["start"]) == 64
    with pytest.raises(ModelError, match="another training"):  # of other first weights
        loop.Training(pair_set, TINY, tmp_path / "second")
    with pytest.raises(ModelError, match="the model to start from does not hold the weights"):
        loop.Training(pair_set, replace(TINY, architecture="S2-32"), tmp_path / "third", begun)


def test_of_a_model_of_several_characters_the_ones_that_are_trained_go_on(pair_set, tmp_path):
    torch.manual_seed(1)
    many = Student("S4-48", "layered", ("other", "default", "third"), branches=True)
    for module in many.modules():
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.normal_(module.weight, 0, 0.1)
    training = loop.Training(pair_set, TINY, tmp_path, many)
    x = torch.rand(1, 3, 32, 32)
    with torch.inference_mode():
        for skin in ("own", "character"):
            wanted = many.eval()(x, many.condition("default", 0.7, skin))
            own = training.average
            torch.testing.assert_close(own(x, own.condition("default", 0.7, skin)), wanted)
        new = many.recast(("new", "third")).eval()
        for name, origin in (("new", "other"), ("third", "third")):
            torch.testing.assert_close(new(x, new.condition(name)), many(x, many.condition(origin)))


def test_another_training_is_not_gone_on_with(pair_set, tmp_path):
    train(pair_set, tmp_path, replace(TINY, steps=2))
    with pytest.raises(
        ModelError, match=r"another training \(lr 0\.003 for 0\.001, steps 2 for 4\): remove it"
    ):
        train(pair_set, tmp_path, replace(TINY, lr=1e-3))
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ModelError, match="not a checkpoint of a training: remove it"):
        train(pair_set, tmp_path, TINY)
    for foreign, told in (
        ({"g_ema": torch.zeros(1)}, "it lacks schema, identity, state but holds g_ema: remove it"),
        (torch.zeros(3), "it lacks schema, identity, state: remove it"),
    ):
        torch.save(foreign, path)
        with pytest.raises(ModelError, match=f"not a checkpoint of a training, {told}"):
            train(pair_set, tmp_path, TINY)


def test_a_checkpoint_with_one_wrong_byte_in_its_weights_is_not_gone_on_with(tmp_path):
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(path, {"net": torch.full((64,), 1.5)}, {"lr": 1})
    raw = path.read_bytes()
    place = raw.index(torch.full((64,), 1.5).numpy().tobytes())
    path.write_bytes(raw[: place + 3] + b"\x00" + raw[place + 4 :])
    with pytest.raises(ModelError, match="not a checkpoint of a training"):
        checkpoint.load(path, {"lr": 1})


def test_weights_of_another_network_are_named(pair_set, tmp_path):
    settings = replace(TINY, steps=2)
    train(pair_set, tmp_path, settings)
    path = tmp_path / "checkpoint.pt"
    found = torch.load(path, weights_only=True)
    del found["state"]["net"]["out.bias"]
    checkpoint.save(path, found["state"], found["identity"])
    with pytest.raises(ModelError, match=r"does not hold the weights of this network: missing out\.bias"):
        train(pair_set, tmp_path, settings)
    del found["state"]["net"]
    checkpoint.save(path, found["state"], found["identity"])
    with pytest.raises(ModelError, match="lacks or distorts 'net': remove it"):
        train(pair_set, tmp_path, settings)


def test_a_loss_that_is_not_finite_ends_it_and_keeps_the_checkpoint(pair_set, tmp_path):
    training = loop.Training(pair_set, TINY, tmp_path)
    training._save()
    kept = (tmp_path / "checkpoint.pt").read_bytes()
    training.step = 3
    with torch.no_grad():
        training.net.out.weight.fill_(float("nan"))
    with pytest.raises(ModelError, match=r"the loss is nan at step 3 .*lower lr .*checkpoint is kept"):
        training.run(lambda *row: None)
    assert (tmp_path / "checkpoint.pt").read_bytes() == kept


def test_a_gradient_that_is_not_finite_ends_it_before_it_spoils_the_weights(pair_set, tmp_path):
    training = loop.Training(pair_set, TINY, tmp_path)
    training.net.out.bias.register_hook(lambda gradient: gradient * float("inf"))
    with pytest.raises(ModelError, match=r"the gradient is (nan|inf) at step 0 .*lower lr \(now 0.003\)$"):
        training.run(lambda *row: None)
    assert all(torch.isfinite(value).all() for value in training.net.state_dict().values())
    assert not (tmp_path / "checkpoint.pt").exists()


def test_it_ends_by_the_clock(pair_set, tmp_path):
    done = train(pair_set, tmp_path, replace(TINY, steps=100_000, seconds=1.0))
    assert 1 <= done.steps < 1000
    assert done.seconds >= 1


def test_bad_settings_and_an_empty_set_are_one_sentence(pair_set, tmp_path):
    with pytest.raises(ParameterError, match="crop=50 of the training must be a multiple of 8, 32 or more"):
        Settings(crop=50)
    with pytest.raises(ModelError, match="no student is called"):
        train(pair_set, tmp_path, replace(TINY, architecture="S3"))
    rows = [row for row in pair_set.rows if row["split"] == "train"]
    with pytest.raises(ParameterError, match="no pair to validate on"):
        train(pairs.Pairs(pair_set.folder, rows), tmp_path, TINY)
