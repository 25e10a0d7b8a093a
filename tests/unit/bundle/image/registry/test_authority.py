from contextlib import closing

import httpx
import pytest
from tests.fakes.image_bench import Bench
from tests.fakes.registry import Registry, serving

from preheat.bundle.image.registry.authority import Authority
from preheat.bundle.image.registry.credentials import Login
from preheat.bundle.image.registry.problems import RegistryError
from preheat.bundle.image.registry.transport import Answer, Transport

ME = Login("me", "secret")


@pytest.fixture
def bench(bench: Bench) -> Bench:
    bench.registry.login = ("me", "secret")
    return bench


def test_basic_is_sent_once_it_is_asked_for_and_not_before(bench: Bench) -> None:
    bench.logins = lambda host: ME if host == bench.registry.host else None
    repository = bench.repository()
    repository.ping()
    repository.ping()
    assert bench.registry.authorizations == [None, ME.basic, ME.basic]


def test_a_token_is_fetched_for_what_is_to_be_done(bench: Bench) -> None:
    bench.registry.tokens, bench.logins = True, lambda _: ME
    to = bench.named("app")
    repository = bench.registries.to_write(to, mount_from="base")
    repository.ping()
    assert repository.digest("none") is None
    assert bench.registry.scopes == [["repository:app:pull,push", "repository:base:pull"]]


def test_a_token_that_ran_out_is_fetched_anew(bench: Bench) -> None:
    bench.registry.tokens, bench.registry.token_uses, bench.logins = True, 1, lambda _: ME
    repository = bench.repository()
    for _ in range(3):
        repository.ping()
    assert len(bench.registry.scopes) == 3


def test_an_identity_token_is_exchanged(bench: Bench) -> None:
    bench.registry.tokens = True
    bench.logins = lambda _: Login("<token>", "secret", identity=True)
    bench.repository().ping()
    assert bench.registry.asked("POST /token")


def test_without_a_login_a_token_is_asked_for_anonymously(bench: Bench) -> None:
    bench.registry.tokens, bench.registry.login = True, None
    bench.repository().ping()


@pytest.mark.parametrize("tokens", [False, True])
@pytest.mark.parametrize("login", [None, Login("me", "wrong")])
def test_a_wrong_login_ends_with_the_line_that_logs_in(
    bench: Bench, tokens: bool, login: Login | None
) -> None:
    bench.registry.tokens, bench.logins = tokens, lambda _: login
    with pytest.raises(RegistryError) as caught:
        bench.repository().ping()
    assert caught.value.status == 401
    assert f"docker login {bench.registry.host}" in str(caught.value.hint)


def test_a_password_is_shown_nowhere(bench: Bench) -> None:
    bench.logins = lambda _: Login("me", "hunter2")
    with pytest.raises(RegistryError) as caught:
        bench.repository().ping()
    assert "hunter2" not in f"{caught.value.message} {caught.value.hint} {Login('me', 'hunter2')!r}"


def test_a_login_is_sent_to_no_realm_without_tls(bench: Bench) -> None:
    transport = Transport(bench.named("app"))
    headers = httpx.Headers({"WWW-Authenticate": 'Bearer realm="http://10.0.0.1/token",service="x"'})
    authority = Authority(transport, lambda _: ME)
    with pytest.raises(RegistryError, match="which is not https"):
        authority.renew(("x",), None, Answer(401, headers, b"", "http://x"))
    transport.close()


@pytest.mark.parametrize(
    "fields",
    [
        ['{bearer}, Basic realm="Artifactory Realm"'],
        ['Basic realm="Artifactory Realm", {bearer}'],
        ['Basic realm="one, and \\"Bearer realm=two\\"",charset="UTF-8"', "{bearer}"],
        ['Negotiate, NTLM abc==, , {bearer}, Bearer realm="https://elsewhere.example.com/token"'],
    ],
)
@pytest.mark.parametrize("login", [None, ME])
def test_of_several_challenges_a_token_is_preferred(
    bench: Bench, fields: list[str], login: Login | None
) -> None:
    bench.registry.login = None if login is None else (login.user, login.password)
    bearer = f'Bearer realm="http://{bench.registry.host}/token" , service = "fake"'
    headers = httpx.Headers([("WWW-Authenticate", field.format(bearer=bearer)) for field in fields])
    with closing(Transport(bench.named("app"))) as transport:
        authority = Authority(transport, lambda _: login)
        authority.renew(("x",), None, Answer(401, headers, b"", "http://x"))
    assert str(authority.proof(("x",))).startswith("Bearer token-")
    assert bench.registry.asked("GET /token") == ["GET /token?service=fake&scope=x"]


def test_a_password_is_sent_where_the_other_ways_are_unknown(bench: Bench) -> None:
    headers = httpx.Headers({"WWW-Authenticate": 'Negotiate, Basic realm="x", Bearer error="invalid_token"'})
    with closing(Transport(bench.named("app"))) as transport:
        authority = Authority(transport, lambda _: ME)
        authority.renew(("x",), None, Answer(401, headers, b"", "http://x"))
    assert authority.proof(("x",)) == ME.basic


def test_a_redirect_to_another_host_loses_the_login(bench: Bench) -> None:
    bench.logins = lambda _: ME
    with serving(Registry()) as elsewhere:
        digest = bench.registry.add("app", b"content")
        elsewhere.add("app", b"content")
        bench.registry.redirect_to = f"http://{elsewhere.host}"
        assert b"".join(bench.repository().read_blob(digest, 0, 7)) == b"content"
        assert elsewhere.authorizations == [None]
