"""What a reader sees of each result, as lines. In: frozen data. Out: text with colours. Touches nothing."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from preheat.bundle.model import Bundle
from preheat.cli.problems import note
from preheat.cli.text import bold, columns, dim, dollars, human_bytes, human_ms, paste
from preheat.plan.document import plain
from preheat.plan.model import Change, Cost, FieldChange, Plan
from preheat.provider.protocol import Receipt, Release, Status

SIGNS = {"create": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red")}
UNITS = {
    "month": "per month",
    "hour": "per hour",
    "time": "each time",
    "1000 requests": "per 1,000 requests",
}
LONGEST_VALUE = 60
DIGEST_SHOWN = len("sha256:") + 12
LARGEST_SHOWN = 12


def bundle(built: Bundle) -> Iterator[str]:
    """Yield what a build made."""
    yield bold(f"{human_bytes(built.unzipped_bytes)} unzipped") + (
        "  nothing changed" if built.cached else ""
    )
    rows = [
        (layer.name, human_bytes(layer.bytes), dim(layer.digest[:DIGEST_SHOWN])) for layer in built.layers
    ]
    yield from ("  " + line for line in columns(rows, right=frozenset({1})))
    yield dim(f"  {built.path}")


def sizes(weights: Mapping[str, int], total: int, limit: int | None) -> Iterator[str]:
    """Yield a size ledger, largest first, against the limit of the platform."""
    ordered = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
    shown = [(name, human_bytes(count)) for name, count in ordered]
    if limit is None:
        shown.append((bold("total"), bold(human_bytes(total))))
    else:
        share = f"{human_bytes(total)} of {human_bytes(limit)} ({100 * total / limit:.0f} %)"
        shown.append((bold("total"), bold(share)))
    yield from ("  " + line for line in columns(shown))


def plan(planned: Plan) -> Iterator[str]:
    """Yield what a deploy would change."""
    where = f"{planned.name} ({planned.stage}) on {planned.provider}"
    if not planned.changes:
        yield f"{bold(where)}: nothing to change"
        yield from costs(planned.costs)
        return
    yield f"{bold(where)}: {counts(planned.changes)}"
    for change in planned.changes:
        yield ""
        yield from _change(change)
    yield ""
    largest = dict(sorted(planned.sizes.items(), key=lambda item: -item[1])[:LARGEST_SHOWN])
    yield from sizes(largest, planned.unzipped_bytes, planned.unzipped_limit)
    yield from costs(planned.costs)
    for text in planned.notes:
        yield from note(text)


def costs(found: Sequence[Cost]) -> Iterator[str]:
    """Yield what it costs, what the project asks for marked, each with what was counted."""
    if not found:
        return
    yield ""
    yield f"  {bold('costs')}"
    rows = [
        (
            click.style("●", fg="green") if cost.chosen else " ",
            cost.name,
            dollars(cost.usd),
            UNITS[cost.unit],
            dim(cost.basis),
        )
        for cost in found
    ]
    yield from ("  " + line for line in columns(rows, right=frozenset({2})))


def counts(changes: Sequence[Change]) -> str:
    """Return `2 to create, 1 to update`."""
    actions = [change.action for change in changes]
    return ", ".join(f"{actions.count(action)} to {action}" for action in SIGNS if action in actions)


def _change(change: Change) -> Iterator[str]:
    sign, colour = SIGNS[change.action]
    yield click.style(f"  {sign} {change.kind} {change.name}", fg=colour, bold=True)
    if change.action != "delete":
        rows = [(field.path, _before_after(field)) for field in change.fields]
        yield from ("      " + line for line in columns(rows)) if rows else ()


def _before_after(field: FieldChange) -> str:
    if field.before is None:
        return _value(field.after)
    return f"{_value(field.before)} {dim('→')} {_value(field.after)}"


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False)
    if text.startswith("sha256:"):
        return text[:DIGEST_SHOWN]
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def statuses(found: Sequence[Status], provider: str) -> Iterator[str]:
    """Yield every function as one row of a table."""
    if not found:
        yield "Nothing is deployed."
        yield paste("preheat deploy" if provider == "local" else f"preheat deploy --provider {provider}")
        return
    head = ("NAME", "STAGE", "REL", "STATE", "REQUESTS", "COLD", "WARM", "ENDPOINT")
    rows = [tuple(dim(title) for title in head)]
    rows += [
        (
            bold(status.name),
            status.stage,
            str(status.release),
            state(status),
            "-" if status.requests is None else str(status.requests),
            human_ms(status.cold_ms_p50),
            human_ms(status.warm_ms_p50),
            status.endpoint,
        )
        for status in found
    ]
    yield from columns(rows, right=frozenset({2, 4, 5, 6}))


def status(one: Status) -> Iterator[str]:
    """Yield everything known about one function."""
    yield f"{bold(one.name)} ({one.stage}) on {one.provider}: {state(one)}"
    rows = [
        ("endpoint", one.endpoint),
        ("release", f"{one.release}  {dim(one.digest[:DIGEST_SHOWN])}"),
        ("workers", str(one.workers)),
    ]
    if one.requests is not None:
        rows.append(("requests", f"{one.requests}, {one.errors} failed, {one.cold_starts} cold"))
    if one.cold_ms_p50 is not None:
        rows.append(("cold", f"{human_ms(one.cold_ms_p50)} median"))
    if one.warm_ms_p50 is not None:
        rows.append(("warm", f"{human_ms(one.warm_ms_p50)} median, {human_ms(one.warm_ms_p95)} p95"))
    tables = {key: value for key, value in one.details.items() if _is_table(value)}
    rows += [(key, _value(value)) for key, value in one.details.items() if value and key not in tables]
    yield from ("  " + line for line in columns(rows))
    for title, table in tables.items():
        yield ""
        yield f"  {bold(title)}"
        yield from ("  " + line for line in _table(table))


def _is_table(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(row, Mapping) for row in value)


def _table(records: Sequence[Mapping[str, Any]]) -> list[str]:
    titles = list(dict.fromkeys(key for record in records for key in record))
    rows = [[_cell(title, record.get(title)) for title in titles] for record in records]
    return columns([[dim(title) for title in titles], *rows])


def _cell(title: str, value: Any) -> str:
    if value is None:
        return "-"
    return human_bytes(value) if title.endswith("_bytes") and isinstance(value, int) else _value(value)


def state(one: Status) -> str:
    """Return one word for how a function is: warm, asleep (the next request starts a worker) or failing."""
    if not one.ready:
        return click.style("failing", fg="red")
    return click.style("warm", fg="green") if one.workers else click.style("asleep", fg="blue")


def releases(found: Sequence[Release]) -> Iterator[str]:
    """Yield the numbered releases, the active one marked."""
    rows = [
        (
            click.style("●", fg="green") if release.active else " ",
            str(release.number),
            release.created,
            dim(release.digest[:DIGEST_SHOWN]),
            release.note,
        )
        for release in found
    ]
    yield from columns(rows, right=frozenset({1})) if rows else ("There is no release.",)


def receipt(given: Receipt) -> Iterator[str]:
    """Yield what destroy removed, and what it could not."""
    yield f"{bold(f'{given.name} ({given.stage})')} is gone; removed:"
    yield from (f"  {click.style('-', fg='red')} {item}" for item in given.removed)
    if given.left:
        yield click.style("Still there:", fg="red", bold=True)
        yield from (f"  {item}" for item in given.left)


def pruning(counts: Mapping[str, int], freed: int, *, dry_run: bool) -> Iterator[str]:
    """Yield what pruning removed, or would remove, by kind."""
    if not counts:
        yield "Nothing in the cache is unused."
        return
    done = "would go" if dry_run else "removed"
    yield f"{bold(human_bytes(freed))} {done}:"
    yield from (f"  {click.style('-', fg='red')} {count} in {kind}" for kind, count in sorted(counts.items()))
