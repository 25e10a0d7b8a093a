"""Day two: the endpoint and its guards, releases, shares of the traffic, and the command line."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.aws.cloud import Cloud
from tests.fakes.functions import Function, Functions
from tests.fakes.patience import PATIENCE_S

from preheat.progress import quiet

PREHEAT = Path(sys.executable).parent / "preheat"
TEXT = "text/plain"
GREETING = """
import preheat


class Model(preheat.Handler):
    def setup(self, ctx: preheat.Context) -> None:
        self.greeting = ctx.weights["greeting"].read_text()

    def predict(self, name: str) -> str:
        return f"{self.greeting} {name}"
"""
FETCHING = """
[weights.greeting]
source = "file:greeting.txt"

[provider.aws_lambda]
endpoint = "http-api"
weights = "s3"
"""
JWT = {"auth": "jwt", "jwt_issuer": "https://issuer.example.org/", "jwt_audience": ["my-client"]}


@pytest.fixture(scope="module")
def two(functions: Functions) -> Function:
    """A function with two releases."""
    function = functions.fresh("plain")
    function.deploy()
    function.edit("handler.py", '"first"', '"second"')
    function.deploy()
    return function


@pytest.fixture(scope="module")
def guarded(functions: Functions) -> tuple[Function, str]:
    """A function whose endpoint IAM guards, and the address."""
    function = functions.fresh("plain")
    toml = function.root / "preheat.toml"
    toml.write_text(toml.read_text() + '\n[provider.aws_lambda]\nauth = "iam"\n')
    return function, function.deploy().endpoint


@pytest.fixture
def fetching(functions: Functions) -> Iterator[Function]:
    """A function behind an HTTP API whose weights lie in the bucket, not deployed."""
    function = functions.fresh("plain")
    (function.root / "greeting.txt").write_text("hello")
    (function.root / "handler.py").write_text(GREETING)
    toml = function.root / "preheat.toml"
    toml.write_text(toml.read_text() + FETCHING)
    yield function
    if function.provider.status(function.name, function.stage):
        function.provider.destroy(function.name, function.stage, report=quiet)


def preheat(*arguments: str) -> Any:
    """Run the command line, and return its one JSON object."""
    done = subprocess.run(
        [PREHEAT, *arguments, "--provider", "lambda", "--json"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_endpoint_lets_in_who_has_the_token(functions: Functions, cloud: Cloud) -> None:
    deployed = functions.fresh("plain").deploy()
    assert deployed.token
    url = f"{deployed.endpoint.rstrip('/')}/invocations"
    right = cloud.post(
        url, b'"you"', content_type="application/json", authorization=f"Bearer {deployed.token}"
    )
    assert (right.status, json.loads(right.body)) == (200, "first you")
    for wrong in ("", "Bearer wrong"):
        assert cloud.post(url, b'"you"', authorization=wrong).status == 401


def test_an_endpoint_of_iam_lets_in_who_signs(guarded: tuple[Function, str], cloud: Cloud) -> None:
    function, endpoint = guarded
    url = f"{endpoint.rstrip('/')}/invocations"
    signed = cloud.post(url, b'"you"', signed=True, content_type="application/json")
    assert (signed.status, json.loads(signed.body)) == (200, "first you")
    assert cloud.post(url, b'"you"', content_type="application/json").status == 403
    assert function.ask("you") == "first you"


def test_an_http_api_lets_in_who_has_the_token_and_turns_away_who_has_no_jwt(
    fetching: Function, cloud: Cloud
) -> None:
    by_token = fetching.deploy()
    url = f"{by_token.endpoint}/invocations"
    authorization = f"Bearer {by_token.token}"
    right = cloud.post(url, b'"you"', content_type="application/json", authorization=authorization)
    assert (right.status, json.loads(right.body)) == (200, "hello you"), "the role may read the weights"
    assert cloud.post(url, b'"you"', authorization="Bearer wrong").status == 401
    by_jwt = replace(fetching, options={**fetching.options, **JWT}).deploy()
    assert by_jwt.endpoint == by_token.endpoint
    assert cloud.post(url, b'"you"', authorization=authorization).status == 401
    assert fetching.ask("you") == "hello you", "it is the API that turns away"


def test_the_endpoint_has_the_pages_that_it_has_everywhere(functions: Functions, cloud: Cloud) -> None:
    deployed = functions.fresh("plain").deploy()
    url = f"{deployed.endpoint.rstrip('/')}/openapi.json"
    answer = cloud.get(url, authorization=f"Bearer {deployed.token}")
    assert answer.status == 200
    assert "/invocations" in json.loads(answer.body)["paths"]


def test_the_command_line_invokes_and_shows(two: Function) -> None:
    answer = subprocess.run(
        [PREHEAT, "invoke", two.name, "--data", '"you"', "--provider", "lambda"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert (answer.returncode, answer.stdout.strip()) == (0, '"second you"'), answer.stderr
    status = preheat("status", two.name)
    assert (status["name"], status["release"]) == (two.name, 2)
    releases = preheat("releases", two.name)["releases"]
    assert [(each["number"], each["active"]) for each in releases] == [(2, True), (1, False)]


def test_a_canary_gets_its_share_and_a_rollback_ends_it(two: Function) -> None:
    two.provider.promote(two.name, two.stage, canary=0.3)
    answers = [two.ask("you") for _ in range(60)]
    assert 5 <= answers.count("second you") <= 35
    assert set(answers) == {"first you", "second you"}
    assert two.provider.rollback(two.name, two.stage, 1).release == 1
    assert {two.ask("you") for _ in range(10)} == {"first you"}
    assert two.provider.promote(two.name, two.stage, canary=None).release == 2
    assert {two.ask("you") for _ in range(10)} == {"second you"}


def test_an_alarm_of_the_function_fires_when_it_is_set(two: Function, cloud: Cloud) -> None:
    assert two.provider.firing(two.name, two.stage, ()) == ()
    client = cloud.client("cloudwatch")
    [alarm, *_] = [
        each["AlarmName"]
        for page in client.get_paginator("describe_alarms").paginate()
        for each in page["MetricAlarms"]
        if two.name in each["AlarmName"]
    ]
    client.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="a test says so")
    assert alarm in two.provider.firing(two.name, two.stage, ())
    client.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="a test says so")
