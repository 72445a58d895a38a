"""Experiment files that are shipped can be run: every name in them exists, every value has its type."""

from pathlib import Path

import pytest

from wbme.lab import chain, notebook, report

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


def test_the_report_is_made_of_what_its_chain_publishes():
    planned = chain.plan("report")
    made = {name for step in planned.steps for name in step.notebook.publishes}
    wanted = {f"{kind[:-1]}/{name}" for kind, names in report.wanted().items() for name in names}
    assert wanted
    assert wanted <= made
