"""Ctrl-C in the middle of a deploy, by a signal to a real process; the same command then finishes it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fakes.aws.cloud import Cloud
from tests.fakes.aws.gate import gate
from tests.fakes.aws.resources import stack_of
from tests.fakes.functions import Function, Functions
from tests.fakes.patience import PATIENCE_S

from preheat_providers.aws_lambda.template.names import stack_name

DEPLOY = [str(Path(sys.executable).parent / "preheat"), "deploy", "--provider", "lambda", "--yes", "--json"]
INTERRUPTED = 130
MOMENTS = {
    "an archive is on its way": ("PUT /", False),
    "the change set is made": ("Action=CreateChangeSet", True),
    "the stack begins": ("Action=ExecuteChangeSet", True),
    "the stack is under way": ("Action=DescribeStackEvents", False),
}


def started(function: Function, endpoint: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "AWS_ENDPOINT_URL": endpoint}
    return subprocess.Popen(
        DEPLOY, cwd=function.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def change_sets(cloud: Cloud, function: Function) -> list[str]:
    client = cloud.client("cloudformation")
    found = client.list_change_sets(StackName=stack_name(function.name, function.stage))["Summaries"]
    return [each["ChangeSetName"] for each in found if each["ExecutionStatus"] == "AVAILABLE"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_interrupted_deploy_is_finished_by_the_same_command(
    functions: Functions, cloud: Cloud, moment: str
) -> None:
    function = functions.fresh("plain")
    wanted, answered = MOMENTS[moment]
    with gate(cloud, wanted, answered=answered) as stands:
        process = started(function, stands.url)
        stands.until_reached()
        process.send_signal(signal.SIGINT)
        stands.open()
        _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == INTERRUPTED, said
    assert "The same command again finishes it." in said

    again = started(function, cloud.server.endpoint)
    _, said = again.communicate(timeout=PATIENCE_S)
    assert again.returncode == 0, said
    assert function.ask("you") == "first you"
    assert stack_of(cloud, stack_name(function.name, function.stage))["StackStatus"] == "CREATE_COMPLETE"
    assert change_sets(cloud, function) == []
