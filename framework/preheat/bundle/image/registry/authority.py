"""The proof that a registry wants with each request: none, user and password, or a token fetched with those.

A registry says which in the answer 401 (RFC 9110 11.6.1); how a token is fetched is
https://distribution.github.io/distribution/spec/auth/token/ (read 2026-11-21).
"""

import json
import re
import threading
from collections.abc import Sequence
from urllib.parse import urlencode, urlsplit

from preheat.bundle.image.reference import is_loopback
from preheat.bundle.image.registry.credentials import Login, Logins
from preheat.bundle.image.registry.problems import RegistryError, refusal
from preheat.bundle.image.registry.transport import Answer, Call, Transport

_ELEMENT = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*")+')
_PARAMETER = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
CLIENT = "preheat"


class Authority:
    """Keeps the proof for each set of scopes of one registry. Safe to use from several threads."""

    def __init__(self, transport: Transport, logins: Logins) -> None:
        self._transport = transport
        self._logins = logins
        self._lock = threading.Lock()
        self._proofs: dict[tuple[str, ...], str] = {}

    def proof(self, scopes: tuple[str, ...]) -> str | None:
        """Return the header `Authorization` for `scopes`, as far as it is known."""
        return self._proofs.get(scopes)

    def renew(self, scopes: tuple[str, ...], refused: str | None, answer: Answer) -> None:
        """Learn from a 401 what to send. Raises RegistryError if what was sent must have been right.

        `refused` is the proof that the request carried; if another thread has a newer one, that is kept.
        """
        with self._lock:
            if (known := self._proofs.get(scopes)) is not None and known != refused:
                return
            challenges = _challenges(answer.headers.get("www-authenticate", ""))
            login = self._logins(self._transport.registry)
            if "realm" in (bearer := challenges.get("bearer", {})):
                proof = "Bearer " + self._token(bearer, scopes, login)
            elif "basic" in challenges and login is not None and login.basic != refused:
                proof = login.basic
            else:
                raise refusal(self._transport.registry, "a request", 401, answer.body)
            self._proofs[scopes] = proof

    def _token(self, parameters: dict[str, str], scopes: Sequence[str], login: Login | None) -> str:
        realm = urlsplit(parameters["realm"])
        if realm.scheme != "https":
            self._check_plain(parameters["realm"])
        service = parameters.get("service", "")
        if login is not None and login.identity:
            form = {
                "grant_type": "refresh_token",
                "refresh_token": login.password,
                "client_id": CLIENT,
                "service": service,
                "scope": " ".join(scopes),
            }
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            call = Call(method="POST", url=realm.geturl(), headers=headers, body=urlencode(form).encode())
        else:
            query = [("service", service), *(("scope", scope) for scope in scopes)]
            url = realm._replace(query="&".join(filter(None, [realm.query, urlencode(query)]))).geturl()
            headers = {"Authorization": login.basic} if login is not None else {}
            call = Call(method="GET", url=url, headers=headers)
        answer = self._transport.send(call)
        if answer.status != 200:
            raise refusal(self._transport.registry, f"a login at {realm.netloc}", answer.status, answer.body)
        try:
            document = json.loads(answer.body)
            return str(document.get("token") or document["access_token"])
        except (ValueError, KeyError, AttributeError) as exc:
            raise RegistryError(f"{realm.netloc} sent no token for {self._transport.registry}.") from exc

    def _check_plain(self, url: str) -> None:
        if not is_loopback(urlsplit(url).netloc):
            raise RegistryError(
                f"{self._transport.registry} wants the login sent to {url}, which is not https."
            )


def _challenges(header: str) -> dict[str, dict[str, str]]:
    """Return the parameters of each scheme that `header` offers, several fields of it joined by commas.

    A comma separates parameters and challenges alike; what begins with `name=` goes on with the one before.
    Of two challenges of one scheme, the first counts.
    """
    found: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for element in filter(None, map(str.strip, _ELEMENT.findall(header))):
        given = element
        if not _PARAMETER.match(element):
            scheme, _, given = element.partition(" ")
            current = {}
            found.setdefault(scheme.lower(), current)
        for name, quoted, bare in _PARAMETER.findall(given):
            current[name.lower()] = re.sub(r"\\(.)", r"\1", quoted) or bare
    return found
