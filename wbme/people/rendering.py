"""A rendered set: many people, each seen a few times, as a folder that wbme.data reads.

people/views.jsonl (a row a view), people/views/ID/{photo,labels,albedo,shading}.png, points.npz and row.json;
characters/NAME/sheet.yaml and characters/NAME/ID/{palette,oracle,ink,drawn}.png, and of a deformed character
correspondence.npz: for each pixel of the drawing its place in the photo in sixteenths of a pixel from the
first pixel's centre (65535 where the photo does not show it), and the drawing's own landmarks and irises.
Groups lie beside them: people/groups.jsonl, people/groups/ID and characters/NAME/groups/ID, see
wbme.people.group.
"""

import ctypes
import json
import multiprocessing
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import cv2

from wbme.base.errors import ParameterError, StoreError, WbmeError
from wbme.base.paths import write_atomic
from wbme.people import context, group, person, sheet, views
from wbme.people.views import Plan

_LIMITS = {
    "people": (1, 1_000_000), "shots": (1, 100), "size": (64, 2048), "first": (0, 10_000_000),
    "groups": (0, 100_000),
    "seed": (0, 2**63 - 1),
}  # fmt: skip


def render_set(
    folder: str | Path,
    *,
    people: int,
    shots: int,
    size: int = 512,
    characters: Sequence[str] = ("romance",),
    seed: int = 0,
    first: int = 0,
    groups: int = 0,
    workers: int | None = None,
) -> Iterator[dict[str, Any]]:
    """Render ``people`` persons (numbers from ``first``), ``shots`` views each, ``size`` pixels square, into
    ``folder``; yields the row of each view as soon as it is there. The set is whole when the iterator ends.

    Finished views of the same seed, size, shots, characters and code are kept, others rendered again, so that
    a run cut off at any moment goes on where it was and ends with the same bytes. ``characters``: names of
    sheets or .yaml files; none draws photographs alone. ``groups``: further views of two to four of these
    persons (of the training split) together; their rows come last. ``workers``: processes (default: the
    cores, 8 at most). Raises ParameterError at once for a value out of range or an unknown character and
    WbmeError where no OpenGL renderer is installed; the iterator raises StoreError where the disk refuses.
    """
    given = {"people": people, "shots": shots, "size": size, "first": first, "seed": seed}
    given["groups"] = groups
    for name, (least, most) in _LIMITS.items():
        if not least <= given[name] <= most:
            raise ParameterError(f"render_set: {name} is {given[name]}: choose {least} to {most}")
    if size % 8:
        raise ParameterError("render_set: size must be a multiple of 8")
    sheets = tuple(sheet.load(character) for character in characters)  # later changes do not reach this run
    texts = {one.name: sheet.path(name).read_bytes() for one, name in zip(sheets, characters, strict=True)}
    if len(texts) < len(sheets):
        raise ParameterError(f"render_set: two sheets of {', '.join(characters)} have the same name")
    crowd = [n for n in range(first, first + people) if not views.is_held_out(n)]
    if groups and len(crowd) < 2:
        raise ParameterError("render_set: groups need at least two people: choose more people")
    context.renderer()  # one sentence now rather than one from each worker
    plan = Plan(str(Path(folder).absolute()), seed, shots, size, sheets)
    return _render(plan, range(first, first + people), workers, texts, groups, crowd)


def _render(
    plan: Plan, numbers: range, workers: int | None, texts: dict[str, bytes], groups: int, crowd: list[int]
) -> Iterator[dict[str, Any]]:
    folder = Path(plan.folder)
    for torn in (".part-*", "people/views/.old-*", "characters/*/.old-*"):
        for old in folder.glob(torn):
            shutil.rmtree(old, ignore_errors=True)
    rows: dict[str, dict[str, Any]] = {}
    missing: dict[int, list[int]] = {}
    for number in numbers:
        for shot in range(plan.shots):
            row = views.finished(plan, number, shot)
            if row is None:
                missing.setdefault(number, []).append(shot)
            else:
                rows[row["id"]] = row
                yield row
    for row in _render_missing(plan, missing, workers):
        rows[row["id"]] = row
        yield row
    for name, text in texts.items():
        write_atomic(folder / "characters" / name / "sheet.yaml", text)
    names = [plan.name(number, shot) for number in numbers for shot in range(plan.shots)]
    lines = [json.dumps(rows[name], ensure_ascii=False, sort_keys=True) + "\n" for name in names]
    write_atomic(folder / "people" / "views.jsonl", "".join(lines))
    together = []
    for number in range(groups):
        row = group.finished(plan, number) or group.render(plan, number, crowd)
        together.append(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")
        yield row
    if together:
        write_atomic(folder / "people" / "groups.jsonl", "".join(together))


def _render_missing(
    plan: Plan, missing: dict[int, list[int]], workers: int | None
) -> Iterator[dict[str, Any]]:
    count = min(workers or min(os.cpu_count() or 1, 8), len(missing))
    if count <= 1:
        for task in missing.items():
            yield from _render_person(plan, *task)
        return
    spawn = multiprocessing.get_context("spawn")  # a forked OpenGL context does not work
    with ProcessPoolExecutor(count, spawn, initializer=_begin_work) as pool:
        tasks = [pool.submit(_render_person, plan, *task) for task in missing.items()]
        try:
            for task in as_completed(tasks):
                yield from task.result()
        except BrokenProcessPool as error:
            raise WbmeError(
                f"a process that renders {plan.folder} was ended from outside (out of memory?): run again to "
                "go on, with fewer workers if it happens again"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _begin_work() -> None:
    """One thread a process, since the processes keep the cores busy; and none outlives the run that started
    it, or it would write beside the next one."""
    os.environ["LP_NUM_THREADS"] = "1"
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)


def _give_back() -> None:
    """Hand freed memory to the system: glibc keeps it in pieces that no later person fits into, and a process
    would grow by a fifth over a few dozen people."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _render_person(plan: Plan, number: int, shots: list[int]) -> list[dict[str, Any]]:
    """Draw some shots of one person; their rows."""
    try:
        someone = person.sample(plan.seed, number)
        models = ((shot, someone.shoot(shot, views.framing(plan, number, shot))) for shot in shots)
        rows = [views.render(plan, model, number, shot) for shot, model in models]
        _give_back()
        return rows
    except OSError as error:
        raise StoreError(
            f"cannot write {plan.folder}: {error.strerror or error}; free space there and run again to go on"
        ) from error
