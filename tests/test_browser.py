"""Notebooks in JupyterLab, in a real browser: run all, move, select, drag, and see what changes.

``python -m pytest tests/test_browser.py -s`` prints how long each picture takes after its event.
``WBME_SCREENSHOTS=FOLDER`` keeps screenshots.
"""

import json
import re
import secrets
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import nbformat
import numpy as np
import pytest
import yaml
from browsing import RESET, WATCH, Live, finished, free_port, report, shoot, stop
from drawn_head import POINTS, head, named, save

NOTEBOOK = "30_skin_distributions"
COUNT = re.compile(r"\d+ of \d+ points")
LAB = [
    "--no-browser",
    "--allow-root",
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.port_retries=0",
    "--LabApp.extension_manager=readonly",
]


@pytest.fixture(scope="module")
def server(bare):
    """Address of a JupyterLab that serves the project to whoever knows the token."""
    folder, environment = bare
    port = free_port()
    token = secrets.token_hex(16)
    secret = [f"--ServerApp.port={port}", f"--IdentityProvider.token={token}"]
    command = [sys.executable, "-m", "jupyterlab", *LAB, *secret, f"--ServerApp.root_dir={folder}"]
    with open(folder / "server.log", "w") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(address, process, folder / "server.log")
        yield address, token
    finally:
        stop(process)


def _wait_for(address: str, process: subprocess.Popen, log: Path, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/api", timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"no JupyterLab: {log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def page(server, project, browser):
    """The notebook, run to its last cell; ``page.said`` collects errors of the console."""
    with _opened(server, browser, NOTEBOOK, project[0]) as page:
        page.evaluate(WATCH)
        yield page


@contextmanager
def _opened(server, browser, notebook: str, folder: Path):
    """A page with ``notebook`` of the project in ``folder``, run to its last cell; a workspace of its own,
    because JupyterLab would open what an earlier page left open and run that instead."""
    address, token = server
    page = browser.new_page(viewport={"width": 1500, "height": 1000})
    page.set_default_timeout(90_000)
    page.said = []
    page.on("console", lambda line: page.said.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: page.said.append(str(error)))
    runs = folder / "workspace/runs" / notebook
    before = set(runs.glob("*/run.json"))
    place = f"{address}/lab/workspaces/{notebook}/tree/notebooks/{notebook}.ipynb"
    page.goto(f"{place}?token={token}", timeout=120_000)
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=120_000)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=120_000)
    page.locator(".lm-MenuBar-item", has_text="Run").click()
    page.locator(".lm-Menu-item", has_text="Run All Cells").first.click()
    page.run = finished(runs, before)
    yield page
    page.close()


def _small(folder: Path, notebook: str) -> None:
    """Give the parameters of ``notebook`` the values of preset smoke."""
    path = folder / "notebooks" / f"{notebook}.ipynb"
    read, found = nbformat.read(path, 4), 0
    values = yaml.safe_load((folder / "experiments/presets/smoke.yaml").read_text())[notebook]
    for name, value in values.items():
        for cell in read.cells:
            if "parameters" in cell.metadata.get("tags", []):
                cell.source, one = re.subn(
                    rf"(?m)^({name}: .*?) = .*?  #", lambda m, v=value: f"{m[1]} = {v!r}  #", cell.source
                )
                found += one
    assert found == len(values)
    nbformat.write(read, path)


class Cell(Live):
    """The cell with the call that saves figure ``name``."""

    def __init__(self, page, name: str):
        cells = page.locator(".jp-CodeCell").filter(has_text=f'"{name}"')
        super().__init__(page, cells.filter(has=page.locator(".widget-image")))


def _drag(page, place, start, by, steps: int = 8) -> None:
    """Drag within ``place``; where it lies is asked for anew at every step, as outputs above it may grow."""
    place.hover(position={"x": start[0], "y": start[1]})
    page.mouse.down()
    for part in np.linspace(0, 1, steps + 1)[1:]:
        x, y = start + part * by
        place.hover(position={"x": x, "y": y})
    page.mouse.up()


pytestmark = pytest.mark.browser


def test_run_all_reaches_the_end(page):
    assert page.run["status"] == "completed"
    assert {"figure/skin_settings@interactive", "figure/skin_selection@interactive"} <= set(
        page.run["outputs"]
    )
    shoot(page, "end")


@pytest.mark.parametrize(("name", "label"), [("skin_settings", "erode"), ("skin_comparison", "bandwidth")])
def test_arrow_keys_move_a_slider_and_the_picture_follows(page, name, label):
    cell = Cell(page, name)
    cell.handle(label).focus()
    moves = ["ArrowRight"] * 6 + ["ArrowLeft"] * 5
    times = [cell.after(lambda key=key: page.keyboard.press(key))[0] for key in moves]
    report(f"{name}: key to picture", times)
    shoot(page, name)


@pytest.mark.parametrize(("name", "label"), [("skin_settings", "sigma"), ("skin_comparison", "bandwidth")])
def test_dragging_a_slider_ends_where_the_hand_is(page, name, label):
    cell = Cell(page, name)
    box = cell.handle(label).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag():
        page.mouse.move(x, y)
        page.mouse.down()
        for step in range(1, 26):
            page.mouse.move(x + 4 * step, y)
            page.wait_for_timeout(20)
        page.mouse.up()

    late, drawn = cell.after(drag, rest=2000)
    rested = cell.bytes()
    for key in ("ArrowRight", "ArrowLeft"):
        cell.after(lambda key=key: page.keyboard.press(key), rest=2000)
    assert cell.bytes() == rested
    print(f"\n{name}: {drawn} pictures while dragging, the last {late:.0f} ms after the hand")
    shoot(page, f"{name}_dragged")


def test_a_pair_set_is_shown_as_slopes_and_as_curves(page):
    """Each choice gives a picture of its own: CDF, L*, slope again, on the photograph, of dark skin alone."""
    cell = Cell(page, "skin_pairs_views")
    pictures = [cell.bytes()]
    for place, value in ((0, "CDF"), (1, "L*"), (0, "slope"), (2, "photograph"), (3, "8-10")):
        page.evaluate(RESET)
        cell.cell.locator("select").nth(place).select_option(value)
        page.wait_for_function("() => window.watched.changes.length", timeout=20_000)
        page.wait_for_timeout(400)
        pictures.append(cell.bytes())
        shoot(page, f"skin_pairs_{len(pictures)}")
    assert len(set(pictures)) == len(pictures)


def test_a_rectangle_and_a_lasso_change_the_faces(page):
    cell = Cell(page, "skin_selection")
    times = [
        cell.after(lambda x=x: cell.stroke((x, 0.2), (x + 0.2, 0.5)))[0]
        for x in (0.3, 0.4, 0.5, 0.35, 0.45, 0.55)
    ]
    shoot(page, "rectangle")
    counted = cell.cell.get_by_text(COUNT).inner_text()
    cell.cell.get_by_role("button", name="lasso").click()
    around = [(0.35, 0.3), (0.6, 0.25), (0.75, 0.4), (0.6, 0.6), (0.4, 0.55), (0.35, 0.32)]
    for shift in (0, 0.04, -0.04, 0.08, 0.02):
        moved = [(x + shift, y) for x, y in around]
        times.append(cell.after(lambda corners=moved: cell.stroke(*corners))[0])
    shoot(page, "lasso")
    assert cell.cell.get_by_text(COUNT).inner_text() != counted
    report("skin_selection: mouse up to faces", times)


def test_the_toolbar_appears_on_demand(page):
    cell = Cell(page, "skin_selection").cell
    assert not cell.locator(".jupyter-matplotlib-toolbar").is_visible()
    cell.get_by_role("button", name="zoom").click()
    cell.locator(".jupyter-matplotlib-toolbar").wait_for(timeout=5000)


def test_a_burst_of_keys_ends_with_the_newest_value(page):
    """Two clusters cannot have three brightest: the sentence stands exactly while that is asked for."""
    cell = Cell(page, "skin_settings")
    sentence = cell.cell.get_by_text("give 1 <= brightest <= clusters")
    cell.handle("clusters").focus()
    for _ in range(4):
        for key, state in (("ArrowLeft", "visible"), ("ArrowRight", "detached")):
            for _ in range(3):
                page.keyboard.press(key)
            sentence.wait_for(state=state, timeout=5000)
            page.wait_for_timeout(300)
            assert sentence.is_visible() == (state == "visible")
    shoot(page, "sentence")


def test_the_console_reports_no_error(page):
    assert page.said == []


def test_a_dragged_point_is_saved_beside_the_drawing(server, bare, browser):
    """The whole of a square drawing fills the canvas, so that screen pixels tell pixels of the picture."""
    folder, _ = bare
    square = head(ground="#ffffff").crop((0, 40, 320, 360))
    drawings = folder / "girl"
    drawings.mkdir()
    save(drawings / "a.png", square, **named(POINTS - (0, 40)))
    save(drawings / "b.png", head(ground="#ffffff"))
    path = folder / "notebooks/11_drawings.ipynb"
    given = f'drawings: str = \\"{drawings}\\"'
    path.write_text(path.read_text().replace('drawings: str = \\"\\"', given))
    marks = drawings / "a.landmarks.json"
    with _opened(server, browser, "11_drawings", folder) as page:
        assert page.run["status"] == "completed"
        cell = page.locator(".jp-CodeCell").filter(has_text="landmark_editor.Editor")
        canvas = cell.locator("canvas").last
        canvas.scroll_into_view_if_needed()
        cell.get_by_role("button", name="near").click()
        scale = canvas.bounding_box()["width"] / 320
        shoot(page, "landmarks")
        _drag(page, canvas, (np.array(POINTS[2]) - (0, 40) + 0.5) * scale, np.array((10, 6)) * scale)
        cell.get_by_text("changed, not saved").wait_for(timeout=20_000)
        shoot(page, "landmarks_dragged")
        cell.get_by_role("button", name="save").click()
        cell.get_by_text("saved a.landmarks.json").wait_for(timeout=20_000)
        [face] = json.loads(marks.read_text())["faces"]
        moved = np.array([face[name] for name in named()]) - (POINTS - (0, 40))
        assert np.abs(moved[2] - (10, 6)).max() < 1 and not moved[[0, 1, 3, 4]].any()
        cell.get_by_role("button", name="next").click()
        cell.get_by_text("b.png (2 of 2)").wait_for(timeout=20_000)
        shoot(page, "landmarks_next")
        assert not (drawings / "b.landmarks.json").exists() and page.said == []


def test_a_slider_redraws_lines_and_tones_and_the_setting_is_saved(server, project, browser):
    folder, _ = project
    _small(folder, "34_line_and_tone")
    with _opened(server, browser, "34_line_and_tone", folder) as page:
        assert page.run["status"] == "completed"
        page.evaluate(WATCH)
        cell = Cell(page, "tone_live")
        cell.handle("levels").focus()
        moves = ["ArrowLeft"] * 4 + ["ArrowRight"] * 3
        times = [cell.after(lambda key=key: page.keyboard.press(key))[0] for key in moves]
        report("tone_live: key to picture", times)
        shoot(page, "tone_live")
        cell.cell.get_by_placeholder("name to save it under").fill("from_browser")
        cell.cell.get_by_role("button", name="save").click()
        cell.cell.get_by_text("saved: wbme stylize --style from_browser").wait_for(timeout=20_000)
        saved = (folder / "workspace/recipes/from_browser.yaml").read_text()
        assert "\n  line_gain: 4.0\n  levels: 7.0\n" in saved and "\n  softness: 0.85\n" in saved
        cell.cell.get_by_role("button", name="save").click()
        cell.cell.get_by_text("is there already").wait_for(timeout=20_000)
        shoot(page, "tone_saved")
        assert page.said == []


@pytest.mark.parametrize(
    ("notebook", "name", "label"),
    [
        ("20_warp_study", "warp_closer", "strength"),
        ("31_skin_reflection", "skin_reflection_closer", "strength"),
        ("32_lighting", "lighting_closer", "ev"),
        ("33_character_skin", "character_skin_closer", "amount"),
    ],
)
def test_a_study_answers_to_its_slider(server, project, browser, notebook, name, label):
    folder, _ = project
    _small(folder, notebook)
    with _opened(server, browser, notebook, folder) as page:
        assert page.run["status"] == "completed"
        page.evaluate(WATCH)
        cell = Cell(page, name)
        cell.handle(label).focus()
        moves = ["ArrowLeft"] * 3 + ["ArrowRight"] * 2
        times = [cell.after(lambda key=key: page.keyboard.press(key))[0] for key in moves]
        report(f"{name}: key to picture", times)
        shoot(page, name)
        assert page.said == []
