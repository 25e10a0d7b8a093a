"""The log of a function and its alarms, as CloudWatch has them."""

import time

import pytest

from preheat.errors import ProviderError
from preheat_providers._aws.alarms import firing_alarms
from preheat_providers._aws.logs import GroupLog
from preheat_providers._aws.session import Session

GROUP, STREAM = "/preheat/ocr/dev", "2026/11/21/preheat-ocr-dev[1]0a1b2c3d4e5f60718293a4b5c6d7e8f9"


def alarm(session: Session, name: str, state: str) -> None:
    client = session.client("cloudwatch")
    client.put_metric_alarm(
        AlarmName=name, ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1, MetricName="Errors"
    )
    client.set_alarm_state(AlarmName=name, StateValue=state, StateReason="test")  # type: ignore[arg-type]


def test_only_alarms_that_fire_are_named_in_their_order(session: Session) -> None:
    for name, state in (("a", "ALARM"), ("b", "OK"), ("c", "ALARM"), ("d", "INSUFFICIENT_DATA")):
        alarm(session, name, state)
    client = session.client("cloudwatch")
    assert firing_alarms(client, ["c", "b", "a", "d"]) == ("c", "a")
    assert firing_alarms(client, []) == ()


def test_more_alarms_than_are_asked_for_at_once_are_all_asked_for(session: Session) -> None:
    names = [f"a-{number}" for number in range(101)]
    for name in names:
        alarm(session, name, "OK")
    alarm(session, names[-1], "ALARM")
    assert firing_alarms(session.client("cloudwatch"), names) == (names[-1],)


def test_an_alarm_that_does_not_exist_could_never_fire(session: Session) -> None:
    alarm(session, "a", "OK")
    with pytest.raises(ProviderError, match="no alarm called b"):
        firing_alarms(session.client("cloudwatch"), ["a", "b"])


def test_events_come_out_of_every_stream_in_order(session: Session) -> None:
    client = session.client("logs")
    client.create_log_group(logGroupName=GROUP)
    now = int(time.time() * 1000)
    for number, stream in enumerate((STREAM, "other")):
        client.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        client.put_log_events(
            logGroupName=GROUP,
            logStreamName=stream,
            logEvents=[
                {"timestamp": now - 3000 + 1000 * number + each, "message": f"{stream} {each}"}
                for each in range(2)
            ],
        )
    events = list(GroupLog(client, GROUP).recent())
    assert [event["message"] for event in events] == [f"{STREAM} 0", f"{STREAM} 1", "other 0", "other 1"]
    assert [event.get("instance") for event in events] == ["0a1b2c3d", "0a1b2c3d", None, None]


def test_a_log_group_that_is_not_there_is_said(session: Session) -> None:
    log = GroupLog(session.client("logs"), "/preheat/none/dev")
    with pytest.raises(ProviderError, match="the log group /preheat/none/dev cannot be read"):
        list(log.recent())
