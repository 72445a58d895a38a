"""What a sweep means before it runs: designs, files and their faults; and how its results are compared."""

import csv
import itertools
import json
import math
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from wbme.base.errors import ExperimentError, ParameterError, StoreError, WbmeError
from wbme.base.statistics import bootstrap, paired
from wbme.cli import application
from wbme.lab import comparison, design, sweep
from wbme.lab.comparison import Results

LEVELS = st.lists(st.integers(-5, 5), min_size=1, max_size=4, unique=True)
FACTORS = st.dictionaries(st.sampled_from(["10_a.x", "10_a.y", "20_b.x", "z"]), LEVELS, min_size=1)


@given(FACTORS)
def test_a_grid_is_every_combination_once_and_its_base_the_first_levels(factors):
    found = [tuple(s.factors.items()) for s in design.grid(factors)]
    wanted = itertools.product(*([(name, v) for v in levels] for name, levels in factors.items()))
    assert found == list(wanted)
    assert len(set(found)) == math.prod(map(len, factors.values()))
    assert dict(found[0]) == {name: levels[0] for name, levels in factors.items()}


@given(FACTORS)
def test_leave_one_out_switches_one_factor_at_a_time(factors):
    base, *others = design.leave_one_out(factors)
    assert base.factors == {name: levels[0] for name, levels in factors.items()}
    switched = []
    for setting in others:
        [(name, value)] = [(n, v) for n, v in setting.factors.items() if v != base.factors[n]]
        switched.append((name, value))
        assert list(setting.factors) == list(factors)
    assert switched == [(name, v) for name, levels in factors.items() for v in levels[1:]]


@given(FACTORS, st.lists(st.integers(), max_size=4, unique=True))
def test_repeats_give_whole_rounds_with_numbers_of_their_own(factors, values):
    settings = design.grid(factors)
    trials = design.repeated(settings, values)
    assert [t.number for t in trials] == list(range(1, len(trials) + 1))
    assert len({t.key for t in trials}) == len(trials)
    rounds = [
        [(t.setting, t.repeat) for t in trials[k : k + len(settings)]]
        for k in range(0, len(trials), len(settings))
    ]
    assert rounds == [[(s, value) for s in settings] for value in values or [None]]


def test_tags_tell_two_parameters_of_one_name_apart_and_stay_short():
    factors = {"15_compose_pairs.seed": 1, "41_train_student.seed": 2, "41_train_student.start": "x" * 90}
    first, second, third = design.tags(factors)
    assert (first, second) == ("15_compose_pairs.seed=1", "41_train_student.seed=2")
    assert third.startswith("start=xxx") and len(third) == 64
    assert design.tags({**factors, "41_train_student.start": "x" * 91})[2] != third


def test_labels_name_the_notebook_only_where_two_share_a_parameter():
    assert [s.label for s in design.grid({"10_a.x": [0.0, 1.5], "20_b.on": [True]})] == [
        "x=0.0, on=true",
        "x=1.5, on=true",
    ]
    assert design.grid({"10_a.x": [1], "20_b.x": ["w"]})[0].label == "10_a.x=1, 20_b.x=w"
    assert [s.label for s in design.leave_one_out({"10_a.x": [1, 2]})] == ["base", "x=2"]


@pytest.fixture
def files(project, write_notebook):
    """Two notebooks and a way to write sweeps over them."""
    write_notebook(
        "10_make", "seed: int = 0\nsize: float = 1.0  # s\nmode: str = 'a'", "run.metric('m/a', size)"
    )
    write_notebook("50_judge", "seed: int = 0\nlimit: int = 3", "run.metric('m/a', limit)")
    write_notebook("60_silent", "seed: int = 0", "1")
    (project / "experiments/run/both.yaml").write_text(
        "name: both\npromote: true\nsteps:\n- notebook: 10_make\n- notebook: 50_judge\n"
    )
    (project / "experiments/sweeps").mkdir()

    def write(text, name="s"):
        head = "" if "chain:" in text else "chain: both\n"
        head += "" if "metric:" in text else "metric: m/a\ngoal: lower\n"
        (project / f"experiments/sweeps/{name}.yaml").write_text(head + text)
        return name

    return write


def test_a_grid_over_two_steps_sets_the_parameters_of_every_chain(files):
    found = sweep.find(
        files(
            "design: grid\nfactors: {10_make.size: [0, 2], 50.limit: [3, 4]}\n"
            "repeat: {param: seed, values: [7, 8]}"
        )
    )
    assert [s.factors for s in found.settings] == [
        {"10_make.size": a, "50.limit": b} for a in (0.0, 2.0) for b in (3, 4)
    ]
    assert len(found.trials) == 8
    last = found.chain_of(found.trials[-1])
    assert last.name == "s.008"
    assert not last.promote
    assert [dict(step.params) for step in last.steps] == [
        {"seed": 8, "size": 2.0, "mode": "a"},
        {"seed": 8, "limit": 4},
    ]


def test_listed_trials_fill_up_with_the_values_of_the_chain(files):
    found = sweep.find(
        files(
            "design: list\ntrials:\n- {label: plain}\n- {label: big, set: {10_make.size: 9}}\n"
            "- {label: other, set: {10_make.mode: b}}"
        )
    )
    assert [(s.label, s.factors) for s in found.settings] == [
        ("plain", {"10_make.size": 1.0, "10_make.mode": "a"}),
        ("big", {"10_make.size": 9.0, "10_make.mode": "a"}),
        ("other", {"10_make.size": 1.0, "10_make.mode": "b"}),
    ]


def test_a_notebook_that_stands_twice_is_told_apart_by_its_own_name(files):
    text = "chain:\n- {notebook: 10_make}\n- {notebook: 10_make, as: again, params: {size: 5}}\n"
    text += "- {notebook: 50_judge}\n"
    found = sweep.find(files(text + "design: grid\nfactors: {10_make.size: [1, 2], again.mode: [a, b]}"))
    steps = found.chain_of(found.trials[-1]).steps
    assert [(s.alias, s.params.get("size"), s.params.get("mode")) for s in steps] == [
        ("", 2.0, "a"),
        ("again", 5.0, "b"),
        ("", None, None),
    ]


GRID = "design: grid\nfactors: {10_make.size: [1, 2]}\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "design: random\nfactors: {10_make.size: [1]}",
            "design must be one of grid, leave_one_out, list, not 'random'",
        ),
        (
            "design: grid\nfactors: {10_make.sise: [1]}",
            "10_make has no parameter 'sise'; did you mean 'size'?",
        ),
        (
            "design: grid\nfactors: {sise: [1]}",
            "no step has the parameter 'sise'; the steps are: 10_make, 50_judge",
        ),
        ("design: grid\nfactors: {99_x.size: [1]}", "no step has the parameter '99_x.size'"),
        ("design: grid\nfactors: {10_make.size: [a]}", "size must be float, not 'a'"),
        ("design: grid\nfactors: {10_make.size: 3}", "must have a list of levels"),
        ("design: grid\nfactors: {10_make.size: [1, 1.0]}", "no two alike"),
        ("design: grid\nfactors: {}", "factors must hold"),
        ("design: grid\ntrials: []", "design grid takes factors, and only that"),
        (
            "design: grid\nfactors: {10_make.size: [1], 10.size: [2]}",
            "10_make.size and 10.size set the same parameter",
        ),
        (
            GRID + "repeat: {param: size, values: [1]}",
            "10_make.size and size set the same parameter: keep one",
        ),
        (GRID + "repeat: {param: sead, values: [1]}", "no step has the parameter 'sead'"),
        (GRID + "repeat: {param: seed, values: [0, 0]}", "no two alike"),
        (GRID + "repeat: {param: seed, values: [x]}", "seed must be int"),
        (GRID + "goal: lower\nmetric: ''", "metric must name a metric"),
        (GRID + "goal: up\nmetric: m/a", "goal must be higher or lower, not 'up'"),
        (GRID + "also: {m/b: best}", "also: m/b must be higher or lower"),
        (GRID + "tirals: 3", "unknown key 'tirals'"),
        (GRID + "chain: nowhere", "no notebook called 'nowhere'"),
        (GRID + "chain: 3", "chain must name a chain"),
        (
            GRID + "chain: [{notebook: 10_make}, {notebook: 60_silent}]",
            "the last step, 60_silent, reports no metric",
        ),
        (GRID + "chain: [{notebook: 10_make, as: a b}]", "step 1 is called 'a b'"),
        (GRID + "preset: huge", "no preset 'huge'"),
        (GRID + "name: a/b", "'a/b' cannot name a sweep"),
        (GRID + "design: grid", "'design' stands there twice"),
        ("design: list\ntrials: [{set: {}}]", "trial 1 needs a label of its own"),
        ("design: list\ntrials: [{label: a}, {label: a}]", "trial 2 needs a label of its own"),
        ("design: list\ntrials: [{label: a}, {label: b}]", "trials 'a' and 'b' set the same values"),
        ("design: list\ntrials: [{label: a, set: {10_make.nix: 1}}]", "10_make has no parameter 'nix'"),
        ("search: {library: hyperopt}", "library must be optuna"),
        ("search: {library: optuna, trials: 0, ranges: {}}", "trials must be a whole number above 0"),
        ("search: {library: optuna, trials: 2, ranges: {10_make.size: [2, 1]}}", "low below high"),
        (
            "search: {library: optuna, trials: 2, ranges: {10_make.mode: [1, 2]}}",
            "mode is str: search it with",
        ),
        (
            "search: {library: optuna, trials: 2, ranges: {10_make.nix: [1, 2]}}",
            "10_make has no parameter 'nix'",
        ),
        ("design: grid\nsearch: {}", "a design or a search"),
    ],
)
def test_a_faulty_sweep_is_one_sentence_before_anything_runs(files, project, text, sentence):
    with pytest.raises(WbmeError) as error:
        sweep.find(files(text))
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)
    assert not (project / "workspace/runs").exists()


def test_a_sweep_that_is_not_there_names_those_that_are(files):
    files(GRID)
    with pytest.raises(ExperimentError, match=r"no sweep 'none' in .*; there are: s; or name a \.yaml file"):
        sweep.find("none")


def test_the_dry_run_prints_every_trial(files, project):
    files(GRID + "repeat: {param: seed, values: [0, 1]}")
    done = CliRunner().invoke(application(), ["sweep", "s", "--dry-run"])
    assert done.exit_code == 0
    assert "4 trials of 2 steps, by parameters 6 different ones" in done.stdout
    assert [line.split()[0] for line in done.stdout.splitlines()[2:]] == ["001", "002", "003", "004"]
    assert "size=2  seed=1  (10_make.size=2.0)" in done.stdout
    assert not (project / "workspace/runs").exists()


def outcome(key, label, x, seed, value=None, other=None):
    metrics = {} if value is None else {"m/a": value, "m/b": other or 0.0}
    status = {"status": "failed", "error": "broke"} if value is None else {"status": "completed"}
    return {
        "trial": key,
        "label": label,
        "factors": {"x": x},
        "repeat": {"seed": seed},
        "metrics": metrics,
        "runs": [],
    } | status


HEAD = {"schema": 1, "name": "s", "status": "completed", "goals": {"m/a": "lower"}, "base": "base"}
BASE, OTHER = [5.0, 6.0, 7.0, 8.0], [4.0, 5.25, 5.75, 7.0]


def made(*groups):
    rows = [
        outcome(f"{1 + k + 10 * n:03d}", label, n, k, value)
        for n, (label, values) in enumerate(groups)
        for k, value in enumerate(values)
    ]
    return Results(HEAD, rows)


def test_compare_gives_the_numbers_worked_out_by_hand():
    base, other = comparison.compare(made(("base", BASE), ("other", OTHER)))
    assert (base["mean"], base["verdict"], base["repeats"]) == (6.5, "the base", 4)
    spread = bootstrap(BASE)
    assert (base["low"], base["high"]) == (spread.low, spread.high)
    assert math.isnan(base["difference"])
    # Differences -1, -0.75, -1.25, -1: mean -1, deviation sqrt(0.125 / 3); t of 3 degrees at 97.5 % 3.1824
    half = 3.182446 * math.sqrt(0.125 / 3) / 2
    assert other["difference"] == -1
    assert other["difference low"] == pytest.approx(-1 - half, abs=1e-5)
    assert other["difference high"] == pytest.approx(-1 + half, abs=1e-5)
    assert other["verdict"] == "better"


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([7.0, 8.0, 9.5, 10.0], "worse"),
        ([4.0, 7.0, 6.0, 9.0], "no difference shown"),
        ([4.0, 5.0], "too few repeats"),
        ([None, 5.5, None, 7.0], "too few repeats"),
        (BASE, "no difference shown"),
    ],
)
def test_verdicts(values, verdict):
    assert comparison.compare(made(("base", BASE), ("other", values)))[1]["verdict"] == verdict


@pytest.mark.parametrize(
    ("base", "other", "verdict"),
    [
        ([5.0, 5.0, 5.0], [4.0, 4.0, 4.0], "its repeats are identical"),
        ([5.0, 5.0, 5.0], [4.0, 4.1, 4.0], "better"),
    ],
)
def test_repeats_that_repeat_nothing_give_no_verdict(base, other, verdict):
    assert comparison.compare(made(("base", base), ("other", other)))[1]["verdict"] == verdict


def test_only_repeats_that_both_have_are_paired():
    [_, row] = comparison.compare(made(("base", [5.0, None, 7.0, 8.0]), ("other", [4.0, 100.0, 6.0, 7.0])))
    assert (row["pairs"], row["repeats"], row["difference"], row["verdict"]) == (3, 4, -1.0, "better")
    [row, _] = comparison.compare(made(("base", [5.0, None, 7.0, 8.0]), ("other", BASE)))
    assert (row["repeats"], row["failed"]) == (3, 1)


def test_metrics_and_bases_other_than_the_sweeps_own():
    found = made(("base", BASE), ("other", OTHER))
    for row in found.trials:
        row["metrics"]["m/b"] = -row["metrics"]["m/a"]
    rows = comparison.compare(found, ["m/b"], "other")
    assert [(r["metric"], r["setting"], r["verdict"]) for r in rows] == [
        ("m/b", "base", "lower"),  # which way is better is not said for this metric
        ("m/b", "other", "the base"),
    ]
    with pytest.raises(ParameterError, match=r"no trial of s reports the metric 'm/c'; there are: m/a, m/b"):
        comparison.compare(found, ["m/c"])
    with pytest.raises(ParameterError, match="s has no setting 'x'; there are: base, other"):
        comparison.compare(found, [], "x")


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=9), st.floats(-5, 5))
def test_paired_differences_do_not_see_what_both_share(values, gap):
    moved = [v + gap for v in values]
    found = paired(moved, values)
    assert found.mean == pytest.approx(gap, abs=1e-9)
    assert found.low <= found.mean <= found.high
    back = paired(values, moved)
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low))


def test_the_paired_interval_keeps_its_promise_with_three_values():
    """Of 2000 comparisons of equals about one in twenty is called different; by bootstrap one in four."""
    import numpy as np

    rng = np.random.default_rng(0)
    called = [not (f.low <= 0 <= f.high) for f in (paired(*rng.normal(size=(2, 3))) for _ in range(2000))]
    assert 0.035 < np.mean(called) < 0.065


@pytest.mark.parametrize("bad", [([], []), ([1.0], [1.0, 2.0]), ([float("nan")], [1.0])])
def test_paired_refuses_what_has_no_difference(bad):
    with pytest.raises(ParameterError):
        paired(*bad)


def test_results_leave_out_a_line_that_a_kill_cut_and_refuse_damage(project):
    place = project / "workspace/sweeps/s"
    place.mkdir(parents=True)
    (place / "sweep.json").write_text(json.dumps(HEAD))
    lines = [json.dumps(outcome("001", "base", 0, 0, v)) + "\n" for v in (1.0, 2.0)]
    (place / "trials.jsonl").write_text("".join(lines) + lines[0][:30])
    assert [row["metrics"]["m/a"] for row in comparison.of("s").trials] == [2.0]
    for text in ('{"trial": 1}\n', "nonsense\n", "[1]\n"):
        (place / "trials.jsonl").write_text(text)
        with pytest.raises(StoreError, match="is damaged: run the sweep again"):
            comparison.of("s")
    for name in ("none", "../s", ""):
        with pytest.raises(ExperimentError, match="no sweep"):
            comparison.of(name)


def test_the_command_prints_and_writes_the_table(project):
    place = project / "workspace/sweeps/s"
    place.mkdir(parents=True)
    found = made(("base", BASE), ("other", [*OTHER[:3], None]))
    (place / "sweep.json").write_text(json.dumps(HEAD))
    (place / "trials.jsonl").write_text("".join(json.dumps(row) + "\n" for row in found.trials))
    done = CliRunner().invoke(application(), ["compare", "s", "--csv", "t.csv"])
    assert done.exit_code == 0, done.output
    assert "m/a (lower is better)" in done.stdout
    assert "014 other failed: broke" in done.stdout
    [base, other] = csv.DictReader(StringIO((project / "t.csv").read_text()))
    assert (base["setting"], base["mean"], other["difference"], other["verdict"]) == (
        "base",
        "6.5",
        "-1.0",
        "better",
    )
    with pytest.raises(ParameterError, match="there is no folder nowhere"):
        CliRunner().invoke(application(), ["compare", "s", "--csv", "nowhere/t.csv"], catch_exceptions=False)
