"""The function's credentials: in the environment, or behind a local address where SnapStart is on."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from preheat.errors import ProviderError

TIMEOUT_S = 5
KEY, SECRET, TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
ADDRESS = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
BEARER, BEARER_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
"""SnapStart sets these in place of the keys, which a snapshot would keep for longer than they are valid:
docs.aws.amazon.com/lambda/latest/dg/snapstart-activate.html#snapstart-credentials"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Temporary keys of the function's role."""

    key: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


def read_credentials(environ: Mapping[str, str]) -> Credentials:
    """Return the credentials that `environ` holds or leads to. Raises ProviderError if there are none."""
    if KEY in environ and SECRET in environ:
        return Credentials(key=environ[KEY], secret=environ[SECRET], token=environ.get(TOKEN))
    if ADDRESS not in environ:
        raise ProviderError(
            f"There are no credentials to read the weights with: neither {KEY} nor {ADDRESS} is set.",
            hint="Lambda sets them for every function that has a role.",
        )
    headers = {}
    if BEARER_FILE in environ:
        headers["Authorization"] = Path(environ[BEARER_FILE]).read_text().strip()
    elif BEARER in environ:
        headers["Authorization"] = environ[BEARER]
    return _fetch(environ[ADDRESS], headers)


def _fetch(address: str, headers: Mapping[str, str]) -> Credentials:
    parts = urlsplit(address)
    if parts.scheme != "http" or parts.hostname is None:
        raise ProviderError(
            f"{ADDRESS} is {address!r}, and credentials are served over http, on this machine."
        )
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}".rstrip("?"), headers=dict(headers))
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as exc:
        raise ProviderError(
            f"The function's credentials could not be read from {parts.netloc}: {exc}."
        ) from exc
    finally:
        connection.close()
    if answer.status != http.client.OK:
        raise ProviderError(f"{parts.netloc} answered {answer.status} to the question for credentials.")
    document = json.loads(body)
    return Credentials(
        key=document["AccessKeyId"], secret=document["SecretAccessKey"], token=document.get("Token")
    )
