"""Experiment trackers as mirrors of run folders: ClearML and W&B, online and offline.

No tracker is imported here: each run folder is followed by a process of its own
(``python -m wbme.lab.trackers.process``), so that whatever a library does, hang, patch, exit, stays there.
"""

from collections.abc import Callable

from wbme.base.errors import WbmeError
from wbme.lab.mirror import Mirror
from wbme.lab.trackers import servers
from wbme.lab.trackers.relay import Relay

NAMES = ("clearml", "clearml-offline", "wandb", "wandb-offline", "none")


def choose(name: str | None, tell: Callable[[str], None] = print, task: str | None = None) -> list[Mirror]:
    """The mirrors that ``--tracker NAME`` means; without NAME ClearML where a server is configured.
    ``task``: the ClearML Task to fill instead of new ones (``agent.adopt``).

    A server that does not answer within 3 s is left out with one sentence to ``tell``. WbmeError for an
    unknown name, a library that is not installed, or a tracker that was asked for but is not configured.
    """
    if name is not None and name not in NAMES:
        raise WbmeError(f"no tracker {name!r}; there are: {', '.join(NAMES)}")
    if name == "none" or (name is None and not servers.usable("clearml")):
        return []
    wanted = name or "clearml"
    servers.require(wanted)
    if silent := servers.silent(wanted):
        tell(f"{silent}: this run is not tracked; 'wbme sync' delivers it later")
        return []
    return [Relay(wanted, task if wanted == "clearml" else None)]
