"""Experiment files that are shipped can be run: every name in them exists, every value has its type."""

from pathlib import Path

import pytest

from wbme.lab import chain, comparison, notebook, report, sweep
from wbme.synth import recipes

ROOT = Path(__file__).parents[1] / "experiments"


@pytest.mark.parametrize("path", sorted((ROOT / "run").glob("*.yaml")), ids=lambda p: p.stem)
@pytest.mark.parametrize("preset", ["smoke", "demo", "full"])
def test_chains_plan_under_every_preset(path, preset):
    planned = chain.plan(path.stem, preset=preset)
    assert planned.name == path.stem
    assert planned.steps


@pytest.mark.parametrize("path", sorted((ROOT / "presets").glob("*.yaml")), ids=lambda p: p.stem)
def test_presets_name_notebooks_that_exist(path):
    assert all(notebook.find(name).name == name for name in chain.load_preset(path.stem))


@pytest.mark.parametrize("name", report.chains())
def test_a_report_is_made_of_what_its_chain_publishes(name):
    planned = chain.plan(name)
    made = tuple(name for step in planned.steps for name in step.notebook.publishes)
    wanted = {f"{kind[:-1]}/{name}" for kind, names in report.wanted(name).items() for name in names}
    assert wanted
    assert [name for name in sorted(wanted) if not notebook.covers(made, name)] == []


@pytest.mark.parametrize("path", sorted((ROOT / "sweeps").glob("*.yaml")), ids=lambda p: p.stem)
def test_sweeps_plan(path):
    planned = sweep.find(path.stem)
    assert planned.name == path.stem
    assert len(planned.trials) > 1
    assert planned.data, "tables must say what was measured"


@pytest.mark.parametrize("name", ["ablation", "warp"])
def test_a_sweep_over_pairs_judges_every_student_on_the_same_pictures(name):
    """Whatever is composed to learn from, the set that 50_evaluate reads is made alike in every trial."""
    planned = sweep.find(name)
    chains = [planned.chain_of(trial) for trial in planned.trials]
    judged = {repr([s.params for s in own.steps if s.alias == "judge"]) for own in chains}
    assert len(judged) == 1
    for own in chains:
        by_name = {step.alias or step.notebook.name: step.params for step in own.steps}
        assert by_name["50_evaluate"]["pair_set"] == by_name["judge"]["name"]
        assert by_name["41_train_student"]["pair_sets"] == [by_name["15_compose_pairs"]["name"]] != ["judge"]
        assert by_name["judge"]["people"] == by_name["15_compose_pairs"]["people"], (
            "or people seen in training"
        )


def test_students_of_warps_are_judged_by_exact_places_and_only_their_warps_differ():
    planned = sweep.find("warp")
    composed = [planned.chain_of(trial).steps for trial in planned.trials]
    judges = [step.params["recipe"] for steps in composed for step in steps if step.alias == "judge"]
    assert {recipes.load(name).warp.method for name in judges} == {"exact"}
    learnt = {s.params["recipe"] for steps in composed for s in steps[2:3]}
    one, other = (recipes.load(name) for name in sorted(learnt))
    assert {one.warp.aligns, other.warp.aligns} == {True, False}
    rest = {"name", "about", "warp"}
    assert one.model_dump(exclude=rest) == other.model_dump(exclude=rest)


@pytest.mark.parametrize("path", sorted((ROOT / "sweeps" / "results").iterdir()), ids=lambda p: p.name)
def test_results_that_are_kept_are_those_of_the_shipped_sweep(path):
    planned, kept = sweep.find(path.name), comparison.results(path)
    assert [rows[0]["label"] for rows in kept.settings] == [setting.label for setting in planned.settings]
    assert {row["metric"] for row in comparison.compare(kept)} == set(planned.goals)
