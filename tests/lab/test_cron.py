"""Cron lines on the days when the clocks change, to the second, and lines and zones that are none."""

from datetime import UTC, datetime

import pytest

from wbme.base.errors import ExperimentError
from wbme.lab import cron

DAYS = {  # from midnight to six on the day when the clocks change, in the zone's own time
    "spring in Berlin": ("Europe/Berlin", "2026-03-29T00:00+01:00", "2026-03-29T06:00+02:00"),
    "autumn in Berlin": ("Europe/Berlin", "2026-10-25T00:00+02:00", "2026-10-25T06:00+01:00"),
    "spring in New York": ("America/New_York", "2026-03-08T00:00-05:00", "2026-03-08T06:00-04:00"),
    "autumn in New York": ("America/New_York", "2026-11-01T00:00-04:00", "2026-11-01T06:00-05:00"),
    "a day left out in Apia": ("Pacific/Apia", "2011-12-29T12:00-10:00", "2011-12-31T12:00+14:00"),
    "half an hour on Lord Howe": ("Australia/Lord_Howe", "2026-10-04T00:00+10:30", "2026-10-04T06:00+11:00"),
    "midnight left out in Cairo": ("Africa/Cairo", "2026-04-23T12:00+02:00", "2026-04-24T12:00+03:00"),
}


@pytest.mark.parametrize(
    ("line", "day", "instants"),
    [
        ("30 2 * * *", "spring in Berlin", ["03:00+02:00"]),
        ("30 2 * * *", "autumn in Berlin", ["02:30+02:00"]),
        ("30 2 * * *", "spring in New York", ["03:00-04:00"]),
        ("30 1 * * *", "autumn in New York", ["01:30-04:00"]),
        ("30 2 * * *", "autumn in New York", ["02:30-05:00"]),
        ("15,45 2 * * *", "spring in Berlin", ["03:00+02:00"]),
        ("30 2,3 * * *", "spring in Berlin", ["03:00+02:00", "03:30+02:00"]),
        ("0 */2 * * *", "spring in Berlin", ["03:00+02:00", "04:00+02:00", "06:00+02:00"]),
        ("0 */2 * * *", "autumn in Berlin", ["02:00+02:00", "04:00+01:00", "06:00+01:00"]),
        ("30 2 * * *", "a day left out in Apia", ["00:00+14:00", "02:30+14:00"]),
        ("15 2 * * *", "half an hour on Lord Howe", ["02:30+11:00"]),
        ("30 0 * * *", "midnight left out in Cairo", ["01:00+03:00"]),
    ],
)
def test_a_skipped_time_fires_when_the_clocks_have_moved_and_a_repeated_one_fires_once(line, day, instants):
    zone, start, end = DAYS[day]
    found = cron.parse(line, zone, "here")
    ticks = found.since(datetime.fromisoformat(start), datetime.fromisoformat(end))
    assert [t.astimezone(found.zone).isoformat(timespec="minutes")[11:] for t in ticks] == instants
    assert all(t.second == 0 and t.microsecond == 0 for t in ticks)


@pytest.mark.parametrize("line", ["0 * * * *", "15 * * * *", "*/30 * * * *"])
@pytest.mark.parametrize("day", list(DAYS))
def test_where_the_hour_is_open_every_real_hour_fires_once(line, day):
    zone, start, end = DAYS[day]
    begin, end = datetime.fromisoformat(start), datetime.fromisoformat(end)
    ticks = cron.parse(line, zone, "here").since(begin, end)
    minutes = {round((t - begin).total_seconds() / 60) for t in ticks}
    per_hour = 2 if "/" in line else 1
    assert len(minutes) == len(ticks)
    assert abs(len(ticks) - per_hour * (end - begin).total_seconds() / 3600) <= 1


@pytest.mark.parametrize("day", list(DAYS))
@pytest.mark.parametrize("line", ["30 2 * * *", "0 * * * *", "*/30 1-3 * * *"])
def test_one_after_another_is_the_same_as_all_at_once(line, day):
    zone, start, end = DAYS[day]
    found, now = cron.parse(line, zone, "here"), datetime.fromisoformat(start)
    until = datetime.fromisoformat(end)
    stepwise = []
    while (now := found.next(now)) <= until:
        stepwise.append(now)
    assert stepwise == found.since(datetime.fromisoformat(start), until)


def test_years_of_minutes_are_looked_at_in_no_time_and_the_newest_is_there():
    found = cron.parse("* * * * *", "Europe/Berlin", "here")
    ticks = found.since(datetime(2020, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
    assert len(ticks) == cron.MOST
    assert ticks[-1] == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "zone", "sentence"),
    [
        ("0 0 31 2 *", "UTC", "^here: cron line '0 0 31 2 .' never fires: there is no such day$"),
        ("0 0 31 4,6,9,11 *", "UTC", "never fires"),
        ("61 * * * *", "UTC", "not valid: .*out of range"),
        ("R R * * *", "UTC", "drawn at random"),
        ("0 0 * *", "UTC", "five fields in quotes"),
        ("@daily", "UTC", "five fields in quotes"),
        ("0 0 0 * * *", "UTC", "five fields in quotes"),
        (30, "UTC", "five fields in quotes"),
        ("0 0 * * *", "Europe/Berln", "no time zone 'Europe/Berln'; did you mean Europe/Berlin"),
        ("0 0 * * *", "../etc/passwd", "no time zone"),
        ("0 0 * * *", 2, "no time zone 2"),
    ],
)
def test_lines_and_zones_that_are_none_are_refused_in_one_sentence(line, zone, sentence):
    with pytest.raises(ExperimentError, match=sentence) as error:
        cron.parse(line, zone, "here")
    assert "\n" not in str(error.value)


def test_a_leap_day_is_no_impossible_day():
    found = cron.parse("0 0 29 2 *", "UTC", "here")
    assert found.next(datetime(2026, 3, 1, tzinfo=UTC)) == datetime(2028, 2, 29, tzinfo=UTC)
