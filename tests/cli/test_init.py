"""wbme init: a project of one's own, and nothing of the user's overwritten."""

import pytest

from wbme.base.errors import WbmeError
from wbme.base.paths import project_root
from wbme.cli.init import init, shipped


def test_a_new_project_has_all_notebooks_and_experiments(tmp_path, monkeypatch):
    monkeypatch.delenv("WBME_PROJECT", raising=False)
    init(tmp_path / "mine")
    for part in ("notebooks", "experiments"):
        sources = {p.relative_to(shipped()) for p in (shipped() / part).rglob("*") if p.is_file()}
        sources = {p for p in sources if ".ipynb_checkpoints" not in p.parts}
        copies = {
            p.relative_to(tmp_path / "mine") for p in (tmp_path / "mine" / part).rglob("*") if p.is_file()
        }
        assert copies == sources and copies
        for path in copies:
            assert (tmp_path / "mine" / path).read_bytes() == (shipped() / path).read_bytes()
    assert "workspace/" in (tmp_path / "mine" / ".gitignore").read_text().splitlines()
    assert project_root(tmp_path / "mine" / "notebooks") == tmp_path / "mine"


def test_nothing_is_overwritten(tmp_path):
    mine = tmp_path / "notebooks" / next((shipped() / "notebooks").glob("*.ipynb")).name
    mine.parent.mkdir()
    mine.write_text("my own work")
    with pytest.raises(WbmeError, match=r"exists already \(1 such files\) and nothing is overwritten"):
        init(tmp_path)
    assert mine.read_text() == "my own work"
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == [mine.name]


def test_a_second_call_refuses(tmp_path):
    init(tmp_path)
    with pytest.raises(WbmeError, match="nothing is overwritten"):
        init(tmp_path)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WbmeError, match=r"cannot write .*choose another folder"):
        init(tmp_path / "file")
