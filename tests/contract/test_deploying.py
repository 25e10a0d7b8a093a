"""What deploy, plan, releases, rollback and destroy promise."""

from collections.abc import Callable

import pytest
from tests.fakes.functions import Functions

from preheat.errors import NotDeployed, ProviderError
from preheat.interface.message import Request
from preheat.progress import quiet
from preheat.provider.protocol import Provider


def test_the_first_deploy_changes_and_the_second_does_not(functions: Functions, provider: Provider) -> None:
    function = functions.fresh("echo")
    first = function.deploy()
    assert (first.name, first.provider, first.stage) == (function.name, provider.name, function.stage)
    assert (first.changed, first.release) == (True, 1)
    assert first.digest.startswith("sha256:")
    assert "://" in first.endpoint

    second = function.deploy()
    assert second.changed is False
    assert (second.release, second.digest, second.endpoint) == (first.release, first.digest, first.endpoint)
    assert second.token is None
    assert [release.number for release in function.releases()] == [1]


def test_a_plan_is_what_a_deploy_would_do_and_does_nothing(functions: Functions, provider: Provider) -> None:
    function = functions.fresh("echo")
    planned = function.plan()
    assert {change.action for change in planned.changes} == {"create"}
    assert provider.observe(function.name, function.stage) == ()

    function.deploy()
    assert function.plan().changes == ()
    observed = provider.observe(function.name, function.stage)
    assert {(each.kind, each.name) for each in observed} == {
        (each.kind, each.name) for each in planned.changes
    }


def test_new_code_is_a_new_release_that_answers_at_once(functions: Functions) -> None:
    function = functions.fresh("echo")
    first = function.deploy()
    assert function.ask({"value": 1})["version"] == "first"
    function.edit("handler.py", '"first"', '"second"')
    assert {change.action for change in function.plan().changes} == {"update"}

    second = function.deploy()
    assert (second.changed, second.release, second.endpoint) == (True, 2, first.endpoint)
    assert second.digest != first.digest
    assert function.ask({"value": 1})["version"] == "second"
    assert [(each.number, each.active) for each in function.releases()] == [(2, True), (1, False)]
    assert [each.digest for each in function.releases()] == [second.digest, first.digest]


def test_a_rollback_brings_the_release_before_back(functions: Functions, provider: Provider) -> None:
    function = functions.fresh("echo")
    first = function.deploy()
    function.edit("handler.py", '"first"', '"second"')
    function.deploy()

    back = provider.rollback(function.name, function.stage, None)
    assert (back.release, back.digest, back.endpoint) == (1, first.digest, first.endpoint)
    assert function.ask({"value": 1})["version"] == "first"
    assert [(each.number, each.active) for each in function.releases()] == [(2, False), (1, True)]

    provider.rollback(function.name, function.stage, 2)
    assert function.ask({"value": 1})["version"] == "second"


def test_a_rollback_goes_to_what_served_before_and_not_to_what_was_rolled_back(
    functions: Functions, provider: Provider
) -> None:
    function = functions.fresh("echo")
    function.deploy()
    function.edit("handler.py", '"first"', '"second"')
    function.deploy()
    provider.rollback(function.name, function.stage, None)
    function.edit("handler.py", '"second"', '"third"')
    assert function.deploy().release == 3

    assert provider.rollback(function.name, function.stage, None).release == 1
    assert function.ask({"value": 1})["version"] == "first"


def test_a_rollback_to_nowhere_is_an_error_and_changes_nothing(
    functions: Functions, provider: Provider
) -> None:
    function = functions.fresh("echo")
    function.deploy()
    for release in (None, 7):
        with pytest.raises(ProviderError):
            provider.rollback(function.name, function.stage, release)
    assert function.ask({"value": 1})["version"] == "first"


def test_a_setting_alone_is_a_change_too(functions: Functions) -> None:
    function = functions.fresh("echo")
    function.deploy()
    function.edit("preheat.toml", 'GREETING = "hello"', 'GREETING = "good day"')
    assert function.deploy().changed is True
    assert function.ask({"value": 1})["greeting"] == "good day"


def test_two_stages_of_a_function_do_not_meet(functions: Functions, provider: Provider) -> None:
    function = functions.fresh("echo")
    function.deploy()
    other = functions.at_stage(function, "prod")
    other.edit("handler.py", '"first"', '"second"')
    assert other.deploy().release == 1
    assert function.ask({"value": 1})["version"] == "first"
    assert other.ask({"value": 1})["version"] == "second"

    provider.destroy(other.name, other.stage, report=quiet)
    assert function.ask({"value": 1})["version"] == "first"
    assert [status.stage for status in provider.status(function.name, None)] == [function.stage]


def test_destroy_says_what_it_removed_and_leaves_nothing(functions: Functions, provider: Provider) -> None:
    function = functions.fresh("echo")
    function.deploy()
    function.ask({"value": 1})
    receipt = provider.destroy(function.name, function.stage, report=quiet)
    assert (receipt.name, receipt.stage, receipt.left) == (function.name, function.stage, ())
    assert receipt.removed
    assert provider.observe(function.name, function.stage) == ()
    assert provider.status(function.name, None) == ()


def test_after_destroy_a_deploy_begins_anew(functions: Functions, provider: Provider) -> None:
    function = functions.fresh("echo")
    function.deploy()
    function.edit("handler.py", '"first"', '"second"')
    function.deploy()
    provider.destroy(function.name, function.stage, report=quiet)
    again = function.deploy()
    assert (again.changed, again.release) == (True, 1)
    assert function.ask({"value": 1})["version"] == "second"


def test_what_is_not_deployed_is_named_so(provider: Provider) -> None:
    name, stage = "never-deployed", "dev"
    calls: list[Callable[[], object]] = [
        lambda: provider.deployment(name, stage),
        lambda: provider.invoke(name, stage, Request(body=b"1", id="r")),
        lambda: list(provider.logs(name, stage, follow=False)),
        lambda: provider.releases(name, stage),
        lambda: provider.rollback(name, stage, None),
        lambda: provider.destroy(name, stage, report=quiet),
    ]
    for call in calls:
        with pytest.raises(NotDeployed, match=name):
            call()
    assert provider.observe(name, stage) == ()
    assert provider.status(name, stage) == ()
