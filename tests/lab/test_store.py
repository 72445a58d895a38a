"""The store keeps bytes faithfully: whatever is killed, full, changed, or done by eight at once."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wbme.base.errors import RefError, StoreError
from wbme.lab import refs, store

pytestmark = pytest.mark.usefixtures("project")


def fill(folder: Path, content: dict[str, bytes]) -> Path:
    for name, data in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


@given(
    content=st.dictionaries(
        st.from_regex(r"[a-z]{1,3}(/[a-z]{1,3})?\.x", fullmatch=True), st.binary(), min_size=1
    )
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_goes_in_comes_out(content, tmp_path_factory):
    digest, _ = store.add(fill(tmp_path_factory.mktemp("in"), content))
    out = store.tree(digest, verify=True)
    assert {p.relative_to(out).as_posix(): p.read_bytes() for p in out.rglob("*") if p.is_file()} == content


def test_digest_depends_on_names_and_bytes_only(tmp_path):
    one, _ = store.add(fill(tmp_path / "a", {"x": b"1", "y": b"2"}))
    two, _ = store.add(fill(tmp_path / "b", {"y": b"2", "x": b"1"}))
    other, _ = store.add(fill(tmp_path / "c", {"x": b"2", "y": b"1"}))
    assert one == two != other


def test_own_files_are_linked_and_users_files_are_left_alone(project, tmp_path):
    own = fill(project / "workspace/runs/r", {"a": b"own"})
    user = fill(tmp_path / "photos", {"a": b"user"})
    os.chmod(user / "a", 0o644)
    store.add(own)
    digest, _ = store.add(user)
    assert (own / "a").stat().st_nlink == 3
    assert (own / "a").stat().st_mode & 0o777 == 0o444
    assert (user / "a").stat().st_nlink == 1
    assert (user / "a").stat().st_mode & 0o777 == 0o644
    (user / "a").write_bytes(b"changed later")
    assert (store.tree(digest, verify=True) / "a").read_bytes() == b"user"


def test_a_changed_file_is_noticed_and_publishing_again_heals(project):
    folder = fill(project / "workspace/in", {"a": b"good"})
    digest, _ = store.add(folder)
    damaged = store.tree(digest) / "a"
    os.chmod(damaged, 0o644)
    damaged.write_bytes(b"evil")
    with pytest.raises(StoreError, match=r"a was changed after it was published.*--force"):
        store.tree(digest)
    again, _ = store.add(fill(project / "workspace/in2", {"a": b"good"}))
    assert again == digest
    assert (store.tree(digest, verify=True) / "a").read_bytes() == b"good"


def test_a_file_that_somebody_still_writes_is_refused(tmp_path, monkeypatch):
    """Else bytes would be kept under the digest of others, and only --verify would tell."""
    photos = fill(tmp_path / "photos", {"a": b"half of it"})
    copy = store.shutil.copyfile

    def late(source, target):
        with open(source, "ab") as file:
            file.write(b", and the rest")
        return copy(source, target)

    monkeypatch.setattr(store.shutil, "copyfile", late)
    with pytest.raises(StoreError, match="a changed while it was being copied"):
        store.add(photos)
    assert not list((store.store() / "blobs").glob("*/*"))


def test_same_size_same_time_is_noticed_by_verify(project):
    digest, _ = store.add(fill(project / "workspace/in", {"a": b"good"}))
    path = store.tree(digest) / "a"
    times = path.stat()
    os.chmod(path, 0o644)
    path.write_bytes(b"evil")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    store.tree(digest)
    with pytest.raises(StoreError, match="was changed"):
        store.tree(digest, verify=True)


def test_missing_file_missing_tree_empty_folder_and_links(project, tmp_path):
    digest, _ = store.add(fill(project / "workspace/in", {"a": b"1"}))
    (store.tree(digest) / "a").unlink()
    with pytest.raises(StoreError, match="missing from the store"):
        store.tree(digest)
    with pytest.raises(StoreError, match="has no tree"):
        store.tree("0" * 64)
    with pytest.raises(StoreError, match="holds no file"):
        store.add(tmp_path / "nothing")
    (tmp_path / "links").mkdir()
    (tmp_path / "links/loop").symlink_to(tmp_path)
    with pytest.raises(StoreError, match="only regular files"):
        store.add(tmp_path / "links")


def test_refs_scope_first_then_unscoped_and_the_newest_at_a_notebook(tmp_path):
    one, two = (store.add(fill(tmp_path / name, {"x": name.encode()}))[0] for name in ("one", "two"))
    refs.move({"pairs/demo@a": one}, "run/1")
    time.sleep(0.01)
    refs.move({"pairs/demo": two}, "run/2")
    assert refs.lookup("pairs/demo", "a").digest == one
    assert refs.lookup("pairs/demo", "b").digest == two
    assert refs.lookup("pairs/demo", "a", newest=True).digest == two
    with pytest.raises(RefError, match=r"the store has no model/x .*nothing of that kind"):
        refs.lookup("model/x", None)
    with pytest.raises(RefError, match="pairs/demo"):
        refs.lookup("pairs/dmo", None)


def test_a_name_that_is_missing_is_shown_where_it_is_and_few_others(tmp_path):
    digest, _ = store.add(fill(tmp_path / "a", {"x": b"1"}))
    refs.move(
        {f"source/a{k:02}@sweep.001": digest for k in range(20)} | {"source/z@sweep.001": digest}, "run/1"
    )
    with pytest.raises(RefError, match=r"there is: source/z@sweep\.001, source/a00.* and 13 more\)"):
        refs.lookup("source/z", None)


@pytest.mark.parametrize("name", ["x", "../x/y", "a/../b", "a/b/c", "A/b", "a/", "a/b@", "a/b@c/d", "a/.b"])
def test_malformed_names_never_reach_the_disk(name):
    with pytest.raises(RefError, match="not a name of the store"):
        refs.move({name: "0" * 64}, "r")


PUBLISH = """
import sys
from pathlib import Path
from wbme.base.paths import workspace
from wbme.lab import refs, store
who, rounds = sys.argv[1], int(sys.argv[2])
for turn in range(rounds):
    folder = workspace() / "runs" / f"{who}-{turn}"
    for name in ("a", "b", "deep/c"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"{turn} {name}".encode() * 2000)
    digest, _ = store.add(folder)
    refs.move({"pairs/x": digest}, f"{who}/{turn}")
    seen = refs.lookup("pairs/x", None)
    whole = store.tree(seen.digest, verify=True)
    content = {(whole / name).read_bytes().split()[0] for name in ("a", "b", "deep/c")}
    assert len(content) == 1, content
"""


def start(who: str, rounds: int) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", PUBLISH, who, str(rounds)], stderr=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_eight_processes_publish_and_read_one_store():
    crowd = [start(f"p{i}", 15) for i in range(8)]
    for process in crowd:
        _, complaint = process.communicate(timeout=120)
        assert process.returncode == 0, complaint


@pytest.mark.slow
def test_killed_at_any_moment_the_ref_names_a_whole_tree(project):
    """kill -9 in the middle of publishing, 180 times; test_runs adds 20 kills of running notebooks."""
    dice = random.Random(1)
    for number in range(180):
        process = start(f"k{number}", 1000)
        limit = time.monotonic() + 20
        while not ((seen := refs.read("pairs/x")) and seen.run.startswith(f"k{number}/")):
            assert process.poll() is None and time.monotonic() < limit
            time.sleep(0.005)
        time.sleep(dice.random() * 0.03)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stderr.close()
        store.tree(refs.lookup("pairs/x", None).digest, verify=True)
    folder = fill(project / "workspace/after", {"a": b"x"})
    assert (store.tree(store.add(folder)[0], verify=True) / "a").read_bytes() == b"x"


def test_a_full_disk_is_one_sentence_and_loses_nothing(project, small_disk):
    digest, _ = store.add(fill(project / "small", {"a": b"kept"}))
    refs.move({"pairs/x": digest}, "r")
    with pytest.raises(StoreError, match=r"is full: free space or move the workspace with WBME_HOME"):
        store.add(fill(project / "large", {"big": os.urandom(900_000)}))
    assert (store.tree(refs.lookup("pairs/x", None).digest, verify=True) / "a").read_bytes() == b"kept"
    assert not list(small_disk.rglob("*part*"))
