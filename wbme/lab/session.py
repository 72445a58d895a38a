"""The run inside a notebook: what it uses, makes, measures and publishes."""

import fnmatch
import json
import math
import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sized
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

from wbme.base.errors import NotebookError, RefError, StoreError
from wbme.base.hashing import sha256_file
from wbme.base.paths import project_root, workspace
from wbme.lab import figures, machine, record, refs, store
from wbme.lab.externals import signature
from wbme.lab.fingerprint import fingerprint
from wbme.lab.notebook import Notebook, covers, load

Item = TypeVar("Item")
_PROGRESS_SECONDS = 0.5


class Run:
    """One execution of one notebook. Made by ``lab.begin``; everything it does lands in its folder."""

    def __init__(
        self, notebook: Notebook, folder: Path, scope: str | None, *, moves: bool, interactive: bool
    ):
        self.notebook = notebook
        self.path = folder
        self.scope = scope
        self.moves = moves
        self.interactive = interactive
        self._inputs: dict[str, dict[str, Any]] = {}
        self._externals: dict[str, str] = {}
        self._outputs: dict[str, dict[str, Any]] = {}
        self._metrics: dict[str, float] = {}
        self._intervals: dict[str, tuple[float, float]] = {}
        self._cases: dict[str, dict[str, float]] = {}
        self._finished = False
        self._unfinished: list[Path] = []
        self._held = ExitStack()

    def use(self, name: str) -> Path:
        """The folder of artifact ``name`` (read-only), looked up in this chain first.

        Records it as an input. RefError when nobody published it, StoreError when its bytes changed,
        NotebookError when the opening table does not declare it.
        """
        self._declared(name, self.notebook.reads, "reads")
        try:
            ref, folder = self._find(name)
        except RefError as error:
            self._inputs[name] = {"ref": None, "digest": None, "run": None}  # that it lacked is a dependency
            raise RefError(f"{error}{_advice(name)}") from None
        self._inputs[name] = {"ref": ref.name, "digest": ref.digest, "run": ref.run}
        print(f"uses {ref.name}, made by {ref.run}")
        return folder

    def _find(self, name: str) -> tuple[refs.Ref, Path]:
        """The ref, and its tree; once more when the name moved, and gc took the old tree, while we looked."""
        while True:
            ref = refs.lookup(name, self.scope, newest=self.interactive)
            try:
                return ref, store.use(ref.digest, verify=os.environ.get("WBME_VERIFY") == "1")
            except StoreError:
                if refs.lookup(name, self.scope, newest=self.interactive).digest == ref.digest:
                    raise

    def external(self, path: str | Path) -> Path:
        """A file or folder that the user brings: recorded by names, sizes and times, so that a change
        of it makes an equal step run again."""
        place = Path(path).expanduser().resolve()
        self._externals[str(place)] = signature(place)
        return place

    def folder(self, name: str) -> Path:
        """An empty folder of this run, to fill and then ``publish``. Called again it is empty again."""
        place = self.path / "outputs" / _plain(name.replace("/", "-"))
        # What was published is linked to the store: it must not be written to in place.
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True, exist_ok=True)
        return place

    def resume(self, name: str) -> Path:
        """A folder for long work that outlives a kill: a later run with equal notebook, parameters, inputs,
        code and machine finds it as it was left. Write its files atomically (``write_atomic``), skip what is
        there, publish it; it goes when the run finishes. A run beside this one gets an empty folder instead.
        """
        content = record.read(self.path)
        known = {**content, "inputs": self._inputs, "externals": self._externals}
        key = fingerprint({**known, "code": machine.imported_code()})
        place = (
            workspace() / "unfinished" / f"{self.notebook.name}-{_plain(name.replace('/', '-'))}-{key[:16]}"
        )
        held = refs.lock(f"unfinished-{place.name}", wait=False)
        try:
            self._held.enter_context(held)
        except refs.BusyError:
            return self.folder(name)
        place.mkdir(parents=True, exist_ok=True)
        self._unfinished.append(place)
        return place

    def publish(self, name: str, folder: Path) -> None:
        """Keep the files below ``folder`` under ``name``. The name moves when the run finishes.

        RefError for a malformed name, NotebookError when the notebook's opening table
        does not declare it, StoreError for an empty folder or a full disk.
        """
        self._open()
        base = self._declared(name, self.notebook.publishes, "publishes")
        digest, entries = store.add(folder)
        size = sum(e.size for e in entries)
        self._outputs[refs.scoped(base, self.scope)] = {
            "digest": digest,
            "files": len(entries),
            "bytes": size,
        }

    def _declared(self, name: str, patterns: tuple[str, ...], verb: str) -> str:
        """The unscoped ``name``, which the opening table must cover."""
        base, _ = refs.parse(name)
        if not covers(patterns, base):
            declared = ", ".join(patterns) or "nothing"
            raise NotebookError(
                f"{self.notebook.name} {verb} {base} but its opening table declares {declared}: add it there"
            )
        return base

    def figure(self, figure: Any, name: str, data: Any = None) -> None:
        """Save a Figure (png, pdf, svg) or an image array (png), the plotted ``data`` as csv, and show it.

        Also published as ``figure/NAME`` when the opening table declares that.
        """
        files = figures.save_figure(figure, self.path / "figures", _plain(name), data)
        self._keep(f"figure/{name}", files)
        from IPython.display import Image, display

        display(Image(data=files["png"].read_bytes(), alt=name))

    def table(self, table: Any, name: str, data: str) -> None:
        """Save a table (csv, md) that says on which ``data`` it was measured, and show it.

        Also published as ``table/NAME`` when the opening table declares that.
        """
        files = figures.save_table(table, self.path / "tables", _plain(name), data)
        self._keep(f"table/{name}", files)
        from IPython.display import Markdown, display

        display(Markdown(files["md"].read_text(encoding="utf-8")))

    def _keep(self, name: str, files: dict[str, Path]) -> None:
        if covers(self.notebook.publishes, name):
            folder = self.folder(name)
            for path in files.values():
                store.link_or_copy(path, folder / path.name)
            self.publish(name, folder)

    def metric(
        self,
        name: str,
        value: float,
        step: int | None = None,
        interval: tuple[float, float] | None = None,
        cases: Mapping[str, float] | None = None,
    ) -> None:
        """Append to ``metrics.jsonl``; the last value of each name is the run's result.

        Names are ``title/series``, such as ``loss/train``. ``interval``: its lower and upper end, such as a
        bootstrap's; ends that are not finite say that there is none. ``cases``: {case: value} of what was
        averaged, such as people, so that two metrics can be compared case by case; those that are not finite
        are left out. NotebookError for a value that is not finite.
        """
        number = float(value)
        if not math.isfinite(number):
            raise NotebookError(f"metric {name} is {number} at step {step}: only finite values are recorded")
        self._open()
        self._metrics[name] = number
        self._intervals.pop(name, None)
        if interval and all(math.isfinite(end) for end in interval):
            self._intervals[name] = (float(interval[0]), float(interval[1]))
        self._cases.pop(name, None)
        if cases:
            told = {str(case): float(one) for case, one in cases.items()}
            self._cases[name] = {case: one for case, one in told.items() if math.isfinite(one)}
        row = {"name": name, "value": number, "step": None if step is None else int(step)}
        self._append("metrics.jsonl", row)

    def progress(self, items: Iterable[Item], what: str, total: int | None = None) -> Iterator[Item]:
        """Go through ``items``: a bar in JupyterLab, lines for the launcher in batch."""
        if self.interactive:
            from tqdm.auto import tqdm

            yield from tqdm(items, desc=what, total=total)
            return
        count = len(items) if total is None and isinstance(items, Sized) else total
        said = 0.0
        for done, item in enumerate(items):
            if time.monotonic() - said > _PROGRESS_SECONDS:
                said = time.monotonic()
                of = None if count is None else int(count)
                self._append("progress.jsonl", {"what": what, "done": done, "of": of})
            yield item

    def finish(self) -> None:
        """Check that everything declared was published, move the names, and close the run.

        NotebookError names the first declared output that is missing; then no name moves.
        """
        if self._finished:
            return
        made = {refs.parse(name)[0] for name in self._outputs}
        for pattern in self.notebook.publishes:
            if not fnmatch.filter(made, pattern) and pattern not in self.notebook.optional:
                self.fail(f"declared output {pattern} was not published")
                raise NotebookError(
                    f"{self.notebook.name} declares {pattern} but did not publish it: publish it, or "
                    "take it out of the opening table"
                )
        ended = time.time()
        final = record.update(
            self.path,
            status="completed",
            ended=ended,
            seconds=round(ended - record.read(self.path)["started"], 3),
            inputs=self._inputs,
            externals=self._externals,
            outputs=self._outputs,
            metrics=self._metrics,
            intervals=self._intervals,
            cases=self._cases,
            code=machine.imported_code(),
            figures=self._digests("figures"),
            tables=self._digests("tables"),
        )
        self._finished = True
        for place in self._unfinished:
            shutil.rmtree(place, ignore_errors=True)
        self._held.close()
        if self.moves:
            refs.move_outputs(final)
        names = ", ".join(self._outputs) or "nothing"
        print(f"finished; published {names}")

    def _open(self) -> None:
        if self._finished:
            raise NotebookError("the run is finished: make run.finish() the last cell")

    def fail(self, why: str) -> None:
        """Close the run as failed."""
        record.update(self.path, status="failed", ended=time.time(), error={"message": why})
        self._finished = True
        self._held.close()

    def abandon(self) -> None:
        """Close a run whose notebook was started again in the same kernel."""
        if not self._finished:
            self.fail("started again before it was finished")

    def _digests(self, kind: str) -> dict[str, str]:
        files = sorted((self.path / kind).glob("*"))
        return {p.name: sha256_file(p) for p in files if not p.name.startswith(".")}

    def _append(self, file: str, row: dict[str, Any]) -> None:
        line = json.dumps({"time": round(time.time(), 3), **row}) + "\n"
        try:
            with open(self.path / file, "a", encoding="utf-8") as stream:
                stream.write(line)
        except OSError as error:
            raise StoreError(f"cannot write {self.path / file}: {error.strerror}; free space") from error


def _plain(name: str) -> str:
    """``name`` if it can be a file's name and nothing else; NotebookError otherwise."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        raise NotebookError(f"{name!r} cannot be the name of a file: use letters, digits, '.', '_' and '-'")
    return name


def _advice(name: str) -> str:
    """Which notebook publishes ``name``, as the end of a sentence."""
    base, _ = refs.parse(name)
    for path in sorted((project_root() / "notebooks").glob("*.ipynb")):
        try:
            book = load(path)
            patterns = book.publishes
        except NotebookError:
            continue
        if covers(patterns, base):
            return f"; {base} is published by {book.name}: 'wbme run {book.name} --promote'"
    return ""
