"""Which region, which endpoint, which keys; nothing of it from this process's environment."""

from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from preheat.errors import ProviderError
from preheat_providers._aws.session import Account, Session

KEYS = {"AWS_ACCESS_KEY_ID": "AKIATESTONLY", "AWS_SECRET_ACCESS_KEY": "never-to-be-logged"}


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What botocore reads by itself belongs to this machine."""
    for name in (
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    configuration = tmp_path / "config"
    configuration.write_text("[profile work]\nregion = ap-south-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(configuration))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_the_region_asked_for_beats_the_environment_and_that_the_profile() -> None:
    environ = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_PROFILE": "work"}
    assert Session("eu-central-1", environ).region == "eu-central-1"
    assert Session(None, {**environ, "AWS_REGION": "eu-west-1"}).region == "eu-west-1"
    assert Session(None, environ).region == "us-east-1"
    assert Session(None, {"AWS_PROFILE": "work"}).region == "ap-south-1"


def test_no_region_is_an_error_with_the_line_to_paste() -> None:
    with pytest.raises(ProviderError, match="the profile 'default' name none") as caught:
        _ = Session(None, {}).region
    assert str(caught.value.hint).startswith("export AWS_REGION=")


def test_an_unknown_profile_is_an_error_with_the_fix() -> None:
    with pytest.raises(ProviderError, match="no profile nobody") as caught:
        Session("eu-central-1", {"AWS_PROFILE": "nobody"}).client("sts")
    assert "aws configure list-profiles" in str(caught.value.hint)


def test_half_a_key_is_an_error_with_the_fix() -> None:
    with pytest.raises(ProviderError, match="needs both halves"):
        Session("eu-central-1", {"AWS_ACCESS_KEY_ID": "AKIATESTONLY"}).client("sts")


def test_no_credentials_at_all_is_an_error_with_the_fix() -> None:
    with pytest.raises(ProviderError, match="does not say who is asking: Unable to locate credentials"):
        Session("eu-central-1", {}).account()


def test_a_client_is_made_once_and_talks_to_the_region() -> None:
    session = Session("eu-central-1", KEYS)
    client = session.client("lambda")
    assert session.client("lambda") is client
    assert client.meta.endpoint_url == "https://lambda.eu-central-1.amazonaws.com"


@pytest.mark.parametrize(
    ("environ", "logs", "s3"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "http://127.0.0.1:1", "http://127.0.0.1:1"),
        (
            {
                "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
                "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": "http://127.0.0.1:2",
            },
            "http://127.0.0.1:2",
            "http://127.0.0.1:1",
        ),
        (
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
            "https://logs.eu-central-1.amazonaws.com",
            "https://s3.eu-central-1.amazonaws.com",
        ),
    ],
)
def test_endpoints_of_the_environment_are_honoured(environ: dict[str, str], logs: str, s3: str) -> None:
    session = Session("eu-central-1", KEYS | environ)
    assert session.client("logs").meta.endpoint_url == logs
    assert session.client("s3").meta.endpoint_url == s3


def test_a_call_that_runs_a_users_code_may_take_long_and_is_never_repeated() -> None:
    session = Session("eu-central-1", KEYS)
    usual, patient = session.client("lambda"), session.client("lambda", answer_s=905.0)
    assert usual is not patient
    configs: list[Any] = [usual.meta.config, patient.meta.config]
    assert [config.read_timeout for config in configs] == [60.0, 905.0]
    assert [config.retries["total_max_attempts"] for config in configs] == [6, 1]


def test_the_account_is_asked_for_once() -> None:
    session = Session("cn-north-1", KEYS)
    answer = {"Account": "123456789012", "Arn": "arn:aws-cn:iam::123456789012:user/ann", "UserId": "A"}
    with Stubber(session.client("sts")) as stub:
        stub.add_response("get_caller_identity", answer)
        assert session.account() == session.account()
        assert session.account() == Account(id="123456789012", region="cn-north-1", partition="aws-cn")
