import calendar
import time

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from preheat_providers.aws_lambda.shipped.weights.credentials import Credentials
from preheat_providers.aws_lambda.shipped.weights.signing import signed_headers


@pytest.mark.parametrize("token", [None, "session/token+with=signs"])
@pytest.mark.parametrize("path", ["/models/preheat/weights/00ff", "/b/a%20b/%C3%BC.onnx"])
def test_the_signature_is_botocores(token: str | None, path: str) -> None:
    request = AWSRequest("GET", f"https://models.s3.eu-central-1.amazonaws.com{path}")
    S3SigV4Auth(BotoCredentials("AKIA", "secret", token), "s3", "eu-central-1").add_auth(request)
    now = calendar.timegm(time.strptime(request.context["timestamp"], "%Y%m%dT%H%M%SZ"))
    ours = signed_headers(
        Credentials(key="AKIA", secret="secret", token=token),
        host="models.s3.eu-central-1.amazonaws.com",
        path=path,
        region="eu-central-1",
        now=float(now),
    )
    theirs = {name.lower(): value for name, value in request.headers.items()}
    assert ours["x-amz-content-sha256"] == theirs["x-amz-content-sha256"]
    assert ours["authorization"] == theirs["authorization"]
