import grpc
import pytest

from preheat import errors
from preheat.errors import RequestError
from preheat.runtime.grpc.statuses import CODES, LONGEST_DETAILS, code_of, details_of, trailers

OF_HTTP_ALONE = {405, 408, 409}
"""A method, a slow body and an idempotency key: gRPC and the protocol have none of these."""


def test_every_error_has_a_code() -> None:
    kinds = [each for each in vars(errors).values() if isinstance(each, type)]
    statuses = {each.status for each in kinds if issubclass(each, RequestError)}
    assert statuses - CODES.keys() == OF_HTTP_ALONE


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, grpc.StatusCode.INVALID_ARGUMENT),
        (507, grpc.StatusCode.INTERNAL),
        (429, grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
)
def test_a_status_without_a_code_keeps_whose_doing_it_was(status: int, code: grpc.StatusCode) -> None:
    assert code_of(status) is code


def test_a_long_text_is_cut() -> None:
    assert details_of("x" * 5000) == "x" * LONGEST_DETAILS + "..."


def test_only_headers_that_callers_read_become_trailers() -> None:
    headers = {"retry-after": "3", "x-preheat-release": "2", "www-authenticate": "Bearer", "allow": "GET"}
    assert trailers("r", headers) == [
        ("x-request-id", "r"),
        ("retry-after", "3"),
        ("x-preheat-release", "2"),
    ]
