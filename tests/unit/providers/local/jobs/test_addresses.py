import ipaddress

import pytest

from preheat.errors import BadInput
from preheat_providers.local.jobs.addresses import Refused, check_url, reachable, resolve


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::80ff:fffe",
    ],
)
def test_an_address_that_is_not_public_is_out_of_reach(address: str) -> None:
    assert not reachable(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101"])
def test_a_public_address_is_reachable(address: str) -> None:
    assert reachable(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://[::1]:8443/",
        "https://169.254.169.254/latest/meta-data/",
        "https://user@example.com/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https:///path",
        "file:///etc/passwd",
        "gopher://example.com/",
        "https://exämple.com/",
        "https://example.com/a b",
        "https://example.com/\r\nx: y",
        "https://example.com/" + "a" * 2048,
    ],
)
def test_a_url_that_no_webhook_may_have_is_refused(url: str) -> None:
    with pytest.raises(BadInput):
        check_url(url, private=False)


def test_a_function_may_allow_its_own_network() -> None:
    assert check_url("http://127.0.0.1:8080/hook", private=True).port == 8080
    assert resolve("127.0.0.1", 8080, private=True) == ("127.0.0.1",)


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f000001"])
def test_a_name_is_judged_by_the_address_that_is_connected_to(host: str) -> None:
    with pytest.raises(Refused, match="not a public address"):
        resolve(host, 443, private=False)
