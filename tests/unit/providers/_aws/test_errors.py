"""What boto3 raises becomes one error of ours that says what, why and what to do."""

import pytest
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from preheat.errors import ProviderError
from preheat_providers._aws.errors import translated


def refusal(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "CreateFunction")


def raised(error: Exception) -> ProviderError:
    with pytest.raises(ProviderError) as caught, translated("The function cannot be made"):
        raise error
    assert caught.value.__cause__ is error
    return caught.value


def test_the_error_says_what_failed_with_which_words_and_what_to_do() -> None:
    error = raised(refusal("Throttling", "Rate exceeded"))
    assert error.message == (
        "The function cannot be made: Rate exceeded (Throttling)."
        " The account asks AWS more often than it may, in several tries."
    )
    assert error.hint == "The same command again, in a minute; and fewer of them at once."


def test_an_unknown_error_keeps_its_own_words_and_has_no_invented_fix() -> None:
    error = raised(refusal("TeapotException", "I am a teapot."))
    assert (error.message, error.hint) == (
        "The function cannot be made: I am a teapot (TeapotException).",
        None,
    )


def test_errors_of_the_connection_and_of_boto3_itself_are_translated() -> None:
    assert raised(NoCredentialsError()).hint is not None
    unreachable = raised(EndpointConnectionError(endpoint_url="https://sts.eu-west-9.amazonaws.com/"))
    assert "eu-west-9" in str(unreachable.hint)
    upload = S3UploadFailedError(
        "Failed: An error occurred (NoSuchBucket) when calling the PutObject operation"
    )
    assert "preheat bootstrap --provider lambda" in str(raised(upload).hint)


def test_no_secret_is_in_the_message() -> None:
    said = 'exceeded the 4KB limit. String measured: {"API_KEY":"hunter2"}'
    error = raised(refusal("InvalidParameterValueException", said))
    assert "hunter2" not in f"{error.message}{error.hint}"


def test_other_errors_pass() -> None:
    with pytest.raises(KeyError), translated("The function cannot be made"):
        raise KeyError("ours")
