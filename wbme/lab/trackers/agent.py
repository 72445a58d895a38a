"""A cloned Task that a ClearML agent runs: the step is repeated with the parameters as they were edited."""

import json
import subprocess
from contextlib import suppress
from dataclasses import replace

from wbme.base.errors import ParameterError, WbmeError
from wbme.lab import parameters, refs
from wbme.lab.chain import Chain, Step
from wbme.lab.notebook import covers
from wbme.lab.trackers import servers
from wbme.lab.trackers.relay import start

_ASK_SECONDS = 120
PATIENCE = 600.0  # the agent's machine may end with this process: here it is waited for


def adopt(chain: Chain, tracker: str | None) -> tuple[Chain, str | None]:
    """``chain`` with the parameters of the agent's Task, and the Task's id; None without one.

    The chain reads what its own scope has, but publishes in a scope named after the Task: what the original
    made stays. A chain of several steps is nobody's clone: its steps get Tasks of their own. ParameterError
    for edited parameters that the notebook does not know or of another type (the Task is then marked as
    failed); WbmeError when the Task cannot be read.
    """
    task = servers.agent_task() if tracker in (None, "clearml") else None
    if task is None or len(chain.steps) != 1:
        return chain, None
    [step] = chain.steps
    where = f"parameters of ClearML Task {task}"
    try:
        texts = json.loads(_ask("parameters", task))
        known = parameters.declared(step.notebook)
        parameters.resolve(step.notebook, {n: t for n, t in texts.items() if n not in known}, where)
        edited = {n: parameters.from_text(known[n], t, where) for n, t in texts.items()}
    except ParameterError as error:
        with suppress(WbmeError):
            _ask("fail", task, str(error))
        raise
    own = f"{chain.name}.{''.join(filter(str.isalnum, task))[:8]}"
    for ref in refs.listing():
        name, scope = refs.parse(ref.name)
        if scope == chain.name and covers(step.notebook.reads, name):
            refs.move({refs.scoped(name, own): ref.digest}, ref.run)
    return replace(chain, name=own, steps=(Step(step.notebook, {**step.params, **edited}),)), task


def _ask(action: str, *words: str) -> str:
    process = start(action, "clearml", *words, stdout=subprocess.PIPE)
    try:
        said, _ = process.communicate(timeout=_ASK_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise WbmeError(f"ClearML Task {words[0]}: the server did not answer for {_ASK_SECONDS} s") from None
    text = said.decode("utf-8", "replace").strip().splitlines()
    if process.returncode:
        raise WbmeError(f"ClearML Task {words[0]}: {text[-1] if text else 'the server did not answer'}")
    return text[-1] if text else ""
