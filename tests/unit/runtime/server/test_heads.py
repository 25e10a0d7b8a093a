from http import HTTPStatus

import pytest

from preheat.runtime.server.heads import Refused, check_codings, check_head, check_size, without_upgrade


@pytest.mark.parametrize(
    "host", [b"", b"example.org", b"example.org:8080", b"[::1]:80", b"10.0.0.1", b"a_b", b"%41", b"x:"]
)
def test_a_host_is_a_name_or_an_address_with_an_optional_port(host: bytes) -> None:
    check_head("1.1", [host])


@pytest.mark.parametrize(
    "host", [b"a b", b"a/b", b"user@a", b"a:b", b"a?", b"a#", b"[::1", b"\xff", b"a:1:2"]
)
def test_what_is_no_host_is_refused(host: bytes) -> None:
    with pytest.raises(Refused) as refused:
        check_head("1.1", [host])
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("version", "hosts", "status"),
    [
        ("1.1", [], 400),
        ("1.1", [b"a", b"a"], 400),
        ("1.0", [b"a", b"b"], 400),
        ("0.9", [], 505),
        ("2.0", [b"a"], 505),
        ("1.0", [], None),
        ("1.0", [b"a"], None),
    ],
)
def test_one_host_is_needed_and_no_second_taken(version: str, hosts: list[bytes], status: int | None) -> None:
    if status is None:
        check_head(version, hosts)
    else:
        with pytest.raises(Refused) as refused:
            check_head(version, hosts)
        assert refused.value.status == status


@pytest.mark.parametrize(
    ("values", "version", "status"),
    [
        ([b"chunked"], "1.0", 400),
        ([b"chunked", b"chunked"], "1.1", 400),
        ([b"chunked, Chunked"], "1.1", 400),
        ([b"gzip, chunked"], "1.1", 501),
        ([b"gzip", b"chunked"], "1.1", 501),
        ([b"identity"], "1.1", 501),
        ([b""], "1.1", 501),
    ],
)
def test_every_coding_but_one_chunked_is_refused(values: list[bytes], version: str, status: int) -> None:
    with pytest.raises(Refused) as refused:
        check_codings(values, version)
    assert refused.value.status == status
    check_codings([b" Chunked\t"], "1.1")


def test_a_head_may_be_as_large_as_its_bound() -> None:
    check_size(b"/abc", [(b"a", b"bcd"), (b"e", b"f")], 10)
    with pytest.raises(Refused) as refused:
        check_size(b"/abc", [(b"a", b"bcd"), (b"e", b"fg")], 10)
    assert refused.value.status == 431


def test_a_refusal_is_a_problem_document_that_closes_the_connection() -> None:
    answer = Refused(HTTPStatus.SERVICE_UNAVAILABLE, 'Too "many".', retry_after_s=2).answer()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 503 Service Unavailable",
        b"content-type: application/problem+json",
        b"content-length: %d" % len(body),
        b"connection: close",
        b"retry-after: 2",
    ]
    assert body == (
        b'{"type": "about:blank", "title": "Service Unavailable", "status": 503, "detail": "Too \\"many\\"."}'
    )


def test_a_request_without_its_upgrade_is_otherwise_the_same() -> None:
    headers = [
        (b"host", b"x"),
        (b"connection", b"Upgrade, HTTP2-Settings, Close"),
        (b"upgrade", b"h2c"),
        (b"http2-settings", b"AAMA"),
        (b"content-length", b"3"),
    ]
    assert without_upgrade(b"POST", b"/a", "1.1", headers) == (
        b"POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\nconnection: close\r\n\r\n"
    )
