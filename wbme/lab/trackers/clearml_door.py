"""ClearML: a server, through the SDK's session and storage, or the SDK's own offline mode.

Online, every request is made and answered before the next: what was acknowledged is known, so that a
delivery that broke is completed and not repeated. The SDK's Task would send from threads of its own, retry
for hours, and patch, hook and record more than it is asked to.
"""

import json
import os
import sys
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from wbme.base.errors import WbmeError
from wbme.base.hashing import sha256_file
from wbme.lab import machine
from wbme.lab.redact import redact
from wbme.lab.trackers.state import FOLDER, RefusedError, State
from wbme.lab.trackers.story import SECTION, Piece, Story, plain, script, title_series

_TIMEOUTS = (3.0, 60.0)  # seconds to connect, to answer
_SINGLE = -(2**31)  # the iteration by which the server knows a single value
_SCHEDULES = "wbme/schedules"  # the project of schedulers and of what they clone
_TITLES = {"image": "figures", "table": "tables"}


class ClearMLServer:
    """One Task of a ClearML server. ``state.task`` is set as soon as there is one."""

    resumable = True

    def __init__(self) -> None:
        self._session: Any = None
        self._project = self._home = ""  # its name, and the id of the one that the Task lies in

    def connect(self) -> None:
        """Log in; RefusedError for a wrong key, WbmeError for a server that does not answer."""
        _lean()
        from clearml.backend_api.session import Session
        from clearml.backend_api.session.session import LoginError
        from clearml.backend_interface.base import InterfaceBase

        Session._session_initial_timeout = Session._session_timeout = _TIMEOUTS
        Session._write_session_timeout = _TIMEOUTS
        retries = {"total": 1, "connect": 1, "read": 1, "redirect": 3, "status": 1, "backoff_factor": 0.5}
        try:
            self._session = Session(http_retries_config=retries)
        except LoginError as error:
            sentence = f"ClearML refuses the key: {redact(str(error))}"
            wrong = "error 401" in str(error) or "error 403" in str(error)
            raise (RefusedError if wrong else WbmeError)(
                sentence if wrong else f"the ClearML server does not let us in: {redact(str(error))}"[:300]
            ) from None
        except Exception as error:
            _unanswered(error)
        InterfaceBase._set_default_session(self._session)

    def open(self, story: Story, state: State) -> None:
        """Make the Task with its parameters, or find the one that an earlier attempt made, and start it."""
        self._state, self._story = state, story
        if self._session is None:
            self.connect()
        self._project = story.project
        adopted = bool(state.task)
        if not adopted:
            found = self._ask(
                "tasks.get_all",
                project=[self._project_id()],
                _all_={"fields": ["comment"], "pattern": f"^{story.record['id']}$"},
                only_fields=["id"],
            )["tasks"]
            state.task = found[0]["id"] if found else self._create(story)
            state.save(story.folder)
        known = self._ask("tasks.get_by_id", task=state.task)["task"]
        self._home = str(known.get("project") or "")
        state.url = f"{self._web()}/projects/{self._home or '*'}/experiments/{state.task}/output/log"
        if known.get("status") in ("created", "queued"):
            self._ask("tasks.started", task=state.task, force=True)
        if adopted and known.get("comment") != story.record["id"]:
            self._own(known)

    def _own(self, known: Mapping[str, Any]) -> None:
        """A clone tells of the run that it was made from: let it tell of this one."""
        task, story = self._state.task, self._story
        facts = [{"section": "run", "name": n, "value": v, "type": "str"} for n, v in story.facts.items()]
        words: dict[str, Any] = {"task": task, "force": True}
        self._ask("tasks.edit_hyper_params", hyperparams=facts, replace_hyperparams="section", **words)
        tags = [story.retagged(tag) for tag in known.get("tags") or []]
        self._ask("tasks.edit", comment=story.record["id"], tags=tags, **words)

    def _project_id(self) -> str:
        from clearml.backend_interface.util import exact_match_regex

        pattern = exact_match_regex(self._project)
        found = self._ask("projects.get_all", name=pattern, only_fields=["id"], search_hidden=True)
        if found["projects"]:
            return str(found["projects"][0]["id"])
        return str(self._ask("projects.create", name=self._project, description="Runs of wbme")["id"])

    def _create(self, story: Story) -> str:
        def section(name: str, values: Mapping[str, tuple[str, str]]) -> dict[str, dict[str, str]]:
            return {
                k: {"section": name, "name": k, "value": redact(v), "type": t} for k, (v, t) in values.items()
            }

        content: dict[str, Any] = {
            "name": story.name,
            "type": "custom",
            "project": self._project_id(),
            "tags": story.tags,
            "comment": story.record["id"],
            "script": story.script,
            "hyperparams": {
                SECTION: section(SECTION, story.parameters),
                "run": section("run", {n: (v, "str") for n, v in story.facts.items()}),
            },
        }
        return str(self._ask("tasks.create", **content)["id"])

    def scalars(self, rows: Sequence[tuple[str, float, int, float]]) -> None:
        """Rows of (``title/series``, value, iteration, time)."""
        events = []
        for name, value, step, when in rows:
            title, series = title_series(name)
            events.append(self._event("training_stats_scalar", title, series, step, when, value=value))
        self._events(events)

    def tell(self, piece: Piece) -> None:
        """One piece of the story; a second time it takes the place of the first."""
        now = time.time()
        title = _TITLES.get(piece.kind, "")
        if piece.kind == "single":
            kind, words = "training_stats_scalar", {"value": piece.content}
            self._events([self._event(kind, "Summary", piece.name, _SINGLE, now, **words)])
        elif piece.kind == "image":
            url = self._upload(piece.content, "metrics", piece.name)
            event = self._event("training_debug_image", title, piece.name, 0, now, url=url, key=_path(url))
            self._events([event])
        elif piece.kind == "table":
            from clearml.utilities.plotly_reporter import create_plotly_table

            plot = json.dumps(create_plotly_table(piece.content, title, piece.name))
            self._events([self._event("plot", title, piece.name, 0, now, plot_str=plot)])
        elif piece.kind == "artifact":
            self._artifact(piece)
        elif piece.kind == "model":
            for file in piece.content:
                self._model(piece.name, file)

    def close(self, status: str, message: str) -> None:
        """The Task ends as the run did."""
        words: dict[str, Any] = {"task": self._state.task, "force": True, "status_message": message}
        action = "completed" if status == "completed" else "failed"
        self._ask(f"tasks.{action}", **words, status_reason=message)

    def parameters(self, task: str) -> dict[str, str]:
        """The parameters that somebody may have edited, as text; empty where the Task has none."""
        known = self._ask("tasks.get_by_id", task=task)["task"]
        section = (known.get("hyperparams") or {}).get(SECTION) or {}
        return {name: str(entry.get("value", "")) for name, entry in section.items()}

    def template(self, name: str, words: list[str]) -> str:
        """A Task that is there to be cloned: an agent runs ``wbme WORDS``. Returns its id."""
        self._project = _SCHEDULES
        content = {"name": name, "type": "custom", "project": self._project_id()}
        return str(self._ask("tasks.create", script=script(words, machine.git()), **content)["id"])

    def fail(self, task: str, message: str) -> None:
        """Mark a Task as failed before anything ran."""
        words = {"status_reason": message, "status_message": message}
        self._ask("tasks.failed", task=task, force=True, **words)

    def _artifact(self, piece: Piece) -> None:
        file: Path = piece.content
        entry = {
            "key": piece.name,
            "type": "json" if file.suffix == ".json" else "custom",
            "mode": "output",
            "uri": self._upload(file, "artifacts", piece.name),
            "content_size": file.stat().st_size,
            "hash": sha256_file(file),
            "timestamp": int(time.time()),
            "type_data": {"content_type": "application/json"},
        }
        self._ask("tasks.add_or_update_artifacts", task=self._state.task, artifacts=[entry], force=True)

    def _model(self, output: str, file: Path) -> None:
        """An output model a file: the server keeps one address for each."""
        name = f"{output}/{file.name}"
        known = self._ask("tasks.get_by_id", task=self._state.task)["task"]
        if name in [m.get("name") for m in (known.get("models") or {}).get("output") or []]:
            return
        made = self._ask(
            "models.create",
            name=f"{self._story.name} {name}",
            uri=self._upload(file, "models", plain(output)),
            task=self._state.task,
            project=self._home or self._project_id(),
            framework={".safetensors": "PyTorch", ".pth": "PyTorch", ".onnx": "ONNX"}.get(
                file.suffix, "Custom"
            ),
            ready=True,
            tags=self._story.tags,
        )["id"]
        self._ask("tasks.add_or_update_model", task=self._state.task, name=name, model=made, type="output")

    def _upload(self, file: Path, kind: str, name: str) -> str:
        from clearml.config import config
        from clearml.storage.helper import StorageHelper

        base = config.get("development.default_output_uri", None) or self._session.get_files_server_host()
        place = f"{plain(self._project)}/{plain(self._story.name)}.{self._state.task}/{kind}"
        target = f"{str(base).rstrip('/')}/{place}/{plain(name)}/{plain(file.name)}"
        try:
            return str(StorageHelper.get(target).upload(str(file), target, retries=1))
        except Exception as error:
            _unanswered(error)

    def _event(
        self, kind: str, title: str, series: str, step: int, when: float, **more: Any
    ) -> dict[str, Any]:
        place = {"task": self._state.task, "metric": title, "variant": series, "iter": step}
        return {"type": kind, "timestamp": int(when * 1000), **place, **more}

    def _events(self, events: Sequence[dict[str, Any]]) -> None:
        if events:
            lines = "\n".join(json.dumps(event) for event in events)
            kind = {"Content-Type": "application/json-lines"}
            said = self._ask("events.add_batch", data=lines, headers=kind)
            if said.get("errors"):
                raise WbmeError(f"ClearML kept only {said.get('added')} of {len(events)} events")

    def _ask(
        self, action: str, data: str | None = None, headers: Any = None, **content: Any
    ) -> dict[str, Any]:
        """The ``data`` of the answer; WbmeError when there is none, RefusedError when it is a refusal."""
        service, _, verb = action.partition(".")
        body: dict[str, Any] = {"json": content} if data is None else {"data": data, "headers": headers}
        try:
            answer = self._session.send_request(service, verb, method="post", **body)
            said = answer.json() if answer.status_code != 500 or answer.content else {}
        except Exception as error:
            _unanswered(error)
        if answer.status_code == 200:
            found: dict[str, Any] = said.get("data") or {}
            return found
        why = (said.get("meta") or {}).get("result_msg") or answer.reason
        later = answer.status_code >= 500 or answer.status_code in (408, 429)
        raise (WbmeError if later else RefusedError)(
            f"ClearML answers {answer.status_code} to {action}: {redact(str(why))[:200]}"
        )

    def _web(self) -> str:
        try:
            return str(self._session.get_app_server_host())
        except ValueError:  # it cannot be derived from the address of the API
            return str(self._session.get_api_server_host())


class ClearMLOffline:
    """The SDK's own offline mode: a zip below the run folder, for ``wbme sync ZIP`` or ClearML's importer."""

    resumable = False

    def open(self, story: Story, state: State) -> None:
        """Begin an offline session with the parameters of the run."""
        place = story.folder / FOLDER / "clearml-offline"
        os.environ["CLEARML_CACHE_DIR"] = str(place)
        _lean()
        from clearml import Task
        from clearml.backend_api.services import tasks

        Task.set_offline(True)
        self._task: Any = Task.init(
            project_name=story.project,
            task_name=story.name,
            task_type="custom",
            tags=story.tags,
            reuse_last_task_id=False,
            auto_connect_arg_parser=False,
            auto_connect_frameworks={"detect_repository": False} | dict.fromkeys(_FRAMEWORKS, False),
            auto_resource_monitoring=False,
            auto_connect_streams=False,
        )
        self._state, self._story = state, story
        state.task = self._task.id
        spelt = {f"{SECTION}/{n}": redact(v) for n, (v, _) in story.parameters.items()}
        types = {f"{SECTION}/{n}": t for n, (_, t) in story.parameters.items()}
        facts = {f"run/{n}": v for n, v in story.facts.items()}
        self._task.set_parameters({**spelt, **facts}, __parameters_types=types)
        # set_script() changes what the detection of the repository found; without it there is nothing yet.
        self._task._edit(script=tasks.Script(**story.script))
        self._task.set_comment(story.record["id"])
        self._logger: Any = self._task.get_logger()

    def scalars(self, rows: Sequence[tuple[str, float, int, float]]) -> None:
        """Rows of (``title/series``, value, iteration, time)."""
        for name, value, step, _ in rows:
            self._logger.report_scalar(*title_series(name), value=value, iteration=step)

    def tell(self, piece: Piece) -> None:
        """One piece of the story."""
        title = _TITLES.get(piece.kind, "")
        if piece.kind == "single":
            self._logger.report_single_value(piece.name, piece.content)
        elif piece.kind == "image":
            self._logger.report_image(title, piece.name, iteration=0, local_path=str(piece.content))
        elif piece.kind == "table":
            self._logger.report_table(title, piece.name, iteration=0, table_plot=piece.content)
        elif piece.kind == "artifact":
            self._task.upload_artifact(piece.name, str(piece.content), wait_on_upload=True)
        elif piece.kind == "model":
            # As artifacts: the importer brings an offline session's models to the server empty.
            for file in piece.content:
                self._task.upload_artifact(f"{piece.name}/{file.name}", str(file), wait_on_upload=True)

    def close(self, status: str, message: str) -> None:
        """Write the zip; its address is the state's."""
        if status != "completed":
            self._task.mark_failed(ignore_errors=True, status_reason=message, status_message=message)
        folder = Path(self._task.get_offline_mode_folder())
        self._task.flush(wait_for_uploads=True)
        self._task.close()
        written = folder.with_name(folder.name + ".zip")
        if not written.is_file():
            raise WbmeError(f"ClearML's offline mode wrote no {written}")
        self._state.url = str(written)


_FRAMEWORKS = (
    *("matplotlib", "tensorflow", "tensorboard", "pytorch", "xgboost", "scikit", "fastai", "lightgbm"),
    *("hydra", "joblib", "megengine", "catboost", "gradio", "jsonargparse"),
)


def import_zip(path: Path) -> str:
    """Send a zip of the offline mode to the server; returns the id of the Task that it becomes there."""
    try:
        with zipfile.ZipFile(path) as archive:
            wrong = archive.testzip()
            json.loads(archive.read("task.json"))
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        raise RefusedError(
            f"{path} is no whole offline session of ClearML ({error}): replay its run instead"
        ) from None
    if wrong:
        raise RefusedError(f"{path} is damaged at {wrong}: replay its run instead")
    ClearMLServer().connect()
    from clearml import Task

    return str(Task.import_offline_session(str(path)))


def clone_by_the_clock(
    name: str, task: str | None, queue: str, when: dict[str, Any], ready: Callable[[], None]
) -> None:
    """Be ClearML's TaskScheduler, which puts clones of ``task`` in ``queue``; without one, of a Task made for
    it, which looks at the schedule ``name`` on the agent's machine. Calls ``ready`` and does not return."""
    if not task:
        server = ClearMLServer()
        server.connect()
        task = server.template(f"schedule {name}", ["schedule", "tick", name, "--force"])
    from clearml import Task
    from clearml.automation import TaskScheduler

    Task.get_task(task_id=task)
    scheduler = TaskScheduler(force_create_task_name=f"schedule {name}", force_create_task_project=_SCHEDULES)
    scheduler.add_task(schedule_task_id=task, queue=queue, name=name, single_instance=True, **when)
    ready()
    scheduler.start()


def _lean() -> None:
    """Hide from this process what the SDK imports only to patch it: that would take ten seconds of a core."""
    for name in (*_FRAMEWORKS, "torch", "sklearn", "scipy", "pandas", "cv2", "rfc3987_syntax", "IPython"):
        if name not in sys.modules:
            sys.modules[name] = None  # type: ignore[assignment]


def _path(url: str) -> str:
    from urllib.parse import urlsplit

    return urlsplit(url).path


def _unanswered(error: Exception) -> NoReturn:
    text = redact(" ".join(f"{type(error).__name__}: {error}".split()))[:200]
    raise WbmeError(f"the ClearML server does not answer ({text})") from None
