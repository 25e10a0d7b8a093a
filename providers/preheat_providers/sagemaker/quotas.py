"""How many machines of a type the account may run for endpoints: none of some GPUs, until somebody asks.

https://docs.aws.amazon.com/general/latest/gr/sagemaker.html, read on 2026-11-21: quotas are named
"ml.g5.xlarge for endpoint usage", for asynchronous endpoints as for real-time ones.
"""

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from preheat.errors import ProviderError
from preheat_providers.sagemaker.instances import Instance

if TYPE_CHECKING:
    from mypy_boto3_service_quotas import ServiceQuotasClient

SERVICE = "sagemaker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How many machines may run at once; `code` is what an increase is asked for with."""

    name: str
    code: str
    value: float


def quota_name(machine: Instance) -> str:
    """Return what the quota of a machine is called."""
    return f"{machine.name} for endpoint usage"


def find_quota(client: "ServiceQuotasClient", machine: Instance) -> Quota | None:
    """Return the quota of `machine`; None where there is none, or where it may not be read.

    Some that were never changed are listed among the defaults alone:
    https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_ListServiceQuotas.html
    """
    from botocore.exceptions import ClientError

    name = quota_name(machine)
    own = client.get_paginator("list_service_quotas").paginate(ServiceCode=SERVICE)
    usual = client.get_paginator("list_aws_default_service_quotas").paginate(ServiceCode=SERVICE)
    try:
        for page in chain(own, usual):
            for each in page["Quotas"]:
                if each.get("QuotaName") == name:
                    return Quota(name=name, code=each.get("QuotaCode", ""), value=each.get("Value", 0.0))
    except ClientError:
        # Whoever deploys may not ask: then SageMaker itself says so, some minutes later.
        return None
    return None


def check_quota(quota: Quota, *, needed: int, region: str) -> None:
    """Raise ProviderError, with the line that asks for more, if fewer than `needed` machines may run."""
    if quota.value >= needed:
        return
    raise ProviderError(
        f"The account may run {quota.value:g} of {quota.name} in {region}, and {needed} "
        f"{'is' if needed == 1 else 'are'} needed.",
        hint=f"aws service-quotas request-service-quota-increase --service-code {SERVICE} "
        f"--quota-code {quota.code} --desired-value {needed} --region {region}",
    )


def needed_machines(*, floor: int, exists: bool) -> int:
    """Return how many machines a deploy runs at once: an update has the old ones beside the new ones."""
    return max(1, floor) * (2 if exists else 1)
