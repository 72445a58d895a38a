"""What of a run folder a tracker is told: the same project, names, titles and files for every tracker."""

import csv
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from wbme.base.errors import WbmeError
from wbme.lab import design, machine, notebook, parameters, record, refs, store
from wbme.lab.redact import HELD_BACK, redact, redact_all
from wbme.lab.trackers.state import FOLDER

SECTION = "parameters"  # of a ClearML Task: what an agent reads back
_MODELS = 200  # files of one model/* output that are worth an upload


@dataclass(frozen=True)
class Piece:
    """Something told once, at the end. ``kind``: single, image, table, model or artifact."""

    kind: str
    name: str
    content: Any

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True)
class Story:
    """One run folder as a tracker sees it."""

    folder: Path
    record: record.Record

    @property
    def project(self) -> str:
        sweep = self.record.get("sweep") or {}
        return f"wbme/{sweep.get('name') or self.record.get('chain') or refs.INTERACTIVE}"

    @property
    def name(self) -> str:
        sweep = self.record.get("sweep") or {}
        label = sweep.get("label") or sweep.get("trial")
        return f"{self.record['notebook']} {label}" if label else str(self.record["notebook"])

    @property
    def tags(self) -> list[str]:
        """One tag a factor level, such as ``cutface=0.0``."""
        factors: Mapping[str, Any] = (self.record.get("sweep") or {}).get("factors") or {}
        return [redact(tag) for tag in design.tags(factors)]

    def retagged(self, tag: str) -> str:
        """A tag of the Task from which this run was cloned, with the value that the run has."""
        address, equals, _ = tag.partition("=")
        book, _, name = address.rpartition(".")
        if not equals or name not in self.record["parameters"] or book not in ("", self.record["notebook"]):
            return tag
        return redact(f"{address}={self.record['parameters'][name]}")

    @cached_property
    def parameters(self) -> dict[str, tuple[str, str]]:
        """Spelling and type of each parameter; ``parameters.from_text`` reads the spelling back."""
        given = self.record["parameters"]
        types = {}
        with suppress(WbmeError):  # a notebook that is gone, or is another by now
            types = {
                n: p.type for n, p in parameters.declared(notebook.find(self.record["notebook"])).items()
            }
        return {n: (_spell(v), types.get(n, type(v).__name__)) for n, v in given.items()}

    @property
    def facts(self) -> dict[str, str]:
        """What identifies the run, as plain text."""
        names = ("id", "notebook_sha256", "preset", "chain", "scope", "seed")
        facts = {n: str(self.record[n]) for n in names if self.record.get(n) is not None}
        facts |= {f"input {n}": str(i["digest"])[:12] for n, i in self.record.get("inputs", {}).items()}
        sweep = self.record.get("sweep") or {}
        facts |= {f"sweep {n}": _spell(sweep[n]) for n in ("name", "trial", "label") if n in sweep}
        return {n: redact(v) for n, v in facts.items()}

    @property
    def script(self) -> dict[str, str]:
        """What a ClearML agent needs to run this step again, with parameters that somebody edited."""
        words = ["run", self.record["notebook"]]
        words += ["--preset", self.record["preset"]] if self.record.get("preset") else []
        scope = self.record.get("scope")
        words += ["--scope", scope] if scope and scope != self.record["notebook"] else []
        return script(words, self.record.get("git") or machine.git())

    def pieces(self) -> Iterator[Piece]:
        """Everything that is told when the run has ended, each with a key of its own."""
        for name, value in self.record.get("metrics", {}).items():
            yield Piece("single", name, value)
        for name in self._there("figures", ".png"):
            yield Piece("image", Path(name).stem, self.folder / "figures" / name)
        for name in self._there("tables", ".csv"):
            yield Piece("table", Path(name).stem, self._rows(self.folder / "tables" / name))
        for name, output in self.record.get("outputs", {}).items():
            if name.startswith("model/"):
                yield Piece("model", refs.parse(name)[0], self._files(output["digest"]))
        for name in ("notebook.ipynb", "run.json"):
            if (self.folder / name).is_file():
                yield Piece("artifact", name.partition(".")[0], self._cleaned(name))

    def _there(self, kind: str, suffix: str) -> list[str]:
        """Names of files; of a run that failed, what it had saved by then."""
        return sorted(p.name for p in (self.folder / kind).glob(f"[!.]*{suffix}"))

    @staticmethod
    def _rows(path: Path) -> list[list[str]]:
        with open(path, encoding="utf-8", newline="") as stream:
            return [[redact(cell) for cell in row] for row in csv.reader(stream)]

    @staticmethod
    def _files(digest: str) -> list[Path]:
        try:
            folder = store.tree(digest)
            return [folder / e.path for e in store.manifest(digest)[:_MODELS]]
        except WbmeError:  # swept from the store since: the rest of the run is still worth telling
            return []

    def _cleaned(self, name: str) -> Path:
        """A copy without secrets: cells print what they like."""
        target = self.folder / FOLDER / name
        target.parent.mkdir(exist_ok=True)
        content = redact_all(json.loads((self.folder / name).read_text(encoding="utf-8")))
        target.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return target


def script(words: list[str], git: Mapping[str, str]) -> dict[str, str]:
    """How a ClearML agent starts ``wbme WORDS`` in this repository, tracked by ClearML."""
    diff = git.get("diff", "")
    return {
        "repository": machine.repository(),
        "branch": "",
        "version_num": git.get("commit", ""),
        "diff": diff if redact(diff) == diff and HELD_BACK not in diff else "",
        "working_dir": ".",
        "entry_point": " ".join(["-m wbme", *words, "--tracker clearml"]),
    }


def read(folder: Path) -> Story:
    return Story(folder, record.read(folder))


def title_series(name: str) -> tuple[str, str]:
    """``loss/train`` is series ``train`` under the title ``loss``."""
    title, _, series = name.partition("/")
    return title, series or title


def _spell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def plain(name: str) -> str:
    """``name`` as part of a file's name or an address."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name)
