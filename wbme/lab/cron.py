"""Cron lines in a time zone: exact instants, also on the two days a year when the clocks change.

The library is asked in wall-clock time without a zone, because it would fire twice in an hour that the
clocks repeat; the way from wall clock to instant is taken here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from difflib import get_close_matches
from functools import cached_property
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

from wbme.base.errors import ExperimentError

MOST = 1000  # ticks looked at between two instants
_AROUND = timedelta(hours=3)  # more than any clock is ever set back


@dataclass(frozen=True)
class Cron:
    """Five fields (minute, hour, day of month, month, day of week) and the zone they are meant in.

    A time that the clocks skip fires once, when they have moved on; one that they repeat fires once, the
    first time. Where the hour is ``*``, all real hours fire: none is added, none left out.
    """

    line: str
    zone: ZoneInfo

    @property
    def hourly(self) -> bool:
        return self.line.split()[1] == "*"

    @cached_property
    def steady(self) -> timedelta | None:
        """Distance of the zone from UTC if it stays the same for the next years, else None."""
        now = datetime.now(UTC)
        offsets = {(now + timedelta(days=5 * n)).astimezone(self.zone).utcoffset() for n in range(365)}
        return offsets.pop() if len(offsets) == 1 else None

    def since(self, after: datetime, until: datetime) -> list[datetime]:
        """Instants in (after, until], oldest first; the newest MOST of them."""
        lowest = self._wall(after) - _AROUND
        found: set[datetime] = set()
        for wall in self._walls(self._wall(until) + _AROUND, "get_prev"):
            if wall < lowest or len(found) > MOST:
                break
            found |= {t for t in self._instants(wall) if after < t <= until}
        return sorted(found)[-MOST:]

    def next(self, now: datetime) -> datetime | None:
        """The first instant after ``now``; None where there is none any more."""
        found: set[datetime] = set()
        for wall in self._walls(self._wall(now) - _AROUND, "get_next"):
            if found and wall > self._wall(min(found)) + _AROUND:
                break
            found |= {t for t in self._instants(wall) if t > now}
        return min(found, default=None)

    def fields(self) -> list[list[int | str]]:
        """The numbers that each field stands for: ``['*']`` for all, another word for what no number says."""
        from croniter import croniter

        found: list[list[int | str]]
        found, numbered = croniter.expand(self.line)
        return [*found[:4], ["#"] if numbered else found[4]]

    def _wall(self, instant: datetime) -> datetime:
        return instant.astimezone(self.zone).replace(tzinfo=None)

    def _walls(self, start: datetime, step: str) -> Iterator[datetime]:
        """Wall-clock times of the line, from ``start`` on or back; ends where the line never fires."""
        from croniter import CroniterBadDateError, croniter

        clock = croniter(self.line, start, max_years_between_matches=30)
        while True:
            try:
                yield getattr(clock, step)(datetime)
            except (CroniterBadDateError, OverflowError):
                return

    def _instants(self, wall: datetime) -> tuple[datetime, ...]:
        first, second = (wall.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        if self._wall(first) == wall:
            return (first, second) if self.hourly and first != second else (first,)
        if self.hourly:
            return ()
        # The clocks skip this time. With fold 1 it falls before the change, with fold 0 after it.
        low, high = second, first
        moved = high.astimezone(self.zone).utcoffset()
        while high - low > timedelta(seconds=1):
            middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
            low, high = (low, middle) if middle.astimezone(self.zone).utcoffset() == moved else (middle, high)
        return (high,)


def parse(line: object, zone: object, where: str) -> Cron:
    """Check a cron line and a zone; ExperimentError, beginning with ``where``, says what is wrong."""
    from croniter import CroniterError, croniter

    if not isinstance(line, str) or len(line.split()) != 5:
        raise ExperimentError(
            f"{where}: cron must be five fields in quotes, such as '30 2 * * *', not {line!r}"
        )
    plain = " ".join(line.split())
    try:
        # The library also reads R and H, for times drawn at random: they would differ at each look.
        if any(field.upper().startswith(("R", "H")) for field in plain.split()):
            raise CroniterError("times drawn at random are not taken")
        croniter.expand(plain)
    except (CroniterError, ValueError, KeyError) as error:
        words = " ".join(str(error).split()) or "not readable"
        raise ExperimentError(f"{where}: cron line {line!r} is not valid: {words}") from error
    found = Cron(plain, _zone(zone, where))
    if not list(islice(found._walls(datetime(2024, 1, 1), "get_next"), 1)):
        raise ExperimentError(f"{where}: cron line {line!r} never fires: there is no such day")
    return found


def _zone(name: object, where: str) -> ZoneInfo:
    known = available_timezones()
    if not isinstance(name, str) or name not in known:
        close = get_close_matches(str(name), known, n=1)
        hint = f"; did you mean {close[0]}?" if close else "; write a name such as Europe/Berlin or UTC"
        raise ExperimentError(f"{where}: there is no time zone {name!r}{hint}")
    return ZoneInfo(name)


def moment(text: str, zone: timezone | ZoneInfo = UTC) -> datetime:
    """An ISO time as an instant, in ``zone`` if it says none; ExperimentError when it is not one."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ExperimentError(f"{text!r} is no time: write it as 2026-03-29T02:30+01:00") from error
