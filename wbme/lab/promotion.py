"""Moving the unscoped names to what a scheduled run made, and back."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from wbme.base.errors import RefError, WbmeError
from wbme.lab import ledger, refs, store
from wbme.lab.launcher import Result


def targets(results: Sequence[Result]) -> dict[str, Any]:
    """For the history: ``promoted`` and ``previous`` {ref: digest}, and the runs that made each."""
    new = {
        refs.scoped(name, None): (output["digest"], result.record["id"])
        for result in results
        for name, output in result.record["outputs"].items()
    }
    old = {name: ref for name in new if (ref := refs.read(name))}
    return {
        "promoted": {name: digest for name, (digest, _) in new.items()},
        "runs": {name: run for name, (_, run) in new.items()},
        "previous": {name: ref.digest for name, ref in old.items()},
        "previous_runs": {name: ref.run for name, ref in old.items()},
    }


def carry_out(line: Mapping[str, Any]) -> None:
    """Move the names of a history line. Those that somebody has moved since it was written stay."""
    for name, digest in line["promoted"].items():
        ref = refs.read(name)
        if (ref.digest if ref else None) == line["previous"].get(name):
            refs.move({name: digest}, line["runs"][name])


def rollback(name: str) -> dict[str, Any]:
    """Move the names of the last promotion back, and return the history line that tells of it.

    Names that did not exist before go. WbmeError, before the first name moves, when there is nothing to
    take back, when the schedule runs now, or when somebody else moved a name since.
    """
    try:
        with refs.lock(f"schedule-{name}", wait=False):
            return _rollback(name)
    except refs.BusyError:
        raise WbmeError(f"schedule {name} runs now: wait for it, or end its process") from None


def _rollback(name: str) -> dict[str, Any]:
    past = ledger.history(name)
    undone = {line.get("undoes") for line in past}
    line = next((row for row in reversed(past) if row.get("promoted") and row["id"] not in undone), None)
    if line is None:
        raise WbmeError(f"schedule {name} has promoted nothing that could be taken back")
    foreign = [
        n for n, digest in line["promoted"].items() if _digest(n) not in (digest, line["previous"].get(n))
    ]
    if foreign:
        raise RefError(
            f"schedule {name}: {foreign[0]} was moved by somebody else after that promotion: promote what "
            "you want with 'wbme run CHAIN --promote'"
        )
    for digest in line["previous"].values():
        store.tree(digest)
    for ref, digest in line["previous"].items():
        refs.move({ref: digest}, line["previous_runs"][ref])
    refs.drop(set(line["promoted"]) - set(line["previous"]))
    why = f"takes back the promotion of {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime(line['time']))}"
    back = {"time": time.time(), "status": "rolled back", "why": why, "undoes": line["id"]}
    ledger.append(name, {**back, "restored": line["previous"]})
    return {
        **back,
        "restored": line["previous"],
        "dropped": sorted(set(line["promoted"]) - set(line["previous"])),
    }


def _digest(name: str) -> str | None:
    ref = refs.read(name)
    return ref.digest if ref else None
