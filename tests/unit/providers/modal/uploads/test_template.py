"""What the stack of uploads is made of; cfn-lint and the list of permissions look at every variant."""

import json
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint

from preheat.project.model import ObjectCreated
from preheat_providers._aws.templates.reading import permission_list
from preheat_providers.modal.uploads.stack import stack_resource, wanted_stack
from preheat_providers.modal.uploads.template import KEY, template_of

PLAIN = ObjectCreated(name="scans", bucket="uploads", prefix="in/", suffix=".png", output="results/text")
ODD = (
    ObjectCreated(name="every-object", bucket="up.loads", output="results"),
    ObjectCreated(name="odd-1", bucket="uploads", prefix='a*?${x}"é /', output="uploads/b*?${y}"),
    ObjectCreated(name="odd1", bucket="uploads", suffix="\\*.png", output="results/c"),
)
BOUNDARY = "arn:aws:iam::123456789012:policy/preheat-boundary"
VARIANTS = [(PLAIN,), ODD, (PLAIN, *ODD)]


@pytest.fixture(params=VARIANTS, ids=["plain", "odd", "all"])
def made(request: pytest.FixtureRequest) -> dict[str, Any]:
    return template_of("preheat-ocr-dev", request.param, boundary=BOUNDARY)


def findings(made: dict[str, Any]) -> list[str]:
    return [str(match) for match in lint(json.dumps(made), config=ManualArgs(regions=["eu-central-1"]))]


def test_cfn_lint_finds_nothing(made: dict[str, Any]) -> None:
    assert findings(made) == []


def test_cfn_lint_would_find_what_is_wrong() -> None:
    made = template_of("a", (PLAIN,))
    made["Resources"]["Connection"]["Properties"]["AuthorizationType"] = "KEY"
    made["Resources"]["Destination"]["Properties"]["HttpMethod"] = "SEND"
    del made["Resources"]["CallingRole"]
    assert len(findings(made)) >= 3


def test_events_may_call_the_one_destination_and_leave_what_was_lost(made: dict[str, Any]) -> None:
    assert [str(permission) for permission in permission_list(made)] == [
        "events:InvokeApiDestination on ${Destination.Arn} by ${CallingRole}",
        "sqs:SendMessage on ${Lost.Arn} by events.amazonaws.com",
    ]


def test_the_role_is_bounded_where_a_policy_is_named(made: dict[str, Any]) -> None:
    assert made["Resources"]["CallingRole"]["Properties"]["PermissionsBoundary"] == BOUNDARY
    unbounded = template_of("preheat-ocr-dev", (PLAIN,))["Resources"]["CallingRole"]["Properties"]
    assert "PermissionsBoundary" not in unbounded


def test_the_key_is_a_parameter_that_nobody_is_shown(made: dict[str, Any]) -> None:
    assert made["Parameters"][KEY]["NoEcho"] is True
    assert json.dumps(made).count(f'{{"Ref": "{KEY}"}}') == 1


def test_every_rule_repeats_for_a_day_and_then_keeps_the_event(made: dict[str, Any]) -> None:
    rules = [each["Properties"] for each in made["Resources"].values() if each["Type"] == "AWS::Events::Rule"]
    for rule in rules:
        [target] = rule["Targets"]
        assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == 86_400
        assert target["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": ["Lost", "Arn"]}


def test_a_changed_trigger_is_a_changed_stack() -> None:
    one, other = (wanted_stack("ocr", "dev", uploads, boundary=None)[0] for uploads in ((PLAIN,), ODD))
    assert one.properties["template"] != other.properties["template"]
    assert one == stack_resource(one.name, template_of("preheat-ocr-dev", (PLAIN,)))


def test_without_uploads_there_is_no_stack() -> None:
    assert wanted_stack("ocr", "dev", (), boundary=None) == ()
