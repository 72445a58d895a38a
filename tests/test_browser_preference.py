"""The blind choice in JupyterLab, in a real browser: by button and key, taken back, kept, told last."""

import json
import re
import subprocess
import sys

import pytest
from test_browser import _opened, server, shoot  # noqa: F401  a fixture among them

pytestmark = pytest.mark.browser
NOTEBOOK = "52_preference"
PUBLISH = """
import sys
from pathlib import Path
from wbme.data import candidates, sources
from wbme.lab import refs, store
from wbme.runtime.export import model_folder
portraits = Path(sys.argv[1])
sources.write(portraits, candidates.builtin()["portraits"])
made = {"source/portraits": portraits, "model/student": model_folder("student")}
refs.move({name: store.add(folder)[0] for name, folder in made.items()}, "by-hand/1")
"""
GIVEN = {'pair_set: str = "people"': 'pair_set: str = ""', '"anonymous"': '"eve"'}


def test_two_choices_by_button_and_key_are_kept_and_the_names_come_last(server, bare, browser):  # noqa: F811
    folder, environment = bare
    publish = [sys.executable, "-c", PUBLISH, str(folder / "portraits")]
    subprocess.run(publish, env=environment, check=True, timeout=120)
    path = folder / "notebooks" / f"{NOTEBOOK}.ipynb"
    book = json.loads(path.read_text("utf-8"))
    [cell] = [c for c in book["cells"] if "parameters" in c["metadata"].get("tags", [])]
    cell["source"] = "".join(cell["source"])
    for old, new in GIVEN.items():
        assert old in cell["source"]
        cell["source"] = cell["source"].replace(old, new)
    path.write_text(json.dumps(book), "utf-8")
    with _opened(server, browser, NOTEBOOK, folder) as page:
        assert page.run["status"] == "completed" and "table/preference@interactive" not in page.run["outputs"]
        output = page.locator(".jp-CodeCell").filter(has_text="Chooser(sitting").locator(".jp-OutputArea")
        canvas = output.locator(".jupyter-matplotlib-canvas-div")
        canvas.scroll_into_view_if_needed()
        shoot(page, "preference")
        page.wait_for_timeout(500)  # nobody chooses sooner
        output.get_by_role("button", name="A is better").click()
        output.get_by_text("1 of 2 chosen").wait_for(timeout=20_000)
        [kept] = (folder / "workspace/runs" / NOTEBOOK).glob("*/choices.jsonl")
        assert [json.loads(line)["chosen"] for line in kept.read_text("utf-8").splitlines()] == ["left"]
        assert not re.search("student|classical", output.inner_text())
        canvas.click()
        page.wait_for_timeout(500)
        page.keyboard.press("ArrowRight")
        output.get_by_text("All are chosen").wait_for(timeout=20_000)
        output.get_by_role("button", name="undo").click()
        output.get_by_text("1 of 2 chosen").wait_for(timeout=20_000)
        canvas.click()
        page.wait_for_timeout(500)
        page.keyboard.press("ArrowDown")
        output.get_by_text("All are chosen").wait_for(timeout=20_000)
        rows = [json.loads(line) for line in kept.read_text("utf-8").splitlines()]
        assert [row["chosen"] for row in rows] == ["left", "none"] and rows[0]["rater"] == "eve"
        output.get_by_role("button", name="show the result").click()
        output.locator(".widget-image").wait_for(timeout=20_000)
        shoot(page, "preference_result")
        assert page.said == []
