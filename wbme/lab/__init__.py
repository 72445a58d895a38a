"""The run contract: parameters, runs, store, chains, trace and report. Imports only base.

In a notebook: ``run = lab.begin(NAME, globals())``, then ``run.use``, ``run.publish``, ``run.figure``,
``run.table``, ``run.metric``, ``run.progress``, ``lab.explore``, ``lab.select``, and ``run.finish()`` last.
"""

from typing import Any

_WHERE = {
    "begin": "wbme.lab.opening",
    "explore": "wbme.lab.exploration",
    "select": "wbme.lab.exploration",
    "Slider": "wbme.lab.controls",
    "Choice": "wbme.lab.controls",
    "Toggle": "wbme.lab.controls",
    "Colour": "wbme.lab.controls",
}


def __getattr__(name: str) -> Any:
    """Import on first use: the command line needs neither matplotlib nor widgets."""
    if name not in _WHERE:
        raise AttributeError(name)
    from importlib import import_module

    found = getattr(import_module(_WHERE[name]), name)
    globals()[name] = found
    return found
