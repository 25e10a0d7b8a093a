import pytest

from preheat.bundle.image.reference import is_loopback, parse_reference
from preheat.errors import BundleError

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("text", "registry", "repository", "version", "shown"),
    [
        ("python", "docker.io", "library/python", "latest", "python:latest"),
        ("python:3.12-slim", "docker.io", "library/python", "3.12-slim", "python:3.12-slim"),
        ("team/app:v1", "docker.io", "team/app", "v1", "team/app:v1"),
        ("index.docker.io/team/app", "docker.io", "team/app", "latest", "team/app:latest"),
        ("localhost/app", "localhost", "app", "latest", "localhost/app:latest"),
        ("host:5000/a/b/c:v", "host:5000", "a/b/c", "v", "host:5000/a/b/c:v"),
        ("[::1]:5000/app", "[::1]:5000", "app", "latest", "[::1]:5000/app:latest"),
        (f"ghcr.io/a/b@{DIGEST}", "ghcr.io", "a/b", DIGEST, f"ghcr.io/a/b@{DIGEST}"),
        (f"ghcr.io/a/b:v1@{DIGEST}", "ghcr.io", "a/b", DIGEST, f"ghcr.io/a/b:v1@{DIGEST}"),
    ],
)
def test_a_name_is_read_as_engines_read_it(
    text: str, registry: str, repository: str, version: str, shown: str
) -> None:
    read = parse_reference(text)
    assert (read.registry, read.repository, read.version, str(read)) == (registry, repository, version, shown)


@pytest.mark.parametrize(
    "text",
    ["", "App", "host.com/", "a:b:c", "a@sha256:12", f"a@sha512:{'a' * 128}", "a/../b", "a b", "http://x/a"],
)
def test_what_names_no_image_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BundleError, match="does not name an image") as caught:
        parse_reference(text)
    assert "python:3.12-slim" in str(caught.value.hint)


def test_docker_hub_answers_under_another_name() -> None:
    assert parse_reference("python").address == "https://registry-1.docker.io"


@pytest.mark.parametrize("host", ["localhost", "localhost:5000", "127.0.0.1:1", "127.9.9.9", "[::1]:5000"])
def test_plain_http_is_for_this_machine(host: str) -> None:
    assert is_loopback(host)
    assert parse_reference(f"{host}/app").address == f"http://{host}"


@pytest.mark.parametrize("host", ["localhost.example.com", "127.0.0.1.nip.io", "10.0.0.1:5000"])
def test_every_other_host_is_asked_by_https(host: str) -> None:
    assert parse_reference(f"{host}/app").address == f"https://{host}"
