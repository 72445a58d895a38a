"""wbme doctor: its findings, and that only something required makes it fail."""

import json

import pytest
import typer
from typer.testing import CliRunner

from wbme.cli import doctor as module
from wbme.cli import setup

app = typer.Typer()
app.command()(module.doctor)
REQUIRED = {
    "Python",
    "CPU",
    "memory",
    "workspace",
    "libraries",
    "renderer",
    "torch",
    "openvino",
    "onnxruntime",
}


@pytest.fixture(autouse=True)
def runtimes(home, monkeypatch):
    """The test's own workspace and assets folder, and no ClearML server of the user's."""
    monkeypatch.setenv("WBME_ASSETS", str(home / "assets"))
    monkeypatch.setenv("CLEARML_CONFIG_FILE", str(home / "clearml.conf"))
    monkeypatch.delenv("CLEARML_API_HOST", raising=False)


def findings() -> dict[str, dict]:
    result = CliRunner().invoke(app, ["--json"])
    return {row["name"]: row for row in json.loads(result.stdout)} | {"exit": result.exit_code}


def test_this_machine_is_well():
    found = findings()
    assert found.keys() >= REQUIRED
    assert {name for name in REQUIRED if found[name]["state"] == "missing"} == set()
    assert found["exit"] == 0


def test_every_lack_says_what_to_do():
    found = findings()
    found.pop("exit")
    assert all(row["todo"] for row in found.values() if row["state"] != "ok")
    assert found["assets"] | {"found": ""} == {
        "name": "assets",
        "state": "absent",
        "found": "",
        "todo": "wbme assets get",
    }


def test_an_optional_lack_is_no_failure(monkeypatch):
    monkeypatch.setattr(setup.shutil, "which", lambda _: None)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", "/nowhere")
    found = findings()
    assert found["git"]["state"] == found["ClearML"]["state"] == "absent"
    assert found["exit"] == 0


def test_a_missing_library_fails_with_its_package(monkeypatch):
    monkeypatch.setattr(setup, "missing_libraries", lambda: ["libgl1"])
    found = findings()
    assert found["libraries"]["state"] == "missing" and found["libraries"]["todo"] == "apt-get install libgl1"
    assert found["exit"] == 1


def test_without_a_renderer_the_line_that_installs_one_is_said(monkeypatch):
    from wbme.people import context

    def broken(**_):
        raise OSError("libEGL.so: cannot open shared object file")

    monkeypatch.setattr("moderngl.create_context", broken)
    context.get.cache_clear()
    found = findings()
    context.get.cache_clear()
    assert found["renderer"]["state"] == "missing" and found["exit"] == 1
    assert "libEGL.so" in found["renderer"]["found"]
    assert "apt-get install libegl1" in found["renderer"]["todo"]


def test_a_missing_package_fails(monkeypatch):
    real = module._version
    monkeypatch.setattr(module, "_version", lambda name: None if name == "jupyterlab" else real(name))
    found = findings()
    assert found["jupyterlab"]["state"] == "missing" and found["exit"] == 1


def test_a_runtime_that_breaks_is_named(monkeypatch):
    import wbme.runtime

    def broken():
        raise ImportError("libtorch.so: undefined symbol")

    monkeypatch.setattr(wbme.runtime, "available", broken)
    found = findings()
    assert "undefined symbol" in found["runtimes"]["found"] and found["exit"] == 1


def test_a_workspace_that_cannot_be_made_fails(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WBME_HOME", str(tmp_path / "file" / "below"))
    found = findings()
    assert found["workspace"]["state"] == "missing" and found["exit"] == 1


def test_a_clearml_file_is_seen_without_a_call(home):
    home.mkdir(parents=True)
    (home / "clearml.conf").write_text("api { api_server: http://192.0.2.1:8008 }")
    assert findings()["ClearML"]["state"] == "ok"


def test_the_screen_has_a_line_a_finding():
    result = CliRunner().invoke(app, [])
    assert [line.split()[0] for line in result.stdout.splitlines()] == [
        f.name.split()[0] for f in module.examine()
    ]
