from tests.fakes.lambda_templates import of_kind, properties, template

from preheat_providers._aws.hours import ScheduledHours
from preheat_providers.aws_lambda.options import Options

HOURS = ScheduledHours(cron="0 8 * * 1-5", timezone="Europe/Berlin", min=2, max=5)


def test_nothing_is_kept_warm_unless_asked() -> None:
    made = template()
    assert properties(made, "Function")["SnapStart"] == {"ApplyOn": "None"}
    assert "ProvisionedConcurrencyConfig" not in properties(made, "Alias")
    assert of_kind(made, "ApplicationAutoScaling::ScalableTarget") == {}


def test_snapstart_is_for_published_versions() -> None:
    made = template(options=Options(warm="snapstart"))
    assert properties(made, "Function")["SnapStart"] == {"ApplyOn": "PublishedVersions"}


def test_a_fixed_number_is_the_aliass() -> None:
    made = template(options=Options(warm="provisioned", provisioned=3))
    assert properties(made, "Alias")["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": 3}
    assert of_kind(made, "ApplicationAutoScaling::ScalableTarget") == {}


def test_a_number_that_changes_is_not_the_aliass_which_would_reset_it() -> None:
    made = template(
        options=Options(warm="provisioned", provisioned=2, provisioned_max=6, provisioned_use=0.5)
    )
    assert "ProvisionedConcurrencyConfig" not in properties(made, "Alias")
    target = properties(made, "ProvisionedTarget")
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 6)
    assert target["ResourceId"] == "function:preheat-ocr-dev:live"
    assert made["Resources"]["ProvisionedTarget"]["DependsOn"] == "Alias"
    policy = properties(made, "ProvisionedPolicy")["TargetTrackingScalingPolicyConfiguration"]
    assert policy["TargetValue"] == 0.5


def test_hours_change_the_bounds_by_the_clock() -> None:
    made = template(options=Options(warm="provisioned", provisioned=1, provisioned_schedule=(HOURS,)))
    target = properties(made, "ProvisionedTarget")
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 1)
    (action,) = target["ScheduledActions"]
    assert (action["Schedule"], action["Timezone"]) == ("cron(0 8 ? * 2-6 *)", "Europe/Berlin")
    assert action["ScalableTargetAction"] == {"MinCapacity": 2, "MaxCapacity": 5}
    assert "ProvisionedPolicy" not in made["Resources"]


def test_numbers_do_nothing_without_provisioned() -> None:
    made = template(
        options=Options(warm="none", provisioned=3, provisioned_max=6, provisioned_schedule=(HOURS,))
    )
    assert "ProvisionedTarget" not in made["Resources"]
    assert "ProvisionedConcurrencyConfig" not in properties(made, "Alias")
