from typing import Any

import pytest
from tests.fakes.starts import mark, sample

from preheat.coldstart.imports import by_user, imports_of, of_packages
from preheat.coldstart.model import Import


def imported(name: str, ms: float, by: str | None = None, *, of_handler: bool = False) -> dict[str, Any]:
    """Return what the probe tells of an import."""
    return mark("import", name, 100 - ms, 100, by=by, of_handler=of_handler)


MARKS = (
    imported("json", 2),
    imported("numpy._core", 20, "numpy", of_handler=True),
    imported("numpy", 30, "app", of_handler=True),
    imported("helper.deep", 5, "helper", of_handler=True),
    imported("helper", 6, "app", of_handler=True),
    imported("app", 40, of_handler=True),
    imported("preheat.interface.schema", 4, of_handler=True),
    imported("late", 3, of_handler=True),
    mark("phase", "import", 0, 200),
)


@pytest.fixture
def found() -> dict[str, Import]:
    return {each.name: each for each in imports_of(sample(marks=MARKS), "app")}


def test_who_asked_is_told(found: dict[str, Import]) -> None:
    asked_by = {name: each.asked_by for name, each in found.items()}
    assert (asked_by["numpy._core"], asked_by["numpy"], asked_by["json"]) == ("numpy", "app", None)


def test_a_phase_of_the_handler_imports_for_its_module(found: dict[str, Import]) -> None:
    assert found["late"].asked_by == "app"
    assert found["app"].asked_by is None


def test_what_preheat_imports_meanwhile_is_not_the_handlers(found: dict[str, Import]) -> None:
    assert found["preheat.interface.schema"].asked_by is None


def test_times_are_with_and_without_what_was_imported(found: dict[str, Import]) -> None:
    assert (found["numpy"].ms, found["numpy"].self_ms) == (30.0, 10.0)
    assert (found["app"].ms, found["app"].self_ms) == (40.0, 4.0)


def test_short_imports_are_left_out() -> None:
    marks = (imported("tiny", 0.999), imported("big", 1.0))
    assert [each.name for each in imports_of(sample(marks=marks), "app")] == ["big"]


def test_the_users_code_is_every_module_of_the_project(found: dict[str, Import]) -> None:
    own = by_user(found.values(), frozenset({"app", "helper"}))
    assert [each.name for each in own] == ["numpy", "late"]
    assert [each.name for each in by_user(found.values(), frozenset({"app"}))] == ["numpy", "helper", "late"]


def test_what_a_package_asks_of_itself_is_left_out(found: dict[str, Import]) -> None:
    shown = {each.name for each in of_packages(list(found.values()))}
    assert shown == {"json", "numpy", "helper", "app", "preheat.interface.schema", "late"}


def test_an_entry_that_loads_the_handler_is_left_out() -> None:
    marks = (
        imported("json", 2, "entry"),
        imported("numpy", 30, "app", of_handler=True),
        imported("app", 40, "entry", of_handler=True),
        imported("entry", 900, "first"),
        imported("first", 901),
    )
    found = {each.name: each.asked_by for each in imports_of(sample(marks=marks), "app")}
    assert found == {"json": None, "numpy": "app", "app": None}
