"""What status, logs and promote show of a running function."""

import json

import pytest
from tests.fakes.functions import Function, Functions

from preheat.provider.protocol import Provider


def test_status_counts_what_was_answered(functions: Functions, provider: Provider) -> None:
    function = functions.fresh("failing")
    deployment = function.deploy()
    before = function.status()
    assert (before.name, before.provider, before.stage) == (function.name, provider.name, function.stage)
    assert (before.release, before.digest, before.endpoint) == (1, deployment.digest, deployment.endpoint)
    for _ in range(3):
        function.ask("x")
    function.send(b'"raise"')
    after = function.status()
    assert after.requests == (before.requests or 0) + 4
    assert after.errors == (before.errors or 0) + 1
    assert after.ready
    assert after.warm_ms_p50 is not None
    json.dumps(dict(after.details))


def test_deployment_says_what_is_there_without_changing_it(functions: Functions, provider: Provider) -> None:
    function = functions.shared("echo")
    found = provider.deployment(function.name, function.stage)
    assert (found.name, found.changed, found.token) == (function.name, False, None)


def test_status_of_everything_is_in_order(functions: Functions, provider: Provider) -> None:
    functions.shared("echo")
    functions.shared("batched")
    names = [(status.name, status.stage) for status in provider.status(None, None)]
    assert len(names) >= 2
    assert names == sorted(names)


def test_logs_have_what_the_handler_printed_and_why_it_failed(
    functions: Functions, provider: Provider
) -> None:
    function = functions.fresh("failing")
    function.deploy()
    function.ask("the seventh request")
    function.send(b'"raise"')
    events = list(provider.logs(function.name, function.stage, follow=False))
    assert all({"time", "level", "event", "message"} <= set(event) for event in events)
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)
    everything = json.dumps([dict(event) for event in events])
    assert "all is well with the seventh request" in everything
    assert "hunter2" in everything


@pytest.fixture
def rolled_back(functions: Functions, provider: Provider) -> Function:
    """A function whose first release has the traffic again, where it can be split."""
    if not provider.capabilities.canary:
        pytest.skip(f"{provider.name} says that it cannot split traffic")
    function = functions.fresh("echo")
    function.deploy()
    function.edit("handler.py", '"first"', '"second"')
    function.deploy()
    provider.rollback(function.name, function.stage, None)
    return function


def test_promote_gives_the_newest_release_all_of_the_traffic(
    rolled_back: Function, provider: Provider
) -> None:
    provider.promote(rolled_back.name, rolled_back.stage, canary=0.5)
    versions = {rolled_back.ask({"value": 1})["version"] for _ in range(60)}
    assert versions == {"first", "second"}
    assert provider.promote(rolled_back.name, rolled_back.stage, canary=None).release == 2
    assert {rolled_back.ask({"value": 1})["version"] for _ in range(20)} == {"second"}


def test_a_canary_stands_beside_what_served_before_and_not_beside_what_was_rolled_back(
    rolled_back: Function, provider: Provider
) -> None:
    rolled_back.edit("handler.py", '"second"', '"third"')
    rolled_back.deploy()
    assert provider.promote(rolled_back.name, rolled_back.stage, canary=0.5).release == 1
    assert {rolled_back.ask({"value": 1})["version"] for _ in range(60)} == {"first", "third"}
    assert provider.rollback(rolled_back.name, rolled_back.stage, None).release == 1
    assert {rolled_back.ask({"value": 1})["version"] for _ in range(20)} == {"first"}
