"""A schedule handed to ClearML's TaskScheduler, which clones a Task and puts it in a queue.

It knows no cron lines: it takes one minute of one hour, in UTC, and a distance. What it cannot say is
refused here.
"""

import os
import signal
import threading
from datetime import datetime
from typing import Any

from wbme.base.errors import ExperimentError, WbmeError
from wbme.lab.schedules import Schedule
from wbme.lab.trackers import servers

END_SECONDS = 5.0

_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def arguments(schedule: Schedule, now: datetime) -> dict[str, Any]:
    """The time as TaskScheduler.add_task takes it; ExperimentError names what it cannot express."""
    steady = schedule.cron.steady
    if steady is None:
        raise _refused(
            schedule, f"it knows only UTC, and the clocks of {schedule.cron.zone.key} change in the year"
        )
    if schedule.watch or schedule.steps:
        raise _refused(schedule, "it looks at the clock alone: 'when: inputs-changed' needs 'wbme schedule'")
    if schedule.promotion:
        raise _refused(schedule, "it compares no metrics: promote needs 'wbme schedule'")
    if schedule.wait:
        raise _refused(schedule, "it lets a tick wait for no run: use 'overlap: skip'")
    minute, hour, day, month, weekday = schedule.cron.fields()
    every = [field == ["*"] for field in (minute, hour, day, month, weekday)]
    if all(every):
        return {"minute": 1}
    shift = int(steady.total_seconds() // 60)
    match minute, hour, day, month, weekday:
        case [int(m)], ["*"], ["*"], ["*"], ["*"]:
            return {"hour": 1, "minute": (m - shift) % 60}
        case [int(m)], [int(h)], *rest:
            days, time = divmod(h * 60 + m - shift, 1440)
            at = {"hour": time // 60, "minute": time % 60}
            match rest:
                case ["*"], ["*"], ["*"]:
                    return {"day": 1, **at}
                case ["*"], ["*"], names if all(isinstance(n, int) for n in names):
                    return {"day": 1, **at, "weekdays": _weekdays(schedule, now)}
                case [int(d)], ["*"], ["*"] if 1 <= d + days <= 28 and d <= 28:
                    return {"month": 1, "day": d + days, **at}
                case [int(d)], [int(n)], ["*"] if 1 <= d + days <= 28 and d <= 28:
                    return {"year": 1, "month": n, "day": d + days, **at}
    raise _refused(
        schedule,
        f"it has no words for {schedule.cron.line!r}: one minute of one hour, each day, on days of the week, "
        "on a day (1 to 28) of each month or of one, or one minute of every hour",
    )


def _weekdays(schedule: Schedule, now: datetime) -> list[str]:
    """In UTC, in the order in which they come: ClearML begins with the first that it is given."""
    found: list[str] = []
    tick = schedule.cron.next(now)
    while tick and (name := _DAYS[tick.weekday()]) not in found:
        found.append(name)
        tick = schedule.cron.next(tick)
    return found


def _refused(schedule: Schedule, why: str) -> ExperimentError:
    return ExperimentError(f"schedule {schedule.name} cannot be handed to ClearML's scheduler: {why}")


def serve(schedule: Schedule, when: dict[str, Any], task: str | None, queue: str) -> None:
    """Be the TaskScheduler of this one schedule, in this process: it puts clones of ``task``, or of a Task
    that it makes, in ``queue``.

    Does not return; SIGTERM and SIGINT end it within END_SECONDS. WbmeError when ClearML cannot be reached or
    refuses.
    """
    servers.require("clearml")
    if said := servers.silent("clearml"):
        raise WbmeError(said)
    from wbme.lab.trackers import clearml_door

    try:
        clearml_door.clone_by_the_clock(schedule.name, task, queue, when, _listen)
    except Exception as error:
        words = " ".join(str(error).split())[:300]
        raise WbmeError(
            f"ClearML does not take schedule {schedule.name} ({type(error).__name__}): {words}"
        ) from error


def _listen() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)


def _leave(number: int, _: Any) -> None:
    """The SDK's own way out asks the server for minutes where that is gone."""
    ending = threading.Timer(END_SECONDS, os._exit, (128 + number,))
    ending.daemon = True
    ending.start()
    raise SystemExit(128 + number)
