"""A notebook as a page for whoever wants to turn its knobs and not to read code: served by Voila.

A visit starts a kernel that executes the whole notebook with the parameters of one step. A style sheet
shows its title, the cells tagged ``interactive`` and what is written above them, until the visitor asks for
the whole study. Its run is recorded like any other but moves no name: who looks does not publish.
"""

import os
import secrets
import sys
import webbrowser
from collections.abc import Callable
from typing import Any

from wbme.base.errors import NotebookError
from wbme.base.paths import project_root, workspace
from wbme.lab.chain import Step
from wbme.lab.launcher import FOREIGN

_KNOBS = "interactive"
_IDLE_SECONDS = 600  # of a kernel that no page is connected with: its browser was killed
_CRITICAL = 50  # else Voila logs a failed cell with a traceback of its own; the page says it in a sentence
# Pictures of people stay here: whatever the page names, the browser asks nobody but this server.
_HERE = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' ws://127.0.0.1:* blob:",
        "frame-ancestors 'none'",
    ]
)
# Tagged "shown" are knobs and the text above them, "said" the cells between, which show what they printed.
# The last cell is the foot of the page, or else the one that failed.
_HEAD = """<style>
#rendered_cells > div { position: relative; max-width: 1180px; margin: 0 auto; padding: 12px 24px 40px; }
#rendered_cells pre { word-break: normal; overflow-wrap: anywhere; }
.wbme-whole { position: absolute; top: 28px; right: 24px; }
body:not(:has(#whole:checked)) {
  [cell-index]:not(:last-child):not(:has(.celltag_shown, .celltag_said)),
  .celltag_title table,
  .celltag_said :is(.jp-RenderedImage, .jp-RenderedMarkdown, .jupyter-widgets) { display: none; }
}
</style>
<label class="wbme-whole"><input type="checkbox" id="whole"> the whole study</label>
"""


def serve(step: Step, preset: str, port: int, browse: bool, say: Callable[[str], Any]) -> None:
    """Serve ``step`` on 127.0.0.1 until it is interrupted; ``say`` hears its address, which has a token.

    Where ``port`` is taken, a free one near it serves. ``browse`` opens the address. NotebookError when the
    notebook has no cell tagged ``interactive``.
    """
    _refuse_without_knobs(step)
    for name in (*FOREIGN, "WBME_INTERACTIVE"):
        os.environ.pop(name, None)
    os.environ.update(
        WBME_PROJECT=str(project_root()),
        WBME_HOME=str(workspace()),
        WBME_PAGE="1",
        JUPYTER_PREFER_ENV_PATH="1",
    )
    # What checks web addresses, which no notebook needs, takes three seconds to compile its grammar.
    sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
    import zmq
    from traitlets.config import Config
    from voila.app import Voila

    token = secrets.token_hex(16)

    class Page(Voila):
        """Voila calls this once it listens; its own would open the address without the token."""

        def launch_browser(self) -> None:
            address = f"http://{self.ip}:{self.port}/?token={token}"
            say(f"{step.notebook.name} is at {address}")
            if browse:
                webbrowser.open(address)

    def prepared(request: Any, notebook: Any, cwd: str) -> Any:
        request.xsrf_token  # noqa: B018  asked for, it becomes the cookie by which a page may end its kernel
        return _prepared(notebook, step, preset)

    settings = {
        "Voila": {
            "config_file_paths": [],  # a voila.json of the user's could open the port to others
            "ip": "127.0.0.1",
            "log_level": _CRITICAL,
            "notebook_path": str(step.notebook.path),
            "port": port,
            "token": token,
            "tornado_settings": {
                "headers": {"Content-Security-Policy": _HERE},
                "ws_ping_interval": 0,  # none: nothing between this server and its visitor cuts a silent line
            },
        },
        "VoilaConfiguration": {
            "allow_template_override": "NO",
            "allow_theme_override": "NO",
            "file_allowlist": [],
            "prelaunch_hook": prepared,
            "show_tracebacks": True,  # else Voila holds back our sentences too
        },
        "MappingKernelManager": {
            "cull_idle_timeout": _IDLE_SECONDS,
            "cull_interval": 60,
            "transport_encryption": "auto" if zmq.has("curve") else "disabled",
        },
    }
    page = Page(config=Config(settings))
    page.initialize([])
    page.start()


def _refuse_without_knobs(step: Step) -> None:
    name = step.notebook.name
    if not any(_KNOBS in cell.get("metadata", {}).get("tags", []) for cell in step.notebook.cells):
        raise NotebookError(
            f"{name} has no cell tagged '{_KNOBS}' and so nothing to turn: 'wbme run {name}' executes it"
        )


def _prepared(notebook: Any, step: Step, preset: str) -> Any:
    """``notebook`` (an nbformat node, read for this visit) with the parameters of ``step``, tags for the
    style sheet, and head and foot of the page."""
    from nbformat.v4 import new_code_cell, new_markdown_cell

    cells = notebook.cells
    tagged: list[list[str]] = [cell.metadata.setdefault("tags", []) for cell in cells]
    for place in [n for n, tags in enumerate(tagged) if _KNOBS in tags]:
        above = max((n for n in range(place) if cells[n].cell_type == "markdown"), default=place)
        for n in range(above, place + 1):
            tagged[n].append("shown" if n in (above, place) else "said")
    tagged[0] += ["shown", "title"]
    given = next(n for n, tags in enumerate(tagged) if "parameters" in tags) + 1
    values = "\n".join(f"{name} = {value!r}" for name, value in step.params.items())
    cells.insert(given, new_code_cell(f"# Parameters\n{values}"))
    cells.insert(1, new_markdown_cell(_HEAD, metadata={"tags": ["shown"]}))
    cells.append(new_markdown_cell(_foot(step, preset)))
    notebook.metadata["title"] = step.notebook.title
    return notebook


def _foot(step: Step, preset: str) -> str:
    """With what the page was made, and how to make another."""
    number = step.notebook.name.split("_")[0]
    values = ", ".join(f"`{name} = {value!r}`" for name, value in step.params.items()) or "no parameters"
    return (
        f"---\n\nPreset {preset}: {values}. Other values: `wbme explore {number} -p KEY VALUE`, "
        "`--preset demo` or `full`; the code: `make lab`."
    )
