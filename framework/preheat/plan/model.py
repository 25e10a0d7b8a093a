"""A plan as frozen data: what a deploy would change. The table, the JSON and the executor all read this."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Action = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One thing a provider keeps for a function, with JSON values that say all of it that may change."""

    kind: str
    name: str
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One property of a resource, before and after; None stands for absent."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One resource to create, update or delete."""

    action: Action
    kind: str
    name: str
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What something costs, in US dollars for one `unit`; `basis` says what was counted, at which prices.

    "time" is for what is paid each time that it happens.

    `chosen` says whether the project asks for it; the others are there to compare with.
    """

    name: str
    usd: float
    unit: Literal["month", "hour", "time", "1000 requests"]
    basis: str
    chosen: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything a deploy would do, in the order in which it would do it."""

    name: str
    stage: str
    provider: str
    digest: str
    changes: tuple[Change, ...]
    unzipped_bytes: int
    unzipped_limit: int | None
    sizes: Mapping[str, int]
    costs: tuple[Cost, ...] = ()
    notes: tuple[str, ...] = ()
