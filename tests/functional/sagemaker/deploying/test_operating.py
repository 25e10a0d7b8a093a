"""Day two: what status, logs and alarms say, as CloudWatch has it."""

from collections.abc import Iterator

import pytest
from tests.fakes.functions import Function, Functions
from tests.fakes.sagemaker.account import Account

from preheat.errors import NotDeployed, ProviderError
from preheat.progress import quiet
from preheat_providers.sagemaker.template.names import endpoint_name, log_group

READY = '{"level": "info", "event": "ready", "message": "words", "phases": [{"name": "setup", "ms": 40}]}'


@pytest.fixture(scope="module")
def deployed(functions: Functions, account: Account) -> Iterator[Function]:
    """An endpoint whose container has started once."""
    function = functions.fresh("words")
    function.deploy()
    account.write_log(log_group(function.name, "dev"), READY)
    yield function
    function.provider.destroy(function.name, "dev", report=quiet)


def count(account: Account, endpoint: str, **metrics: float) -> None:
    data = [
        {"MetricName": name, "Value": value, "Dimensions": [{"Name": "EndpointName", "Value": endpoint}]}
        for name, value in metrics.items()
    ]
    account.cloud.client("cloudwatch").put_metric_data(Namespace="AWS/SageMaker", MetricData=data)


def test_status_has_the_instances_the_backlog_and_the_starts(deployed: Function, account: Account) -> None:
    endpoint = endpoint_name(deployed.name, "dev")
    account.plane.instances[endpoint] = 0
    count(account, endpoint, InvocationsProcessed=7, InvocationFailures=2, ApproximateBacklogSize=3)
    status = deployed.status()
    assert (status.release, status.ready, status.workers) == (1, True, 0)
    assert (status.requests, status.errors) == (7, 2)
    assert (status.cold_starts, status.cold_ms_p50) == (1, 40.0)
    assert status.details["backlog"] == 3
    assert status.details["instances"] == "0"
    assert status.details["traffic"] == "all to the newest release"


def test_the_log_has_what_the_container_wrote(deployed: Function) -> None:
    events = [each["event"] for each in deployed.provider.logs(deployed.name, "dev", follow=False)]
    assert "ready" in events


def test_the_alarm_that_wakes_the_endpoint_is_no_sign_of_a_mistake(
    deployed: Function, account: Account
) -> None:
    client = account.cloud.client("cloudwatch")
    endpoint = endpoint_name(deployed.name, "dev")
    client.set_alarm_state(AlarmName=f"{endpoint}-endpoint-wake", StateValue="ALARM", StateReason="test")
    assert deployed.provider.firing(deployed.name, "dev", ()) == ()
    errors = f"{endpoint}-endpoint-errors"
    client.set_alarm_state(AlarmName=errors, StateValue="ALARM", StateReason="test")
    assert deployed.provider.firing(deployed.name, "dev", ()) == (errors,)
    with pytest.raises(ProviderError, match="no alarm called nobody"):
        deployed.provider.firing(deployed.name, "dev", ("nobody",))


def test_backfill_names_where_the_triggers_listen(deployed: Function) -> None:
    with pytest.raises(ProviderError, match=r"they run on s3://words-in/in/\."):
        deployed.provider.backfill(deployed.name, "dev", "s3://others/in/")


def test_what_is_not_deployed_is_said(deployed: Function) -> None:
    for ask in (deployed.provider.deployment, deployed.provider.releases):
        with pytest.raises(NotDeployed, match="'nobody' is not deployed at stage 'dev'"):
            ask("nobody", "dev")
