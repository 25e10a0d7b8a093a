"""Who may call an endpoint: its token is kept as a hash, and compared in constant time."""

import hashlib
import hmac
from collections.abc import Callable, Mapping

from preheat.errors import Unauthorized


def token_hash(token: str) -> str:
    """Return what may be kept of `token`: its SHA-256 in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def bearer_check(expected_hash: str) -> Callable[[Mapping[str, str]], None]:
    """Return a check of request headers (lower-case names) that raises Unauthorized unless the token fits."""

    def check(headers: Mapping[str, str]) -> None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized("This endpoint wants a token: send the header Authorization: Bearer TOKEN.")
        if not hmac.compare_digest(token_hash(token.strip()), expected_hash):
            raise Unauthorized("The token is wrong.")

    return check


def open_door(headers: Mapping[str, str]) -> None:
    """Let every caller in: the check of an endpoint without a token."""
