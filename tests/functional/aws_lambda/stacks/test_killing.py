"""kill -9 in the middle of a deploy, which can clean up nothing; the same command then finishes it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.aws.cloud import Cloud
from tests.fakes.aws.gate import gate
from tests.fakes.functions import Function, Functions
from tests.fakes.patience import PATIENCE_S

DEPLOY = [str(Path(sys.executable).parent / "preheat"), "deploy", "--provider", "lambda", "--yes", "--json"]
FIRST = {
    "an archive is on its way": ("PUT /", False),
    "the change set is made": ("Action=CreateChangeSet", True),
    "the stack begins": ("Action=ExecuteChangeSet", True),
    "the stack is under way": ("Action=DescribeStackEvents", False),
    "the stack is there, and its token was not shown": ("/aliases/live", False),
}
"""Moments of a first deploy: a part of the request, and whether it is carried out before the kill."""
NEXT = {
    "the code is to be sent": ("/code", False),
    "the code was sent": ("/code", True),
    "the version was published": ("POST /2015-03-31/functions/{stack}/versions", True),
    "the traffic is to move": ("PUT /2015-03-31/functions/{stack}/aliases/live", False),
    "the traffic has moved": ("PUT /2015-03-31/functions/{stack}/aliases/live", True),
}
"""Moments of a deploy of other code."""
NOTIFIED = """
[triggers.uploads]
type = "object-created"
bucket = "{bucket}"
prefix = "in/"
output = "{bucket}/out"
"""


def started(function: Function, endpoint: str, **environ: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        DEPLOY,
        cwd=function.root,
        env={**os.environ, **environ, "AWS_ENDPOINT_URL": endpoint},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: "subprocess.Popen[str]") -> Any:
    """Return what a deploy that has worked says."""
    out, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said
    return json.loads(out)


def killed(cloud: Cloud, function: Function, wanted: str, *, answered: bool) -> None:
    """Kill a deploy of `function` at its first request with `wanted`."""
    with gate(cloud, wanted, answered=answered) as stands:
        process = started(function, stands.url)
        stands.until_reached()
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=PATIENCE_S)
    assert process.returncode == -signal.SIGKILL


def authorized(cloud: Cloud, deployed: Any, token: str) -> int:
    url = f"{deployed['endpoint'].rstrip('/')}/invocations"
    return cloud.post(url, b'"you"', content_type="application/json", authorization=f"Bearer {token}").status


@pytest.mark.parametrize("moment", FIRST)
def test_a_first_deploy_that_was_killed_is_finished_and_shows_its_token_once(
    functions: Functions, cloud: Cloud, moment: str
) -> None:
    function = functions.fresh("plain")
    wanted, answered = FIRST[moment]
    killed(cloud, function, wanted, answered=answered)
    finished = ended(started(function, cloud.server.endpoint))
    assert function.ask("you") == "first you"
    assert authorized(cloud, finished, finished["token"]) == 200
    again = ended(started(function, cloud.server.endpoint))
    assert (again["changed"], again["token"]) == (False, None)
    assert function.plan().changes == ()


@pytest.mark.parametrize("moment", NEXT)
def test_new_code_whose_deploy_was_killed_serves_after_the_next(
    functions: Functions, cloud: Cloud, moment: str
) -> None:
    function = functions.fresh("plain")
    function.deploy()
    function.edit("handler.py", '"first"', '"second"')
    wanted, answered = NEXT[moment]
    stack = f"preheat-{function.name}-{function.stage}"
    killed(cloud, function, wanted.format(stack=stack), answered=answered)
    if "traffic" not in moment:
        assert function.ask("you") == "first you"
    ended(started(function, cloud.server.endpoint))
    assert function.ask("you") == "second you"
    assert function.plan().changes == ()


def test_a_bucket_that_was_just_switched_on_is_found_so(functions: Functions, cloud: Cloud) -> None:
    function = functions.fresh("plain")
    bucket = f"of-{function.name}"
    cloud.client("s3").create_bucket(Bucket=bucket)
    toml = function.root / "preheat.toml"
    toml.write_text(toml.read_text() + NOTIFIED.format(bucket=bucket))
    killed(cloud, function, f"PUT /{bucket}?notification", answered=True)
    ended(started(function, cloud.server.endpoint))
    found = cloud.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    assert "EventBridgeConfiguration" in found
    assert function.plan().changes == ()


def test_an_old_release_that_was_not_removed_is_removed_by_the_next_deploy(
    functions: Functions, cloud: Cloud
) -> None:
    function = functions.fresh("plain")
    function.edit("preheat.toml", "[resources]", "[provider.aws_lambda]\nkeep_releases = 2\n\n[resources]")
    edit = changing(function)
    for _ in range(3):
        function.deploy()
        edit()
    killed(cloud, function, "Qualifier=2", answered=False)
    edit()
    ended(started(function, cloud.server.endpoint))
    assert [release.number for release in function.releases()] == [5, 4, 1]


def changing(function: Function) -> Callable[[], None]:
    """Return what gives a function other code at each call."""
    words = iter(("first", "second", "third", "fourth", "fifth", "sixth"))
    word = next(words)

    def change() -> None:
        nonlocal word
        before, word = word, next(words)
        function.edit("handler.py", f'"{before}"', f'"{word}"')

    return change


def test_two_machines_that_deploy_at_once_leave_one_function_that_answers(
    functions: Functions, cloud: Cloud, tmp_path: Path
) -> None:
    function = functions.fresh("plain")
    ends = [
        started(function, cloud.server.endpoint, PREHEAT_HOME=str(tmp_path / machine)) for machine in "ab"
    ]
    said = [json.loads(process.communicate(timeout=120)[0]) for process in ends]
    assert 0 in {process.returncode for process in ends}, said
    shown = [each["token"] for each in said if each.get("token")]
    assert all(each["error"]["hint"] == "The same command again." for each in said if "error" in each), said
    again = [
        ended(started(function, cloud.server.endpoint, PREHEAT_HOME=str(tmp_path / machine)))
        for machine in "ab"
    ]
    [token] = shown + [each["token"] for each in again if each["token"]]
    assert authorized(cloud, again[0], token) == 200
    assert function.plan().changes == ()
