#!/usr/bin/env python3
"""Writes the windows that the tests of weir-core hold the Rust code against: crates/core/tests/data/period-vectors.tsv.

A second opinion, so it works another way than the code it judges: it walks through time a quarter of an hour a step, looks at
the local clock as one would, and tears a leaf off the calendar whenever the clock first shows a later day. A window begins
with a leaf whose day, or a day that was torn off unseen with it, begins one. Nothing is computed from a local time.

The zone data must be of the version built into chrono-tz (chrono_tz::IANA_TZDB_VERSION), from PyPI so that the machine's own
does not matter:

    pip install tzdata==2025.2
    script/period-vectors.py            # write
    script/period-vectors.py --check    # fail if the file would change

On a newer chrono-tz raise both. All instants lie before 2026, where versions rarely differ.
"""

import calendar
import sys
import zoneinfo
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import tzdata

IANA_VERSION = "2025b"
TARGET = Path(__file__).resolve().parent.parent / "crates/core/tests/data/period-vectors.tsv"

STEP = timedelta(minutes=15)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def leaves(zone, first, last):
    """Each leaf torn off between two dates: the instant, and the days it shows (more than one if days were skipped)."""
    clock = zoneinfo.ZoneInfo(zone)

    def shown(instant):
        return instant.astimezone(clock).date()

    now = datetime(first.year, first.month, first.day, tzinfo=timezone.utc)
    end = datetime(last.year, last.month, last.day, tzinfo=timezone.utc)
    leaf = shown(now)
    while now < end:
        before, now = now, now + STEP
        if shown(now) <= leaf:
            continue
        instant = before + SECOND
        while shown(instant) <= leaf:
            instant += SECOND
        day, days = leaf, []
        while day < shown(instant):
            day += DAY
            days.append(day)
        yield instant, days
        leaf = day


def begins(period, anchor, day):
    """Whether a window of the period begins on a day."""
    last = calendar.monthrange(day.year, day.month)[1]
    if period == "day":
        return True
    if period == "week":
        return day.strftime("%a") == "Mon"
    on_day = day.day == anchor.day or (anchor.day > last and day.day == last)
    return on_day and (period == "month" or day.month == anchor.month)


def text(instant):
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def windows(zone, first, last, wanted):
    """A row for every whole window of each (period, anchor) between two dates."""
    calendar_leaves = list(leaves(zone, first, last))
    for period, anchor in wanted:
        starts = [instant for instant, days in calendar_leaves if any(begins(period, anchor, day) for day in days)]
        for start, end in zip(starts, starts[1:]):
            yield zone, period, anchor.isoformat(), text(start), text(end)


def hours(zone, first):
    """Hours are those of UTC wherever the customer is."""
    start = datetime(first.year, first.month, first.day, tzinfo=timezone.utc)
    for hour in range(24):
        yield zone, "hour", first.isoformat(), text(start + timedelta(hours=hour)), text(start + timedelta(hours=hour + 1))


MONTH_ENDS = [
    ("month", date(year, month, day))
    for year in (2023, 2024)
    for month in range(1, 13)
    for day in range(28, calendar.monthrange(year, month)[1] + 1)
]
ONE_OF_EACH_END = [("month", date(2024, 1, day)) for day in (1, 15, 28, 29, 30, 31)]
ANNUAL = [("annual", date(2024, *day)) for day in ((1, 1), (1, 31), (2, 28), (2, 29), (3, 1), (3, 31), (6, 30), (10, 31), (12, 31))]

# Days on which local midnight was skipped or came twice, or which were skipped or came twice whole, and plain ones for contrast.
ODD_DAYS = [
    ("America/Los_Angeles", "2024-03-10 2024-11-03"),
    ("Australia/Lord_Howe", "2024-04-07 2024-10-06"),  # half an hour of summer time
    ("Asia/Kathmandu", "1986-01-01 2024-01-01"),  # +05:30 to +05:45 at midnight
    ("Pacific/Apia", "1892-07-04 2010-09-26 2011-12-30 2021-04-04"),  # 4 July 1892 came twice, 30 December 2011 never
    ("Pacific/Fakaofo", "2011-12-30"),
    ("Pacific/Kiritimati", "1994-12-31"),  # the last day of a month and a year was skipped
    ("Pacific/Kwajalein", "1969-10-01 1993-08-21"),  # set back 23 hours, later ahead by 24
    ("Asia/Manila", "1844-12-31"),
    ("America/Juneau", "1867-10-18"),
    ("Africa/Cairo", "2008-08-29 2010-04-30 2014-05-16 2014-08-01 2023-04-28 2023-10-27 2024-04-26 2024-11-01 2025-04-25"),
    ("America/Sao_Paulo", "1985-11-02 2006-11-05 2017-10-15 2018-02-18 2018-11-04 2019-02-17"),
    ("America/Havana", "2023-11-05 2024-03-10 2024-11-03"),
    ("Asia/Gaza", "2011-08-01 2012-03-30 2015-03-28 2015-10-24"),
    ("America/St_Johns", "1988-04-03 2006-04-02 2006-10-29 2011-03-13 2011-11-06"),  # changes at 00:01
    ("America/Santiago", "2023-04-02 2023-09-03"),
    ("America/Asuncion", "2023-10-01 2024-03-24"),
    ("Asia/Tehran", "2021-03-22 2021-09-22"),
    ("Asia/Beirut", "2023-03-30 2024-10-27"),
    ("Asia/Amman", "2021-10-29 2022-02-25"),
    ("Atlantic/Azores", "2024-03-31 2024-10-27"),
    ("America/Scoresbysund", "2023-10-29 2024-03-31"),
    ("Africa/Casablanca", "2024-03-10 2024-04-14"),
    ("Africa/Monrovia", "1972-01-07"),  # 44 minutes and 30 seconds behind
    ("Antarctica/Casey", "2020-10-04 2023-03-09"),
    ("Asia/Pyongyang", "2015-08-15 2018-05-05"),
    ("Europe/Dublin", "1916-10-01 2024-10-27"),
    ("Asia/Kolkata", "2024-01-01"),
    ("Pacific/Chatham", "2024-04-07 2024-09-29"),
]


def rows():
    yield from windows("UTC", date(2022, 12, 1), date(2025, 4, 1), MONTH_ENDS)
    yield from windows("UTC", date(1895, 1, 1), date(1906, 1, 1), [("annual", date(1904, 2, 29))])
    for zone in ("America/Los_Angeles", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo"):
        yield from windows(zone, date(2022, 12, 1), date(2025, 6, 1), ONE_OF_EACH_END)
        yield from windows(zone, date(2018, 1, 1), date(2025, 12, 1), ANNUAL)
    yield from windows("Pacific/Apia", date(2009, 12, 1), date(2014, 2, 1), ANNUAL + [("annual", date(2010, 12, 30))])
    yield from windows("Pacific/Kiritimati", date(1992, 12, 1), date(1997, 2, 1), ANNUAL)
    for zone, days in ODD_DAYS:
        for odd in map(date.fromisoformat, days.split()):
            near = [("month", odd + shift * DAY) for shift in (-1, 0, 1)]
            yield from windows(zone, odd - 4 * DAY, odd + 5 * DAY, [("day", odd)])
            yield from windows(zone, odd - 18 * DAY, odd + 18 * DAY, [("week", odd)])
            yield from windows(zone, odd - 70 * DAY, odd + 70 * DAY, near)
    for zone, day in (("Asia/Kathmandu", "1985-12-31"), ("Australia/Lord_Howe", "2024-10-05"), ("America/Los_Angeles", "2024-11-03")):
        yield from hours(zone, date.fromisoformat(day))


def main():
    if tzdata.IANA_VERSION != IANA_VERSION:
        sys.exit(f"zone data {IANA_VERSION} is needed, tzdata has {tzdata.IANA_VERSION}")
    zoneinfo.reset_tzpath(to=())
    lines = [f"# zone data {IANA_VERSION}; made by script/period-vectors.py", "# zone\tperiod\tanchor\tstart\tend"]
    lines += ["\t".join(row) for row in dict.fromkeys(rows())]
    content = "\n".join(lines) + "\n"
    if sys.argv[1:] == ["--check"]:
        if TARGET.read_text() != content:
            sys.exit(f"{TARGET} is out of date")
    elif sys.argv[1:]:
        sys.exit(f"usage: {sys.argv[0]} [--check]")
    else:
        TARGET.parent.mkdir(parents=True, exist_ok=True)
        TARGET.write_text(content)
    print(f"{len(lines) - 2} windows, {len(content)} bytes")


if __name__ == "__main__":
    main()
