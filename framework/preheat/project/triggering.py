"""Triggers that exclude one another, run for ever, or never run. Touches the time zone database only."""

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import combinations

from preheat.project.mistake import Mistake, shown
from preheat.project.model import HttpTrigger, ObjectCreated, Project, QueueTrigger, Schedule
from preheat.project.names import nearest
from preheat.project.paths import clean_key, unsafe_key


def trigger_mistakes(project: Project) -> Iterator[Mistake]:
    """Yield what is wrong with the triggers of `project`, each by itself and together."""
    uploads = [trigger for trigger in project.triggers if isinstance(trigger, ObjectCreated)]
    yield from _same_twice(project)
    for upload in uploads:
        yield from _key_mistakes(upload)
    yield from _loops(uploads)
    for first, second in combinations(uploads, 2):
        if _overlap(first, second):
            yield Mistake(
                path=("triggers", second.name),
                message=f"triggers.{second.name} and triggers.{first.name} run on the same objects of bucket "
                f"{second.bucket!r}; give them prefixes or suffixes that exclude one another.",
                fix=f'prefix = "{second.name}/"',
            )
    for trigger in project.triggers:
        if isinstance(trigger, Schedule):
            yield from _schedule_mistakes(trigger)


def _same_twice(project: Project) -> Iterator[Mistake]:
    endpoints = [trigger for trigger in project.triggers if isinstance(trigger, HttpTrigger)]
    extra = sorted(endpoints, key=lambda trigger: trigger.name != "http")[1:]
    for trigger in extra:
        message = f"triggers.{trigger.name} is a second endpoint; a function has one."
        yield Mistake(path=("triggers", trigger.name), message=message, fix="[triggers.http]")
    queues = [trigger for trigger in project.triggers if isinstance(trigger, QueueTrigger)]
    for first, second in combinations(queues, 2):
        if first.queue == second.queue:
            message = f"triggers.{second.name} and triggers.{first.name} both take from {first.queue!r}."
            yield Mistake(path=("triggers", second.name, "queue"), message=message)


def _key_mistakes(upload: ObjectCreated) -> Iterator[Mistake]:
    bucket, _, output_prefix = upload.output.partition("/")
    written = (
        ("prefix", upload.prefix, upload.prefix, clean_key(upload.prefix)),
        ("output", upload.output, output_prefix, f"{bucket}/{clean_key(output_prefix)}"),
    )
    for field, value, key, better in written:
        problem = unsafe_key(key)
        if problem:
            message = f"triggers.{upload.name}.{field} is {shown(value)}, which {problem}."
            yield Mistake(path=("triggers", upload.name, field), message=message, fix=f'{field} = "{better}"')


def _loops(uploads: list[ObjectCreated]) -> Iterator[Mistake]:
    """Yield each trigger whose results would, at once or through other triggers, run it again."""
    for upload in uploads:
        reached = _reached(upload, uploads)
        if upload not in reached:
            continue
        via = next(each for each in (upload, *reached) if _feeds(each, upload))
        again = "again" if via is upload else f"again by way of triggers.{via.name}"
        folder = f"{upload.bucket}-results/{upload.prefix}".rstrip("/")
        yield Mistake(
            path=("triggers", upload.name, "output"),
            message=f"triggers.{upload.name}.output is {shown(upload.output)}: results there would run it "
            f"{again}, because it runs on bucket {upload.bucket!r}, prefix {upload.prefix!r}.",
            fix=f'output = "{folder}"',
        )


def _reached(start: ObjectCreated, uploads: list[ObjectCreated]) -> list[ObjectCreated]:
    """Return the triggers that run because `start` ran, nearest first."""
    reached: list[ObjectCreated] = []
    frontier = [start]
    while frontier:
        source = frontier.pop(0)
        new = [each for each in uploads if each not in reached and _feeds(source, each)]
        reached += new
        frontier += new
    return reached


def _feeds(source: ObjectCreated, target: ObjectCreated) -> bool:
    """Return whether a result of `source` may have a key that `target` runs on, whatever its suffix."""
    bucket, _, prefix = source.output.partition("/")
    folder = f"{prefix.rstrip('/')}/" if prefix else ""
    return bucket == target.bucket and _nested(folder, target.prefix)


def _overlap(first: ObjectCreated, second: ObjectCreated) -> bool:
    suffixes = first.suffix.endswith(second.suffix) or second.suffix.endswith(first.suffix)
    return first.bucket == second.bucket and _nested(first.prefix, second.prefix) and suffixes


def _nested(first: str, second: str) -> bool:
    return first.startswith(second) or second.startswith(first)


def _schedule_mistakes(schedule: Schedule) -> Iterator[Mistake]:
    at = ("triggers", schedule.name)
    problem = cron_problem(schedule.cron)
    if problem:
        message = f"triggers.{schedule.name}.cron is {shown(schedule.cron)}, {problem}."
        yield Mistake(path=(*at, "cron"), message=message, fix='cron = "0 3 * * *"  # every day at 03:00')
    if not is_timezone(schedule.timezone):
        near = nearest(schedule.timezone, zoneinfo.available_timezones())
        message = (
            f"triggers.{schedule.name}.timezone is {shown(schedule.timezone)}, which no time zone is called."
        )
        yield Mistake(path=(*at, "timezone"), message=message, fix=f'timezone = "{near or "UTC"}"')


def cron_problem(cron: str) -> str | None:
    """Return why `cron` is no schedule, to follow it in a sentence; None when it is one."""
    from cronsim import CronSim, CronSimError

    if len(cron.split()) != 5:
        return f"which has {len(cron.split())} fields instead of five (minute, hour, day, month, day of week)"
    try:
        next(CronSim(cron, datetime(2024, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        return f"which cron cannot read: {str(error)[:1].lower()}{str(error)[1:]}"
    except StopIteration:
        return "a moment that never comes"
    return None


def is_timezone(name: str) -> bool:
    """Return whether a time zone is called so."""
    if name == "UTC":
        return True  # valid without a time zone database, too
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
