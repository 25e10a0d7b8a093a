import json

import pytest
from tests.fakes.lambda_templates import TICK, of_kind, properties, statements, template

from preheat.project.model import Schedule
from preheat_providers.aws_lambda.options import Options

OWN = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:preheat-ocr-dev:live"


def test_a_schedule_calls_the_alias_in_its_time_zone_and_brings_no_input() -> None:
    schedule = properties(template(TICK), "ScheduleNightly")
    assert schedule["Name"] == "preheat-ocr-dev.nightly"
    assert schedule["ScheduleExpression"] == "cron(30 2 * * ? *)"
    assert schedule["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert schedule["Target"]["Arn"] == {"Ref": "Alias"}
    assert "Input" not in schedule["Target"]


def test_schedules_call_nothing_but_the_functions_own_alias() -> None:
    (call,) = statements(template(TICK), "SchedulerRole").values()
    assert call["Action"] == ["lambda:InvokeFunction"]
    assert call["Resource"] == [{"Fn::Sub": OWN}]


def test_the_schedulers_role_is_for_schedules_of_this_account() -> None:
    (trust,) = properties(template(TICK), "SchedulerRole")["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_without_schedules_there_is_no_role_for_them() -> None:
    made = template()
    assert "SchedulerRole" not in made["Resources"]
    assert of_kind(made, "Scheduler::Schedule") == {}


@pytest.mark.parametrize(("minutes", "rate"), [(1, "rate(1 minute)"), (5, "rate(5 minutes)")])
def test_a_schedule_keeps_the_function_warm(minutes: int, rate: str) -> None:
    made = template(options=Options(warm="schedule", schedule_minutes=minutes))
    schedule = properties(made, "KeepWarm")
    assert schedule["ScheduleExpression"] == rate
    assert json.loads(schedule["Target"]["Input"]) == {"preheat-warm": {}}
    assert schedule["Target"]["RetryPolicy"] == {"MaximumRetryAttempts": 0}


def test_keeping_warm_takes_no_name_that_a_trigger_may_have() -> None:
    made = template(Schedule(name="keep-warm", cron="0 3 * * *"), options=Options(warm="schedule"))
    names = [each["Name"] for each in of_kind(made, "Scheduler::Schedule").values()]
    assert len(set(names)) == 2
