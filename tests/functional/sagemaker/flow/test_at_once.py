"""Real-time and serverless endpoints: from the front through InvokeEndpoint to the model, and back.

The instances are processes; `tests.fakes.sagemaker.runtime_api` stands for InvokeEndpoint.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import httpx
import pytest
from tests.fakes.aws.by_name import ByName
from tests.fakes.functions import Function, Functions
from tests.fakes.patience import PATIENCE_S
from tests.fakes.sagemaker.account import Account, nothing
from tests.functional.sagemaker.deploying.test_deploying import SCANS, second

from preheat.interface.message import PROBLEM_TYPE
from preheat.progress import quiet

LEAST = {"realtime": 1, "serverless": 0}


@dataclass(frozen=True)
class AtOnce:
    """A deployed function, and a caller of its front."""

    function: Function
    caller: httpx.Client

    def post(self, body: bytes) -> httpx.Response:
        """Send a file."""
        return self.caller.post("/invocations", content=body, headers={"content-type": "text/plain"})


@pytest.fixture(scope="module", params=LEAST)
def deployed(request: pytest.FixtureRequest, functions: Functions, account: Account) -> Iterator[AtOnce]:
    words = functions.fresh("words")
    words.edit("preheat.toml", SCANS, "")
    words.edit("preheat.toml", "min = 0", f"min = {LEAST[request.param]}")
    kept = {"base_image": words.options["base_image"]}
    function = replace(words, options={**kept, "mode": request.param})
    account.launch = account.as_process
    deployment = function.deploy()
    token = {"authorization": f"Bearer {deployment.token}"}
    transport = ByName(account.cloud.server.endpoint)
    with httpx.Client(
        base_url=deployment.endpoint, headers=token, transport=transport, timeout=PATIENCE_S
    ) as caller:
        yield AtOnce(function, caller)
    account.launch = nothing
    function.provider.destroy(function.name, function.stage, report=quiet)


def test_a_request_is_answered_by_the_model(deployed: AtOnce) -> None:
    answer = deployed.post(b"hello")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == {"size": 5, "version": "first", "told": ""}


@pytest.mark.parametrize(("body", "status"), [(b"bad", 400), (b"poison", 500)])
def test_a_failure_is_the_problem_of_the_handler(deployed: AtOnce, body: bytes, status: int) -> None:
    answer = deployed.post(body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM_TYPE)
    assert answer.json()["status"] == status
    assert "never works" not in answer.text


def test_without_the_token_nobody_is_answered(deployed: AtOnce) -> None:
    assert (
        deployed.caller.post("/invocations", content=b"x", headers={"authorization": ""}).status_code == 401
    )


def test_the_command_line_asks_past_the_front(deployed: AtOnce) -> None:
    answer = deployed.function.send(b"hello", "text/plain")
    assert (answer.status, json.loads(answer.body)["size"]) == (200, 5)
    assert deployed.function.send(b"bad", "text/plain").status == 400


def test_another_release_answers_after_a_deploy_and_the_one_before_after_a_rollback(deployed: AtOnce) -> None:
    second(deployed.function).deploy()
    assert deployed.post(b"hello").json()["version"] == "second"
    assert deployed.function.provider.rollback(deployed.function.name, "dev", None).release == 1
    assert deployed.post(b"hello").json()["version"] == "first"
