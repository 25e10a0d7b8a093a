"""Which release the endpoint runs. The choices are pure; moving it is SageMaker's own blue/green update."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from preheat.errors import Conflict, ProviderError
from preheat.provider.going_back import release_before
from preheat_providers._aws.errors import translated
from preheat_providers.sagemaker.operating.releases import Released
from preheat_providers.sagemaker.place import SETTLED, Live, Place
from preheat_providers.sagemaker.shipped.settings import PROVIDER

if TYPE_CHECKING:
    from mypy_boto3_sagemaker.type_defs import DescribeEndpointOutputTypeDef

POLL_S = 5.0
POLLS = 4 * 3600 // int(POLL_S)
"""An update may take hours where machines are scarce; the template gives it as long."""
NEWEST = "all to the newest release"
MOST_CANARY = 0.5
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TrafficRoutingConfig.html, read 2026-11-21"""


def rolled_back(name: str, releases: Sequence[Released], active: Released, number: int | None) -> Released:
    """Return the release called `number`, or what served before the active one. Raises ProviderError."""
    if number is None:
        number = release_before(active.number, (each.number for each in releases), served=active.before)
        if number is None:
            raise ProviderError(
                f"{name} has no release before {active.number}, which is the active one.",
                hint=f"preheat releases {name} --provider {PROVIDER}",
            )
    found = next((each for each in releases if each.number == number), None)
    if found is None:
        there = ", ".join(str(each.number) for each in releases)
        raise ProviderError(
            f"{name} has no release {number}. There are {there}.",
            hint=f"preheat rollback {name} {releases[0].number} --provider {PROVIDER}",
        )
    return found


def checked_canary(name: str, live: Live, share: float) -> float:
    """Return `share`. Raises ProviderError where SageMaker can do no such canary."""
    if not 0 < share <= MOST_CANARY:
        raise ProviderError(
            f"A canary on SageMaker is a share of the instances up to {MOST_CANARY:g}, not {share:g}."
        )
    if live.config == live.newest.config:
        raise ProviderError(
            f"Release {live.newest.number} of {name} serves already. On SageMaker a canary is part of an "
            "update: the share is moved first, and the rest when no alarm has fired.",
            hint="canary_percent = 10  # in [provider.sagemaker], for the next deploy",
        )
    instances = live.endpoint.get("ProductionVariants", [{}])[0].get("CurrentInstanceCount", 0)
    if instances < 2:
        raise ProviderError(
            f"A canary needs two instances, and {instances} run: it is a share of them.",
            hint=f"preheat promote {name} --provider {PROVIDER}  # all at once",
        )
    return share


def deployment_config(template: Mapping[str, Any], share: float | None) -> dict[str, Any]:
    """Return how the stack has its endpoint updated, with a canary of `share` where one is asked for."""
    resources = template["Resources"]
    config = _filled(resources["Endpoint"]["Properties"].get("DeploymentConfig"), resources) or {}
    if share is None:
        return config
    policy = config.get("BlueGreenUpdatePolicy", {})
    routing = policy.get("TrafficRoutingConfiguration", {})
    wait_s = routing.get("WaitIntervalInSeconds") or policy.get("TerminationWaitInSeconds", 0)
    canary = {
        "Type": "CANARY",
        "WaitIntervalInSeconds": wait_s,
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": max(1, round(share * 100))},
    }
    return {**config, "BlueGreenUpdatePolicy": {**policy, "TrafficRoutingConfiguration": canary}}


def settle(
    place: Place, *, tell: Callable[[str], None] = lambda _: None
) -> "DescribeEndpointOutputTypeDef | None":
    """Wait until nothing is under way with the endpoint, and return it; None once there is none.

    Raises ProviderError when that takes hours.
    """
    told = ""
    for _ in range(POLLS):
        found = place.describe()
        if found is None or found["EndpointStatus"] in SETTLED:
            return found
        if found["EndpointStatus"] != told:
            told = found["EndpointStatus"]
            tell(f"the endpoint {place.endpoint} is {told}: waiting for its end")
        place.sleep(POLL_S)
    raise ProviderError(
        f"The endpoint {place.endpoint} has been {told} for hours. AWS goes on with it.",
        hint=f"preheat logs {place.name} --provider {PROVIDER}",
    )


def at_rest(place: Place) -> Live:
    """Return what is deployed once nothing is under way: an update decides what is rolled back from.

    Raises NotDeployed, and Conflict while a deploy runs.
    """
    stack = place.require().stack
    if stack.in_progress:
        raise Conflict(
            f"A deploy of {place.name} is under way: the stack {stack.name} is {stack.status}.",
            hint=f"preheat status {place.name} --provider {PROVIDER}  # until it is complete, then again",
        )
    settle(place)
    return place.require()


def check_machine(place: Place, live: Live, to: Released) -> None:
    """Raise ProviderError if `to` ran on another machine, which SageMaker refuses while a variant is scaled.

    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-scaling-update.html, read on 2026-11-21
    """
    client = place.session.client("sagemaker")
    machines = []
    for config in (live.config, to.config):
        with translated(f"the endpoint config {config} cannot be read"):
            found = client.describe_endpoint_config(EndpointConfigName=config)
        machines.append(found["ProductionVariants"][0].get("InstanceType"))
    now, then = machines
    if now != then:
        raise ProviderError(
            f"Release {to.number} of {place.name} ran on {then} and the endpoint runs on {now}: SageMaker "
            "changes no machine of an endpoint that is scaled. A deploy takes the scaling off first.",
            hint=f'instance_type = "{then}"  # in [provider.sagemaker], and deploy the code of that release',
        )


def move(place: Place, live: Live, to: Released, *, share: float | None = None) -> None:
    """Have the endpoint run `to`, and wait for it. Raises ProviderError, and it runs what it ran before."""
    check_machine(place, live, to)
    client = place.session.client("sagemaker")
    config = deployment_config(live.stack.template, share)
    wanted: dict[str, Any] = {"EndpointName": place.endpoint, "EndpointConfigName": to.config}
    if config:
        wanted |= {"RetainAllVariantProperties": True, "DeploymentConfig": config}
    with translated(f"release {to.number} of {place.name} cannot be made active"):
        client.update_endpoint(**wanted)
    found = settle(place)
    if found is None or found["EndpointConfigName"] != to.config or found["EndpointStatus"] != "InService":
        reason = found.get("FailureReason", found["EndpointStatus"]) if found is not None else "it is gone"
        raise ProviderError(
            f"Release {to.number} of {place.name} does not work, so the endpoint runs what it ran: {reason}",
            hint=f"preheat logs {place.name} --provider {PROVIDER}",
        )


def traffic_of(live: Live) -> str:
    """Return where the traffic goes, for a reader."""
    return NEWEST if live.config == live.newest.config else f"all to release {live.active.number}"


def _filled(value: Any, resources: Mapping[str, Any]) -> Any:
    """Return `value` with references to alarms as their names, which is what the API takes."""
    match value:
        case {"Ref": str(name)}:
            return resources[name]["Properties"]["AlarmName"]
        case dict():
            return {key: _filled(each, resources) for key, each in value.items()}
        case list():
            return [_filled(each, resources) for each in value]
        case _:
            return value
