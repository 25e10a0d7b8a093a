"""Jobs: submitted through the endpoint or the provider, run by an asynchronous call, read back."""

import json
import time
from typing import Any

import pytest
from tests.fakes.aws.cloud import Cloud
from tests.fakes.functions import Function, Functions
from tests.fakes.patience import PATIENCE_S

from preheat.interface.message import JSON_TYPE, Request
from preheat.provider.protocol import Deployment


@pytest.fixture(scope="module")
def queueing(functions: Functions) -> tuple[Function, Deployment]:
    """A function that takes jobs."""
    function = functions.fresh("plain")
    toml = function.root / "preheat.toml"
    toml.write_text(toml.read_text() + "\n[provider.aws_lambda]\njobs = true\n")
    return function, function.deploy()


def finished(cloud: Cloud, deployment: Deployment, job: str) -> Any:
    """Ask for a job, as any client does, until it is done."""
    given_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < given_up:
        answer = cloud.get(f"{deployment.endpoint}jobs/{job}", authorization=f"Bearer {deployment.token}")
        assert answer.status == 200, answer.body
        document = json.loads(answer.body)
        if document["status"] not in ("queued", "running"):
            return document
    raise AssertionError(f"{job} was not done in {PATIENCE_S} s")


def test_a_job_of_the_endpoint_runs_and_its_result_is_there(
    queueing: tuple[Function, Deployment], cloud: Cloud
) -> None:
    _, deployment = queueing
    token = f"Bearer {deployment.token}"
    submitted = cloud.post(
        f"{deployment.endpoint}jobs", b'"you"', content_type=JSON_TYPE, authorization=token
    )
    assert submitted.status == 202, submitted.body
    job = json.loads(submitted.body)["id"]
    assert finished(cloud, deployment, job)["status"] == "succeeded"
    result = cloud.get(f"{deployment.endpoint}jobs/{job}/result", authorization=token)
    assert (result.status, json.loads(result.body)) == (200, "first you")


def test_a_job_of_the_command_line_is_a_job_like_any_other(
    queueing: tuple[Function, Deployment], cloud: Cloud
) -> None:
    function, deployment = queueing
    job = function.provider.submit(function.name, function.stage, Request(body=b'"you"', id="r"))
    assert finished(cloud, deployment, job)["status"] == "succeeded"
