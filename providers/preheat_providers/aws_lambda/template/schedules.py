"""Calls at fixed times: the triggers of the project, and those that keep the function warm."""

from preheat.project.model import Schedule
from preheat_providers._aws.templates.cron import aws_cron
from preheat_providers._aws.templates.intrinsics import Json, Resources, allow, att, ref, resource
from preheat_providers._aws.templates.roles import service_role
from preheat_providers.aws_lambda.template.names import alias_arn, logical_id, schedule_name
from preheat_providers.aws_lambda.template.wanted import Wanted

SERVICE = "scheduler.amazonaws.com"
WARM_EVENT = '{"preheat-warm":{}}'
WARM_NAME = "keep_warm"
"""No trigger is called so, because their names have no underscores."""


def schedule_resources(wanted: Wanted) -> Resources:
    """Return the schedules, and the role under which they call."""
    schedules = {
        logical_id("Schedule", schedule.name): _schedule(schedule, wanted) for schedule in wanted.schedules
    }
    if wanted.options.warm == "schedule":
        schedules["KeepWarm"] = _keep_warm(wanted)
    if not schedules:
        return {}
    call = allow("Call", ["lambda:InvokeFunction"], [alias_arn(wanted.function)])
    # https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
    mine = {"StringEquals": {"aws:SourceAccount": ref("AWS::AccountId")}}
    role = service_role(SERVICE, call, boundary=wanted.options.permissions_boundary, Condition=mine)
    return {"SchedulerRole": role, **schedules}


def _schedule(schedule: Schedule, wanted: Wanted) -> Json:
    return _calling(
        schedule_name(wanted.function, schedule.name),
        {
            "ScheduleExpression": aws_cron(schedule.cron),
            "ScheduleExpressionTimezone": schedule.timezone,
        },
        {},
    )


def _keep_warm(wanted: Wanted) -> Json:
    minutes = wanted.options.schedule_minutes
    return _calling(
        schedule_name(wanted.function, WARM_NAME),
        {"ScheduleExpression": f"rate({minutes} minute{'s' if minutes > 1 else ''})"},
        {"Input": WARM_EVENT, "RetryPolicy": {"MaximumRetryAttempts": 0}},
    )


def _calling(name: str, when: Json, target: Json) -> Json:
    return resource(
        "AWS::Scheduler::Schedule",
        {
            "Name": name,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            **when,
            "Target": {"Arn": ref("Alias"), "RoleArn": att("SchedulerRole"), **target},
        },
    )
