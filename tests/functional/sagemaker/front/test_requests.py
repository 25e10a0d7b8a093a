"""The front of a real-time endpoint, before InvokeEndpoint as botocore knows it; answers are made here."""

import io
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.response import StreamingBody
from botocore.stub import Stubber
from tests.fakes.sagemaker.urls import body_of, json_of, url_event

from preheat_providers.sagemaker.front.exchange import answered
from preheat_providers.sagemaker.front.requests import Requests

NAME = "preheat-ocr-dev"
PROBLEM = '{"type": "about:blank", "title": "Bad Request", "status": 400, "detail": "no"}'


@pytest.fixture
def client(s3_endpoint: str) -> Any:
    return boto3.client("sagemaker-runtime", region_name="us-east-1")


def ask(client: Any, method: str = "POST", path: str = "/invocations", **headers: str) -> dict[str, Any]:
    return answered(url_event(method, path, b"1", **headers), Requests(client, NAME, None, "{}").answer)


def test_a_request_goes_through_with_its_type_and_its_id(client: Any) -> None:
    answer = {"Body": StreamingBody(io.BytesIO(b"\xff"), 1), "ContentType": "image/png"}
    wanted = {
        "EndpointName": NAME,
        "Body": b"1",
        "ContentType": "application/json",
        "CustomAttributes": "tenant=7",
        "InferenceId": "r1",
    }
    with Stubber(client) as stub:
        stub.add_response("invoke_endpoint", answer, wanted)
        found = ask(
            client,
            content_type="application/json",
            x_amzn_sagemaker_custom_attributes="tenant=7",
            x_request_id="r1",
        )
    assert (found["statusCode"], body_of(found)) == (200, b"\xff")
    assert found["headers"]["content-type"] == "image/png"


@pytest.mark.parametrize(
    ("status", "code", "more"),
    [
        (400, "ModelError", {"OriginalStatusCode": 400, "OriginalMessage": PROBLEM}),
        (500, "ModelError", {"OriginalStatusCode": 500, "OriginalMessage": "boom"}),
        (502, "ModelError", {"OriginalStatusCode": 0, "OriginalMessage": "gone"}),
        (429, "ThrottlingException", {}),
        (503, "ServiceUnavailable", {}),
        (503, "ModelNotReadyException", {}),
        (502, "Unheard", {}),
        (400, "ValidationError", {}),
    ],
)
def test_a_refusal_has_the_status_of_the_model_or_one_of_ours(
    client: Any, status: int, code: str, more: dict[str, Any]
) -> None:
    with Stubber(client) as stub:
        stub.add_client_error("invoke_endpoint", code, modeled_fields=more)
        found = ask(client)
    assert (found["statusCode"], json_of(found)["status"]) == (status, status)
    assert found["headers"]["content-type"] == "application/problem+json"
    assert ("retry-after" in found["headers"]) == (status in (429, 503))


def test_what_sagemaker_finds_wrong_with_a_request_is_said(client: Any) -> None:
    with Stubber(client) as stub:
        stub.add_client_error("invoke_endpoint", "ValidationError", "the payload is too large")
        assert "the payload is too large" in json_of(ask(client))["detail"]


def test_an_endpoint_that_is_not_there_may_come(client: Any) -> None:
    with Stubber(client) as stub:
        stub.add_client_error("invoke_endpoint", "ValidationError", f"Endpoint {NAME} not found.")
        found = ask(client)
    assert (found["statusCode"], found["headers"]["retry-after"]) == (503, "1")


def test_a_body_beyond_what_the_endpoint_takes_is_413_and_is_not_sent(client: Any) -> None:
    requests = Requests(client, NAME, None, body_bytes=10)
    with Stubber(client):
        found = answered(url_event("POST", "/invocations", b"x" * 11), requests.answer)
    assert (found["statusCode"], "takes 10" in json_of(found)["detail"]) == (413, True)


def test_a_model_that_does_not_answer_in_time_is_504(client: Any) -> None:
    def late(**_: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://runtime")

    client.meta.events.register("before-send.sagemaker-runtime.InvokeEndpoint", late)
    assert ask(client)["statusCode"] == 504


@pytest.mark.parametrize(
    ("status", "method", "path"),
    [(404, "POST", "/x"), (501, "POST", "/jobs"), (405, "GET", "/predict"), (200, "GET", "/ping")],
)
def test_other_routes_say_what_they_are(client: Any, status: int, method: str, path: str) -> None:
    assert ask(client, method, path)["statusCode"] == status
