"""Fixtures for every test: a workspace of one's own, and the browser."""

import os
import signal

import pytest
from hypothesis import settings

from wbme.cli.setup import find_chromium

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
