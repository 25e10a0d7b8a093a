"""Readers of a plan: its JSON, and the questions that the pipeline asks of it. Touches nothing."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from preheat.plan.model import Change, Plan


def deletions(plan: Plan) -> tuple[Change, ...]:
    """Return the changes that remove something, which a user must agree to."""
    return tuple(change for change in plan.changes if change.action == "delete")


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return the plan as JSON values, the same document for the same plan."""
    return {
        "name": plan.name,
        "stage": plan.stage,
        "provider": plan.provider,
        "digest": plan.digest,
        "changes": [_change_document(change) for change in plan.changes],
        "unzipped_bytes": plan.unzipped_bytes,
        "unzipped_limit": plan.unzipped_limit,
        "sizes": dict(plan.sizes),
        "costs": [asdict(cost) for cost in plan.costs],
        "notes": list(plan.notes),
    }


def _change_document(change: Change) -> dict[str, Any]:
    fields = [
        {"path": field.path, "before": plain(field.before), "after": plain(field.after)}
        for field in change.fields
    ]
    return {"action": change.action, "kind": change.kind, "name": change.name, "fields": fields}


def plain(value: Any) -> Any:
    """Return `value` with lists and dicts, which `json` writes, for tuples and read-only mappings."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
