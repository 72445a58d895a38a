"""The knobs of notebooks as pages (``wbme explore``), in a real browser: what is shown, moved and refused.

``python -m pytest tests/test_voila.py -s`` prints how long a page and each of its pictures take.
``WBME_SCREENSHOTS=FOLDER`` keeps screenshots.
"""

import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import psutil
import pytest
from browsing import WATCH, Live, finished, free_port, report, shoot, stop

NOTEBOOK = "30_skin_distributions"
pytestmark = pytest.mark.browser


@contextmanager
def explored(project, *words):
    """(process, address with token) of ``wbme explore WORDS``."""
    folder, environment = project
    command = [sys.executable, "-m", "wbme", "explore", *words, "--no-browser", "--port", str(free_port())]
    with open(folder / "explore.log", "w") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
    try:
        said = ""
        for line in process.stdout:
            said += line.decode()
            if address := re.search(r"http://127\.0\.0\.1:\d+/\?token=\w+", said):
                yield process, address[0]
                return
        pytest.fail(f"no page: {said}{(folder / 'explore.log').read_text()}")
    finally:
        stop(process)


@contextmanager
def visited(browser, address):
    """A page whose notebook came to its end after ``page.seconds``; ``page.said`` collects errors of the
    console, ``page.asked`` the addresses that answered."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(60_000)
    page.said, page.asked = [], []
    page.on("console", lambda line: page.said.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("response", lambda answer: page.asked.append(answer.url))
    began = time.monotonic()
    page.goto(address, wait_until="commit")
    page.locator("#rendered_cells").wait_for(timeout=240_000)
    page.seconds = time.monotonic() - began
    yield page
    page.close()


@pytest.fixture(scope="module")
def server(project):
    with explored(project, "30") as found:
        yield found


@pytest.fixture(scope="module")
def page(server, project, browser):
    runs = project[0] / "workspace/runs" / NOTEBOOK
    before = set(runs.glob("*/run.json"))
    with visited(browser, server[1]) as page:
        assert "Preset smoke" in (text := page.locator("body").inner_text()), text
        page.run = finished(runs, before)
        page.locator(".widget-image").nth(2).wait_for()
        page.evaluate(WATCH)
        print(f"\n{NOTEBOOK}: {page.seconds:.0f} s from address to page")
        yield page


def knobs(page, label: str) -> Live:
    """The cell with the slider ``label``."""
    row = page.locator(".widget-slider").filter(has_text=label)
    return Live(page, page.locator(".jp-CodeCell").filter(has=row))


def moved(page, label: str, name: str) -> None:
    """Move a slider by keys; each time the picture follows."""
    cell = knobs(page, label)
    cell.handle(label).focus()
    moves = ["ArrowLeft"] * 3 + ["ArrowRight"] * 2 + ["ArrowLeft"] * 2
    times = [cell.after(lambda key=key: page.keyboard.press(key))[0] for key in moves]
    report(f"{name}: key to picture", times)
    shoot(page, f"voila_{name}")


def test_title_and_knobs_are_shown_and_neither_code_nor_the_rest(page):
    shoot(page, "voila_top")
    headings = page.locator("h1:visible, h2:visible").all_inner_texts()
    assert [text.rstrip("¶") for text in headings] == [
        "Skin distributions",
        "What the settings do",
        "Two of them on each other",
        "The faces behind the points",
        "A pair set: before, after, and what it should be",
    ]
    text = page.locator("body").inner_text()
    assert "lab.explore" not in page.content() and "source/portraits" not in text
    assert "sigma = 1.0" in text and "wbme explore 30 -p KEY VALUE" in text
    assert not page.locator("table").first.is_visible()


def test_the_whole_study_is_there_on_demand(page):
    page.locator("#whole").check()
    for heading in ("Every face", "Group by group", "Findings"):
        assert page.locator("h2", has_text=heading).is_visible()
    assert "Data: source/portraits" in page.locator("body").inner_text()
    page.locator("#whole").uncheck()
    assert not page.locator("h2", has_text="Every face").is_visible()


def test_a_slider_is_moved_and_the_picture_follows(page):
    moved(page, "sigma", "skin_settings")


def test_a_rectangle_changes_the_faces(page):
    cell = Live(page, page.locator(".jp-CodeCell").filter(has=page.locator("canvas")))
    times = [
        cell.after(lambda x=x: cell.stroke((x, 0.2), (x + 0.2, 0.5)))[0] for x in (0.3, 0.4, 0.5, 0.35, 0.45)
    ]
    report("skin_selection: mouse up to faces", times)
    cell.cell.get_by_role("button", name="zoom").click()
    cell.cell.locator(".jupyter-matplotlib-toolbar").wait_for(timeout=5000)
    shoot(page, "voila_selection")


def test_the_run_is_recorded_and_moves_no_name(page, project):
    assert page.run["status"] == "completed" and not page.run["launched"]
    outputs = page.run["outputs"]
    assert {"figure/skin_settings@interactive", "figure/skin_pairs_slope@interactive"} <= set(outputs)
    named = [project[0] / f"workspace/store/refs/{name}.json" for name in outputs]
    assert page.run["id"] not in [json.loads(path.read_text())["run"] for path in named if path.exists()]


def test_nothing_is_fetched_from_elsewhere(page, server):
    place = server[1].partition("?")[0]
    assert page.asked and [url for url in page.asked if not url.startswith((place, "data:", "blob:"))] == []
    refused = "violates the following Content Security Policy"
    assert [line for line in page.said if refused not in line] == []


def answer(url: str) -> tuple[int, str]:
    """Status and address at the end of all redirections."""
    try:
        with urllib.request.urlopen(url, timeout=20) as found:
            return found.status, found.url
    except urllib.error.HTTPError as error:
        return error.code, error.url


@pytest.mark.parametrize(
    "path",
    [
        f"voila/files/{NOTEBOOK}.ipynb",
        "voila/files/../README.md",
        "voila/files/%2e%2e/workspace/store/refs/source/portraits.json",
        "voila/static/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        f"{NOTEBOOK}.ipynb",
        "etc/passwd",
        "voila/tree",
        "voila/api/contents",
        "api/contents",
        "api/kernels",
    ],
)
def test_no_file_and_no_list_is_given_even_to_who_knows_the_token(server, path):
    address, _, token = server[1].partition("?")
    assert answer(f"{address}{path}?{token}")[0] in (403, 404)


def test_who_lacks_the_token_is_asked_for_it_and_starts_nothing(server):
    process, address = server
    kernels = len(psutil.Process(process.pid).children())
    for url in (address.partition("?")[0], address[:-1]):
        status, reached = answer(url)
        assert status == 200 and "/login" in reached
    assert len(psutil.Process(process.pid).children()) == kernels


def test_server_and_kernels_listen_on_loopback_alone(page, server):
    server_process = psutil.Process(server[0].pid)
    sockets = [s for p in (server_process, *server_process.children()) for s in p.net_connections("inet")]
    listening = {s.laddr.ip for s in sockets if s.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}


def test_a_page_that_is_left_ends_its_kernel(page, server):
    """The last of this server's tests: the page is gone then."""
    kernels = psutil.Process(server[0].pid).children()
    page.goto("about:blank")
    gone, left = psutil.wait_procs(kernels, timeout=20)
    assert gone and not left


STUDIES = {
    "20_warp_study": ("strength", "warp_closer"),
    "31_skin_reflection": ("strength", "skin_reflection_closer"),
    "32_lighting": ("strength", "lighting_closer"),
    "33_character_skin": ("amount", "character_skin_closer"),
    "34_line_and_tone": ("softness", "tone_live"),
}


@pytest.mark.parametrize("study", STUDIES)
def test_every_other_study_answers_to_its_slider(study, project, browser):
    label, figure = STUDIES[study]
    with explored(project, study[:2]) as (_, address), visited(browser, address) as page:
        page.locator(".widget-image").last.wait_for()
        page.evaluate(WATCH)
        print(f"\n{study}: {page.seconds:.0f} s from address to page")
        moved(page, label, figure)
        text = page.locator("body").inner_text()
        assert f"wbme explore {study[:2]} -p KEY VALUE" in text and "Traceback" not in text


def test_what_is_missing_is_said_in_one_sentence(project, browser):
    with (
        explored(project, "30", "-p", "sources", "nowhere") as (_, address),
        visited(browser, address) as page,
    ):
        text = page.locator("body").inner_text()
        shoot(page, "voila_missing")
    assert "RefError: the store has no source/nowhere" in text and "Traceback" not in text
    assert "Two of them" not in text and "Traceback" not in (project[0] / "explore.log").read_text()
