from preheat_providers._aws.templates.alarms import above_zero

TOPIC = "arn:aws:sns:eu-central-1:111122223333:alarms"


def test_an_alarm_fires_above_zero_and_rests_where_nothing_is_counted() -> None:
    alarm = above_zero("a", "N", "M", statistic="Sum", dimensions={"D": "x"}, topic=TOPIC)["Properties"]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
    assert alarm["TreatMissingData"] == "notBreaching"
    assert alarm["Dimensions"] == [{"Name": "D", "Value": "x"}]
    assert alarm["AlarmActions"] == [TOPIC]


def test_without_a_topic_nobody_is_told() -> None:
    assert (
        "AlarmActions"
        not in above_zero("a", "N", "M", statistic="Sum", dimensions={}, topic=None)["Properties"]
    )
