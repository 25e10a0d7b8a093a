"""AWS Signature Version 4 for reading an object. Pure; a test compares it with botocore's.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
import time
from collections.abc import Mapping

from preheat_providers.aws_lambda.shipped.weights.credentials import Credentials

NO_BODY = hashlib.sha256().hexdigest()


def signed_headers(
    credentials: Credentials, *, host: str, path: str, region: str, now: float
) -> Mapping[str, str]:
    """Return the headers for `GET path`, which is percent-encoded; `now` is in seconds since the epoch.

    They hold for any range of the object, and for 15 minutes.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    headers = {"host": host, "x-amz-content-sha256": NO_BODY, "x-amz-date": stamp}
    if credentials.token is not None:
        headers["x-amz-security-token"] = credentials.token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{value}\n" for name, value in sorted(headers.items()))
    request = f"GET\n{path}\n\n{lines}\n{names}\n{NO_BODY}"
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return headers
