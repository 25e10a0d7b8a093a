"""What of AWS's words reaches a screen."""

import pytest
from tests.fakes.aws_errors import handler

from preheat_providers._aws.scrubbing import plain, scrubbed


def test_the_envelope_of_a_handler_is_taken_off() -> None:
    assert plain(handler("Unzipped size must be smaller than 262144000 bytes")) == (
        "Unzipped size must be smaller than 262144000 bytes"
    )
    assert plain("Nothing (Service: AWSLambda; Status Code: 400; Error Code: X; Request ID: 1)") == "Nothing"
    assert plain("It failed (twice)") == "It failed (twice)"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (
            'exceeded the 4KB limit. String measured: {"API_KEY":"hunter2"}',
            "exceeded the 4KB limit. String measured: ...",
        ),
        (
            "Value '{API_KEY=hunter2, 1=x}' at 'environment.variables' failed to satisfy constraint",
            "Value ... at 'environment.variables' failed to satisfy constraint",
        ),
        (
            "Invalid type for parameter Parameters[0].ParameterValue, value: hunter2, type: <class 'int'>,"
            " valid types: <class 'str'>",
            "Invalid type for parameter Parameters[0].ParameterValue, value: ..., type: <class 'int'>,"
            " valid types: <class 'str'>",
        ),
        (
            "The Canonical String for this request should have been 'POST\nx-amz-security-token:hunter2'",
            "The Canonical String for this request should have been ...",
        ),
        (
            "not authorized. Encoded authorization failure message: 0l-KPWQJhunter2",
            "not authorized. Encoded authorization failure message: ...",
        ),
        (
            "GET https://b.s3.amazonaws.com/k?X-Amz-Credential=hunter2%2F1&X-Amz-Signature=hunter2 403",
            "GET https://b.s3.amazonaws.com/k?X-Amz-Credential=...&X-Amz-Signature=... 403",
        ),
        ("the key AKIAIOSFODNN7EXAMPLE is unknown", "the key AKIAIOSF... is unknown"),
        ("proxy http://ann:hunter2@proxy:3128", "proxy http://...@proxy:3128"),
    ],
)
def test_secrets_are_taken_out(message: str, shown: str) -> None:
    assert scrubbed(message) == shown
