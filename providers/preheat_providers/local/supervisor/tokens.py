"""The token of an endpoint: made once, kept as a hash, compared in constant time."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping

from preheat.errors import Unauthorized


def new_token() -> str:
    """Return 256 random bits as URL-safe text."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return what the state file keeps of `token`: its SHA-256 in hex."""
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
    """Let every caller in: the check of an endpoint with `auth = "none"`."""
