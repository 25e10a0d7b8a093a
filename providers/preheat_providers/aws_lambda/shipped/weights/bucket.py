"""Parts of objects over kept connections: what breaks off goes on where it broke, what lies is found out.

Talks to one bucket; keeps at most a connection and a buffer for each thread that asks.
"""

import http.client
import queue
import random
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from preheat.errors import ProviderError
from preheat_providers.aws_lambda.shipped.weights.credentials import Credentials
from preheat_providers.aws_lambda.shipped.weights.listing import Item
from preheat_providers.aws_lambda.shipped.weights.signing import signed_headers

CHUNK = 256 << 10
TIMEOUT_S = 10.0
ATTEMPTS = 5
"""How often in a row a part may fail without a single byte."""

LONGEST_WAIT_S = 5.0
PASSING = frozenset({408, 429, 500, 502, 503, 504})
"""What S3 answers when it is asked too much or fails for a moment; the AWS SDKs try these again as well."""

SHOWN = 300
LOST = (OSError, http.client.HTTPException)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a bucket is: `prefix` stands before the key in the path."""

    host: str
    prefix: str
    region: str
    tls: bool = True


def address_of(bucket: str, environ: Mapping[str, str]) -> Address:
    """Return where `bucket` is for a function with `environ`, whose region it shares."""
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        parts = urlsplit(endpoint)
        prefix = f"{parts.path.rstrip('/')}/{bucket}/"
        return Address(host=parts.netloc, prefix=prefix, region=region, tls=parts.scheme == "https")
    domain = f"s3.{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}"
    if "." in bucket:  # the certificate is for one label in front of the domain
        return Address(host=domain, prefix=f"/{bucket}/", region=region)
    return Address(host=f"{bucket}.{domain}", prefix="/", region=region)


class _Broken(Exception):
    """A part did not come whole. `wait_s` is how long the server wants to be left alone."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class Bucket:
    """Reads parts of the objects of one bucket. Its methods may be called by many threads at once."""

    def __init__(
        self,
        address: Address,
        credentials: Credentials,
        *,
        timeout_s: float = TIMEOUT_S,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._address = address
        self._credentials = credentials
        self._timeout_s = timeout_s
        self._now = now
        self._sleep = sleep
        self._tls = ssl.create_default_context() if address.tls else None
        self._idle: queue.LifoQueue[http.client.HTTPConnection] = queue.LifoQueue()

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while not self._idle.empty():
            self._idle.get().close()

    def read(self, item: Item, first: int, end: int) -> Iterator[memoryview]:
        """Yield the bytes from `first` to before `end`; a chunk is valid until the next one is asked for.

        Raises ProviderError if the object cannot be read, or after ATTEMPTS failures in a row.
        """
        position, failures = first, 0
        while position < end:
            try:
                for chunk in self._read(item, position, end):
                    position += len(chunk)
                    failures = 0
                    yield chunk
            except _Broken as broken:
                failures += 1
                if failures == ATTEMPTS:
                    raise ProviderError(
                        f"{item.key} could not be read from {self._address.host}, {ATTEMPTS} times in a row, "
                        f"at byte {position:,} of {item.bytes:,}: {broken}.",
                        hint="The next start goes on from there; see AWS's status if it happens again.",
                    ) from broken
                self._sleep(max(broken.wait_s, random.uniform(0.5, 1) * 0.1 * 2**failures))  # noqa: S311

    def _read(self, item: Item, first: int, end: int) -> Iterator[memoryview]:
        """Yield what one request brings."""
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:  # asked for first, it could be taken by another thread meanwhile
            connection = self._connection()
        whole = False
        try:
            response = self._response(connection, item, first, end)
            view = memoryview(bytearray(min(CHUNK, end - first)))
            while first < end:
                size = response.readinto(view[: end - first])
                if not size:
                    raise _Broken(f"the connection was closed {end - first:,} bytes too early")
                first += size
                yield view[:size]
            whole = True
        except LOST as exc:
            raise _Broken(f"{type(exc).__name__}: {exc}") from exc
        finally:
            if whole:
                self._idle.put(connection)
            else:
                connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        host = self._address.host
        if self._tls is None:
            return http.client.HTTPConnection(host, timeout=self._timeout_s)
        return http.client.HTTPSConnection(host, timeout=self._timeout_s, context=self._tls)

    def _response(
        self, connection: http.client.HTTPConnection, item: Item, first: int, end: int
    ) -> http.client.HTTPResponse:
        """Ask for a part. Raises _Broken unless the answer is exactly that part."""
        path = self._address.prefix + quote(item.key, safe="/-._~")
        signed = signed_headers(
            self._credentials,
            host=self._address.host,
            path=path,
            region=self._address.region,
            now=self._now(),
        )
        connection.request("GET", path, headers={**signed, "range": f"bytes={first}-{end - 1}"})
        response = connection.getresponse()
        if response.status in PASSING:
            raise _Broken(f"it answered {response.status} {response.reason}", _wait_s(response))
        if response.status not in (http.client.OK, http.client.PARTIAL_CONTENT):
            raise self._refused(item, response)
        span = f"bytes {first}-{end - 1}/{item.bytes}"
        found = response.headers.get("Content-Range")
        if response.status != http.client.PARTIAL_CONTENT or found != span or response.length != end - first:
            raise _Broken(f"asked for {span}, it sent {found} with {response.length} bytes")
        return response

    def _refused(self, item: Item, response: http.client.HTTPResponse) -> ProviderError:
        text = response.read(4096).decode("utf-8", errors="replace")
        codes = re.findall(r"<Code>([^<]{1,80})</Code>", text)
        code = codes[0] if codes else text[:SHOWN] or response.reason
        place = f"{self._address.host}{self._address.prefix}{item.key}"
        return ProviderError(
            f"The weights {item.path} cannot be read: {place} answered {response.status} {code}.",
            hint=_HINTS.get(response.status, "Deploy again, which uploads what is missing."),
        )


_HINTS = {
    301: "Its bucket is in another region: name one of the function's in [provider.aws_lambda].",
    # What is gone is refused as well, to whom may not list the bucket, as the function's role:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    403: "Allow the function's role s3:GetObject on it, and kms:Decrypt if a key of yours encrypts it; or it "
    "was removed, as by a lifecycle rule: deploy again, which uploads what is missing.",
    404: "A lifecycle rule of the bucket may have removed it: deploy again, which uploads what is missing.",
}


def _wait_s(response: http.client.HTTPResponse) -> float:
    asked = response.headers.get("Retry-After", "")
    return min(float(asked), LONGEST_WAIT_S) if asked.isdigit() else 0.0
