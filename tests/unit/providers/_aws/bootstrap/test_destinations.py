import pytest
from tests.fakes.aws.permissions import allowed, deploying, here


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("events:CreateConnection", "events:connection/{}-uploads/1-2"),
        ("events:CreateApiDestination", "events:api-destination/{}-uploads/1-2"),
        ("events:CreateApiDestination", "events:connection/{}-uploads/1-2"),
        ("secretsmanager:CreateSecret", "secretsmanager:secret:events!connection/{}-uploads/1-2"),
        ("secretsmanager:GetSecretValue", "secretsmanager:secret:events!connection/{}-uploads/1-2"),
    ],
)
def test_connections_and_their_secrets_are_those_of_our_names(action: str, resource: str) -> None:
    service, _, rest = resource.partition(":")
    assert allowed(deploying(), action, here(service, rest.format("preheat-ocr-dev")))
    assert not allowed(deploying(), action, here(service, rest.format("shop")))


def test_no_other_secret_is_read() -> None:
    assert not allowed(
        deploying(), "secretsmanager:GetSecretValue", here("secretsmanager", "secret:preheat-database-1A")
    )
