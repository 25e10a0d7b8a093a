import pytest
from tests.fakes.aws.permissions import allowed, deploying, here
from tests.fakes.aws.requests import CONFIG, MODEL, requests_of
from tests.fakes.sagemaker_templates import variants

ENDPOINT = here("sagemaker", "endpoint/preheat-ocr-dev")
NEW, OURS = {"aws:RequestTag/preheat:name": "ocr"}, {"aws:ResourceTag/preheat:name": "ocr"}
KINDS = [("Model", MODEL), ("EndpointConfig", CONFIG)]


@pytest.mark.parametrize(("kind", "resource"), KINDS)
def test_a_model_is_made_with_the_tag_by_which_it_is_known(kind: str, resource: str) -> None:
    assert allowed(deploying(), f"sagemaker:Create{kind}", resource, **NEW)
    assert not allowed(deploying(), f"sagemaker:Create{kind}", resource)
    assert not allowed(deploying(), f"sagemaker:Create{kind}", resource, **{"aws:RequestTag/team": "ocr"})


@pytest.mark.parametrize(("kind", "resource"), KINDS)
def test_only_what_has_the_tag_is_removed(kind: str, resource: str) -> None:
    assert allowed(deploying(), f"sagemaker:Delete{kind}", resource, **OURS)
    assert not allowed(deploying(), f"sagemaker:Delete{kind}", resource)


@pytest.mark.parametrize(("kind", "resource"), KINDS)
def test_the_models_of_others_do_not_get_the_tag(kind: str, resource: str) -> None:
    making = {"sagemaker:TaggingAction": f"Create{kind}"}
    assert allowed(deploying(), "sagemaker:AddTags", resource, **NEW, **making)
    assert not allowed(deploying(), "sagemaker:AddTags", resource, **NEW)
    assert allowed(deploying(), "sagemaker:AddTags", resource, **NEW, **OURS)


@pytest.mark.parametrize(("kind", "resource"), KINDS)
def test_what_is_gone_may_be_asked_for(kind: str, resource: str) -> None:
    assert allowed(deploying(), f"sagemaker:Describe{kind}", resource)


@pytest.mark.parametrize("action", ["sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"])
def test_an_endpoint_runs_what_is_ours_under_a_name_of_ours(action: str) -> None:
    assert allowed(deploying(), action, ENDPOINT)
    assert allowed(deploying(), action, CONFIG, **OURS)
    assert not allowed(deploying(), action, CONFIG)
    assert not allowed(deploying(), action, here("sagemaker", "endpoint/fraud"), **OURS)


@pytest.mark.parametrize(
    ("action", "ours", "others"),
    [
        ("sns:DeleteTopic", here("sns", "preheat-ocr-dev-endpoint-ResultTopic-1A"), here("sns", "orders")),
        ("sagemaker:DeleteEndpoint", ENDPOINT, here("sagemaker", "endpoint/fraud")),
        ("sagemaker:InvokeEndpointAsync", ENDPOINT, here("sagemaker", "endpoint/fraud")),
        (
            "logs:FilterLogEvents",
            here("logs", "log-group:/aws/sagemaker/Endpoints/preheat-ocr-dev:log-stream:"),
            here("logs", "log-group:/aws/sagemaker/Endpoints/fraud:log-stream:"),
        ),
        (
            "cloudwatch:PutMetricAlarm",
            here("cloudwatch", "alarm:TargetTracking-endpoint/preheat-ocr-dev/variant/main-AlarmHigh-1"),
            here("cloudwatch", "alarm:TargetTracking-endpoint/fraud/variant/main-AlarmHigh-1"),
        ),
    ],
)
def test_names_end_where_those_of_others_begin(action: str, ours: str, others: str) -> None:
    assert allowed(deploying(), action, ours)
    assert not allowed(deploying(), action, others)


def test_the_quotas_are_those_of_the_whole_account() -> None:
    assert allowed(deploying(), "servicequotas:ListServiceQuotas", "*")


def test_cloudformation_is_let_in_wherever_it_asks_of_sagemaker_and_scaling() -> None:
    requests = [each for variant in variants() for each in requests_of(variant.template())]
    refused = [
        (action, resource, known)
        for action, resource, known in requests
        if not allowed(deploying(), action, resource, **known)
    ]
    assert requests
    assert refused == []
