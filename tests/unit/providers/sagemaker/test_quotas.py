from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.stub import Stubber

from preheat.errors import ProviderError
from preheat_providers.sagemaker.instances import INSTANCES
from preheat_providers.sagemaker.quotas import Quota, check_quota, find_quota, needed_machines

if TYPE_CHECKING:
    from mypy_boto3_service_quotas import ServiceQuotasClient

G5 = INSTANCES["ml.g5.xlarge"]
TRAINING = {"QuotaName": "ml.g5.xlarge for training job usage", "QuotaCode": "L-1", "Value": 9.0}
ENDPOINT = {"QuotaName": "ml.g5.xlarge for endpoint usage", "QuotaCode": "L-1928E07B", "Value": 2.0}


@pytest.fixture
def client() -> "Iterator[ServiceQuotasClient]":
    made = boto3.client(
        "service-quotas", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    yield made
    made.close()


def test_the_quota_for_endpoints_is_found_on_whichever_page_it_is(client: "ServiceQuotasClient") -> None:
    with Stubber(client) as stub:
        stub.add_response("list_service_quotas", {"Quotas": [TRAINING], "NextToken": "more"})
        stub.add_response("list_service_quotas", {"Quotas": [ENDPOINT]})
        assert find_quota(client, G5) == Quota(name=str(ENDPOINT["QuotaName"]), code="L-1928E07B", value=2.0)


def test_one_that_was_never_changed_is_found_among_the_defaults(client: "ServiceQuotasClient") -> None:
    with Stubber(client) as stub:
        stub.add_response("list_service_quotas", {"Quotas": [TRAINING]})
        stub.add_response("list_aws_default_service_quotas", {"Quotas": [TRAINING], "NextToken": "more"})
        stub.add_response("list_aws_default_service_quotas", {"Quotas": [ENDPOINT]})
        assert find_quota(client, G5) == Quota(name=str(ENDPOINT["QuotaName"]), code="L-1928E07B", value=2.0)


def test_who_may_not_ask_for_the_defaults_is_not_stopped(client: "ServiceQuotasClient") -> None:
    with Stubber(client) as stub:
        stub.add_response("list_service_quotas", {"Quotas": [TRAINING]})
        stub.add_client_error("list_aws_default_service_quotas", "AccessDeniedException")
        assert find_quota(client, G5) is None


def test_one_that_is_not_listed_is_not_known(client: "ServiceQuotasClient") -> None:
    with Stubber(client) as stub:
        stub.add_response("list_service_quotas", {"Quotas": [TRAINING]})
        stub.add_response("list_aws_default_service_quotas", {"Quotas": []})
        assert find_quota(client, G5) is None


def test_who_may_not_ask_is_not_stopped(client: "ServiceQuotasClient") -> None:
    with Stubber(client) as stub:
        stub.add_client_error("list_service_quotas", "AccessDeniedException")
        assert find_quota(client, G5) is None


def test_a_quota_of_none_is_named_with_the_line_that_asks_for_more() -> None:
    quota = Quota(name="ml.g5.xlarge for endpoint usage", code="L-1928E07B", value=0)
    with pytest.raises(ProviderError) as refused:
        check_quota(quota, needed=1, region="eu-central-1")
    assert refused.value.message == (
        "The account may run 0 of ml.g5.xlarge for endpoint usage in eu-central-1, and 1 is needed."
    )
    assert refused.value.hint == (
        "aws service-quotas request-service-quota-increase --service-code sagemaker "
        "--quota-code L-1928E07B --desired-value 1 --region eu-central-1"
    )


def test_enough_is_enough_and_one_less_is_not() -> None:
    with pytest.raises(ProviderError, match="2 are needed"):
        check_quota(Quota(name="x", code="L-1", value=1), needed=2, region="eu-central-1")
    check_quota(Quota(name="x", code="L-1", value=2), needed=2, region="eu-central-1")


@pytest.mark.parametrize(
    ("floor", "exists", "needed"), [(0, False, 1), (3, False, 3), (0, True, 2), (3, True, 6)]
)
def test_an_update_has_the_old_machines_beside_the_new_ones(floor: int, exists: bool, needed: int) -> None:
    assert needed_machines(floor=floor, exists=exists) == needed
