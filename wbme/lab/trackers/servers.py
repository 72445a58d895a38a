"""Where trackers are: whether one is configured, installed, and answers. Imports none of them."""

import json
import netrc
import os
import re
import socket
import threading
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from wbme.base.errors import WbmeError
from wbme.base.hashing import sha256_bytes

ANSWER_SECONDS = 3.0
_LIBRARY = {"clearml": "clearml", "wandb": "wandb"}
_HOSTED = {"clearml": "https://api.clear.ml", "wandb": "https://api.wandb.ai"}


def family(name: str) -> str:
    """``clearml`` of ``clearml`` and ``clearml-offline``."""
    return name.removesuffix("-offline")


def usable(name: str) -> bool:
    """Whether the tracker is installed and somebody configured a server for it."""
    return find_spec(_LIBRARY[family(name)]) is not None and _configured(name)


def require(name: str) -> None:
    """WbmeError where the tracker ``name`` cannot be used at all."""
    library = _LIBRARY[family(name)]
    if find_spec(library) is None:
        raise WbmeError(f"--tracker {name} needs {library}: pip install '{library}'")
    if not name.endswith("-offline") and not _configured(name):
        how = {"clearml": "clearml-init", "wandb": "wandb login"}[name]
        raise WbmeError(
            f"--tracker {name}: no server is configured; run '{how}', or use --tracker {name}-offline"
        )


def silent(name: str) -> str | None:
    """The sentence about a server that does not answer within ANSWER_SECONDS; None when it does."""
    if name.endswith("-offline"):
        return None
    url = urlsplit(host(name))
    place = url.hostname or ""
    if getproxies().get(url.scheme) and not proxy_bypass(place):
        return None  # only the proxy can be reached from here: the follower will see
    try:
        port = url.port or (443 if url.scheme == "https" else 80)
    except ValueError:
        return f"{name}: the address of its server has no sound port"
    answered = threading.Event()

    def knock() -> None:
        with suppress(OSError, UnicodeError), socket.create_connection((place, port), ANSWER_SECONDS):
            answered.set()

    # On a thread, because looking a name up knows no time limit.
    thread = threading.Thread(target=knock, daemon=True)
    thread.start()
    thread.join(ANSWER_SECONDS)
    return None if answered.is_set() else f"{name}: {url.scheme}://{place}:{port} does not answer"


def host(name: str) -> str:
    """The address of the configured server, with whatever login it holds."""
    if family(name) == "wandb":
        return os.environ.get("WANDB_BASE_URL") or _HOSTED["wandb"]
    given = os.environ.get("CLEARML_API_HOST") or os.environ.get("TRAINS_API_HOST")
    if given:
        return given
    found = re.search(
        r"^\s*(?:api\.)?(?:\")?api_server(?:\")?\s*[:=]\s*\"?([^\s\"#]+)", _clearml_conf(), re.MULTILINE
    )
    return found.group(1) if found else _HOSTED["clearml"]


def agent_task() -> str | None:
    """The Task that a ClearML agent is executing in this very process, if so."""
    return os.environ.get("CLEARML_TASK_ID") or os.environ.get("TRAINS_TASK_ID") or None


def _configured(name: str) -> bool:
    if family(name) == "wandb":
        place = urlsplit(host(name)).hostname or ""
        if os.environ.get("WANDB_API_KEY"):
            return True
        with suppress(OSError, netrc.NetrcParseError):
            return netrc.netrc().authenticators(place) is not None
        return False
    keys = [("CLEARML_API_ACCESS_KEY", "CLEARML_API_SECRET_KEY"), ("CLEARML_AUTH_TOKEN",) * 2]
    if any(os.environ.get(a) and os.environ.get(b) for a, b in keys):
        return True
    return bool(re.search(r"(access_key|credentials)", _clearml_conf()))


def _clearml_conf() -> str:
    given = os.environ.get("CLEARML_CONFIG_FILE") or os.environ.get("TRAINS_CONFIG_FILE")
    try:
        text = Path(given or "~/clearml.conf").expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        return ""
    return re.sub(r"^\s*(#|//).*", "", text, flags=re.MULTILINE)


def key(name: str) -> str:
    """A short word for the tracker and its server, so that two servers are told apart on disk."""
    if name.endswith("-offline"):
        return name
    url = urlsplit(host(name))
    return f"{name}-{sha256_bytes(json.dumps([url.scheme, url.hostname, url.port]).encode())[:8]}"
