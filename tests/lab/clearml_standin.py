"""A ClearML server in a thread: the part of the REST API that is called, in memory, and a file server.

``trouble`` makes it behave badly: "500" for every answer, "slow" for ten seconds before each, "" for none.
"""

import base64
import contextlib
import email.parser
import email.policy
import json
import threading
import time
import uuid
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY, SECRET = "the-access-key", "the-secret-key-of-a-user"


class Refused(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class ClearMLStandIn:
    def __init__(self):
        self.tasks, self.projects, self.models = {}, {}, {}
        self.events, self.files, self.calls, self.bodies = [], {}, [], []
        self.history = defaultdict(list)
        self.trouble = ""
        self.fail_after = None  # number of calls after which it answers 500
        self._port = 0
        self._lock = threading.Lock()
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port}"

    def start(self):
        standin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def handle_any(self):
                standin._answer(self)

            do_GET = do_POST = do_PUT = handle_any

            def log_message(self, *_):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        self._http.shutdown()
        self._http.server_close()

    def environment(self):
        return {
            "CLEARML_API_HOST": self.url,
            "CLEARML_WEB_HOST": self.url,
            "CLEARML_FILES_HOST": self.url,
            "CLEARML_API_ACCESS_KEY": KEY,
            "CLEARML_API_SECRET_KEY": SECRET,
        }

    def _answer(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        if self.trouble == "slow":
            time.sleep(10)
        with self._lock:
            path = request.path.split("?")[0].strip("/")
            self.calls.append(path)
            self.bodies.append(body)
            broken = self.fail_after is not None and len(self.calls) > self.fail_after
            try:
                if self.trouble == "500" or broken:
                    raise Refused(500, "the database is gone")
                if "multipart/form-data" in (request.headers.get("Content-Type") or ""):
                    self._keep_upload(request.headers["Content-Type"], body)
                    status, content = 200, {}
                else:
                    status, content = 200, {"data": self._act(path, request.headers, body)}
            except Refused as error:
                status, content = error.status, {"meta": {"result_msg": str(error)}, "data": {}}
        content.setdefault("meta", {"result_code": status, "result_msg": "OK", "id": "1"})
        raw = json.dumps(content).encode()
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(raw)))
        request.end_headers()
        with contextlib.suppress(OSError):  # whoever asked may have given up
            request.wfile.write(raw)

    def _keep_upload(self, kind, body):
        head = f"Content-Type: {kind}\r\n\r\n".encode()
        message = email.parser.BytesParser(policy=email.policy.default).parsebytes(head + body)
        for part in message.iter_parts():
            name = part.get_param("name", header="content-disposition")
            self.files[name.strip("/")] = part.get_payload(decode=True)

    def _act(self, path, headers, body):
        action = path.split("/")[-1]
        if action == "auth.login":
            given = headers.get("Authorization", "")
            right = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
            if given != f"Basic {right}":
                raise Refused(401, "Unauthorized (invalid credentials)")
            claims = {"api_version": "2.31", "server_version": "2.3.0", "exp": int(time.time()) + 3600}
            parts = [{"alg": "HS256", "typ": "JWT"}, claims, "unsigned"]
            coded = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts]
            return {"token": ".".join(part.decode().rstrip("=") for part in coded)}
        if not headers.get("Authorization", "").startswith("Bearer "):
            raise Refused(401, "Unauthorized (missing token)")
        if action == "events.add_batch":
            rows = [json.loads(line) for line in body.decode().splitlines() if line.strip()]
            self.events += rows
            return {"added": len(rows), "errors": 0}
        handler = getattr(self, "_" + action.replace(".", "_"), None)
        if handler is None:
            raise Refused(400, f"no {action} in this stand-in")
        return handler(json.loads(body or b"{}"))

    def _projects_get_all(self, words):
        name = words.get("name", "").strip("^$").replace("\\", "")
        return {"projects": [{"id": i, "name": n} for i, n in self.projects.items() if not name or n == name]}

    def _projects_create(self, words):
        made = uuid.uuid4().hex
        self.projects[made] = words["name"]
        return {"id": made}

    def _projects_get_by_id(self, words):
        return {"project": {"id": words["project"], "name": self.projects[words["project"]]}}

    def _tasks_create(self, words):
        made = uuid.uuid4().hex
        empty = {"output": {}, "execution": {"artifacts": []}, "models": {"input": [], "output": []}}
        self.tasks[made] = {**empty, **words, "id": made, "status": "created"}
        self.history[made].append("created")
        return {"id": made}

    def _tasks_get_all(self, words):
        pattern = (words.get("_all_") or {}).get("pattern", "").strip("^$")
        found = [
            t
            for t in self.tasks.values()
            if t["project"] in (words.get("project") or [t["project"]])
            and (not pattern or t.get("comment") == pattern)
            and t["id"] in (words.get("id") or [t["id"]])
        ]
        return {"tasks": found}

    def _tasks_get_by_id(self, words):
        return {"task": self._task(words)}

    def _task(self, words):
        try:
            return self.tasks[words["task"]]
        except KeyError:
            raise Refused(400, f"Invalid task id: {words.get('task')}") from None

    def _status(self, words, status):
        task = self._task(words)
        task |= {"status": status, "status_reason": words.get("status_reason", "")}
        self.history[task["id"]].append(status)
        return {"updated": 1, "started": 1}

    def _tasks_started(self, words):
        return self._status(words, "in_progress")

    def _tasks_completed(self, words):
        return self._status(words, "completed")

    def _tasks_failed(self, words):
        return self._status(words, "failed")

    def _tasks_stopped(self, words):
        return self._status(words, "stopped")

    def _tasks_edit(self, words):
        self._task(words).update({k: v for k, v in words.items() if k not in ("task", "force")})
        return {"updated": 1}

    _tasks_update = _tasks_edit

    def _tasks_edit_hyper_params(self, words):
        known = self._task(words)["hyperparams"]
        if words["replace_hyperparams"] == "section":
            for section in {p["section"] for p in words["hyperparams"]}:
                known[section] = {}
        for entry in words["hyperparams"]:
            known[entry["section"]][entry["name"]] = entry
        return {"updated": 1}

    def _tasks_set_requirements(self, words):
        return {"updated": 1}

    def _tasks_add_or_update_artifacts(self, words):
        known = self._task(words)["execution"].setdefault("artifacts", [])
        for entry in words["artifacts"]:
            known[:] = [a for a in known if a["key"] != entry["key"]] + [entry]
        return {"updated": 1}

    def _tasks_add_or_update_model(self, words):
        known = self._task(words)["models"][words["type"]]
        known[:] = [m for m in known if m["name"] != words["name"]]
        known.append({"name": words["name"], "model": words["model"]})
        return {"updated": 1}

    def _models_create(self, words):
        made = uuid.uuid4().hex
        self.models[made] = {**words, "id": made}
        return {"id": made, "created": True}

    def _models_get_by_id(self, words):
        return {"model": self.models[words["model"]]}

    def _models_edit(self, words):
        self.models[words["model"]].update(words)
        return {"updated": 1}

    def _tasks_clone(self, words):
        made = uuid.uuid4().hex
        copy = json.loads(json.dumps(self._task(words)))
        self.tasks[made] = copy | {"id": made, "status": "created"}
        return {"id": made}

    def _tasks_enqueue(self, words):
        return self._status(words, "queued") | {"queued": 1}

    def _tasks_ping(self, words):
        return {}

    def of(self, kind, task):
        """The events of one kind of a task, in the order of their arrival."""
        return [e for e in self.events if e["type"] == kind and e["task"] == task]

    def scalars(self, task):
        return [
            (e["metric"], e["variant"], e["iter"], e["value"]) for e in self.of("training_stats_scalar", task)
        ]
