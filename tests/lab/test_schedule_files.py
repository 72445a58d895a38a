"""schedules.yaml: what is wrong with one entry is said in one sentence, and the others go on."""

import configparser
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wbme.base.errors import ExperimentError
from wbme.cli import application
from wbme.lab import chain, cron, schedules

ROOT = Path(__file__).parents[2]
GOOD = {
    "cron": '"30 2 * * *"',
    "zone": "Europe/Berlin",
    "chain": "train",
    "params": "{shade: 0.5}",
    "when": "inputs-changed",
    "watch": "[pictures]",
    "promote": "{step: 20_train, metric: score/student, goal: higher}",
}


@pytest.fixture
def file(project, write_notebook):
    write_notebook("20_train", "shade: float = 1.0", reads="-", publishes="`model/student`")
    write_notebook("30_study", "seed: int = 0")
    steps = "steps:\n  - notebook: 20_train\n  - notebook: 30_study\n"
    (project / "experiments/run/train.yaml").write_text(steps)

    def write(**entries):
        text = ""
        for name, changes in entries.items():
            rows = {**GOOD, **changes}
            text += f"{name}:\n" + "".join(f"  {k}: {v}\n" for k, v in rows.items() if v is not None)
        (project / "experiments/schedules.yaml").write_text(text)

    return write


BAD = [
    ({"cron": '"0 0 31 2 *"'}, "cron line '0 0 31 2 .' never fires"),
    ({"zone": "Mars/Olympus"}, "there is no time zone 'Mars/Olympus'"),
    ({"chain": "gone"}, "there is no chain 'gone' in .*; there are: train"),
    ({"chain": "../gone.yaml"}, r"there is no chain '\.\./gone\.yaml'"),
    ({"params": "{shadow: 0.5}"}, "no step of this chain has a parameter 'shadow'"),
    ({"params": "{shade: dark}"}, "shade must be float, not 'dark'"),
    ({"preset": "huge"}, "no preset 'huge'"),
    ({"crom": "1"}, "unknown key 'crom'; there are: cron, zone"),
    ({"promote": "{step: 20_train, metric: a/b, goal: higher, more: 1}"}, "unknown key 'promote.more'"),
    ({"promote": "{step: 21_x, metric: a/b, goal: higher}"}, "step '21_x', but train has: 20_train"),
    ({"promote": "{step: 30_study, metric: a/b, goal: higher}"}, "30_study publishes nothing"),
    ({"promote": "{step: 20_train, metric: a/b, goal: up}"}, "promote.goal should be 'higher' or 'lower'"),
    ({"zone": None}, "zone is missing"),
    ({"enabled": "1"}, "enabled should be a valid boolean, not 1"),
    ({"when": "always"}, "watch and steps need 'when: inputs-changed'"),
]


def test_each_wrong_entry_is_one_sentence_and_the_others_are_listed(file, project):
    file(good={}, **{f"bad{n}": changes for n, (changes, _) in enumerate(BAD)})
    good, bad = schedules.read()
    assert list(good) == ["good"]
    for n, (_, sentence) in enumerate(BAD):
        told = bad[f"bad{n}"]
        assert told.startswith(f"{project}/experiments/schedules.yaml: schedule bad{n}: ")
        assert re.search(sentence, told), told
        assert "\n" not in told
    screen = CliRunner().invoke(application(), ["schedule", "list"]).stdout
    assert screen.startswith("good  30 2 * * *  Europe/Berlin  train  next ")
    assert screen.count("cannot be used: ") == len(BAD)
    with pytest.raises(ExperimentError, match=r"bad1: there is no time zone"):
        schedules.find("bad1")
    with pytest.raises(ExperimentError, match="no schedule 'none'; there are: good, bad0"):
        schedules.find("none")


def test_what_an_entry_says_is_what_it_means(file, project):
    file(
        plain={"when": None, "watch": None, "promote": None, "params": None},
        full={"missed": "skip", "grace": "5", "overlap": "wait", "enabled": "false", "watch": "[~/a, b]"},
        own={"chain": "experiments/run/train.yaml", "watch": None},
    )
    good, bad = schedules.read()
    assert not bad
    plain, full, own = good.values()
    assert (plain.run_missed, plain.wait, plain.enabled, plain.steps, plain.watch) == (
        True,
        False,
        True,
        False,
        (),
    )
    assert (full.run_missed, full.wait, full.enabled, full.grace.seconds) == (False, True, False, 300)
    assert full.watch == (Path.home() / "a", project / "b")
    assert full.chain.steps[0].params == {"shade": 0.5}
    assert own.steps, "without watch the steps decide"


@pytest.mark.parametrize("text", ["good: [", "good: {a: 1, a: 2}", "- 1", "30: {}"])
def test_a_file_that_is_no_yaml_of_schedules_is_one_sentence(file, project, text):
    (project / "experiments/schedules.yaml").write_text(text)
    for command in (["list"], ["tick"], ["history", "good"]):
        done = CliRunner().invoke(application(), ["schedule", *command])
        assert isinstance(done.exception, ExperimentError)
        assert "\n" not in str(done.exception)


@pytest.mark.parametrize("text", ["good: 3", "good:", "../up: {}"])
def test_an_entry_that_is_no_mapping_or_no_name_is_one_sentence(file, project, text):
    (project / "experiments/schedules.yaml").write_text(text)
    good, bad = schedules.read()
    assert not good
    assert re.search(r"must hold 'key: value' lines|should be a valid dictionary|in its name", *bad.values())


def test_the_shipped_schedules_can_be_used_and_watch_what_their_chain_reads(monkeypatch):
    monkeypatch.setenv("WBME_PROJECT", str(ROOT))
    good, bad = schedules.read()
    assert not bad
    nightly = good["nightly"]
    first = chain.plan("retrain").steps[0]
    assert [Path(first.params["folder"]).expanduser()] == list(nightly.watch)
    assert nightly.promotion.metric == "line_f1/student"
    steps = {step.name: step.params for step in nightly.chain.steps}
    assert "drawings" in steps["15_compose_pairs"]["leave_out"]
    assert first.params["name"] in steps["15_compose_pairs"]["backgrounds"]
    assert first.params["name"] not in steps["judge"]["backgrounds"], "all are judged on the same pictures"
    judge = steps["50_evaluate"]
    assert judge["pair_set"] == steps["judge"]["name"]
    assert [nightly.promotion.against.split("/")[1], nightly.promotion.metric.split("/")[1]] == judge[
        "models"
    ][::-1]


def test_the_lines_for_cron_and_systemd_in_the_readme_can_be_read():
    text = (ROOT / "README.md").read_text()
    if "wbme schedule" not in text:
        pytest.skip("the README does not tell of schedules yet")
    crons = re.findall(r"^((?:[\d*/,-]+ ){5}).*wbme schedule tick", text, re.MULTILINE)
    assert crons
    for line in crons:
        cron.parse(line, "UTC", "README")
    units = re.findall(r"^```ini\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert units
    for unit in units:
        read = configparser.ConfigParser(strict=False, interpolation=None)
        read.optionxform = str
        read.read_string(unit)
        assert read["Service"]["ExecStart"].endswith(("wbme schedule serve", "wbme schedule tick"))
        assert set(read.sections()) <= {"Unit", "Service", "Install", "Timer"}
