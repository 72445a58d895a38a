"""A W&B server in a thread: the GraphQL operations, the file stream and the uploads that a run uses."""

import contextlib
import gzip
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class WandbStandIn:
    """``history`` holds a run's lines at the offsets they were sent for; ``refusing`` answers 401 to all."""

    def __init__(self):
        self.runs, self.history, self.files, self.artifacts = {}, {}, {}, {}
        self.complete, self.exits, self.bodies = [], [], []
        self.refusing = False
        self._lock = threading.Lock()
        standin = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                if standin.refusing:
                    self.send_error(401)
                    return
                with standin._lock:
                    raw = json.dumps(standin._answer(self.path, body)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(raw)

            do_GET = do_POST = do_PUT = handle_any

            def log_message(self, *_):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        self._http.shutdown()
        self._http.server_close()

    def _answer(self, path, body):
        self.bodies.append(body)
        if path.endswith("/graphql"):
            asked = json.loads(body)
            name = re.search(r"(?:query|mutation)\s+(\w+)", asked["query"])[1]
            handler = getattr(self, f"_{name}", None)
            return {"data": handler(asked.get("variables") or {}) if handler else {}}
        if path.startswith("/up/"):
            self.files[path.removeprefix("/up/")] = body
        elif path.endswith("/file_stream"):
            self._stream(path.split("/")[-2], json.loads(body))
        return {}

    def _stream(self, run, said):
        part = said.get("files", {}).get("wandb-history.jsonl", {"offset": 0, "content": []})
        lines = self.history.setdefault(run, {})
        for number, line in enumerate(part["content"], part["offset"]):
            lines[number] = json.loads(line)
        if said.get("complete"):
            self.complete.append(run)
            self.exits.append(said.get("exitcode"))

    def _Viewer(self, _):
        return {
            "viewer": {"id": "u", "entity": "me", "username": "me", "flags": "{}", "teams": {"edges": []}}
        }

    def _ArtifactType(self, _):
        return {"project": {"artifact": None}}  # no artifact of that name yet

    def _UpsertBucket(self, words):
        known = self.runs.setdefault(words["name"], {})
        known |= {k: v for k, v in words.items() if v is not None}
        project = {"id": "p", "name": known["project"], "entity": {"id": "e", "name": "me"}}
        bucket = {"id": "r", "name": words["name"], "displayName": known.get("displayName")}
        bucket |= {"description": "", "config": known.get("config"), "sweepName": None, "project": project}
        return {"upsertBucket": {"bucket": {**bucket, "historyLineCount": 0}, "inserted": True}}

    def _CreateRunFiles(self, words):
        files = [{"name": f, "uploadUrl": f"{self.url}/up/{f}"} for f in words["files"]]
        return {"createRunFiles": {"runID": "r", "uploadHeaders": [], "files": files}}

    def _CreateArtifact(self, words):
        made = f"a{len(self.artifacts)}"
        self.artifacts[made] = {"name": words["input"]["artifactCollectionName"], "committed": False}
        artifact = {"id": made, "state": "PENDING", "artifactSequence": {"id": "s", "latestArtifact": None}}
        return {"createArtifact": {"artifact": artifact}}

    def _CreateArtifactManifest(self, words):
        place = f"{self.url}/up/manifest-{words['artifactID']}"
        file = {"id": "f", "name": "m", "displayName": "m", "uploadUrl": place, "uploadHeaders": []}
        return {"createArtifactManifest": {"artifactManifest": {"id": "m", "file": file}}}

    def _CreateArtifactFiles(self, words):
        def node(file):
            url = f"{self.url}/up/{self.artifacts[file['artifactID']]['name']}/{file['name']}"
            more = {"storagePath": "x", "uploadMultipartUrls": None, "artifact": {"id": file["artifactID"]}}
            return {"node": {"id": "f", "name": file["name"], "uploadUrl": url, "uploadHeaders": [], **more}}

        edges = [node(file) for file in words["input"]["artifactFiles"]]
        return {"createArtifactFiles": {"files": {"edges": edges}}}

    def _CommitArtifact(self, words):
        self.artifacts[words["artifactID"]]["committed"] = True
        return {"commitArtifact": {"artifact": {"id": words["artifactID"], "digest": "x"}}}
