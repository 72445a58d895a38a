"""Asset files: fetched by a real pip from a local folder of hand-made wheels, so no network is needed."""

import dataclasses
import hashlib
import os
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wbme.base import assets
from wbme.base.errors import AssetError
from wbme.cli.assets import app

FIRST, SECOND = b"first network" * 100, b"second network" * 50
TAG = "cp311-cp311-manylinux_2_17_x86_64"


def make_wheel(folder: Path, members: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"fake_models-1.0-{TAG}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        info = "fake_models-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: fake-models\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {TAG}\n")
        archive.writestr(f"{info}/RECORD", "")
    return wheel


def asset(name: str, member: str, data: bytes, members: tuple[str, ...] = ()) -> assets.Asset:
    digest = hashlib.sha256(data).hexdigest()
    about = {"licence": "MIT", "purpose": "a test", "download": 1_500_000}
    where = {"package": "fake-models", "version": "1.0", "python": "3.11"}
    platforms = ("manylinux_2_17_x86_64",)
    return assets.Asset(
        name=name, member=member, members=members, sha256=digest, size=len(data), platforms=platforms,
        **about, **where,
    )  # fmt: skip


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """A package index of one wheel with two networks, an empty cache, and a catalogue that names both."""
    make_wheel(
        tmp_path / "wheels", {"pkg/one.tflite": FIRST, "pkg/two.onnx": SECOND, "pkg/code.py": b"x = 1"}
    )
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("WBME_ASSETS", str(tmp_path / "cache"))
    rows = (asset("one", "pkg/one.tflite", FIRST), asset("two", "pkg/two.onnx", SECOND))
    monkeypatch.setattr(assets, "_catalog", lambda: rows)
    return tmp_path / "wheels"


def kept(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()} - {".lock"}


def test_one_download_brings_all_named_members_and_nothing_else(wheels, tmp_path, monkeypatch):
    said: list[str] = []
    path = assets.get("one", say=said.append)
    assert path.read_bytes() == FIRST
    assert said == ["fetching fake-models==1.0 (1.5 MB, MIT) for one, two"]
    assert kept(tmp_path) == {"one.tflite", "two.onnx"}
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nowhere"))
    assert assets.get_all(say=said.append)["two"].read_bytes() == SECOND
    assert len(said) == 1


@pytest.mark.parametrize("damage", [b"", FIRST[:-1], FIRST[:-1] + b"?", FIRST + b"!"])
def test_a_damaged_file_is_fetched_again(wheels, damage):
    path = assets.get("one")
    path.write_bytes(damage)
    assert assets.state(assets.find("one")) == "damaged"
    assert assets.get("one").read_bytes() == FIRST
    assert assets.state(assets.find("one")) == "here"


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"pkg/one.tflite": b"x" * len(FIRST)}, "SHA-256 differs"),
        ({"pkg/one.tflite": FIRST + bytes(50_000_000)}, "SHA-256 differs"),
        ({"pkg/other.tflite": FIRST}, "no readable pkg/one.tflite"),
    ],
)
def test_a_foreign_wheel_is_refused_and_leaves_nothing(wheels, tmp_path, members, words):
    make_wheel(wheels, members)
    with pytest.raises(AssetError, match=words):
        assets.get("one")
    assert kept(tmp_path) == set()


def test_a_damaged_wheel_is_refused(wheels, tmp_path):
    wheel = make_wheel(wheels, {"pkg/one.tflite": os.urandom(5000) + FIRST, "pkg/two.onnx": SECOND})
    data = bytearray(wheel.read_bytes())
    data[1000:1400] = bytes(400)
    wheel.write_bytes(data)
    with pytest.raises(AssetError):
        assets.get("one")
    assert kept(tmp_path) == set()


PACKED = {"pkg/a/one.txt": b"1" * 300, "pkg/a/deep/two.txt": b"2" * 200, "pkg/b.txt": b"3"}


@pytest.fixture
def pack(wheels, monkeypatch):
    """The catalogue's one asset packs two members of the wheel; its promised bytes."""
    make_wheel(wheels, PACKED | {"pkg/code.py": b"x = 1"})
    rows = (asset("many", "", b"", ("pkg/a/*", "pkg/b.*")),)
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        data = assets._packed(archive, dataclasses.replace(rows[0], size=10_000))
    rows = (asset("many", "", data, rows[0].members),)
    monkeypatch.setattr(assets, "_catalog", lambda: rows)
    return data


def test_many_members_come_as_one_zip(pack, tmp_path):
    path = assets.get("many")
    assert path.name == "many.zip" and path.read_bytes() == pack
    with zipfile.ZipFile(path) as found:
        assert {name: found.read(name) for name in found.namelist()} == PACKED
        assert found.namelist() == sorted(PACKED)
        assert {row.compress_type for row in found.infolist()} == {zipfile.ZIP_STORED}
    assert kept(tmp_path) == {"many.zip"}


def test_a_pack_does_not_depend_on_how_its_wheel_was_made(pack, wheels):
    make_wheel(wheels, dict(reversed(PACKED.items())))
    assert assets.get("many").read_bytes() == pack


@pytest.mark.parametrize(
    "members",
    [
        PACKED | {"pkg/a/one.txt": b"?" * 300},
        PACKED | {"pkg/a/three.txt": b"another"},
        PACKED | {"pkg/a/one.txt": bytes(50_000_000)},
        {"pkg/c.txt": b"nothing that was asked for"},
    ],
)
def test_a_pack_of_other_members_is_refused(pack, wheels, tmp_path, members):
    make_wheel(wheels, members)
    with pytest.raises(AssetError, match="SHA-256 differs"):
        assets.get("many")
    assert kept(tmp_path) == set()


def test_names_inside_a_wheel_never_choose_where_a_file_goes(wheels, tmp_path, monkeypatch):
    make_wheel(wheels, {"../../../evil.tflite": FIRST})
    monkeypatch.setattr(assets, "_catalog", lambda: (asset("one", "../../../evil.tflite", FIRST),))
    path = assets.get("one")
    assert path == tmp_path / "cache" / "fake-models-1.0" / "one.tflite"
    assert not list(tmp_path.parent.glob("**/evil*"))


def test_without_the_package_one_sentence_says_what_to_do(wheels, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nowhere"))
    with pytest.raises(AssetError) as caught:
        assets.get("two")
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert "fake-models==1.0 is needed for two" in sentence
    assert "python -m pip download --no-deps --only-binary :all: --python-version 3.11" in sentence


def test_a_python_without_pip_is_said(wheels, tmp_path, monkeypatch):
    bare = tmp_path / "python"
    bare.write_text('#!/bin/sh\necho "$0: No module named pip" >&2\nexit 1\n')
    bare.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(AssetError, match="No module named pip"):
        assets.get("one")


def test_a_cache_that_cannot_be_written_is_said(wheels, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("WBME_ASSETS", str(tmp_path / "file" / "cache"))
    with pytest.raises(AssetError, match="set WBME_ASSETS to a folder that can be written"):
        assets.get("one")


def test_an_unknown_name_lists_the_known_ones(wheels):
    with pytest.raises(AssetError, match="no asset is called 'three'; known are one, two"):
        assets.get("three")


def test_processes_that_ask_at_once_share_one_download(wheels, tmp_path):
    script = tmp_path / "ask.py"
    row = assets.find("one")
    script.write_text(
        textwrap.dedent(f"""
        from wbme.base import assets
        rows = (assets.{row!r},)
        assets._catalog = lambda: rows
        print(assets.get("one", say=lambda text: print("SAID", text)))
        """)
    )
    started = [
        subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    outputs = [process.communicate(timeout=120)[0] for process in started]
    assert all(process.returncode == 0 for process in started)
    assert sum(output.count("SAID") for output in outputs) == 1
    assert row.path.read_bytes() == FIRST


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("WBME_ASSETS", str(tmp_path))
    assert assets.folder() == tmp_path
    monkeypatch.delenv("WBME_ASSETS")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert assets.folder() == tmp_path / "xdg" / "wbme" / "assets"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert assets.folder() == Path.home() / ".cache" / "wbme" / "assets"


def test_the_catalogue_is_pinned_and_permissive():
    rows = assets.catalog()
    assert len({row.name for row in rows}) == len(rows) >= 8
    assert {row.licence for row in rows} <= {"Apache-2.0", "MIT", "BSD-3-Clause", "CC0-1.0"}
    for row in rows:
        assert len(bytes.fromhex(row.sha256)) == 32
        assert 0 < row.size < 20_000_000 and row.size < row.download * 2
        assert row.purpose and row.version and bool(row.member) != bool(row.members)
        assert not any(name.startswith(("/", "..")) for name in (row.member, *row.members))


def test_importing_assets_is_light():
    code = "import sys, wbme.base.assets; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "filelock", "pip", "pydantic"} & set(done.stdout.split())


def test_commands_list_check_and_get(wheels):
    run = CliRunner().invoke
    table = run(app, ["list"]).output.splitlines()
    assert table[0].split() == ["NAME", "PACKAGE", "VERSION", "MB", "LICENCE", "HERE", "PURPOSE"]
    assert table[1].split()[:6] == ["one", "fake-models", "1.0", "0.0", "MIT", "no"]
    before = run(app, ["check"])
    assert before.exit_code == 1 and "wbme assets get one two" in before.output
    fetched = run(app, ["get", "one"])
    assert fetched.exit_code == 0 and "one.tflite" in fetched.output and "1.5 MB" in fetched.output
    assert run(app, ["check"]).exit_code == 0
