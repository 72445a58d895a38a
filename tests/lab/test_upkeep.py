"""Upkeep of the store: gc takes what nothing needs, never more, whatever else happens meanwhile."""

import hashlib
import json
import multiprocessing
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wbme.base.errors import RefError, StoreError
from wbme.base.paths import workspace
from wbme.lab import chain, collect, launcher, machine, needs, record, refs, store, upkeep
from wbme.lab.opening import begin
from wbme.lab.progress import Console

pytestmark = pytest.mark.usefixtures("project", "no_age")


@pytest.fixture
def no_age(monkeypatch):
    """With 0 days nothing is kept for its age alone: then only the rules keep it."""
    monkeypatch.setattr(collect, "_YOUNG_SECONDS", 0.0)


def fill(folder: Path, content: dict[str, bytes]) -> Path:
    for name, data in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def work(who: str) -> None:
    """Real runs, one after another. What they publish is one of 60 things, so that what is being collected
    is published again; what they read must stay as long as they read it, though its name moves on."""
    dice = random.Random(who)

    def content(folder):
        words = {(folder / name).read_bytes() for name in ("a", "b", "deep/c")}
        assert len(words) == 1, words

    while True:
        run = begin("20_work", {"seed": 0})
        used = run.use("source/a") if refs.read("source/a") else None
        number = str(dice.randrange(60))
        run.publish(
            "source/b",
            fill(run.folder("source/b"), dict.fromkeys(("a", "b", "deep/c"), number.encode() * 500)),
        )
        time.sleep(dice.random() * 0.05)
        if used:
            content(used)
            store.tree(used.name, verify=True)
        run.finish()
        [made] = run._outputs.values()
        refs.move({dice.choice(["source/a", "source/a@x"]): made["digest"]}, run.path.name)


def sweep_out(told: str) -> None:
    """gc without end, which keeps nothing for its age."""
    while True:
        plan = collect.plan(0.0)
        try:
            freed = collect.carry_out(plan)
        except StoreError as error:
            assert "another 'wbme store gc' is deleting" in str(error), error
            continue
        with open(told, "a") as file:
            file.write(f"{len(plan.trees)} {freed}\n")


def deleted(told: str) -> int:
    """How many trees gc says to have deleted."""
    text = Path(told).read_text() if Path(told).exists() else ""
    return sum(int(line.split()[0]) for line in text.splitlines())


@pytest.fixture
def quick_disk(monkeypatch):
    """The workspace in memory, where there is such a disk: fsync costs nothing there, so more happens."""
    if not os.access("/dev/shm", os.W_OK):
        yield
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm", ignore_cleanup_errors=True) as folder:
        monkeypatch.setenv("WBME_HOME", folder)
        yield


@pytest.mark.slow
def test_eight_processes_publish_use_name_and_collect_while_they_are_killed(
    write_notebook, project, quick_disk
):
    write_notebook("20_work", "seed: int = 0", reads="`source/*`", publishes="`source/b`")
    machine.versions(), machine.device()  # known to all who are born below
    told = str(project / "told")
    dice = random.Random(3)
    born = multiprocessing.get_context("fork")
    crowd = []

    def start(what, word):
        process = born.Process(target=what, args=(word,), daemon=True)
        process.start()
        crowd.append((what, process))

    for number in range(8):
        start(*((work, f"w{number}") if number < 6 else (sweep_out, told)))
    looks = kills = 0
    limit = time.monotonic() + 120
    try:
        while kills < 25 or looks < 200 or deleted(told) < 30:
            assert time.monotonic() < limit, f"{kills} kills, {looks} looks, {deleted(told)} deleted"
            for one in list(crowd):
                what, process = one
                assert process.is_alive(), f"{what.__name__} ended by itself: {process.exitcode}"
                if dice.random() < 0.02:
                    process.kill()
                    process.join()
                    crowd.remove(one)
                    start(what, f"k{kills}" if what is work else told)
                    kills += 1
            for ref in refs.listing():
                try:
                    store.tree(ref.digest, verify=True)
                    looks += 1
                except StoreError as error:
                    assert refs.read(ref.name) != ref, f"{ref.name} names a tree that is not whole: {error}"
            time.sleep(0.02)
    finally:
        for _, process in crowd:
            process.kill()
            process.join()
    assert sum(record.status(run) == "completed" for _, run in record.everything()) > 20
    assert upkeep.check(verify=True).wrong == []

    old = time.time() - 7200
    for path in collect.leftovers():
        os.utime(path, (old, old))
    named = {ref.digest for ref in refs.listing()}
    collect.carry_out(collect.plan(0.0))
    assert {p.stem for p in (store.store() / "trees").glob("[!.]*.json")} == named
    for digest in named:
        store.tree(digest, verify=True)


# What is needed. A tree without a reason goes at once with 0 days; each reason below keeps it.


def publish(text: str) -> str:
    """A tree of one file that no name names and that nobody touched for a month; returns its digest."""
    digest, _ = store.add(fill(workspace() / "runs" / "x" / "outputs" / "it", {"a": text.encode()}))
    shutil.rmtree(workspace() / "runs" / "x")
    return aged(digest)


def aged(digest: str) -> str:
    old = time.time() - 30 * 86_400
    os.utime(refs.manifest_file(digest), (old, old))
    return digest


def collected(days: float = 0.0, **options) -> set[str]:
    """Digests that gc deleted."""
    before = set(needs.tree_digests())
    collect.carry_out(collect.plan(days, **options))
    return before - set(needs.tree_digests())


def ran(notebook: str, status: str, *, days: float = 30, living: bool = False, **content) -> str:
    """A run folder with such a record; returns the id of the run."""
    process = record.this_process() if living else {"pid": 2**22 - 1, "born": 0.0}
    began = time.time() - days * 86_400
    made = {"status": status, "process": process, "started": began, "ended": began + 1, **content}
    folder = record.create(notebook, made)
    return f"{notebook}/{folder.name}"


def write(place: str, *rows: dict) -> None:
    path = workspace() / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_what_a_name_names_stays_and_what_it_named_is_young_again():
    one, two, three = map(publish, ("one", "two", "three"))
    refs.move({"pairs/x": one, "pairs/x@chain": two}, "r")
    assert collected() == {three}
    refs.move({"pairs/x": two}, "r")
    assert collected(days=1) == set(), "it lost its name a moment ago"
    assert collected() == {one}
    assert store.tree(two, verify=True)


def test_what_a_report_was_made_from_stays(project):
    used, other, _ = map(publish, ("used", "other", "shown"))
    made = ran("30_x", "completed")
    row = {"sha256": hashlib.sha256(b"shown").hexdigest(), "run": made}
    origin = {"inputs": {"source/a": {"ref": "source/a", "digest": used, "run": ran("10_x", "completed")}}}
    report = {"files": {"figures/a.png": row}, "runs": {made: origin}}
    (project / "reports").mkdir()
    (project / "reports" / "SOURCES.json").write_text(json.dumps(report))
    assert collected(runs=True) == {other}
    assert len(list(record.everything())) == 2


@pytest.mark.parametrize(
    ("status", "finished", "kept"),
    [("running", {}, True), ("completed", {}, True), ("failed", {}, False), ("completed", None, False)],
)
def test_inputs_and_outputs_of_a_living_run_stay(status, finished, kept):
    """A run that has just completed lives until its process, or the launcher of its chain, has ended."""
    used, made = publish("used"), publish("made")
    content = {
        "inputs": {"source/a": {"ref": "source/a", "digest": used, "run": "10_x/1"}},
        "outputs": {"pairs/a": {"digest": made}},
    }
    ran("20_x", status, living=kept, chain="c", **content)
    assert collected() == (set() if kept else {used, made})


def test_a_run_of_a_chain_whose_launcher_lives_keeps_what_it_made():
    made = publish("made")
    ran("20_x", "completed", chain="c", outputs={"pairs/a": {"digest": made}})
    with refs.lock("chain-c"):
        assert collected() == set()
    with refs.lock("chain-d"):
        assert collected() == {made}


def test_what_was_published_or_used_since_the_oldest_living_run_began_stays():
    """Neither is in its record before it finishes."""
    old = publish("old")
    ran("20_x", "running", days=1, living=True)
    ran("20_x", "running", days=20)  # killed
    store.use(used := publish("used"))
    new, _ = store.add(fill(workspace() / "in", {"a": b"new"}))
    assert collected() == {old}
    assert {used, new} == set(needs.tree_digests())


def test_a_schedule_keeps_what_it_promoted_and_what_was_before_that():
    digests = [publish(str(number)) for number in range(5)]
    rows = [{"promoted": {"model/x": digests[n + 1]}, "previous": {"model/x": digests[n]}} for n in range(3)]
    write("schedules/nightly/history.jsonl", *rows)
    assert collected() == {digests[4]}
    path = workspace() / "schedules/nightly/history.jsonl"
    path.write_text(path.read_text()[:-5])  # a kill cut off the end of the line
    assert collected() == set()


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        ('{"status": "running"}', True),
        ('{"status": "stopped"}', True),
        ('{"status": "completed"}', False),
        ("{", True),
        (None, True),
    ],
)
def test_an_unfinished_sweep_keeps_what_its_trials_made_and_every_sweep_its_runs(state, kept):
    made = publish("made")
    served = ran("15_x", "completed")
    ran("15_x", "completed")
    row = {"trial": "000", "runs": [f"/somewhere/runs/{served}"], "outputs": {"model/x@s.000": made}}
    write("sweeps/s/trials.jsonl", row)
    write("sweeps/s/jobs/000.out.json", row)
    if state:
        (workspace() / "sweeps/s/sweep.json").write_text(state)
    assert collected(runs=True) == (set() if kept else {made})
    assert [run["id"] for _, run in record.everything()] == [served]


def test_age_keeps_and_old_runs_go_only_when_asked():
    young, _ = store.add(fill(workspace() / "in", {"a": b"young"}))
    old = publish("old")
    named, maker = publish("named"), ran("10_x", "completed")
    content = {"inputs": {"source/a": {"ref": "source/a", "digest": None, "run": maker}}}
    refs.move({"pairs/x": named}, ran("20_x", "completed", **content))
    ran("20_x", "failed")
    ran("20_x", "running")
    recent = ran("20_x", "completed", days=3)
    waiting, told = ran("20_x", "completed"), ran("20_x", "completed")
    write(f"runs/{waiting}/trackers/clearml.json", {"status": "unfinished"})
    write(f"runs/{told}/trackers/clearml.json", {"status": "delivered"})
    assert collected(days=7) == {old}
    assert len(list(record.everything())) == 7
    assert collected(days=7, runs=True) == set()
    ids = {run["id"] for _, run in record.everything()}
    assert ids == {maker, refs.read("pairs/x").run, recent, waiting}, "what trace and sync need stays"
    assert young in needs.tree_digests()


def test_what_was_published_a_moment_ago_has_time_to_get_its_name(monkeypatch):
    monkeypatch.setattr(collect, "_YOUNG_SECONDS", 60.0)
    new, _ = store.add(fill(workspace() / "in", {"a": b"new"}))
    assert collected() == set()
    os.utime(refs.manifest_file(new), (time.time() - 61,) * 2)
    assert collected() == {new}


def test_unfinished_work_goes_when_it_is_old_and_nobody_holds_it():
    old = time.time() - 30 * 86_400
    for name in ("dead", "held", "young"):
        fill(workspace() / "unfinished" / name, {"a": b"1"})
        for path in (workspace() / "unfinished" / name, workspace() / "unfinished" / name / "a"):
            os.utime(path, None if name == "young" else (old, old))
    with refs.lock("unfinished-held"):
        collected(days=7)
        assert len(list((workspace() / "unfinished").iterdir())) == 3
        collected(days=7, runs=True)
    assert sorted(p.name for p in (workspace() / "unfinished").iterdir()) == ["held", "young"]


def test_scopes_are_forgotten_only_by_name_and_not_while_they_are_in_use():
    one, two, three = map(publish, ("one", "two", "three"))
    refs.move({"pairs/x@s.001": one, "pairs/x@s.002": two, "pairs/x@c": three, "pairs/x": two}, "r")
    with pytest.raises(StoreError, match=r"no name has a scope like 'd'; there are: c, s.001, s.002"):
        collect.plan(0.0, forget="d")
    write("sweeps/s/sweep.json", {"status": "running"})
    with pytest.raises(StoreError, match=r"the scope s.001 is in use"):
        collect.plan(0.0, forget="s.*")
    write("sweeps/s/sweep.json", {"status": "completed"})
    with refs.lock("chain-s.001"), pytest.raises(StoreError, match=r"the scope s.001 is in use"):
        collect.plan(0.0, forget="s.*")
    assert collected(forget="s.*") == {one}
    assert [ref.name for ref in refs.listing()] == ["pairs/x", "pairs/x@c"]


def listing() -> dict[str, tuple]:
    """Everything in the workspace: kind, size, links, time, and where it is."""
    found = {}
    for path in sorted(workspace().rglob("*")):
        about = path.lstat()
        # Locks are opened to see who lives; that is no change.
        if "locks" not in path.parts:
            found[str(path)] = (about.st_mode, about.st_size, about.st_nlink, about.st_mtime_ns, about.st_ino)
    return found


def test_without_yes_nothing_changes_and_with_it_the_promised_room_comes_free(project):
    """Hard links count once: what a run folder links too does not come free, unless that goes as well."""
    linked = fill(workspace() / "runs" / "20_x" / "other", {"a": b"linked" * 1000})
    aged(store.add(linked)[0])
    publish("gone" * 500)
    publish("gone" * 500 + "!")
    refs.move({"pairs/x": publish("named")}, "r")
    before = listing()
    said = wbme("store", "gc", "--keep-days", "0")
    assert listing() == before
    planned = collect.plan(0.0)
    assert len(planned.trees) == 3 and len(planned.blobs) == 3
    assert planned.shared == 6000
    manifests = sum(refs.manifest_file(digest).stat().st_size for digest in planned.trees)
    assert planned.freed == 2000 + 2001 + manifests
    assert "would come free; nothing was deleted: --yes deletes" in said.stdout
    assert "are in run folders too" in said.stdout
    assert collect.carry_out(planned) == planned.freed
    assert (linked / "a").read_bytes() == b"linked" * 1000
    assert set(listing()) < set(before)
    assert wbme("store", "gc", "--keep-days", "0", "--yes").stdout.endswith("nothing to delete\n")


def wbme(*words: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "wbme", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_published_and_named_only_the_unnamed_goes(data, quick_disk, tmp_path_factory):
    shutil.rmtree(store.store(), ignore_errors=True)
    names = st.sampled_from(["pairs/x", "pairs/y", "pairs/x@c"])
    digests: dict[int, str] = {}
    now: dict[str, str] = {}
    for _ in range(data.draw(st.integers(1, 8))):
        number = data.draw(st.integers(0, 4))
        # Neighbours share a file, so that one blob belongs to two trees.
        content = {"own": bytes([number]), "shared": bytes([number // 2])}
        digests[number], _ = store.add(fill(tmp_path_factory.mktemp("in"), content))
        if data.draw(st.booleans()):
            refs.move({(name := data.draw(names)): digests[number]}, "r")
            now[name] = digests[number]
        if data.draw(st.booleans()):
            collected()
            assert set(needs.tree_digests()) == set(now.values())
    for number, digest in digests.items():
        if digest in now.values():
            assert (store.tree(digest, verify=True) / "own").read_bytes() == bytes([number])
    collected()
    kept = set().union(*map(needs.contents, set(now.values())))
    assert {p.name for p in (store.store() / "blobs").glob("*/*")} == kept


def test_a_name_never_moves_to_a_tree_that_is_gone():
    gone = publish("gone")
    collected()
    refs.move({"pairs/x": (kept := publish("kept"))}, "r")
    with pytest.raises(StoreError, match=r"pairs/y cannot name .* run the notebook that publishes it"):
        refs.move({"pairs/x": kept, "pairs/y": gone}, "r")
    assert [ref.name for ref in refs.listing()] == ["pairs/x"]


@pytest.mark.slow
def test_a_step_whose_earlier_run_gc_takes_at_the_last_moment_runs_again(write_notebook, monkeypatch):
    cell = 'place = run.folder("a")\n(place / "a").write_text("1")\nrun.publish("source/a", place)'
    write_notebook("10_make", "seed: int = 0", cell, publishes="`source/a`")
    planned = chain.plan("10_make")
    quiet = Console(StringIO(), quiet=0.0)
    [made] = launcher.run(planned, console=quiet)
    assert launcher.run(planned, console=quiet)[0].reused
    digest = refs.read("source/a@10_make").digest
    real = launcher.reusable

    def late(*words):
        found = real(*words)
        refs.forget(refs.read("source/a@10_make"))
        # The launcher keeps what its chain made: so let it be the work of another chain.
        record.update(made.folder, chain="another")
        assert collected() == {digest}
        return found

    monkeypatch.setattr(launcher, "reusable", late)
    [again] = launcher.run(planned, console=quiet)
    assert not again.reused
    assert refs.read("source/a@10_make").run == again.record["id"]
    assert store.tree(digest, verify=True)


def test_what_a_plan_has_seen_stays_when_it_is_needed_meanwhile():
    named, used, again, gone = map(publish, ("named", "used", "again", "gone"))
    planned = collect.plan(0.0)
    assert len(planned.trees) == 4
    refs.move({"pairs/x": named}, "r")
    store.use(used)
    assert publish_again("again") == again
    collect.carry_out(planned)
    assert set(needs.tree_digests()) == {named, used, again}
    for digest in (named, used, again):
        store.tree(digest, verify=True)
    assert publish_again("gone") == gone
    store.tree(gone, verify=True)


def publish_again(text: str) -> str:
    return store.add(fill(workspace() / "again", {"a": text.encode()}))[0]


def test_a_blob_that_goes_between_its_finding_and_its_tree_is_kept_again(monkeypatch):
    """The blob is there when publishing looks; gc takes it before the tree is laid out."""
    gone = publish("same")
    real = store._show

    def late(digest, kept, folder):
        assert collected() == {gone}
        assert not list((store.store() / "blobs").glob("*/*"))
        return real(digest, kept, folder)

    monkeypatch.setattr(store, "_show", late)
    assert publish_again("same") == gone
    assert (store.tree(gone, verify=True) / "a").read_bytes() == b"same"


def test_a_run_finds_what_the_name_means_now_when_gc_took_what_it_meant(write_notebook, monkeypatch):
    write_notebook("20_work", "seed: int = 0", reads="`source/*`")
    old, new = publish("old"), publish("new")
    refs.move({"source/a": old}, "r")
    run = begin("20_work", {"seed": 0})
    real, moved = store.use, []

    def late(digest, verify=False):
        if not moved:
            moved.append(digest)
            refs.move({"source/a": new}, "r")
            aged(old)
            assert collected() == {old}
        return real(digest, verify)

    monkeypatch.setattr(store, "use", late)
    assert (run.use("source/a") / "a").read_bytes() == b"new"
    assert moved == [old]
    (store.tree(new) / "a").unlink()
    with pytest.raises(StoreError, match="missing from the store"):
        run.use("source/a")
    run.abandon()


@pytest.mark.parametrize("moment", ["os.rename", "Path.unlink", "os.rmdir"])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_killed_at_any_step_gc_leaves_a_whole_store_and_goes_on(moment, after, monkeypatch):
    """A kill is an end without any clean-up at that step; the locks go with the process."""
    for number in range(4):
        publish(str(number))
    refs.move({"pairs/x": publish("named")}, "r")

    def child() -> None:
        owner, name = (os, moment[3:]) if moment.startswith("os.") else (Path, "unlink")
        real, count = getattr(owner, name), iter(range(100))

        def counted(*words, **more):
            if next(count) == after:
                os._exit(9)
            return real(*words, **more)

        setattr(owner, name, counted)
        collect.carry_out(collect.plan(0.0))

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()
    assert process.exitcode == 9
    assert upkeep.check(verify=True).wrong == []
    collected()
    assert [ref.name for ref in refs.listing()] == ["pairs/x"]
    assert needs.tree_digests() == [refs.read("pairs/x").digest]
    assert not list(collect.leftovers())
    assert upkeep.check(verify=True).notes == []


@pytest.mark.slow
def test_check_finds_each_fault_and_says_what_to_do(project):
    sound, changed, lost, turned, extra = map(publish, ("sound", "changed", "lost", "turned", "extra"))
    refs.move(
        {"pairs/a": sound, "pairs/b": changed, "model/c": lost, "pairs/d": turned, "pairs/e": extra}, "20_x/1"
    )
    assert wbme("store", "check", "--verify").returncode == 0
    change(store.tree(changed) / "a", b"other bytes")
    refs.manifest_file(lost).unlink()
    times = (store.tree(turned) / "a").stat()
    change(store.tree(turned) / "a", b"denrut", times)
    (store.tree(extra) / "more").write_text("x")
    (refs.folder() / "pairs" / "f.json").write_text("{")
    quick, whole = wbme("store", "check"), wbme("store", "check", "--verify")
    assert quick.returncode == whole.returncode == 1
    wrong = [line for line in quick.stdout.splitlines() if line.startswith("wrong: ")]
    assert len(wrong) == 4 and "4 things are wrong" in quick.stdout
    for words in (
        "pairs/b: .*a was changed after it was published: run its notebook again with --force",
        "model/c: the store has no tree .*: run the notebook that publishes it",
        "pairs/e: .*more was put into a published folder: move it elsewhere",
        "pairs/f.json is damaged: delete it",
    ):
        assert any(re.search(words, line) for line in wrong), words
    assert "pairs/d: " not in quick.stdout
    assert re.search("pairs/d: .*a has other bytes than were published", whole.stdout)
    with pytest.raises(RefError, match=r"f.json is damaged"):
        collect.plan(0.0)  # who knows what it named


def change(path: Path, data: bytes, times: os.stat_result | None = None) -> None:
    os.chmod(path, 0o644)
    path.write_bytes(data)
    if times:
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_check_notes_what_lies_about_and_measures_by_kind():
    refs.move({"pairs/a": publish("a" * 1000), "model/b": publish("b" * 500)}, "r")
    publish("c" * 100)
    spare = hashlib.sha256(b"spare").hexdigest()
    fill(store.store() / "blobs" / spare[:2], {spare: b"spare", ".half/part": b"1"})
    ran("20_x", "running")
    ran("20_x", "running", living=True)
    (record.runs() / "20_x" / "20260101-000000-abcdef").mkdir()
    state = upkeep.check(verify=True)
    assert state.wrong == []
    assert [note.split(" ", 1)[1][:30] for note in state.notes[:1]] == ["blobs (0.0 MB) belong to no tr"]
    assert any("1 runs say that they run but their process is gone" in note for note in state.notes)
    assert any("its run.json cannot be read" in note for note in state.notes)
    assert any("1 things are half made" in note for note in state.notes)
    assert state.sizes["pairs"] == (1, 1000)
    assert state.sizes["model"] == (1, 500)
    assert state.sizes["trees without a name"] == (1, 100)
    assert state.sizes["blobs beside that"] == (4, 5)


def test_two_gc_and_bad_words_are_one_sentence():
    publish("gone")
    with refs.lock("gc"), pytest.raises(StoreError, match="another 'wbme store gc' is deleting"):
        collected()
    said = wbme("store", "gc", "--keep-days", "-1")
    assert (said.returncode, said.stderr.count("\n")) == (2, 1)
    assert "give a number of days that is not negative" in said.stderr


def test_gc_frees_a_full_disk_and_says_in_one_sentence_that_it_cannot_write(small_disk):
    refs.move({"pairs/x": publish("named")}, "r")
    aged(store.add(fill(small_disk / "in", {"big": os.urandom(200_000)}))[0])
    shutil.rmtree(small_disk / "in")
    with pytest.raises(OSError):
        (small_disk / "filler").write_bytes(bytes(600_000))
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    said = wbme("store", "gc", "--keep-days", "0", "--yes")
    assert (said.returncode, said.stderr.count("\n")) == (2, 1), said.stderr
    assert "Read-only file system" in said.stderr
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    said = wbme("store", "gc", "--keep-days", "0", "--yes")
    assert "0.2 MB came free" in said.stdout, said.stderr
    assert upkeep.check(verify=True).wrong == []
