import base64
import json
from pathlib import Path
from typing import Any

import pytest

from preheat.bundle.image.registry.credentials import DockerLogins, Login
from preheat.bundle.image.registry.problems import RegistryError

AUTH = base64.b64encode(b"me:se:cret").decode()


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write(config: Any, **helpers: str) -> DockerLogins:
        text = config if isinstance(config, str) else json.dumps(config)
        (tmp_path / "config.json").write_text(text)
        for name, script in helpers.items():
            program = tmp_path / f"docker-credential-{name}"
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)
        return DockerLogins({"DOCKER_CONFIG": str(tmp_path), "PATH": f"{tmp_path}:/usr/bin:/bin"})

    return write


def test_without_a_file_there_is_no_login(tmp_path: Path) -> None:
    assert DockerLogins({"DOCKER_CONFIG": str(tmp_path)})("host") is None


@pytest.mark.parametrize("key", ["host:5000", "https://host:5000", "https://host:5000/"])
def test_a_login_is_found_under_each_way_to_write_the_host(write: Any, key: str) -> None:
    assert write({"auths": {key: {"auth": AUTH}}})("host:5000") == Login("me", "se:cret")


def test_docker_hub_has_a_name_of_its_own(write: Any) -> None:
    logins = write({"auths": {"https://index.docker.io/v1/": {"auth": AUTH}}})
    assert logins("docker.io") == Login("me", "se:cret")
    assert logins("other.io") is None


def test_an_identity_token_is_told_from_a_password(write: Any) -> None:
    assert write({"auths": {"host": {"auth": AUTH, "identitytoken": "t"}}})("host").identity


def test_a_helper_is_asked_for_its_host_alone(write: Any) -> None:
    script = (
        'read host; [ "$host" = ecr.host ] && echo "{\\"Username\\": \\"AWS\\", \\"Secret\\": \\"$host\\"}"'
    )
    logins = write({"credHelpers": {"ecr.host": "ecr"}, "auths": {"host": {"auth": AUTH}}}, ecr=script)
    assert logins("ecr.host") == Login("AWS", "ecr.host")
    assert logins("host") == Login("me", "se:cret")


def test_a_store_that_has_no_login_is_no_error(write: Any) -> None:
    script = 'echo "credentials not found in native keychain"; exit 1'
    assert write({"credsStore": "desktop", "auths": {"host": {}}}, desktop=script)("host") is None


@pytest.mark.parametrize(
    ("config", "helpers", "words"),
    [
        ("{", {}, "cannot be read"),
        ({"auths": {"host": {"auth": "?"}}}, {}, "broken login for host"),
        ({"credHelpers": {"host": "gone"}}, {}, "docker-credential-gone, which is not on PATH"),
        (
            {"credHelpers": {"host": "bad"}},
            {"bad": "echo no; exit 3"},
            "bad failed for host: no",
        ),
        ({"credHelpers": {"host": "odd"}}, {"odd": "echo []"}, "what is no login"),
    ],
)
def test_what_cannot_be_used_is_an_error(
    write: Any, config: Any, helpers: dict[str, str], words: str
) -> None:
    with pytest.raises(RegistryError, match=words):
        write(config, **helpers)("host")
