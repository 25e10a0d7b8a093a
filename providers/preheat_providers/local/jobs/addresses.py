"""Where a webhook may go. Its URL comes from a caller, who must not reach through us into this network."""

import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

from preheat.errors import BadInput

LONGEST_URL = 2048


class Refused(Exception):
    """The address is one that a webhook may not reach; the message says why."""


def check_url(url: str, *, private: bool) -> SplitResult:
    """Return the URL in parts if its text alone does not forbid it. Raises BadInput.

    `private` allows plain http and the addresses of this machine and its networks.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadInput(f"The webhook {url!r} is no URL: {error}.") from error
    schemes = ("https", "http") if private else ("https",)
    if parts.scheme not in schemes:
        raise BadInput(f"The webhook {url!r} has the scheme {parts.scheme!r}. Send {' or '.join(schemes)}.")
    if not host or port == 0 or len(url) > LONGEST_URL or not url.isascii() or _has_blank(url):
        raise BadInput(
            f"The webhook must be a URL with a host, in ASCII, of at most {LONGEST_URL} characters."
        )
    if parts.username is not None or parts.password is not None:
        raise BadInput(
            "The webhook's URL carries a user name or password. Put a secret into its path instead."
        )
    if not private and (literal := _literal(host)) is not None and not reachable(literal):
        raise BadInput(
            f"The webhook's address {host} is not a public one, which this function does not allow."
        )
    return parts


def resolve(host: str, port: int, *, private: bool) -> tuple[str, ...]:
    """Look `host` up and return its addresses. Raises Refused if one is not public, OSError from the look-up.

    The caller connects to one of these very addresses: a second look-up could answer differently.
    """
    found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    if not private:
        for address in sorted(found):
            if not reachable(ipaddress.ip_address(address)):
                raise Refused(f"{host} is at {address}, which is not a public address")
    return tuple(sorted(found, key=lambda address: (":" in address, address)))


def reachable(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Say whether `address` is a public unicast one, also when IPv6 wraps an IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address):
        wrapped = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if wrapped is None and address in _NAT64:
            wrapped = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if wrapped is not None:
            return reachable(wrapped)
        if address.is_site_local:  # fec0::/10: private until RFC 3879, given to nobody since
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _has_blank(url: str) -> bool:
    return any(character <= " " or character == "\x7f" for character in url)
