"""Fixtures for every test: a workspace of one's own, and the browser."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

from wbme.cli.setup import find_chromium

ROOT = Path(__file__).parents[1]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A shell that starts the tests in its background has Ctrl-C ignored in them and in all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("wbme", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("wbme")


def pytest_collection_modifyitems(items):
    """What takes minutes comes first, so that of two processes neither ends long before the other."""
    long = ("notebooks", "browser")
    order = {}
    for item in items:
        first = min((long.index(mark.name) for mark in item.iter_markers() if mark.name in long), default=9)
        order[item.path] = min(first, order.get(item.path, 9))
    items.sort(key=lambda item: order[item.path])


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty workspace: ``WBME_HOME`` for this test and the processes it starts."""
    folder = tmp_path / "workspace"
    monkeypatch.setenv("WBME_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium. ``make test`` installs it, so that in CI a missing one is an error."""
    path = find_chromium()
    if path is None and os.environ.get("CI"):
        pytest.fail("no Chromium: 'python3 wbme/cli/setup.py --tests' installs it")
    if path is None:
        pytest.skip("no Chromium: run 'python3 wbme/cli/setup.py --tests'")
    return path


@pytest.fixture(scope="session")
def bare(tmp_path_factory):
    """A copy of the project with an empty workspace, and the environment of its processes."""
    folder = tmp_path_factory.mktemp("project")
    for part in ("notebooks", "experiments"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    places = {"WBME_HOME": folder / "workspace", "WBME_PROJECT": folder}
    places |= {f"JUPYTER_{kind}_DIR": folder / "jupyter" / kind for kind in ("CONFIG", "RUNTIME", "DATA")}
    places |= {f"JUPYTERLAB_{kind}_DIR": folder / "jupyter" / kind for kind in ("SETTINGS", "WORKSPACES")}
    # Neither news nor updates: what they ask would cover the notebook, and nothing is fetched.
    quiet = folder / "jupyter/SETTINGS/@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True)
    quiet.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    environment = os.environ | {name: str(place) for name, place in places.items()}
    environment.pop("WBME_INTERACTIVE", None)
    return folder, environment


@pytest.fixture(scope="session")
def project(bare, tmp_path_factory):
    """The project with a workspace in which notebook 10 published its sources; and a small pair set.

    Of several processes of one test run the first to come makes it, and the others copy it.
    """
    folder, environment = bare
    common = tmp_path_factory.getbasetemp()
    common = common.parent if "PYTEST_XDIST_WORKER" in os.environ else common
    made = common / "published"
    with FileLock(common / "published.lock"):
        if not made.exists():
            _publish(folder, environment | {"WBME_HOME": str(made.with_suffix(".part"))})
            made.with_suffix(".part").rename(made)
    shutil.copytree(made, folder / "workspace", dirs_exist_ok=True)
    return folder, environment


def _publish(folder, environment):
    made = [sys.executable, str(ROOT / "tests/small_pairs.py"), str(folder / "small")]
    subprocess.run(made, env=environment, check=True, timeout=120)
    command = [sys.executable, "-m", "wbme", "run", "10", "--promote", "--preset", "smoke"]
    subprocess.run(command, cwd=folder, env=environment, check=True, timeout=300)


@pytest.fixture(scope="module")
def browser(chromium):
    """A Chromium; one at a time, and none beside other tests: its loop of events holds the whole process."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium, args=FLAGS)
