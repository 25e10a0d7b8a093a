from preheat_providers._aws.hours import ScheduledHours
from preheat_providers._aws.templates.hours import scheduled_actions


def test_each_entry_is_an_action_with_a_name_of_its_own() -> None:
    day = ScheduledHours(cron="0 8 * * 1-5", timezone="Europe/Berlin", min=1, max=5)
    actions = scheduled_actions((day, ScheduledHours(cron="0 20 * * *", min=0, max=1)))
    assert actions is not None
    assert [each["ScheduledActionName"] for each in actions] == ["hours-0", "hours-1"]
    assert actions[0]["Timezone"] == "Europe/Berlin"
    assert actions[0]["ScalableTargetAction"] == {"MinCapacity": 1, "MaxCapacity": 5}


def test_without_an_entry_there_is_no_list() -> None:
    assert scheduled_actions(()) is None
