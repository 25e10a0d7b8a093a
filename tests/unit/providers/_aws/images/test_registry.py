import base64
from typing import Any, cast

import pytest

from preheat.bundle.image.registry.credentials import Login
from preheat_providers._aws.images.registry import Registry

HOST = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


class Session:
    """An account whose ECR gives a login, and counts how often."""

    def __init__(self) -> None:
        self.asked = 0

    def client(self, name: str) -> Any:
        assert name == "ecr"
        return self

    def get_authorization_token(self) -> Any:
        self.asked += 1
        token = base64.b64encode(b"AWS:secret").decode()
        return {"authorizationData": [{"authorizationToken": token, "proxyEndpoint": f"https://{HOST}"}]}


def registry(session: Session, host: str | None = None) -> Registry:
    others = {"ghcr.example": Login("me", "mine")}
    return Registry(cast("Any", session), others.get, (lambda _: host) if host else (lambda own: own))


@pytest.mark.parametrize(
    "name",
    [
        HOST,
        "999999999999.dkr.ecr.us-east-1.amazonaws.com",
        "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
        "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com",
    ],
)
def test_every_registry_of_ecr_gets_its_login_and_one_is_asked_for_once(name: str) -> None:
    session = Session()
    ours = registry(session)
    assert ours(name) == ours(HOST) == Login("AWS", "secret")
    assert session.asked == 1


@pytest.mark.parametrize("name", ["docker.io", "ghcr.example", "123456789012.dkr.ecr.evil.example"])
def test_no_other_registry_gets_it(name: str) -> None:
    session = Session()
    found = registry(session)(name)
    assert found == (Login("me", "mine") if name == "ghcr.example" else None)
    assert session.asked == 0


def test_images_go_to_the_registry_of_the_account_however_it_is_reached() -> None:
    assert registry(Session()).host == HOST
    near = registry(Session(), "127.0.0.1:5000")
    assert near.host == "127.0.0.1:5000"
    assert near("127.0.0.1:5000") == Login("AWS", "secret")
