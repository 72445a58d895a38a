"""Upkeep of the store: gc takes what nothing needs, never more, whatever else happens meanwhile."""

import multiprocessing
import os
import random
import tempfile
import time
from pathlib import Path

import pytest

from wbme.base.errors import StoreError
from wbme.lab import collect, machine, record, refs, store, upkeep
from wbme.lab.opening import begin

pytestmark = pytest.mark.usefixtures("project")


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
    limit = time.monotonic() + 20
    try:
        while time.monotonic() < limit:
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
    deleted = sum(int(line.split()[0]) for line in Path(told).read_text().splitlines())
    runs = [record.status(run) for _, run in record.everything()]
    print(f"{len(runs)} runs, {kills} kills, {deleted} trees deleted, {looks} looks at names")
    assert runs.count("completed") > 30 and kills > 20 and deleted > 20 and looks > 100
    assert upkeep.check(verify=True).wrong == []

    old = time.time() - 7200
    for path in collect.leftovers():
        os.utime(path, (old, old))
    named = {ref.digest for ref in refs.listing()}
    collect.carry_out(collect.plan(0.0))
    assert {p.stem for p in (store.store() / "trees").glob("[!.]*.json")} == named
    for digest in named:
        store.tree(digest, verify=True)
