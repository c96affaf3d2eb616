"""Compute with dateutil and zoneinfo what package schedule has to find.

Usage: schedules.py CASES EXPECTED [--write]

Each case has the leafs of ietf-schedule as preview-schedule of incidentd-oam-tests takes
them, the time from which on its members are wanted, and how many. Members are rules of
dateutil on the wall of the zone, with what zoneinfo makes of gaps and folds; elapsed time is
plain addition. EXPECTED is compared with what is found here, or written.
"""

import json
import re
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule

ELAPSED = {"secondly": 1, "minutely": 60, "hourly": 3600}
WALL = {"daily": DAILY, "weekly": WEEKLY, "monthly": MONTHLY, "yearly": YEARLY}
SECOND = timedelta(seconds=1)


def instant(text):
    """Return the time of a date-and-time, whose 60th second is the next one."""
    leap = text[17:19] == "60"
    if leap:
        text = text[:17] + "59" + text[19:]
    t = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return t + SECOND if leap else t


def length(text):
    """Return the days and the exact part of a duration."""
    weeks = re.fullmatch(r"P(\d+)W", text)
    if weeks:
        return timedelta(days=7 * int(weeks[1])), timedelta()
    days, hours, minutes, seconds = re.fullmatch(r"P(?:(\d+)D)?T(\d\d):(\d\d):(\d\d)", text).groups(default="0")
    return timedelta(days=int(days)), timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds))


def later(t, zone, duration):
    """Return the end of a duration that begins at t: days on the wall, the rest elapsed."""
    days, exact = duration
    if days:
        wall = t.astimezone(zone).replace(tzinfo=None) + days
        t = wall.replace(tzinfo=zone, fold=0).astimezone(timezone.utc)
    return t + exact


def candidates(start, zone, frequency, interval):
    """Yield the members of a recurrence without bounds."""
    if frequency in ELAPSED:
        step = timedelta(seconds=ELAPSED[frequency] * interval)
        t = start
        while True:
            yield t
            try:
                t += step
            except OverflowError:
                return
    wall = start.astimezone(zone).replace(tzinfo=None, fold=0)
    previous = None
    # dateutil ends by itself after the year 9999, but not for each interval.
    if frequency == "yearly" and wall.year + interval > 9999 or frequency == "monthly" and wall.year + interval // 12 > 9999:
        yield start
        return
    for n, member in enumerate(rrule(WALL[frequency], dtstart=wall, interval=interval)):
        member = member.replace(microsecond=wall.microsecond)
        t = start if n == 0 else member.replace(tzinfo=zone).astimezone(timezone.utc)
        if t != previous:
            yield t
        previous = t


def text(t):
    """Return a time as the server writes it."""
    t = t.astimezone(timezone.utc)
    fraction = f".{t.microsecond:06}".rstrip("0") if t.microsecond else ""
    return f"{t.year:04}" + t.strftime("-%m-%dT%H:%M:%S") + fraction + "Z"


def solve(case):
    """Return the meaning of the period, and the members with their ends."""
    leafs = case["leafs"]
    begin = instant(leafs["period-start"])
    start = instant(leafs.get("utc-start-time", leafs["period-start"]))
    if "utc-start-time" in leafs:
        zone = timezone.utc
    elif "time-zone-identifier" in leafs:
        zone = ZoneInfo(leafs["time-zone-identifier"])
    else:
        zone = start.tzinfo
    begin, start = begin.astimezone(timezone.utc), start.astimezone(timezone.utc)
    frequency, interval = leafs["frequency"], int(leafs.get("interval", 1))
    own = (timedelta(), timedelta(seconds=int(leafs["recurrence-duration"]))) if "recurrence-duration" in leafs else None
    end = window = None
    if "period-end" in leafs:
        end = instant(leafs["period-end"]).astimezone(timezone.utc)
        window = (timedelta(), end - begin)
    elif "duration" in leafs:
        window = length(leafs["duration"])
        end = later(begin, zone, window)
    role = "none"
    if window:
        first_two = candidates(start, zone, frequency, interval)
        next(first_two)
        second = next(first_two, None)
        role = "occurrence" if not own and second and later(start, zone, window) <= second else "validity"
    clip = end if role == "validity" else None
    lasts = own or (window if role == "occurrence" else None)
    until = instant(leafs["utc-until"]) if "utc-until" in leafs else None
    count = int(leafs.get("count", 0))
    wanted = instant(case["from"]) if "from" in case else None
    found = []
    for n, t in enumerate(candidates(start, zone, frequency, interval), 1):
        if count and n > count or until and t > until or clip and t >= clip or len(found) == case["limit"]:
            break
        if t >= begin and (not wanted or t >= wanted):
            ends = [e for e in (lasts and later(t, zone, lasts), clip) if e]
            found.append([text(t), text(min(ends))] if ends else [text(t)])
    return {"name": case["name"], "role": role, "members": found}


def main(cases, expected, write=False):
    found = [solve(case) for case in json.load(open(cases, encoding="utf-8"))]
    if write:
        with open(expected, "w", encoding="utf-8") as f:
            f.write("[\n" + ",\n".join(json.dumps(s, ensure_ascii=False) for s in found) + "\n]\n")
        return 0
    failed = 0
    for want, have in zip(found, json.load(open(expected, encoding="utf-8")), strict=True):
        if want != have:
            failed = 1
            print("FAIL", want["name"], "\n  dateutil:", want, "\n  recorded:", have)
    print("schedules:", len(found), "cases,", "some differ" if failed else "all as recorded")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], "--write" in sys.argv[3:]))
