"""The token of an endpoint: made once; only its hash is kept."""

import secrets


def new_token() -> str:
    """Return 256 random bits as URL-safe text."""
    return secrets.token_urlsafe(32)
