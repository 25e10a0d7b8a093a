"""A function in moto's Lambda: what keeps functions, versions and aliases, and runs none."""

import io
import json
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from preheat_providers._aws.session import Session

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

FUNCTION = "preheat-ocr-dev"
BUCKET = "team-artifacts"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


@dataclass(frozen=True)
class Control:
    """The account of `session`, which has the bucket."""

    session: Session

    @property
    def client(self) -> "LambdaClient":
        return self.session.client("lambda")

    def put_code(self, key: str, text: str) -> None:
        """Put an archive with one module into the bucket."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("handler.py", text)
        self.session.client("s3").put_object(Bucket=BUCKET, Key=key, Body=packed.getvalue())

    def create(self) -> None:
        """Make a function that was never published, with a code of its own."""
        self.put_code("first.zip", "x = 1\n")
        iam = self.session.client("iam")
        role = iam.create_role(RoleName="ocr", AssumeRolePolicyDocument=json.dumps(TRUST))
        self.client.create_function(
            FunctionName=FUNCTION,
            Runtime="python3.13",
            Role=role["Role"]["Arn"],
            Handler="handler.handle",
            Code={"S3Bucket": BUCKET, "S3Key": "first.zip"},
        )
