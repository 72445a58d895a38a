"""The set-up: what it finds missing, which packages it chooses, and that a cut-off one is mended."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest

from wbme.cli import setup

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = setup.read_lock((ROOT / "requirements.lock").read_text())
DEBIAN, UBUNTU = 'ID=debian\nVERSION_ID="12"\n', "ID=ubuntu\nID_LIKE=debian\n"

linux = pytest.mark.skipif(sys.platform != "linux", reason="system packages are looked for on Linux alone")


def no_library(name):
    raise OSError(f"{name}: cannot open shared object file")


@pytest.fixture(autouse=True)
def no_playwright_browsers(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "browsers"))


@linux
def test_a_bare_debian_lacks_everything():
    wanted = setup.missing_packages(
        True, venv_works=False, os_release=DEBIAN, load=no_library, which=lambda _: None
    )
    venv = f"python3.{sys.version_info.minor}-venv"
    libraries = ["libgl1", "libxcb1", "libglib2.0-0", "libegl1", "libgl1-mesa-dri", "libatomic1"]
    assert wanted == [*libraries, "git", venv, "chromium"]


def test_nothing_is_asked_when_all_is_there(tmp_path):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    assert (
        setup.missing_packages(True, True, DEBIAN, load=lambda _: object(), which=lambda _: str(program))
        == []
    )


@linux
def test_only_the_missing_library_is_asked_for():
    def load(name):
        return no_library(name) if name == "libGL.so.1" else object()

    assert setup.missing_packages(False, True, DEBIAN, load=load, which=lambda _: "/usr/bin/git") == [
        "libgl1"
    ]


@linux
def test_a_driver_is_looked_for_where_drivers_lie(tmp_path, monkeypatch):
    monkeypatch.setattr(setup, "DRIVERS", (f"{tmp_path}/lib*/**/libgallium*.so",))
    with pytest.raises(OSError, match=r"swrast_dri\.so"):
        setup.load_library("swrast_dri.so")
    driver = tmp_path / "lib64" / "here" / "libgallium-25.0.so"
    driver.parent.mkdir(parents=True)
    driver.touch()
    setup.load_library("swrast_dri.so")


def test_only_the_tests_need_a_browser():
    arguments = {"load": lambda _: object(), "which": lambda name: "/usr/bin/git" if name == "git" else None}
    assert setup.missing_packages(False, True, DEBIAN, **arguments) == []
    assert setup.missing_packages(True, True, DEBIAN, **arguments) == ["chromium"]
    assert setup.missing_packages(True, True, UBUNTU, **arguments) == []  # there playwright brings its own


def test_a_snap_start_script_is_no_browser(tmp_path):
    snap, real = tmp_path / "chromium-browser", tmp_path / "google-chrome"
    snap.write_text("#!/bin/sh\nexec /snap/bin/chromium\n")
    real.write_text("#!/bin/sh\nexec /opt/google/chrome/chrome\n")
    here = {"chromium-browser": str(snap)}
    assert setup.find_chromium(here.get) is None
    assert setup.find_chromium({**here, "google-chrome": str(real)}.get) == str(real)


def test_the_newest_browser_of_playwright_is_found(tmp_path):
    for number in ("1100", "1234"):
        browser = tmp_path / "browsers" / f"chromium-{number}" / "chrome-linux64" / "chrome"
        browser.parent.mkdir(parents=True)
        browser.touch()
    assert setup.find_chromium(lambda _: None) == str(browser)


def test_without_rights_the_exact_line_is_said(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(setup.shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
    with pytest.raises(setup.SetupError) as error:
        setup.install_packages(["libgl1", "git"])
    line = "sudo apt-get update && sudo apt-get install -y --no-install-recommends libgl1 git"
    assert line in str(error.value)


def test_without_apt_the_names_are_said(monkeypatch):
    monkeypatch.setattr(setup.shutil, "which", lambda _: None)
    with pytest.raises(setup.SetupError, match=r"libgl1 git.*run the same command again"):
        setup.install_packages(["libgl1", "git"])


@pytest.mark.parametrize(
    ("version", "requirement", "expected"),
    [
        ("2.11.0", "torch>=2.11", True),
        ("2.9.1", "torch>=2.11", False),
        ("2.13.0+cpu", "torch>=2.11", True),
        ("2.11", "torch>=2.11.0", False),
        ("3.0.0", "torch>=2.11,<3", False),
        ("2.15.0a0+git1f2", "torch>=2.11,<3", True),
    ],
)
def test_range(version, requirement, expected):
    assert setup.in_range(version, requirement) is expected


def test_a_torch_of_the_users_own_is_kept():
    assert setup.keeps_torch("2.13.0+cpu", "torch>=2.11", "2.14.1")
    assert setup.keeps_torch("2.14.1+cpu", "torch>=2.11", "2.14.1")  # the same number, another build
    assert not setup.keeps_torch("2.14.1", "torch>=2.11", "2.14.1")
    assert not setup.keeps_torch("2.9.0", "torch>=2.11", "2.14.1")
    assert not setup.keeps_torch(None, "torch>=2.11", "2.14.1")


def test_a_fresh_environment_gets_the_whole_lock():
    lines, left_out = setup.choose(LOCK, {}, keep_torch=False)
    assert len(lines) == len(LOCK) and not left_out
    assert f"torch=={LOCK['torch']}" in lines


def test_beside_a_kept_torch_nothing_of_another_build_is_installed():
    lines, left_out = setup.choose(LOCK, {"torch": "2.13.0+cpu"}, keep_torch=True)
    names = {line.split("==")[0] for line in lines}
    assert not {"torch", "torchvision", "fastai", "triton"} & names
    assert not [name for name in names if name.startswith(("nvidia-", "cuda-"))]
    assert {"torchvision", "fastai"} <= set(left_out) and "torch" not in left_out
    assert {"numpy", "openvino", "jupyterlab"} <= names


def test_beside_a_matching_torchvision_fastai_comes_too():
    installed = {"torch": "2.13.0+cpu", "torchvision": "0.28.0+cpu"}
    lines, left_out = setup.choose(LOCK, installed, keep_torch=True)
    assert f"fastai=={LOCK['fastai']}" in lines
    assert "torchvision" not in left_out and "fastai" not in left_out


def test_what_is_installed_is_not_asked_for_again():
    assert setup.choose(LOCK, dict(LOCK), keep_torch=False) == ([], [])
    assert setup.choose(LOCK, {**LOCK, "numpy": "2.0.0"}, keep_torch=False)[0] == [f"numpy=={LOCK['numpy']}"]


def test_the_project_file_is_read_as_meant():
    assert setup.torch_requirement(PROJECT).startswith("torch>=")
    extras = ["video", "train", "diffusion", "track", "sweep", "int8", "rtx", "dev"]
    assert setup.extras_of_all(PROJECT) == extras


def test_the_stamp_changes_with_all_that_decides(tmp_path):
    names = ("requirements.lock", "pyproject.toml", "wbme/cli/setup.py")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    seen = {setup.stamp(tmp_path)}
    assert seen == {setup.stamp(tmp_path)}
    for name in names:
        (tmp_path / name).write_text("changed")
        seen.add(setup.stamp(tmp_path))
    assert len(seen) == 4
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    assert setup.stamp(moved) not in seen


def test_a_package_cut_off_in_its_installation_is_forgotten(tmp_path):
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    for name, files in {"whole-1.0": ("METADATA", "RECORD"), "torn-1.0": ("METADATA",)}.items():
        folder = site / f"{name}.dist-info"
        folder.mkdir(parents=True)
        for file in files:
            (folder / file).touch()
    assert setup.repair(tmp_path) == ["torn-1.0.dist-info"]
    assert [p.name for p in site.iterdir()] == ["whole-1.0.dist-info"]


def test_jupyterlab_asks_for_no_news(tmp_path):
    setup.silence_news(tmp_path)
    (file,) = tmp_path.glob("share/jupyter/lab/settings/*")
    assert json.loads(file.read_text())[setup.NOTIFICATION]["fetchNews"] == "false"


def test_an_interpreter_that_does_not_run_has_no_probe(tmp_path):
    assert setup.probe(tmp_path / "python") is None
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    assert setup.probe(broken) is None


def test_the_probe_tells_version_and_packages():
    found = setup.probe(sys.executable)
    assert found["python"] == list(sys.version_info[:2])
    assert found["packages"]["pyyaml"]


def test_a_full_disk_is_said_before_the_download(tmp_path, monkeypatch):
    monkeypatch.setattr(setup.shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000_000))
    monkeypatch.setattr(setup.sys, "platform", "linux")
    with pytest.raises(setup.SetupError, match=r"1\.0 GB free and \d+ GB are needed"):
        setup.announce_download(tmp_path)


def test_the_size_is_said_before_the_download(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(setup.sys, "platform", "linux")
    monkeypatch.setattr(setup, "NEEDED_BYTES", 0)
    setup.announce_download(tmp_path)
    said = capsys.readouterr().out
    assert re.search(r"3 GB are downloaded.*8 GB on disk", said) and setup.CPU_BUILD in said


@pytest.mark.slow
def test_an_environment_is_made_and_mended(tmp_path):
    """A new one, one without pip (a kill inside ensurepip), one whose Python is gone."""
    venv = tmp_path / ".venv"
    assert "pip" in setup.make_venv(venv, "torch>=2.11")["packages"]
    (next(venv.glob("lib/*/site-packages/pip-*.dist-info")) / "RECORD").unlink()
    assert "pip" in setup.make_venv(venv, "torch>=2.11")["packages"]
    for link in (venv / "bin").glob("python*"):
        link.unlink()
        link.symlink_to(tmp_path / "gone")
    assert "pip" in setup.make_venv(venv, "torch>=2.11")["packages"]
    listed = subprocess.check_output([venv / "bin" / "python", "-m", "pip", "list", "--format=json"])
    assert "pip" in {row["name"] for row in json.loads(listed)}
